//! Reading JSON in place, without derived code.
//!
//! A text is checked once and becomes a [`RawValue`]; here stand the few readers that turn one into a string, a
//! number, an array or an object's fields, which are slices of it. One walker serves all of them, where a derive
//! would cost a copy of the parser for each. Strings are unescaped here and not by serde_json, because it refuses lone
//! surrogates, which JavaScript peers do send when they cut a text inside an emoji.

use std::borrow::Cow;

use ref_cast::RefCast;

use super::{Limits, WireError};
use crate::proto::text::cut;

mod check;

use check::Wrong;

/// A slice that is one valid JSON value, without blanks around it.
#[derive(Debug, PartialEq, Eq, RefCast)]
#[repr(transparent)]
pub struct RawValue(str);

impl RawValue {
    /// The text as it came.
    #[must_use]
    pub fn get(&self) -> &str {
        &self.0
    }
}

/// What a JSON value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// Any number.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`
    Null,
}

/// The kind of a value, told by its first byte.
#[must_use]
pub fn kind(raw: &RawValue) -> Kind {
    match raw.get().bytes().next() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'n') | None => Kind::Null,
        Some(_) => Kind::Number,
    }
}

/// Validates one JSON value that begins at byte `at` of a frame.
///
/// # Errors
/// [`WireError::Json`], with `at` counted in.
pub fn parse(text: &str, at: usize) -> Result<&RawValue, WireError> {
    const NONE: Limits = Limits { max_depth: usize::MAX, max_elements: usize::MAX, ..Limits::DEFAULT };
    parse_within(text, at, &NONE)
}

/// The same, refusing what is nested too deep or too long before more is allocated for it than a byte for each allowed level.
///
/// # Errors
/// [`WireError::TooDeep`], [`WireError::TooManyElements`].
pub(super) fn parse_within<'a>(text: &'a str, at: usize, limits: &Limits) -> Result<&'a RawValue, WireError> {
    let Err((wrong, place)) = check::check(text, limits) else { return Ok(part(text)) };
    let at = at + place;
    Err(match wrong {
        Wrong::Json => WireError::Json { at, truncated: place >= text.len() },
        Wrong::Deep => WireError::TooDeep { at, max: limits.max_depth },
        Wrong::Long => WireError::TooManyElements { at, max: limits.max_elements },
    })
}

/// The elements of a JSON array; `None` for anything else.
#[must_use]
pub fn array(raw: &RawValue) -> Option<Vec<&RawValue>> {
    parts(raw, '[').map(Iterator::collect)
}

/// The elements of the JSON array in `text`, which begins at byte `at` of a frame.
pub(super) fn elements<'a>(
    text: &'a str,
    at: usize,
    limits: &Limits,
) -> Result<Vec<&'a RawValue>, WireError> {
    array(parse_within(text, at, limits)?).ok_or(WireError::Json { at, truncated: false })
}

/// What an array or object, which begins with `open`, holds at its own level, cut at commas and colons: elements, or names and
/// values in turn. `None` for a value of another kind.
fn parts(raw: &RawValue, open: char) -> Option<Parts<'_>> {
    let inner = raw.get().strip_prefix(open)?;
    let inner = inner.get(..inner.len().saturating_sub(1))?.trim_ascii();
    Some(Parts { rest: (!inner.is_empty()).then_some(inner) })
}

struct Parts<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a RawValue;

    /// Valid JSON is taken for granted, as every [`RawValue`] is: only what can be nested or quoted is looked at.
    fn next(&mut self) -> Option<&'a RawValue> {
        let rest = self.rest?;
        let bytes = rest.as_bytes();
        let (mut at, mut depth) = (0, 0_usize);
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match byte {
                b'"' => at = string_end(bytes, at),
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                b',' | b':' if depth == 0 => {
                    self.rest = rest.get(at..);
                    return rest.get(..at - 1).map(part);
                }
                _ => {}
            }
        }
        self.rest = None;
        Some(part(rest))
    }
}

/// Behind the quote that ends the valid string whose text begins at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at += plain_len(bytes.get(at..).unwrap_or_default());
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            _ => return at + 1,
        }
    }
}

