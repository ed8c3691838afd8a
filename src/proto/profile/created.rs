//! The answer to the creation of a conversation (T6, T7).

use super::fields::{Fields, Wrong};
use super::records::{self, Names};
use super::{Created, Failure, errors};
use crate::proto::model::ErrorCode;
use crate::proto::wire::json;

/// Reads it, also the conflict that means "found".
pub(super) fn parse(status: u16, body: &str, names: &Names<'_>, me: &str) -> Result<Created, Failure> {
    let record = json::parse(body, 0).ok().and_then(|raw| Fields::read(raw).ok());
    match (status, record) {
        (200..300, Some(record)) => read_created(&record, names, me)
            .map_err(|wrong| Failure::new(ErrorCode::Protocol, wrong.at("created conversation"))),
        (200..300, None) => Err(Failure::new(ErrorCode::Protocol, "created conversation: must be an object")),
        (409, Some(record)) => Ok(read_found(&record, names, me)),
        (409, None) => Ok(Created::FoundSomewhere),
        _ => Err(errors::rest_failure(status, body).0),
    }
}

fn read_created<'a>(record: &Fields<'a>, names: &Names<'a>, me: &str) -> Result<Created, Wrong<'a>> {
    record.finish(records::conversation_in(record, names, Some(me))).map(Created::Conversation)
}

/// What a conflict says about the conversation that exists already: all of it, its id, or nothing (T6).
fn read_found<'a>(record: &Fields<'a>, names: &Names<'a>, me: &str) -> Created {
    if let Some(within) = record.object("conversation")
        && let Ok(conversation) = within.finish(records::conversation(&within, names, Some(me)))
    {
        return Created::Conversation(conversation);
    }
    for (within, field) in
        [("", "conversation"), ("conversation", "id"), ("error", "conversation_id"), ("", "conversation_id")]
    {
        if let Some(id) = id_within(record, within, field) {
            return Created::Found(id);
        }
    }
    Created::FoundSomewhere
}

/// An id in a record, or in an object within it.
fn id_within(record: &Fields<'_>, within: &'static str, field: &'static str) -> Option<String> {
    if within.is_empty() { record.id(field) } else { record.object(within)?.id(field) }
}
