//! The form of what clients send on this wire (H4, H5).

use serde_json::Value;

use crate::{
    error::ApiError,
    form, ids,
    store::{Draft, Kind, NewId, Place, User},
};

const MAX_CHANNEL_ID_CHARS: usize = 128;

/// Ids of senders stand apart from ours in the database.
const THEIRS: &str = "h_";

/// H4: the whole message, under the id that its sender has given it, which is its key too.
pub(super) fn draft(form: &Value, user: &User, max_text_chars: usize) -> Result<Draft, ApiError> {
    if !form.is_object() {
        return Err(ApiError::validation("payload", "an object is wanted"));
    }
    let id = form::key(form, &["id"], "id")?.ok_or_else(|| ApiError::validation("id", "missing"))?;
    if ids::is_message(&id) {
        return Err(ApiError::validation("id", "an id of the server's own form"));
    }
    let channel_id = form::required(form, &["channelId"], "channelId")?;
    if channel_id.chars().count() > MAX_CHANNEL_ID_CHARS || channel_id.chars().any(char::is_control) {
        let message = format!("allowed are 1 to {MAX_CHANNEL_ID_CHARS} characters");
        return Err(ApiError::validation("channelId", message));
    }
    if form::required(form, &["userId"], "userId")? != user.id {
        return Err(ApiError { field: Some("userId"), ..ApiError::forbidden("userId is somebody else") });
    }
    // The server's own time is what counts.
    if !matches!(form.get("createdAt"), None | Some(Value::Null | Value::String(_) | Value::Number(_))) {
        return Err(ApiError::validation("createdAt", "a time is wanted"));
    }
    let kind = match form::optional(form, &["type"], "type")? {
        None => Kind::Text,
        Some(name) => Kind::parse(name)
            .ok_or_else(|| ApiError::validation("type", "allowed are text, image, file and voice"))?,
    };
    let text = form::required(form, &["content"], "content")?;
    Ok(Draft {
        conversation_id: channel_id.to_owned(),
        kind,
        content: form::content(text.as_bytes().to_vec(), "content", max_text_chars)?,
        reply_to: form::optional(form, &["replyTo"], "replyTo")?.map(stored_id),
        metadata: form::metadata(form)?,
        id: NewId::Given(stored_id(&id)),
        client_key: Some(id),
        place: Place::Channel,
    })
}

/// The id in the database of a message that is called so on this wire.
pub(super) fn stored_id(id: &str) -> String {
    if ids::is_message(id) { id.to_owned() } else { format!("{THEIRS}{id}") }
}

/// What a message of the database is called on this wire.
pub(super) fn wire_id(id: &str) -> &str {
    id.strip_prefix(THEIRS).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn h4_a_whole_message_and_errors_that_name_the_field() {
        let user = User { id: "u_1".into(), name: "ann".into(), number: 7 };
        let form = json!({ "id": "k", "content": "hi", "channelId": "general", "userId": "u_1",
            "createdAt": "2026-01-31T12:00:00.000Z" });
        let good = draft(&form, &user, 5).unwrap();
        assert_eq!((good.conversation_id.as_str(), good.client_key.as_deref()), ("general", Some("k")));
        for (name, value) in [
            ("id", json!("")),
            ("id", json!(7)),
            ("id", json!(null)),
            ("id", json!(ids::new_message(1).unwrap())),
            ("channelId", json!("")),
            ("channelId", json!("a\u{7}")),
            ("userId", json!("u_2")),
            ("createdAt", json!({})),
            ("content", json!("123456")),
            ("type", json!("video")),
            ("metadata", json!(7)),
            ("replyTo", json!(7)),
        ] {
            let mut form = form.clone();
            form[name] = value;
            assert_eq!(draft(&form, &user, 5).unwrap_err().field, Some(name), "{form}");
        }
        assert_eq!(draft(&json!("x"), &user, 5).unwrap_err().field, Some("payload"));
    }

    #[test]
    fn ids_come_back_as_they_went() {
        let ours = ids::new_message(1_700_000_000_000).unwrap();
        for id in ["k", "h_k", "m_1", ours.as_str()] {
            assert_eq!(wire_id(&stored_id(id)), id);
        }
        assert_eq!(stored_id(&ours), ours);
    }
}
