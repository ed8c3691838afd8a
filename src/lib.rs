//! chatwire: the chat client core for the web.
//!
//! Two halves. [`proto`] is a pure state machine: it knows neither browser, clock nor randomness, and
//! everything it wants done leaves it as an [`proto::Output`]. The half called `web` exists on wasm32 only;
//! it carries those outputs out and brings back what happened as [`proto::Input`].
//!
//! An application never sees this crate: it sees the npm package `chatwire`, which holds no chat state of its own.

// A build with one framing has no use for what the others share.
#![cfg_attr(not(feature = "several"), allow(dead_code))]

pub mod proto;

#[cfg(target_arch = "wasm32")]
pub mod web;

#[cfg(target_arch = "wasm32")]
mod allocator {
    //! Memory: beside the allocator that comes with the target this one is as fast, and a third of its size.

    struct Small;

    impl rlsf::GlobalTlsfOptions for Small {
        // Blocks that grow in their place would be half a kilobyte of code.
        const ENABLE_REALLOCATION: bool = false;
        // Pages of the browser that follow each other are one piece: a list that doubles leaves no holes behind.
        const COALESCE_POOLS: bool = true;
    }

    #[global_allocator]
    static ALLOCATOR: rlsf::GlobalTlsf<Small> = rlsf::GlobalTlsf::new();
}
