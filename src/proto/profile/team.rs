//! `team`: Socket.IO v4 and REST (WIRES.md, section T).

use serde_json::value::RawValue;

use super::{
    Answer, Capabilities, Created, Failure, Incoming, Outgoing, Page, Profile, Push, RestRequest,
    ServerConversation,
};
use crate::proto::ErrorCode;

/// The team chat's vocabulary.
#[derive(Clone, Copy, Debug, Default)]
pub struct Team;

impl Profile for Team {
    fn name(&self) -> &'static str {
        "team"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            keys: false,
            answers: true,
            cursor: false,
            ordered_window: false,
            receipts: true,
            max_payload: None,
        }
    }

    fn send(&self, _message: Outgoing<'_>) -> Push {
        Push { event: "chat:message_send".to_owned(), args: Vec::new(), ack: true }
    }

    fn answer(&self, _key: &str, _args: &[&RawValue]) -> Answer {
        Answer::Stored(None)
    }

    fn incoming(&self, _event: &str, _args: &[&RawValue]) -> Incoming {
        Incoming::Other
    }

    fn presence(&self, _online: bool) -> Option<Push> {
        None
    }

    fn typing(&self, _conversation_id: &str, _typing: bool) -> Option<Push> {
        None
    }

    fn delivered(&self, _conversation_id: &str, _message_id: &str) -> Option<Push> {
        None
    }

    fn read(&self, _conversation_id: &str, _message_id: &str) -> Option<Push> {
        None
    }

    fn list_conversations(&self, _offset: u32) -> RestRequest {
        RestRequest { method: "GET", path: "/conversations".to_owned(), body: None }
    }

    fn parse_conversations(&self, _body: &str, _me: &str) -> Result<(Vec<ServerConversation>, bool), String> {
        Ok((Vec::new(), false))
    }

    fn messages_after(&self, _conversation_id: &str, _seq: u64, _limit: u32) -> RestRequest {
        RestRequest { method: "GET", path: "/messages".to_owned(), body: None }
    }

    fn messages_page(&self, _conversation_id: &str, _offset: u32, _limit: u32) -> RestRequest {
        RestRequest { method: "GET", path: "/messages".to_owned(), body: None }
    }

    fn parse_page(&self, _body: &str) -> Result<Page, String> {
        Ok(Page { messages: Vec::new(), has_more: false, malformed: Vec::new() })
    }

    fn create_direct(&self, _user_id: &str) -> RestRequest {
        RestRequest { method: "POST", path: "/conversations/direct".to_owned(), body: None }
    }

    fn create_group(&self, _title: &str, _members: &[String]) -> RestRequest {
        RestRequest { method: "POST", path: "/conversations/group".to_owned(), body: None }
    }

    fn parse_created(&self, _status: u16, _body: &str, _me: &str) -> Result<Created, Failure> {
        Ok(Created::FoundSomewhere)
    }

    fn parse_failure(&self, _status: u16, _body: &str) -> (Failure, Option<u64>) {
        (Failure::new(ErrorCode::Server, ""), None)
    }
}

/// Whether an error's code or message means that the token is not good (D6): the code `AuthError` or
/// `auth_failed`, or a message that holds `unauthorised`, `unauthorized`, `invalid token`, `jwt` or `auth`, in
/// any case.
#[must_use]
pub fn is_auth_refusal(code: Option<&str>, message: &str) -> bool {
    // Every spelling of `unauthori[sz]ed` holds `auth`, so three needles say what the pattern says.
    const NEEDLES: [&str; 3] = ["auth", "jwt", "invalid token"];
    matches!(code, Some("AuthError" | "auth_failed")) || NEEDLES.iter().any(|needle| holds(message, needle))
}

/// Whether `text` holds `needle` (ASCII), in any case.
fn holds(text: &str, needle: &str) -> bool {
    text.as_bytes().windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
}
