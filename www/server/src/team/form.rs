//! The form of what clients send on this wire: names come in two spellings.

use base64::Engine as _;
use serde_json::Value;

use crate::{
    error::ApiError,
    form::{self, BASE64, optional},
    store::{Draft, Kind, NewId, Place},
};

pub(super) use crate::form::{emoji, required, title};

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
        client_key: form::key(form, &["clientMessageId", "client_message_id"], "client_message_id")?,
        kind,
        content,
        reply_to: optional(form, &["reply_to", "replyTo"], "reply_to")?.map(str::to_owned),
        metadata: form::metadata(form)?,
        id: NewId::default(),
        place: Place::default(),
    })
}

/// T5: base64 of UTF-8 text, or of whatever an encryption made of it.
pub(super) fn content(form: &Value, max_text_chars: usize) -> Result<Vec<u8>, ApiError> {
    const FIELD: &str = "content_encrypted";
    let text = required(form, &["contentEncrypted", FIELD], FIELD)?;
    let content = BASE64.decode(text).map_err(|_| ApiError::validation(FIELD, "not base64"))?;
    form::content(content, FIELD, max_text_chars)
}

/// `chat:typing`: conversation and state.
pub(super) fn typing(form: &Value) -> Result<(&str, bool), ApiError> {
    let conversation_id = required(form, &["conversationId", "conversation_id"], "conversationId")?;
    let is_typing = form.get("isTyping").or_else(|| form.get("is_typing")).and_then(Value::as_bool);
    let is_typing = is_typing.ok_or_else(|| ApiError::validation("isTyping", "true or false is wanted"))?;
    Ok((conversation_id, is_typing))
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
