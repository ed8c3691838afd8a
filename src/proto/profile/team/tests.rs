//! Tests are named after the fact of WIRES.md that they hold to.

mod changes;
mod events;
mod garbage;
mod rest;
mod send;

use super::super::{Answer, Incoming, Profile, ServerMessage};
use super::Team;
use crate::proto::wire::json::RawValue;

/// `Zm9v` is `foo`.
const ROW: &str = r#"{"id":"m1","sender_id":"ana","content_encrypted":"Zm9v","conversation_id":"c1",
    "message_type":"text","created_at":"2026-11-21T01:41:38.250Z"}"#;

const CREATED_AT_MS: i64 = 1_795_225_298_250;

fn raw(text: &str) -> &RawValue {
    crate::proto::wire::json::parse(text, 0).unwrap()
}

fn incoming(event: &str, payload: &str) -> Incoming {
    Team.incoming("", event, &[raw(payload)])
}

fn answer(payload: &str) -> Answer {
    Team.answer("k1", None, &[raw(payload)])
}

/// `ROW` with more fields.
fn row_with(fields: &str) -> String {
    ROW.replacen('{', &format!("{{{fields},"), 1)
}

/// What `ROW` says.
fn message() -> ServerMessage {
    ServerMessage {
        id: "m1".to_owned(),
        key: None,
        conversation_id: "c1".to_owned(),
        sender_id: "ana".to_owned(),
        sender: None,
        kind: "text".to_owned(),
        text: "foo".to_owned(),
        metadata: None,
        attachments: None,
        reply_to_id: None,
        created_at_ms: CREATED_AT_MS,
        seq: None,
        status: None,
        read_by: Vec::new(),
        reactions: None,
        edited_at_ms: None,
        deleted_at_ms: None,
    }
}
