//! The form of a command (A3, A4).

use serde_json::Value;

use crate::{
    error::ApiError,
    form,
    store::{Draft, Kind, NewId, Place, User},
};

const MAX_TIME_ZONE_CHARS: usize = 64;

pub(super) struct Command<'a> {
    pub(super) draft: Draft,
    pub(super) time_zone: Option<&'a str>,
}

/// The payload of a `command`; keys are ours.
pub(super) fn command<'a>(
    form: &'a Value,
    user: &User,
    takes_keys: bool,
    max_text_chars: usize,
) -> Result<Command<'a>, ApiError> {
    if !form.is_object() {
        return Err(ApiError::validation("payload", "an object is wanted"));
    }
    if form::required(form, &["commandType"], "commandType")? != "text_command" {
        return Err(ApiError::validation("commandType", "allowed is text_command"));
    }
    if form::required(form, &["userId"], "userId")? != user.id {
        return Err(ApiError { field: Some("userId"), ..ApiError::forbidden("userId is somebody else") });
    }
    let text = form::required(form, &["message"], "message")?;
    let draft = Draft {
        conversation_id: super::conversation_id(user),
        client_key: if takes_keys { form::key(form, &["clientMessageId"], "clientMessageId")? } else { None },
        kind: Kind::Text,
        content: form::content(text.as_bytes().to_vec(), "message", max_text_chars)?,
        reply_to: None,
        metadata: form::any_metadata(form)?,
        id: NewId::Ours,
        place: Place::Scripted { owner_id: user.id.clone() },
    };
    Ok(Command { draft, time_zone: time_zone(form)? })
}

/// The name of a zone of IANA's, such as `Europe/Berlin`.
fn time_zone(form: &Value) -> Result<Option<&str>, ApiError> {
    let zone = form::optional(form, &["userTimezone"], "userTimezone")?;
    let is_good = |zone: &str| {
        (1..=MAX_TIME_ZONE_CHARS).contains(&zone.len())
            && zone.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte))
    };
    match zone {
        Some(zone) if !is_good(zone) => {
            Err(ApiError::validation("userTimezone", "the name of a zone is wanted"))
        }
        zone => Ok(zone),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a3_a_command_and_errors_that_name_the_field() {
        let user = User { id: "u_1".into(), name: "ann".into(), number: 7 };
        let form = json!({ "commandType": "text_command", "message": "hi", "userId": "u_1",
            "userTimezone": "America/Port-au-Prince", "metadata": [1], "clientMessageId": "k" });
        let good = command(&form, &user, true, 5).unwrap();
        assert_eq!(good.time_zone, Some("America/Port-au-Prince"));
        assert_eq!(good.draft.client_key.as_deref(), Some("k"));
        assert_eq!(good.draft.metadata.as_deref(), Some("[1]"), "any");
        assert_eq!(command(&form, &user, false, 5).unwrap().draft.client_key, None, "plain");
        for (name, value) in [
            ("commandType", json!("voice_command")),
            ("message", json!("")),
            ("message", json!("123456")),
            ("userId", json!("u_2")),
            ("userTimezone", json!("Mars <b>")),
            ("clientMessageId", json!("")),
            ("metadata", json!("x".repeat(20_000))),
        ] {
            let mut form = form.clone();
            form[name] = value;
            assert_eq!(command(&form, &user, true, 5).err().unwrap().field, Some(name), "{name}");
        }
        assert_eq!(command(&json!(7), &user, true, 5).err().unwrap().field, Some("payload"));
    }
}
