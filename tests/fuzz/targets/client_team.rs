//! A whole client on Socket.IO.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| shared::world::run("team", data));
