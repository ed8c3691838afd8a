//! Changes of messages that are there: REST requests, whose answers carry the message (T12, T13, D4).
//!
//! Law: the path names the message, and an edit carries the whole text, so that a repetition changes nothing.

use super::super::fields::{Body, Fields};
use super::super::{Answer, OutgoingChange, RestRequest, ServerMessage, errors, records};
use super::NAMES;
use crate::proto::model::{ChangeKind, ErrorCode};
use crate::proto::text::push_percent_encoded;
use crate::proto::wire::json;

pub(super) fn request(change: &OutgoingChange<'_>) -> RestRequest {
    let mut path = String::from("/messages/");
    push_percent_encoded(&mut path, change.id);
    let (method, body) = match change.kind {
        ChangeKind::Edit => {
            ("PATCH", Some(Body::new().text("content_encrypted", &records::encode_content(change.text))))
        }
        ChangeKind::Remove => ("DELETE", None),
        ChangeKind::React => {
            path.push_str("/reactions");
            ("POST", Some(Body::new().text("emoji", change.text)))
        }
        ChangeKind::Unreact => {
            path.push_str("/reactions/");
            push_percent_encoded(&mut path, change.text);
            ("DELETE", None)
        }
    };
    RestRequest { method, path, body: body.map(Body::finish) }
}

pub(super) fn answer(kind: ChangeKind, status: u16, body: &str) -> Answer {
    if status < 300 {
        return Answer::Stored(message(body));
    }
    let (failure, retry_after_ms) = errors::rest_failure(status, body);
    let takes_away = matches!(kind, ChangeKind::Remove | ChangeKind::Unreact);
    match failure.code {
        // What is to go is gone: an answer before this one was lost, say.
        ErrorCode::NotFound if takes_away => Answer::Stored(None),
        ErrorCode::Auth => Answer::AuthRefused(failure),
        _ => Answer::Refused { failure, retry_after_ms },
    }
}

/// The message as it is now, by itself or under its name; one that cannot be read counts as not given.
fn message(body: &str) -> Option<Box<ServerMessage>> {
    let answer = json::parse(body, 0).ok().and_then(|raw| Fields::read(raw).ok())?;
    let record = answer.object("message").unwrap_or(answer);
    record.finish(records::message(&record, &NAMES)).ok()
}
