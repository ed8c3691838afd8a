//! Reading options with the path to each, so that a refusal can name the field, the value and what is allowed.
//!
//! Law: an option that is absent or `null` is at its default; any other value is either exactly what is allowed or
//! refused. One small reader in place of derived code, which could not say what is allowed.
//!
//! Nothing is read with a `Result` of its own, which would be a branch with its clean-up for each of forty options: the
//! first refusal is kept aside, and asked for at the end.

use core::cell::RefCell;

use std::borrow::Cow;

use crate::proto::model::first_chars;
use crate::proto::text::{concat, join};
use crate::proto::wire::json::RawValue;
use crate::proto::wire::json::{self, Kind, Object};
use crate::proto::{ErrorCode, Failure};

/// Longest value repeated in a message, in characters.
const MAX_SHOWN_CHARS: usize = 60;

/// An object among the options.
pub(super) struct Reader<'a> {
    path: String,
    object: Option<Object<'a>>,
    refused: &'a Refused,
}

/// The first refusal.
pub(super) type Refused = RefCell<Option<Failure>>;

impl<'a> Reader<'a> {
    /// The options themselves.
    pub(super) fn root(options: &'a RawValue, known: &[&str], refused: &'a Refused) -> Self {
        let root = Self { path: String::new(), object: Object::read(options), refused };
        if root.object.is_none() {
            root.refuse(refusal("options", &show(options), "an object"));
        }
        root.check(known);
        root
    }

    /// An object of its own; an absent one is empty.
    pub(super) fn object(&self, name: &str, known: &[&str]) -> Self {
        let value = self.get(name);
        let inner =
            Self { path: self.name(name), object: value.and_then(Object::read), refused: self.refused };
        match value {
            Some(value) if inner.object.is_none() => self.wrong(name, value, "an object"),
            _ => inner.check(known),
        }
        inner
    }

    /// Refuses names that nobody knows: most are typing errors, and an ignored option is a wrong one.
    fn check(&self, known: &[&str]) {
        let Some(object) = &self.object else { return };
        for (name, _) in object.iter() {
            // What stands for `getToken` is not for applications, and so in no list.
            if !known.contains(&name) && name != "hasGetToken" {
                let name = self.name(first_chars(name, MAX_SHOWN_CHARS));
                let message = concat(&[&name, ": unknown option, allowed: ", &join(known, ", ")]);
                self.refuse(Failure::new(ErrorCode::Config, message));
            }
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.object.as_ref()?.get(name).filter(|value| json::kind(value) != Kind::Null)
    }

    /// Whether `null` stands there.
    pub(super) fn is_null(&self, name: &str) -> bool {
        self.object
            .as_ref()
            .and_then(|object| object.get(name))
            .is_some_and(|value| json::kind(value) == Kind::Null)
    }

    /// The names in an object of its own.
    pub(super) fn names_in(&self, name: &str) -> Vec<String> {
        let inner = self.get(name).and_then(Object::read);
        inner.iter().flat_map(Object::iter).map(|(name, _)| name.to_owned()).collect()
    }

    /// The text under a name, if it is a text.
    pub(super) fn string(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(json::string)
    }

    fn refuse(&self, failure: Failure) {
        self.refused.borrow_mut().get_or_insert(failure);
    }

    /// A whole number from `min` to `max`.
    pub(super) fn uint(&self, name: &str, min: u32, max: u32, default: u32) -> u32 {
        let number = self.number(name, u64::from(min), u64::from(max), "");
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or(default)
    }

    /// A whole number from `min` to `max`; `also` says what else is allowed.
    pub(super) fn number(&self, name: &str, min: u64, max: u64, also: &str) -> Option<u64> {
        let value = self.get(name)?;
        let number = json::uint(value).filter(|number| (min..=max).contains(number));
        if number.is_none() {
            self.wrong(
                name,
                value,
                &concat(&["a whole number from ", &json::decimal(min), " to ", &json::decimal(max), also]),
            );
        }
        number
    }

    pub(super) fn bool(&self, name: &str) -> Option<bool> {
        let value = self.get(name)?;
        let flag = json::boolean(value);
        if flag.is_none() {
            self.wrong(name, value, "true or false");
        }
        flag
    }

    /// A text that is not empty.
    pub(super) fn text(&self, name: &str, max_chars: usize) -> Option<Cow<'a, str>> {
        let value = self.get(name)?;
        let text = json::string(value).filter(|text| (1..=max_chars).contains(&text.chars().count()));
        if text.is_none() {
            self.wrong(
                name,
                value,
                &concat(&["a text of 1 to ", &json::decimal(max_chars as u64), " characters"]),
            );
        }
        text
    }

    /// One of several names.
    pub(super) fn choice(&self, name: &str, allowed: &[&'static str]) -> Option<&'static str> {
        let value = self.get(name)?;
        let text = json::string(value);
        for choice in allowed {
            if text.as_deref() == Some(choice) {
                return Some(choice);
            }
        }
        self.wrong(name, value, &concat(&["\"", &join(allowed, "\" or \""), "\""]));
        None
    }

    /// Refuses a value.
    pub(super) fn wrong(&self, name: &str, value: &RawValue, allowed: &str) {
        self.wrong_as(name, &show(value), allowed);
    }

    /// Refuses something that is better not repeated, or is missing.
    #[inline(never)]
    pub(super) fn wrong_as(&self, name: &str, got: &str, allowed: &str) {
        self.refuse(refusal(&self.name(name), got, allowed));
    }

    fn name(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { concat(&[&self.path, ".", name]) }
    }
}

fn refusal(field: &str, got: &str, allowed: &str) -> Failure {
    Failure::new(ErrorCode::Config, concat(&[field, ": got ", got, ", allowed: ", allowed]))
}

/// A value as JSON, cut where it is long.
fn show(value: &RawValue) -> String {
    shortened(value.get())
}

/// A text, cut where it is long.
pub(super) fn shortened(text: &str) -> String {
    let shown = first_chars(text, MAX_SHOWN_CHARS);
    concat(&[shown, if shown.len() < text.len() { "…" } else { "" }])
}
