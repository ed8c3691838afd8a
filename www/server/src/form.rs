//! The form of what clients send, where all wires agree: read by hand, since names come in several spellings and errors
//! name the field.

use base64::{
    alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

use crate::error::ApiError;

const MAX_KEY_CHARS: usize = 128;
const MAX_METADATA_BYTES: usize = 16_384;
const MAX_EMOJI_CHARS: usize = 16;
const MAX_TITLE_CHARS: usize = 128;

/// Standard base64, written with padding and read with or without.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The same in the alphabet of URLs, read with or without padding.
pub(crate) const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The client's key of a message.
pub(crate) fn key(form: &Value, names: &[&str], field: &'static str) -> Result<Option<String>, ApiError> {
    match optional(form, names, field)? {
        Some(key) if key.is_empty() || key.chars().count() > MAX_KEY_CHARS => {
            Err(ApiError::validation(field, format!("allowed are 1 to {MAX_KEY_CHARS} characters")))
        }
        key => Ok(key.map(str::to_owned)),
    }
}

/// Content that is there and not too long; what is no text counts in bytes.
pub(crate) fn content(
    content: Vec<u8>,
    field: &'static str,
    max_text_chars: usize,
) -> Result<Vec<u8>, ApiError> {
    let length = std::str::from_utf8(&content).map_or(content.len(), |text| text.chars().count());
    if length == 0 {
        Err(ApiError::validation(field, "an empty message"))
    } else if length > max_text_chars {
        Err(ApiError::too_large(field, format!("{length} characters: allowed are {max_text_chars}")))
    } else {
        Ok(content)
    }
}

/// JSON text of the object under `metadata`.
pub(crate) fn metadata(form: &Value) -> Result<Option<String>, ApiError> {
    match form.get("metadata") {
        None | Some(Value::Null | Value::Object(_)) => any_metadata(form),
        Some(_) => Err(ApiError::validation("metadata", "an object is wanted")),
    }
}

/// JSON text of whatever is under `metadata`.
pub(crate) fn any_metadata(form: &Value) -> Result<Option<String>, ApiError> {
    let text = form.get("metadata").filter(|value| !value.is_null()).map(Value::to_string);
    if text.as_ref().is_some_and(|text| text.len() > MAX_METADATA_BYTES) {
        return Err(ApiError::too_large("metadata", format!("allowed are {MAX_METADATA_BYTES} bytes")));
    }
    Ok(text)
}

/// The title of a group.
pub(crate) fn title(text: &str) -> Result<String, ApiError> {
    let title = text.trim();
    if title.is_empty() || title.chars().count() > MAX_TITLE_CHARS {
        return Err(ApiError::validation("title", format!("allowed are 1 to {MAX_TITLE_CHARS} characters")));
    }
    Ok(title.to_owned())
}

/// An emoji of T13.
pub(crate) fn emoji(text: &str) -> Result<String, ApiError> {
    let length = text.chars().count();
    if length == 0 || length > MAX_EMOJI_CHARS || text.chars().any(char::is_control) {
        return Err(ApiError::validation("emoji", format!("allowed are 1 to {MAX_EMOJI_CHARS} characters")));
    }
    Ok(text.to_owned())
}

/// The first of these names that holds a text which is not empty.
pub(crate) fn required<'a>(
    form: &'a Value,
    names: &[&str],
    field: &'static str,
) -> Result<&'a str, ApiError> {
    match optional(form, names, field)? {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(ApiError::validation(field, "missing")),
    }
}

/// The first of these names that is there and not null.
pub(crate) fn optional<'a>(
    form: &'a Value,
    names: &[&str],
    field: &'static str,
) -> Result<Option<&'a str>, ApiError> {
    match names.iter().find_map(|name| form.get(name).filter(|value| !value.is_null())) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ApiError::validation(field, "a text is wanted")),
    }
}
