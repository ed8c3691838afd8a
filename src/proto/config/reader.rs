//! Reading options with the path to each, so that a refusal can name the field, the value and what is allowed.
//!
//! Law: an option that is absent or `null` is at its default; any other value is either exactly what is allowed or
//! refused. One small reader in place of derived code, which could not say what is allowed.
//!
//! Numbers and truth values are read without a `Result` each, which would be a branch with its clean-up for each of
//! thirty options: the first refusal is kept aside, and asked for at the end.

use core::cell::RefCell;

use std::borrow::Cow;

use crate::proto::wire::json::RawValue;
use crate::proto::wire::json::{self, Kind, Object};
use crate::proto::{ErrorCode, Failure};

/// Longest value repeated in a message, in characters.
pub(super) const MAX_SHOWN_CHARS: usize = 60;

/// An object among the options.
pub(super) struct Reader<'a> {
    path: &'static str,
    object: Option<Object<'a>>,
    refused: &'a Refused,
}

/// The first refusal.
pub(super) type Refused = RefCell<Option<Failure>>;

impl<'a> Reader<'a> {
    /// The options themselves.
    pub(super) fn root(options: &'a RawValue, known: &[&str], refused: &'a Refused) -> Result<Self, Failure> {
        match Object::read(options) {
            Some(object) => Self { path: "", object: Some(object), refused }.checked(known),
            None => Err(refusal("options", &show(options), "an object")),
        }
    }

    /// An object of its own; an absent one is empty.
    pub(super) fn object(&self, name: &'static str, known: &[&str]) -> Result<Self, Failure> {
        match self.get(name) {
            None => Ok(Self { path: name, object: None, refused: self.refused }),
            Some(value) => match Object::read(value) {
                Some(object) => {
                    Self { path: name, object: Some(object), refused: self.refused }.checked(known)
                }
                None => Err(self.wrong(name, value, "an object")),
            },
        }
    }

    /// Refuses names that nobody knows: most are typing errors, and an ignored option is a wrong one.
    fn checked(self, known: &[&str]) -> Result<Self, Failure> {
        for (name, _) in self.object.iter().flat_map(Object::iter) {
            if !known.contains(&name) {
                let name: String = name.chars().take(MAX_SHOWN_CHARS).collect();
                let message = format!("{}: unknown option, allowed: {}", self.name(&name), known.join(", "));
                return Err(Failure::new(ErrorCode::Config, message));
            }
        }
        Ok(self)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.object.as_ref()?.get(name).filter(|value| json::kind(value) != Kind::Null)
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
            self.refuse(self.wrong(name, value, &format!("a whole number from {min} to {max}{also}")));
        }
        number
    }

    pub(super) fn bool(&self, name: &str) -> Option<bool> {
        let value = self.get(name)?;
        let flag = json::boolean(value);
        if flag.is_none() {
            self.refuse(self.wrong(name, value, "true or false"));
        }
        flag
    }

    /// A text that is not empty.
    pub(super) fn text(&self, name: &str, max_chars: usize) -> Result<Option<Cow<'a, str>>, Failure> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match json::string(value).filter(|text| (1..=max_chars).contains(&text.chars().count())) {
            Some(text) => Ok(Some(text)),
            None => Err(self.wrong(name, value, &format!("a text of 1 to {max_chars} characters"))),
        }
    }

    /// One of several names.
    pub(super) fn choice(
        &self,
        name: &str,
        allowed: &[&'static str],
    ) -> Result<Option<&'static str>, Failure> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let text = json::string(value);
        match allowed.iter().find(|choice| text.as_deref() == Some(choice)) {
            Some(choice) => Ok(Some(choice)),
            None => Err(self.wrong(name, value, &listed(allowed))),
        }
    }

    /// The refusal of a value.
    pub(super) fn wrong(&self, name: &str, value: &RawValue, allowed: &str) -> Failure {
        refusal(&self.name(name), &show(value), allowed)
    }

    /// The refusal of something that is better not repeated, or is missing.
    pub(super) fn wrong_as(&self, name: &str, got: &str, allowed: &str) -> Failure {
        refusal(&self.name(name), got, allowed)
    }

    fn name(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

fn refusal(field: &str, got: &str, allowed: &str) -> Failure {
    Failure::new(ErrorCode::Config, format!("{field}: got {got}, allowed: {allowed}"))
}

/// `"a" or "b"`.
fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(" or ")
}

/// A value as JSON, cut where it is long.
fn show(value: &RawValue) -> String {
    let mut text = value.get().to_owned();
    if let Some((at, _)) = text.char_indices().nth(MAX_SHOWN_CHARS) {
        text.truncate(at);
        text.push('…');
    }
    text
}
