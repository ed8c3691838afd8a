//! Typed reading of a backend's JSON objects, and writing of small ones.
//!
//! Law: an absent field and a `null` are the same; a field is found under its snake_case name and the camelCase
//! spelling of it; numbers and strings are both good for ids. What is wrong is told by the name of the field,
//! never by its value, because values are message bodies.
//!
//! Everything stands on the one object walker of [`json`]: a derive for each record would be a copy of the parser
//! for each in the wasm file, and the walker borrows the frame just the same (a record has a dozen fields, so a
//! search through a short list beats any map).

use std::borrow::Cow;
use std::cell::Cell;

use crate::proto::model::Json;
use crate::proto::wall_time;
use crate::proto::wire::json::RawValue;
use crate::proto::wire::json::{self, Kind, Object};

/// The largest integer that JavaScript holds exactly.
const MAX_COUNT: u64 = (1 << 53) - 1;

/// The times that JavaScript's `Date` can hold, in milliseconds on both sides of 1970.
const MAX_TIME_MS: i64 = 8_640_000_000_000_000;

pub(super) const IS_MISSING: &str = "is missing";

/// What was wrong with a record: the field, and what is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrong<'a> {
    /// Empty where the record as a whole is meant.
    pub(super) field: &'a str,
    pub(super) expected: &'static str,
}

impl Wrong<'_> {
    /// The sentence for developers, such as ``chat:message_received: field `id` is missing``.
    pub(super) fn at(self, place: &str) -> String {
        let mut out = String::from(place);
        out.push_str(": ");
        if !self.field.is_empty() {
            out.push_str("field `");
            out.push_str(self.field);
            out.push_str("` ");
        }
        out.push_str(self.expected);
        out
    }
}

/// A JSON object whose fields are asked for by their snake_case names.
///
/// What cannot be read is remembered, and reads as absent; [`Fields::finish`] tells. A `Result` for each of a hundred
/// fields would be a branch with its clean-up for each.
pub(super) struct Fields<'a> {
    object: Object<'a>,
    /// A bit for each first letter of its fields: most of the two dozen that are asked for are not there.
    letters: u32,
    wrong: Cell<Option<Wrong<'a>>>,
}

