use super::super::super::{Json, Outgoing, Push, is_auth_refusal};
use super::*;
use crate::proto::model::ErrorCode;

fn push(event: &str, args: &[&str], ack: bool) -> Push {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    Push { event: event.to_owned(), args, ack, ..Push::default() }
}

fn outgoing<'a>() -> Outgoing<'a> {
    Outgoing {
        key: "k1",
        conversation_id: "c\"1",
        kind: "text",
        text: "grüß dich 👏",
        metadata: None,
        reply_to_id: None,
        created_at_ms: 0,
    }
}

fn refused(payload: &str) -> (ErrorCode, bool, Option<u64>, String) {
    match answer(payload) {
        Answer::Refused { failure, retry_after_ms } => {
            (failure.code, failure.retryable, retry_after_ms, failure.message)
        }
        other => panic!("{payload}: {other:?}"),
    }
}

#[test]
fn t2_t3_t5_a_send_with_its_key_in_both_spellings() {
    assert_eq!(
        Team.send(outgoing()),
        push(
            "chat:message_send",
            &[
                r#"{"conversationId":"c\"1","contentEncrypted":"Z3LDvMOfIGRpY2gg8J+Rjw==","clientMessageId":"k1","client_message_id":"k1","message_type":"text"}"#
            ],
            true
        )
    );
}

