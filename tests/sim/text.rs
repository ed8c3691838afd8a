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
    let number = text.strip_prefix(SECRET)?.strip_prefix('-')?;
    number.split('~').next()?.parse().ok()
}

/// The text that change `change` gives message `n`.
pub fn edited(n: usize, change: usize) -> String {
    format!("{}~{change}", body(n))
}

/// A token: whose, and which in the row of that user's.
pub fn token(user: &str, generation: u64) -> String {
    format!("{user}:{TOKEN}:{generation}")
}

pub fn read_token(token: &str) -> (String, u64) {
    let mut parts = token.split(':');
    let user = parts.next().unwrap_or_default().to_owned();
    (user, parts.nth(1).and_then(|number| number.parse().ok()).unwrap_or(0))
}
