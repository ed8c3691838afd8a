//! The form of pushes (P7, D7).

use serde_json::Value;

use super::frame::Payload;
use crate::{
    error::ApiError,
    form::{self, optional},
    store::{Draft, Kind, NewId, Place, UpTo},
};

pub(super) use crate::form::required;

/// The object in a payload; a binary one is the JSON text of it.
pub(super) fn object(payload: Payload) -> Result<Value, ApiError> {
    let value = match payload {
        Payload::Json(value) => value,
        Payload::Binary(bytes) => serde_json::from_slice(&bytes)
            .map_err(|_| ApiError::validation("payload", "the bytes of an object in JSON are wanted"))?,
    };
    if value.is_object() { Ok(value) } else { Err(ApiError::validation("payload", "an object is wanted")) }
}

/// `message:send`
pub(super) fn draft(form: &Value, conversation_id: &str, max_text_chars: usize) -> Result<Draft, ApiError> {
    let kind = match optional(form, &["type"], "type")? {
        None => Kind::Text,
        Some(name) => Kind::parse(name)
            .ok_or_else(|| ApiError::validation("type", "allowed are text, image, file and voice"))?,
    };
    Ok(Draft {
        conversation_id: conversation_id.to_owned(),
        client_key: form::key(form, &["client_id"], "client_id")?,
        kind,
        content: content(form, max_text_chars)?,
        reply_to: optional(form, &["reply_to"], "reply_to")?.map(str::to_owned),
        metadata: form::metadata(form)?,
        id: NewId::default(),
        place: Place::default(),
    })
}

/// Plain text, as against the `team` wire.
pub(super) fn content(form: &Value, max_text_chars: usize) -> Result<Vec<u8>, ApiError> {
    let text = required(form, &["content"], "content")?;
    form::content(text.as_bytes().to_vec(), "content", max_text_chars)
}

/// `message:read`: the id of a message, or its number.
pub(super) fn up_to(form: &Value) -> Result<UpTo, ApiError> {
    match form.get("up_to") {
        Some(Value::String(id)) if !id.is_empty() => Ok(UpTo::Message(id.clone())),
        Some(Value::Number(seq)) => seq
            .as_i64()
            .map(UpTo::Seq)
            .ok_or_else(|| ApiError::validation("up_to", "not the number of a message")),
        _ => Err(ApiError::validation("up_to", "the id of a message is wanted")),
    }
}

/// `typing`
pub(super) fn is_typing(form: &Value) -> Result<bool, ApiError> {
    let is_typing = form.get("is_typing").and_then(Value::as_bool);
    is_typing.ok_or_else(|| ApiError::validation("is_typing", "true or false is wanted"))
}

/// `message:react`: emoji, and whether it is added.
pub(super) fn reaction(form: &Value) -> Result<(String, bool), ApiError> {
    let emoji = form::emoji(required(form, &["emoji"], "emoji")?)?;
    match required(form, &["op"], "op")? {
        "add" => Ok((emoji, true)),
        "remove" => Ok((emoji, false)),
        _ => Err(ApiError::validation("op", "allowed are add and remove")),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_draft_of_all_fields() {
        let form = json!({ "client_id": "k", "content": "grüß", "type": "voice", "metadata": { "a": 1 },
            "reply_to": "m_1" });
        let draft = draft(&form, "c", 4).unwrap();
        assert_eq!((draft.content.as_slice(), draft.kind), ("grüß".as_bytes(), Kind::Voice));
        assert_eq!((draft.client_key.as_deref(), draft.reply_to.as_deref()), (Some("k"), Some("m_1")));
        assert_eq!((draft.conversation_id.as_str(), draft.metadata.as_deref()), ("c", Some("{\"a\":1}")));
    }

    #[test]
    fn errors_name_the_field() {
        for (name, value) in [
            ("content", json!("")),
            ("content", json!("12345")),
            ("content", json!(5)),
            ("client_id", json!("")),
            ("type", json!("video")),
            ("metadata", json!([1])),
            ("reply_to", json!(1)),
        ] {
            let mut form = json!({ "content": "hi" });
            form[name] = value;
            assert_eq!(draft(&form, "c", 4).unwrap_err().field, Some(name), "{form}");
        }
        assert_eq!(reaction(&json!({ "id": "m", "emoji": "x", "op": "y" })).unwrap_err().field, Some("op"));
        assert_eq!(up_to(&json!({ "up_to": 1.5 })).unwrap_err().field, Some("up_to"));
        assert_eq!(is_typing(&json!({ "is_typing": 1 })).unwrap_err().field, Some("is_typing"));
    }

    #[test]
    fn bytes_are_the_json_of_an_object() {
        let bytes = |text: &'static str| Payload::Binary(Bytes::from_static(text.as_bytes()));
        assert_eq!(object(bytes("{\"a\":1}")).unwrap(), json!({ "a": 1 }));
        for payload in [bytes(""), bytes("[1]"), bytes("\u{7}"), Payload::Json(json!("x"))] {
            assert_eq!(object(payload).unwrap_err().field, Some("payload"));
        }
    }
}