/// How many bytes come before the first that means something within a JSON string, or may not stand there: a quote, a backslash, a
/// control character. Eight at a time: every byte that comes in and goes out is looked at here, most of them more than once.
fn plain_len(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The high bit of each byte of `word` that is below `than`, up to the first such byte; behind it there may be more.
    let below = |word: u64, than: u64| word.wrapping_sub(ONES * than) & !word & (ONES << 7);
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let (quote, backslash) = (word ^ (ONES * 0x22), word ^ (ONES * 0x5c));
        let marks = below(word, 0x20) | below(quote, 1) | below(backslash, 1);
        if marks != 0 {
            return at * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    let is_mark = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    words.len() * 8 + rest.iter().position(is_mark).unwrap_or(rest.len())
}

/// One part of a valid text, or all of it.
fn part(text: &str) -> &RawValue {
    RawValue::ref_cast(text.trim_ascii())
}

/// The fields of a JSON object, in their order, borrowed from the frame.
#[derive(Clone)]
pub struct Object<'a> {
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Reads an object; `None` for a value of another kind.
    #[must_use]
    pub fn read(raw: &'a RawValue) -> Option<Self> {
        let mut parts = parts(raw, '{')?;
        let mut fields = Vec::new();
        if parts.rest.is_some() {
            // A message has about so many.
            fields.reserve(12);
        }
        while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            fields.push((string(name).unwrap_or_default(), value));
        }
        Some(Self { fields })
    }

    /// The value of a field, `null` included. Of two fields with one name the last counts, as in JavaScript.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.fields.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// A field that holds a string.
    #[must_use]
    pub fn str(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(string)
    }

    /// A field that holds a whole number from 0 to 2^64 − 1.
    #[must_use]
    pub fn u64(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(uint)
    }

    /// A field that holds `true` or `false`.
    #[must_use]
    pub fn bool(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(boolean)
    }

    /// A field that holds an object.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<Object<'a>> {
        self.get(name).and_then(Object::read)
    }

    /// A field that holds an array.
    #[must_use]
    pub fn array(&self, name: &str) -> Option<Vec<&'a RawValue>> {
        self.get(name).and_then(array)
    }

    /// All fields in the order of the frame, doubles included.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.fields.iter().map(|(key, value)| (key.as_ref(), *value))
    }
}

/// A JSON string's text, borrowed where nothing was escaped; `None` for another kind. A lone surrogate becomes
/// U+FFFD.
#[must_use]
pub fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    let is_plain = plain_len(inner.as_bytes()) == inner.len();
    Some(if is_plain { Cow::Borrowed(inner) } else { Cow::Owned(unescape(inner)) })
}

/// A whole number from 0 to 2^64 − 1, written without point and exponent; `None` for anything else.
#[must_use]
pub fn uint(raw: &RawValue) -> Option<u64> {
    digits(raw.get())
}

/// A whole number from −2^63 to 2^63 − 1, written without point and exponent; `None` for anything else.
#[must_use]
pub fn int(raw: &RawValue) -> Option<i64> {
    let text = raw.get();
    match text.strip_prefix('-') {
        Some(rest) => digits(rest).and_then(|number| 0_i64.checked_sub_unsigned(number)),
        None => digits(text).and_then(|number| i64::try_from(number).ok()),
    }
}

/// One or more decimal digits and nothing else, below 2^64.
#[must_use]
pub fn digits(text: &str) -> Option<u64> {
    let mut number = 0_u64;
    for byte in text.bytes() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    if text.is_empty() { None } else { Some(number) }
}

/// `true` or `false`; `None` for another kind.
#[must_use]
pub fn boolean(raw: &RawValue) -> Option<bool> {
    match raw.get() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escape)) = cut(rest, b'\\') {
        out.push_str(plain);
        let mut chars = escape.chars();
        let code = chars.next();
        rest = chars.as_str();
        match code {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('u') => rest = push_code_point(&mut out, rest),
            Some(other) => out.push(other),
            None => {}
        }
    }
    out.push_str(rest);
    out
}

/// Reads the four hex digits after `\u`, and the second half of a surrogate pair; gives back what follows.
fn push_code_point<'a>(out: &mut String, text: &'a str) -> &'a str {
    let hex = |text: &str| text.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(first) = hex(text) else {
        out.push(char::REPLACEMENT_CHARACTER);
        return text;
    };
    let rest = text.get(4..).unwrap_or_default();
    if (0xD800..0xDC00).contains(&first)
        && let Some(tail) = rest.strip_prefix("\\u")
        && let Some(second @ 0xDC00..0xE000) = hex(tail)
    {
        let point = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        out.push(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
        return tail.get(4..).unwrap_or_default();
    }
    out.push(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
    rest
}

/// Appends `text` as a JSON string, quotes included.
pub fn push_json_string(out: &mut String, text: &str) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    out.reserve(text.len() + 2);
    out.push('"');
    let mut rest = text;
    loop {
        let at = plain_len(rest.as_bytes());
        out.push_str(rest.get(..at).unwrap_or_default());
        let Some(byte) = rest.as_bytes().get(at).copied() else { break };
        out.push('\\');
        match byte {
            b'"' | b'\\' => out.push(char::from(byte)),
            b'\n' => out.push('n'),
            b'\r' => out.push('r'),
            b'\t' => out.push('t'),
            8 => out.push('b'),
            12 => out.push('f'),
            _ => {
                out.push_str("u00");
                out.push(if byte < 16 { '0' } else { '1' });
                out.push(HEX.get(usize::from(byte & 15)).copied().unwrap_or('0'));
            }
        }
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    out.push('"');
}

/// Appends a whole number in decimal, without the formatting machinery's cost at every call site.
pub fn push_uint(out: &mut String, number: u64) {
    if number >= 10 {
        push_uint(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

/// A whole number in decimal.
#[must_use]
pub fn decimal(number: u64) -> String {
    let mut text = String::new();
    push_uint(&mut text, number);
    text
}

#[cfg(test)]
mod tests;
