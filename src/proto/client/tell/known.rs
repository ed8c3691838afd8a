//! Statuses in the words of the tabs.

use super::super::super::model::Status;
use super::super::Client;
use super::Told;
use crate::proto::wire::json::{Object, push_json_string};

/// What the server tells of an own message, by its name.
const TOLD: [(&str, Status); 3] =
    [("acknowledged", Status::Acknowledged), ("delivered", Status::Delivered), ("read", Status::Read)];

pub(super) fn status_of(event: &Object<'_>) -> Option<Status> {
    let told = event.str("status")?;
    TOLD.iter().find(|(name, _)| *name == told).map(|(_, status)| *status)
}

impl Client {
    /// This tab has led, and shows more of a message than the store has: the leader is to show and write it too. The server
    /// does not tell it a second time.
    pub(in super::super) fn tell_known(&mut self, conversation_id: &str, id: &str, status: Status) {
        let name = TOLD.iter().find(|(_, told)| *told == status).map(|(name, _)| *name);
        if let (Some(name), false) = (name, self.leads()) {
            let mut text = String::from(r#"{"type":"known""#);
            for (field, value) in [("conversationId", conversation_id), ("id", id), ("status", name)] {
                text.push(',');
                push_json_string(&mut text, field);
                text.push(':');
                push_json_string(&mut text, value);
            }
            text.push('}');
            self.say(0, Told(text));
        }
    }
}
