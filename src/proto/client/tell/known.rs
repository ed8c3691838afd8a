//! Statuses in the words of the tabs.

use super::super::super::model::Status;
use super::super::super::to_json::texts;
use super::super::Client;
use super::Told;
use crate::proto::wire::json::Object;

/// What the server tells of an own message.
const TOLD: [Status; 3] = [Status::Acknowledged, Status::Delivered, Status::Read];

pub(super) fn status_of(event: &Object<'_>) -> Option<Status> {
    let told = event.str("status")?;
    TOLD.into_iter().find(|status| status.name() == told)
}

impl Client {
    /// This tab has led, and shows more of a message than the store has: the leader is to show and write it too. The server
    /// does not tell it a second time.
    pub(in super::super) fn tell_known(&mut self, conversation_id: &str, id: &str, status: Status) {
        if TOLD.contains(&status) && !self.leads() {
            let text = texts(&[
                ("type", "known"),
                ("conversationId", conversation_id),
                ("id", id),
                ("status", status.name()),
            ]);
            self.say(0, Told(text));
        }
    }
}
