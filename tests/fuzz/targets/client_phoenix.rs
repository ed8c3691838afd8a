//! A whole client on Phoenix Channels.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| shared::world::run("phoenix", data));
