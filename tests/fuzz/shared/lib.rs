//! What the fuzzers share: a limit of memory, and a world for a whole client.

pub mod memory;
pub mod world;

/// What the package gives to the core as JSON. The browser's half is not there natively, but this file of it needs no
/// browser.
#[path = "../../../src/web/command.rs"]
pub mod command;

#[path = "../../../src/proto/text.rs"]
#[allow(dead_code)]
mod text;

/// The paths by which [`command`] names what it uses.
mod proto {
    pub use chatwire::proto::*;

    pub(crate) use crate::text;

    /// As the product's own, which is not public.
    pub(crate) fn first_chars(text: &str, count: usize) -> &str {
        text.char_indices().nth(count).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
    }
}