#[test]
fn d4_a_send_carries_what_it_answers_and_its_metadata() {
    let metadata = Json::parse(r#"{"a": [1]}"#).unwrap();
    let sent = Team.send(Outgoing { metadata: Some(&metadata), reply_to_id: Some("m0"), ..outgoing() });
    let body = sent.args.first().unwrap();
    assert!(body.ends_with(r#","reply_to":"m0","metadata":{"a": [1]}}"#), "{body}");
    assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
}

#[test]
fn t2_the_other_pushes() {
    assert_eq!(Team.presence(true), Some(push("presence:online", &[], false)));
    assert_eq!(Team.presence(false), Some(push("presence:offline", &[], false)));
    assert_eq!(
        Team.typing("c1", true),
        Some(push("chat:typing", &[r#"{"conversationId":"c1","isTyping":true}"#], false))
    );
    assert_eq!(
        Team.typing("c1", false),
        Some(push("chat:typing", &[r#"{"conversationId":"c1","isTyping":false}"#], false))
    );
    let body = r#"{"messageId":"m1"}"#;
    assert_eq!(Team.delivered("c1", "m1"), Some(push("chat:message_delivered", &[body], false)));
    assert_eq!(Team.read("c1", "m1"), Some(push("chat:message_read", &[body], false)));
}

#[test]
fn t3_success_with_and_without_the_copy() {
    assert_eq!(answer(r#"{"success":true}"#), Answer::Stored(None));
    assert_eq!(answer(r#"{"success":true,"data":null}"#), Answer::Stored(None));
    let stored = Answer::Stored(Some(Box::new(message())));
    assert_eq!(answer(&format!(r#"{{"success":true,"data":{ROW}}}"#)), stored);
    assert_eq!(answer(&format!(r#"{{"success":true,"duplicate":true,"data":{ROW}}}"#)), stored);
}

#[test]
fn t3_a_copy_that_is_no_copy_does_not_undo_success() {
    assert_eq!(answer(r#"{"success":true,"data":{"id":"m1"}}"#), Answer::Stored(None));
    assert_eq!(answer(r#"{"success":true,"data":"m1"}"#), Answer::Stored(None));
    let other = row_with(r#""client_message_id":"k2""#);
    assert_eq!(answer(&format!(r#"{{"success":true,"data":{other}}}"#)), Answer::Stored(None));
}

#[test]
fn t3_answers_that_are_none() {
    let malformed = |payload| match answer(payload) {
        Answer::Malformed(text) => text,
        other => panic!("{payload}: {other:?}"),
    };
    assert_eq!(malformed("{}"), "answer to a message: field `success` is missing");
    assert!(malformed(r#"{"success":"yes"}"#).ends_with("field `success` must be true or false"));
    assert!(malformed("[]").ends_with("must be an object"));
    assert_eq!(Team.answer("k1", None, &[]), Answer::Malformed("answer to a message: is empty".to_owned()));
}

#[test]
fn t15_d3_codes_and_what_may_be_tried_again() {
    for (code, wanted, retryable) in [
        ("ValidationError", ErrorCode::Validation, false),
        ("NotFoundError", ErrorCode::NotFound, false),
        ("ForbiddenError", ErrorCode::Forbidden, false),
        ("ConflictError", ErrorCode::Conflict, false),
        ("TooLarge", ErrorCode::TooLarge, false),
        ("RateLimited", ErrorCode::RateLimited, true),
        ("ServerError", ErrorCode::Server, true),
        ("Timeout", ErrorCode::Server, true),
        ("SomethingNew", ErrorCode::Server, true),
    ] {
        let object = format!(
            r#"{{"success":false,"error":{{"code":"{code}","message":"not authorised","retry_after_ms":1500}}}}"#
        );
        let text = format!("{code}: not authorised");
        assert_eq!(
            refused(&object),
            (wanted, retryable, Some(1500), format!("the server refused the message: {text}"))
        );
    }
}

#[test]
fn d3_an_error_may_be_a_text() {
    for (error, wanted, retryable) in [
        ("database is locked", ErrorCode::Server, true),
        ("ForbiddenError", ErrorCode::Forbidden, false),
        ("ValidationError: content is empty", ErrorCode::Validation, false),
        ("", ErrorCode::Server, true),
    ] {
        let (code, again, wait, message) = refused(&format!(r#"{{"success":false,"error":"{error}"}}"#));
        assert_eq!((code, again, wait), (wanted, retryable, None), "{error}");
        assert!(message.ends_with(error), "{message}");
    }
    assert_eq!(refused(r#"{"success":false}"#).0, ErrorCode::Server);
    assert_eq!(refused(r#"{"success":false,"error":17}"#).0, ErrorCode::Server);
    assert_eq!(refused(r#"{"error":{"code":"NotFoundError"}}"#).0, ErrorCode::NotFound);
}

#[test]
fn d3_only_a_conflict_on_the_own_key_acknowledges() {
    let conflict = |more: &str| {
        answer(&format!(r#"{{"success":false,"error":{{"code":"ConflictError","message":"exists"{more}}}}}"#))
    };
    assert_eq!(conflict(r#","client_message_id":"k1""#), Answer::Stored(None));
    assert_eq!(conflict(r#","clientMessageId":"k1""#), Answer::Stored(None));
    for more in ["", r#","client_message_id":"k2""#, r#","client_message_id":null"#] {
        let Answer::Refused { failure, .. } = conflict(more) else { panic!("{more}") };
        assert_eq!((failure.code, failure.retryable), (ErrorCode::Conflict, false));
    }
    let with_copy = format!(
        r#"{{"success":false,"data":{ROW},"error":{{"code":"ConflictError","client_message_id":"k1"}}}}"#
    );
    assert_eq!(answer(&with_copy), Answer::Stored(Some(Box::new(message()))));
}

#[test]
fn d3_the_same_key_with_other_content_is_refused() {
    let (code, retryable, _, message) = refused(
        r#"{"success":false,"error":{"code":"ValidationError","message":"used","field":"client_message_id",
        "client_message_id":"k1"}}"#,
    );
    assert_eq!((code, retryable), (ErrorCode::Validation, false));
    assert_eq!(message, "the server refused the message: ValidationError: used (field `client_message_id`)");
}

#[test]
fn d3_the_servers_words_are_cut() {
    let name = "é".repeat(500);
    let words = "é ".repeat(500);
    let error = format!(r#"{{"code":"{name}","message":"{words}","field":"{name}"}}"#);
    let (_, _, _, message) = refused(&format!(r#"{{"success":false,"error":{error}}}"#));
    assert_eq!(message.matches('é').count(), 64 + 40 + 64);
}

#[test]
fn d3_what_the_server_repeats_is_not_shown() {
    for (words, shown) in [
        ("invalid content: my secret", "invalid content:…"),
        ("ValidationError: invalid content: my secret", "ValidationError: invalid content:…"),
        ("the word 'secret' is not allowed", "the word…"),
        ("cannot store {secret}", "cannot store…"),
        ("you can't write here", "you can't write here"),
        ("bad token eyJhbGciOiJIUzI1NiJ9.c2VjcmV0", "bad token…"),
    ] {
        let (_, _, _, message) = refused(&format!(r#"{{"success":false,"error":"{words}"}}"#));
        assert_eq!(message, format!("the server refused the message: {shown}"));
    }
}

#[test]
fn d6_auth_refusals_in_answers() {
    for error in [
        r#"{"code":"AuthError","message":"expired"}"#,
        r#"{"code":"auth_failed"}"#,
        r#"{"message":"Unauthorised"}"#,
        r#""JWT expired""#,
        r#""AuthError""#,
    ] {
        let Answer::AuthRefused(failure) = answer(&format!(r#"{{"success":false,"error":{error}}}"#)) else {
            panic!("{error}")
        };
        assert_eq!(failure.code, ErrorCode::Auth);
    }
}

#[test]
fn d6_the_pattern() {
    for (code, message, wanted) in [
        (Some("AuthError"), "", true),
        (Some("auth_failed"), "", true),
        (Some("ServerError"), "", false),
        (None, "Unauthorized", true),
        (None, "UNAUTHORISED access", true),
        (None, "an Invalid Token!", true),
        (None, "jwt malformed", true),
        (None, "auth", true),
        (None, "invalid  token", false),
        (None, "aut", false),
        (None, "", false),
        (None, "server is full", false),
        (None, "größer als jw", false),
    ] {
        assert_eq!(is_auth_refusal(code, message), wanted, "{code:?} {message}");
    }
}
