//! What the backend writes, and the texts that must never show.

pub use super::by_hand::{decode, encode, iso};

/// The part of every message's text that must never stand in a log, in two writings.
pub const SECRET: &str = "s3cr3t";
pub const SECRET_BASE64: &str = "czNjcjN0";
/// The part of every token that must never stand in a log.
pub const TOKEN: &str = "tok3n";

/// The text of message number `n`.
pub fn body(n: usize) -> String {
    format!("{SECRET}-{n}")
}

/// The number of a message with this text.
pub fn number(text: &str) -> Option<usize> {
    let rest = text.strip_prefix(SECRET)?.strip_prefix('-')?;
    // Behind it stands what an edit has made of it.
    rest.split('~').next()?.parse().ok()
}
