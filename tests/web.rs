//! The browser half, in a headless browser.
#![cfg(target_arch = "wasm32")]
// Clippy knows tests by `#[test]`, which these are not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "web/command.rs"]
mod command;
#[path = "web/handle.rs"]
mod handle;
#[path = "web/http.rs"]
mod http;
#[path = "web/page.rs"]
mod page;
#[path = "web/socket.rs"]
mod socket;
#[path = "web/store.rs"]
mod store;
#[path = "web/store_faults.rs"]
mod store_faults;
#[path = "web/store_marks.rs"]
mod store_marks;
#[path = "web/support.rs"]
mod support;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
