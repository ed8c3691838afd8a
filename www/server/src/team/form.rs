//! The form of what clients send: read by hand, since names come in two spellings and errors name the field.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

use crate::{
    error::ApiError,
    store::{Draft, Kind},
};

const MAX_KEY_CHARS: usize = 128;
const MAX_METADATA_BYTES: usize = 16_384;
const MAX_EMOJI_CHARS: usize = 16;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// T5, outwards.
pub(super) fn to_base64(content: &[u8]) -> String {
    BASE64.encode(content)
}

/// `chat:message_send` and T11.
pub(super) fn draft(form: &Value, max_text_chars: usize) -> Result<Draft, ApiError> {
    if !form.is_object() {
        return Err(ApiError::validation("payload", "an object is wanted"));
    }
    let conversation_id =
        required(form, &["conversationId", "conversation_id"], "conversation_id")?.to_owned();
    let content = content(form, max_text_chars)?;
    let kind = match optional(form, &["message_type", "messageType"], "message_type")? {
        None => Kind::Text,
        Some(name) => Kind::parse(name)
            .ok_or_else(|| ApiError::validation("message_type", "allowed are text, image, file and voice"))?,
    };
    Ok(Draft {
        conversation_id,
        client_key: key(form)?,
        kind,
        content,
        reply_to: optional(form, &["reply_to", "replyTo"], "reply_to")?.map(str::to_owned),
        metadata: metadata(form)?,
    })
}

fn key(form: &Value) -> Result<Option<String>, ApiError> {
    let key = optional(form, &["clientMessageId", "client_message_id"], "client_message_id")?;
    match key {
        Some(key) if key.is_empty() || key.chars().count() > MAX_KEY_CHARS => Err(ApiError::validation(
            "client_message_id",
            format!("allowed are 1 to {MAX_KEY_CHARS} characters"),
        )),
        key => Ok(key.map(str::to_owned)),
    }
}

/// T5: base64 of UTF-8 text, or of whatever an encryption made of it.
pub(super) fn content(form: &Value, max_text_chars: usize) -> Result<Vec<u8>, ApiError> {
    const FIELD: &str = "content_encrypted";
    let text = required(form, &["contentEncrypted", FIELD], FIELD)?;
    let content = BASE64.decode(text).map_err(|_| ApiError::validation(FIELD, "not base64"))?;
    let length = std::str::from_utf8(&content).map_or(content.len(), |text| text.chars().count());
    if length == 0 {
        Err(ApiError::validation(FIELD, "an empty message"))
    } else if length > max_text_chars {
        Err(ApiError::too_large(FIELD, format!("{length} characters: allowed are {max_text_chars}")))
    } else {
        Ok(content)
    }
}

fn metadata(form: &Value) -> Result<Option<String>, ApiError> {
    match form.get("metadata") {
        None | Some(Value::Null) => Ok(None),
        Some(value @ Value::Object(_)) => {
            let text = value.to_string();
            if text.len() > MAX_METADATA_BYTES {
                return Err(ApiError::too_large(
                    "metadata",
                    format!("allowed are {MAX_METADATA_BYTES} bytes"),
                ));
            }
            Ok(Some(text))
        }
        Some(_) => Err(ApiError::validation("metadata", "an object is wanted")),
    }
}

/// `chat:typing`: conversation and state.
pub(super) fn typing(form: &Value) -> Result<(&str, bool), ApiError> {
    let conversation_id = required(form, &["conversationId", "conversation_id"], "conversationId")?;
    let is_typing = form.get("isTyping").or_else(|| form.get("is_typing")).and_then(Value::as_bool);
    let is_typing = is_typing.ok_or_else(|| ApiError::validation("isTyping", "true or false is wanted"))?;
    Ok((conversation_id, is_typing))
}

/// An emoji of T13.
pub(super) fn emoji(text: &str) -> Result<String, ApiError> {
    let length = text.chars().count();
    if length == 0 || length > MAX_EMOJI_CHARS || text.chars().any(char::is_control) {
        return Err(ApiError::validation("emoji", format!("allowed are 1 to {MAX_EMOJI_CHARS} characters")));
    }
    Ok(text.to_owned())
}

/// The first of these names that holds a text which is not empty.
pub(super) fn required<'a>(
    form: &'a Value,
    names: &[&str],
    field: &'static str,
) -> Result<&'a str, ApiError> {
    match optional(form, names, field)? {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(ApiError::validation(field, "missing")),
    }
}

fn optional<'a>(form: &'a Value, names: &[&str], field: &'static str) -> Result<Option<&'a str>, ApiError> {
    match names.iter().find_map(|name| form.get(name).filter(|value| !value.is_null())) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ApiError::validation(field, "a text is wanted")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(form: Value) -> (String, Option<&'static str>) {
        let error = draft(&form, 5).unwrap_err();
        (error.code.name().to_owned(), error.field)
    }

    #[test]
    fn both_spellings_and_both_at_once() {
        let form = json!({ "conversationId": "c", "contentEncrypted": "aGk=", "clientMessageId": "k" });
        assert_eq!(draft(&form, 5).unwrap().client_key.as_deref(), Some("k"));
        let form = json!({ "conversation_id": "c", "content_encrypted": "aGk", "client_message_id": "k",
            "clientMessageId": "k", "message_type": "voice", "reply_to": null, "metadata": { "a": 1 } });
        let draft = draft(&form, 5).unwrap();
        assert_eq!((draft.content.as_slice(), draft.kind), (b"hi".as_slice(), Kind::Voice));
        assert_eq!(draft.metadata.as_deref(), Some("{\"a\":1}"));
    }

    #[test]
    fn errors_name_the_field() {
        let with = |name: &str, value: Value| {
            let mut form = json!({ "conversationId": "c", "contentEncrypted": "aGk=" });
            form[name] = value;
            form
        };
        assert_eq!(refused(json!("x")), ("ValidationError".into(), Some("payload")));
        assert_eq!(refused(with("conversationId", json!(7))).1, Some("conversation_id"));
        assert_eq!(refused(with("contentEncrypted", json!("a b"))).1, Some("content_encrypted"));
        assert_eq!(refused(with("contentEncrypted", json!(""))).1, Some("content_encrypted"));
        let six = to_base64("äöüäöü".as_bytes());
        assert_eq!(
            refused(with("contentEncrypted", json!(six))),
            ("TooLarge".into(), Some("content_encrypted"))
        );
        let five = to_base64("äöüäö".as_bytes());
        assert!(draft(&with("contentEncrypted", json!(five)), 5).is_ok(), "characters, not bytes");
        assert_eq!(refused(with("clientMessageId", json!(""))).1, Some("client_message_id"));
        assert_eq!(refused(with("message_type", json!("video"))).1, Some("message_type"));
        assert_eq!(refused(with("metadata", json!([1]))).1, Some("metadata"));
    }
}