impl<'a> Fields<'a> {
    /// The payload of an event: its first argument.
    pub(super) fn of(args: &[&'a RawValue]) -> Result<Self, Wrong<'a>> {
        match args.first() {
            Some(raw) => Self::read(raw),
            None => Err(Wrong { field: "", expected: "must carry an object" }),
        }
    }

    pub(super) fn read(raw: &'a RawValue) -> Result<Self, Wrong<'a>> {
        match Object::read(raw) {
            Some(object) => {
                let letters = object.iter().fold(0, |letters, (key, _)| letters | letter(key));
                Ok(Self { object, letters, wrong: Cell::new(None) })
            }
            None => Err(Wrong { field: "", expected: "must be an object" }),
        }
    }

    /// Says what is wrong with what was just read. The first failure counts.
    #[inline(never)]
    pub(super) fn fail(&self, field: &'a str, expected: &'static str) {
        if self.wrong.get().is_none() {
            self.wrong.set(Some(Wrong { field, expected }));
        }
    }

    /// What was wrong within an object of this one is wrong with this one.
    pub(super) fn heed(&self, within: &Fields<'a>) {
        if let Some(wrong) = within.wrong.get() {
            self.fail(wrong.field, wrong.expected);
        }
    }

    /// What was made of the fields, unless one of them was wrong.
    pub(super) fn finish<T>(&self, made: T) -> Result<T, Wrong<'a>> {
        match self.wrong.get() {
            None => Ok(made),
            Some(wrong) => Err(wrong),
        }
    }

    /// The value of a field that must be there; until [`Fields::finish`] tells, something empty stands for it.
    pub(super) fn required<T: Default>(&self, name: &'a str, read: Option<T>) -> T {
        read.unwrap_or_else(|| {
            self.fail(name, IS_MISSING);
            T::default()
        })
    }

    pub(super) fn required_id(&self, name: &'a str) -> String {
        self.required(name, self.id(name))
    }

    /// The last value under either spelling that is not `null`.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let mut found = None;
        let first = letter(name);
        if self.letters & first == 0 {
            return None;
        }
        for (key, value) in self.object.iter() {
            if letter(key) == first && is_spelling(key, name) && json::kind(value) != Kind::Null {
                found = Some(value);
            }
        }
        found
    }

    /// An id: a string that is not empty, or a whole number, which becomes its decimal text.
    pub(super) fn id(&self, name: &'a str) -> Option<String> {
        self.typed(name, "must be a string that is not empty, or a whole number", id)
    }

    pub(super) fn text(&self, name: &'a str) -> Option<Cow<'a, str>> {
        self.typed(name, "must be a string", json::string)
    }

    pub(super) fn flag(&self, name: &'a str) -> Option<bool> {
        self.typed(name, "must be true or false", json::boolean)
    }

    /// A whole number from 0 to 2^53 - 1, beyond which JavaScript's are not exact; as text too, because that is how PostgreSQL's drivers give out a `bigint`.
    pub(super) fn count(&self, name: &'a str) -> Option<u64> {
        self.typed(name, "must be a whole number from 0 to 2^53 - 1", |raw| {
            let text = json::string(raw).unwrap_or(Cow::Borrowed(raw.get()));
            json::digits(&text).filter(|count| *count <= MAX_COUNT)
        })
    }

    /// Wall-clock milliseconds from ISO 8601 text or a number of milliseconds.
    pub(super) fn time_ms(&self, name: &'a str) -> Option<i64> {
        self.typed(name, "must be a time: ISO 8601 text or a whole number of milliseconds", |raw| {
            let time_ms = match json::string(raw) {
                Some(text) => wall_time::from_iso(&text),
                None => json::int(raw),
            };
            time_ms.filter(|ms| (-MAX_TIME_MS..=MAX_TIME_MS).contains(ms))
        })
    }

    /// The elements of an array; none where the field is absent.
    pub(super) fn list(&self, name: &'a str) -> Vec<&'a RawValue> {
        self.typed(name, "must be an array", json::array).unwrap_or_default()
    }

    /// An object within.
    pub(super) fn object(&self, name: &'a str) -> Option<Fields<'a>> {
        self.typed(name, "must be an object", |raw| Fields::read(raw).ok())
    }

    /// Any JSON, kept as its text.
    pub(super) fn json(&self, name: &str) -> Option<Json> {
        self.get(name).map(Json::from)
    }

    fn typed<T>(
        &self,
        name: &'a str,
        expected: &'static str,
        read: impl FnOnce(&'a RawValue) -> Option<T>,
    ) -> Option<T> {
        let value = read(self.get(name)?);
        if value.is_none() {
            self.fail(name, expected);
        }
        value
    }
}

/// A string that is not empty, or a whole number as its decimal text.
pub(super) fn id(raw: &RawValue) -> Option<String> {
    match json::string(raw) {
        Some(text) => (!text.is_empty()).then(|| text.into_owned()),
        None => {
            let text = raw.get();
            let digits = text.strip_prefix('-').unwrap_or(text);
            let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_whole.then(|| text.to_owned())
        }
    }
}

/// The bit of a name's first letter, which is the same in both spellings.
fn letter(name: &str) -> u32 {
    name.bytes().next().map_or(0, |byte| 1 << (byte & 31))
}

/// Whether `key` is the snake_case `name` or its camelCase spelling.
fn is_spelling(key: &str, name: &str) -> bool {
    let (mut key, mut name) = (key.bytes(), name.bytes());
    while let Some(wanted) = name.next() {
        let Some(found) = key.next() else {
            return false;
        };
        if found == wanted {
            continue;
        }
        if wanted != b'_' || name.next().is_none_or(|letter| letter.to_ascii_uppercase() != found) {
            return false;
        }
    }
    key.next().is_none()
}

/// A JSON object in the making.
pub(super) struct Body(String);

impl Body {
    pub(super) fn new() -> Self {
        Self(String::from("{"))
    }

    pub(super) fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        json::push_json_string(&mut self.0, value);
        self
    }

    pub(super) fn texts(self, name: &str, values: &[String]) -> Self {
        let mut list = String::from("[");
        for value in values {
            if list.len() > 1 {
                list.push(',');
            }
            json::push_json_string(&mut list, value);
        }
        list.push(']');
        self.raw(name, &list)
    }

    /// `value` is JSON already.
    pub(super) fn raw(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.0.push_str(value);
        self
    }

    pub(super) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        json::push_json_string(&mut self.0, name);
        self.0.push(':');
    }
}

/// Appends numbers to a path as its query.
pub(super) fn push_query(path: &mut String, query: &[(&str, u64)]) {
    for (index, (name, value)) in query.iter().enumerate() {
        path.push(if index == 0 { '?' } else { '&' });
        path.push_str(name);
        path.push('=');
        json::push_uint(path, *value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields<'_> {
        Fields::read(json::parse(text, 0).unwrap()).unwrap()
    }

    #[test]
    fn both_spellings_and_nothing_else() {
        for (key, good) in [
            ("client_message_id", true),
            ("clientMessageId", true),
            ("clientMessage_id", true),
            ("clientmessageid", false),
            ("clientMessageI", false),
            ("clientMessageIds", false),
            ("client_", false),
            ("", false),
        ] {
            assert_eq!(is_spelling(key, "client_message_id"), good, "{key}");
        }
        assert!(!is_spelling("a", "a_") && !is_spelling("aB", "a_"));
    }

    #[test]
    fn null_is_absent_and_the_last_value_counts() {
        let read = fields(r#"{"seq":null,"userId":"a","user_id":"b","userId":null}"#);
        assert_eq!(read.count("seq"), None);
        assert_eq!(read.id("user_id"), Some("b".to_owned()));
        assert_eq!(read.finish(()), Ok(()));
    }

    #[test]
    fn ids_are_text_or_whole_numbers() {
        for (text, wanted) in [
            (r#""a\nb""#, Some("a\nb")),
            ("7", Some("7")),
            ("-7", Some("-7")),
            ("123456789012345678901234567890", Some("123456789012345678901234567890")),
            (r#""""#, None),
            ("1.5", None),
            ("1e3", None),
            ("true", None),
            ("[1]", None),
            ("{}", None),
        ] {
            assert_eq!(id(json::parse(text, 0).unwrap()).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn counts_are_numbers_or_their_text() {
        for (text, wanted) in [
            (r#"{"seq":0}"#, Some(0)),
            (r#"{"seq":9007199254740991}"#, Some(MAX_COUNT)),
            (r#"{"seq":9007199254740992}"#, None),
            (r#"{"seq":18446744073709551615}"#, None),
            (r#"{"seq":"42"}"#, Some(42)),
            (r#"{"seq":"+42"}"#, None),
            (r#"{"seq":-1}"#, None),
            (r#"{"seq":1.0}"#, None),
            (r#"{"seq":"\"4"}"#, None),
            (r#"{"seq":[]}"#, None),
        ] {
            assert_eq!(fields(text).count("seq"), wanted, "{text}");
        }
    }

    #[test]
    fn times_are_iso_text_or_milliseconds() {
        for (text, wanted) in [
            (r#"{"at":"1970-01-01T00:00:01.500Z"}"#, Some(1500)),
            (r#"{"at":1500}"#, Some(1500)),
            (r#"{"at":-1}"#, Some(-1)),
            (r#"{"at":8640000000000000}"#, Some(MAX_TIME_MS)),
            (r#"{"at":8640000000000001}"#, None),
            (r#"{"at":9223372036854775808}"#, None),
            (r#"{"at":"soon"}"#, None),
            (r#"{"at":true}"#, None),
        ] {
            assert_eq!(fields(text).time_ms("at"), wanted, "{text}");
        }
    }

    #[test]
    fn a_body_is_json() {
        let body = Body::new().text("a", "x\"y").raw("b", "[1]").finish();
        assert_eq!(body, r#"{"a":"x\"y","b":[1]}"#);
        assert_eq!(Body::new().finish(), "{}");
    }

    #[test]
    fn what_is_wrong_is_told_without_values() {
        let read = fields(r#"{"id":{"secret":1}}"#);
        assert_eq!((read.id("id"), read.text("id"), read.required_id("absent")), (None, None, String::new()));
        let wrong = read.finish(()).unwrap_err();
        assert_eq!(wrong.at("x"), "x: field `id` must be a string that is not empty, or a whole number");
        let empty = fields("{}");
        let nothing = empty.finish(empty.required_id("id")).unwrap_err();
        assert_eq!(nothing.at("x"), "x: field `id` is missing");
        let list: &RawValue = json::parse("[]", 0).unwrap();
        assert_eq!(Fields::read(list).err().unwrap().at("x"), "x: must be an object");
    }
}
