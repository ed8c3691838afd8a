//! The form of what clients send on this wire (C1, C2).

use serde_json::Value;

use crate::{
    error::ApiError,
    form,
    store::{Draft, Kind, NewId, Place, User},
};

const MAX_GIRL_ID_CHARS: usize = 64;
const MAX_CONTEXT_CHARS: usize = 1000;
/// Messages marked by one event.
const MAX_MARKED: usize = 500;

/// C6: `user_id` is a number; its digits do as well.
pub(super) fn check_user(form: &Value, user: &User) -> Result<(), ApiError> {
    let number = match form.get("user_id") {
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(digits)) => digits.parse().ok(),
        _ => None,
    };
    match number {
        None => Err(ApiError::validation("user_id", "the number of the user is wanted")),
        Some(number) if number != user.number => Err(ApiError::auth("user_id is not the token's user")),
        Some(_) => Ok(()),
    }
}

/// C7: a text; a number is taken as its digits.
pub(super) fn girl_id(form: &Value) -> Result<String, ApiError> {
    let id = match form.get("girl_id") {
        Some(Value::Number(number)) => number.to_string(),
        _ => form::required(form, &["girl_id"], "girl_id")?.to_owned(),
    };
    if id.chars().count() > MAX_GIRL_ID_CHARS || id.chars().any(char::is_control) {
        return Err(ApiError::validation(
            "girl_id",
            format!("allowed are 1 to {MAX_GIRL_ID_CHARS} characters"),
        ));
    }
    Ok(id)
}

/// `send_message`; the key is ours.
pub(super) fn draft(
    form: &Value,
    user: &User,
    takes_keys: bool,
    max_text_chars: usize,
) -> Result<Draft, ApiError> {
    let text = form::required(form, &["content"], "content")?;
    Ok(Draft {
        conversation_id: super::conversation_id(user, &girl_id(form)?),
        client_key: if takes_keys { form::key(form, &["client_id"], "client_id")? } else { None },
        kind: Kind::Text,
        content: form::content(text.as_bytes().to_vec(), "content", max_text_chars)?,
        reply_to: None,
        metadata: None,
        id: NewId::Number,
        place: Place::Scripted { owner_id: user.id.clone() },
    })
}

/// `mark_read`: ids as the database has them.
pub(super) fn marked(form: &Value) -> Result<Vec<String>, ApiError> {
    let wrong = || ApiError::validation("message_ids", format!("up to {MAX_MARKED} numbers are wanted"));
    let ids = form.get("message_ids").and_then(Value::as_array).filter(|ids| ids.len() <= MAX_MARKED);
    let number = |id: &Value| id.as_u64().map(|id| id.to_string()).ok_or_else(wrong);
    ids.ok_or_else(wrong)?.iter().map(number).collect()
}

/// `typing_indicator`
pub(super) fn check_typing(form: &Value) -> Result<(), ApiError> {
    let is_typing = form.get("is_typing").and_then(Value::as_bool);
    is_typing.map(|_| ()).ok_or_else(|| ApiError::validation("is_typing", "true or false is wanted"))
}

/// `request_photo`
pub(super) fn check_context(form: &Value) -> Result<(), ApiError> {
    match form::optional(form, &["context"], "context")? {
        Some(context) if context.chars().count() > MAX_CONTEXT_CHARS => {
            Err(ApiError::too_large("context", format!("allowed are {MAX_CONTEXT_CHARS} characters")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn user() -> User {
        User { id: "u_1".into(), name: "ann".into(), number: 7 }
    }

    #[test]
    fn c6_users_are_numbers() {
        for good in [json!(7), json!("7")] {
            assert!(check_user(&json!({ "user_id": good }), &user()).is_ok(), "{good}");
        }
        for bad in [json!(8), json!("u_1"), json!(null), json!(7.5), json!([7])] {
            assert!(check_user(&json!({ "user_id": bad }), &user()).is_err(), "{bad}");
        }
    }

    #[test]
    fn c2_drafts_and_errors_that_name_the_field() {
        let form = json!({ "girl_id": "luna", "content": "hi", "client_id": "k" });
        let ours = draft(&form, &user(), true, 5).unwrap();
        assert_eq!(
            (ours.conversation_id.as_str(), ours.client_key.as_deref()),
            ("companion:7:luna", Some("k"))
        );
        assert_eq!(draft(&form, &user(), false, 5).unwrap().client_key, None, "a plain server knows no keys");
        for (name, value) in [
            ("girl_id", json!("")),
            ("girl_id", json!("a\nb")),
            ("girl_id", json!("x".repeat(65))),
            ("content", json!("")),
            ("content", json!("123456")),
            ("client_id", json!("")),
        ] {
            let mut form = form.clone();
            form[name] = value;
            assert_eq!(draft(&form, &user(), true, 5).unwrap_err().field, Some(name), "{form}");
        }
        assert_eq!(girl_id(&json!({ "girl_id": 12 })).unwrap(), "12");
        assert_eq!(marked(&json!({ "message_ids": [3, 4] })).unwrap(), ["3", "4"]);
        for bad in [json!([-1]), json!(["3"]), json!(3), json!(vec![1; 501])] {
            assert!(marked(&json!({ "message_ids": bad })).is_err());
        }
        assert!(check_context(&json!({ "context": "x".repeat(1001) })).is_err());
        assert!(check_typing(&json!({ "is_typing": 1 })).is_err());
    }
}
