//! Where records stand.
//!
//! Law: text keys of the history table begin with a letter for what they hold, then the conversation's id with `/`
//! and `%` escaped, so that everything behind `letter/id/` belongs to that conversation and no id reaches into
//! another's keys. Numbers are eight hexadecimal digits: the order of keys is the order of numbers.

use crate::proto::text::{cut, holds};

/// In the meta table: the leading tab's reign.
pub const GENERATION_KEY: &str = "generation";
/// In the meta table: what the backend has said it gives.
pub const CAPABILITIES_KEY: &str = "capabilities";
/// In the meta table: the application's settings.
pub const SETTINGS_KEY: &str = "settings";

/// In the meta table: changes of messages that are not known yet.
pub const ORPHANS_KEY: &str = "orphans";

/// In the meta table: every draft begins with this.
pub const DRAFT_PREFIX: &str = "d/";

/// In the meta table: that rows were added, by the tab to which this place fell.
pub const PROOF_PREFIX: &str = "p/";
/// So many places. Where two tabs share one, the proof of the earlier may be gone.
const PROOF_PLACES: u32 = 32;

/// Every conversation begins with this.
pub const CONVERSATION_PREFIX: &str = "c/";
/// Every head of a history begins with this.
pub const HEAD_PREFIX: &str = "h/";
/// Every segment begins with this.
pub const SEGMENT_PREFIX: &str = "s/";
/// Every page of an index begins with this.
pub const INDEX_PREFIX: &str = "x/";

pub fn conversation_key(conversation_id: &str) -> String {
    escaped(CONVERSATION_PREFIX, conversation_id)
}

/// In the meta table, which every tab reads and may write.
pub fn draft_key(conversation_id: &str) -> String {
    escaped(DRAFT_PREFIX, conversation_id)
}

pub fn proof_key(tab: u32) -> String {
    numbered(PROOF_PREFIX.to_owned(), tab % PROOF_PLACES)
}

pub fn head_key(conversation_id: &str) -> String {
    escaped(HEAD_PREFIX, conversation_id)
}

pub fn segment_key(conversation_id: &str, number: u32) -> String {
    numbered(segment_prefix(conversation_id), number)
}

pub fn index_key(conversation_id: &str, page: u32) -> String {
    numbered(index_prefix(conversation_id), page)
}

/// The segments of one conversation, and nothing else, begin with this.
pub fn segment_prefix(conversation_id: &str) -> String {
    escaped(SEGMENT_PREFIX, conversation_id) + "/"
}

/// The index pages of one conversation, and nothing else, begin with this.
pub fn index_prefix(conversation_id: &str) -> String {
    escaped(INDEX_PREFIX, conversation_id) + "/"
}

/// The conversation and the number of an index page, when the record itself can no longer say. `None`: not such a key.
pub fn index_page_named(key: &str) -> Option<(String, u32)> {
    let (letter, rest) = cut(key, b'/')?;
    let number = cut(rest, b'/').filter(|_| letter == "x")?.1;
    Some((conversation_of(key)?, u32::from_str_radix(number, 16).ok()?))
}

/// The conversation that a key of the history table, or of a draft, belongs to: whose record it was, when the record itself
/// can no longer say. `None`: not such a key.
pub fn conversation_of(key: &str) -> Option<String> {
    let (letter, rest) = cut(key, b'/')?;
    let id = match letter {
        "c" | "h" | "d" if !holds(rest, b"/") => rest,
        "s" | "x" => cut(rest, b'/').filter(|(_, number)| number.len() == 8)?.0,
        _ => return None,
    };
    unescaped(id)
}

fn escaped(prefix: &str, id: &str) -> String {
    let mut key = String::with_capacity(prefix.len() + id.len() + 9);
    key.push_str(prefix);
    for c in id.chars() {
        match c {
            '/' => key.push_str("%2F"),
            '%' => key.push_str("%25"),
            c => key.push(c),
        }
    }
    key
}

fn unescaped(escaped: &str) -> Option<String> {
    let mut id = String::new();
    let mut rest = escaped;
    while let Some((plain, code)) = cut(rest, b'%') {
        id.push_str(plain);
        let (digits, behind) = code.split_at_checked(2)?;
        id.push(match digits {
            "2F" => '/',
            "25" => '%',
            _ => return None,
        });
        rest = behind;
    }
    Some(id + rest)
}

fn numbered(mut prefix: String, number: u32) -> String {
    for shift in (0..8).rev() {
        prefix.push(char::from_digit((number >> (shift * 4)) & 0xf, 16).unwrap_or('0'));
    }
    prefix
}
