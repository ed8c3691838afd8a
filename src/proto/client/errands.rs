//! Events of the application's own from tabs that have no socket: the leading tab sends them, and passes on what comes of it.
//!
//! Law: an errand is carried out once or not at all, and never queued. Whoever gave it hears of it as of an event of its own, or
//! that nothing was heard in time.

use super::super::api::{CommandId, Errand, Event, Now, Output, TabOutput, Told, WireData};
use super::super::lead::State;
use super::super::model::{ErrorCode, Failure, Json};
use super::super::profile::Push;
use super::Client;
use crate::proto::sorted::SortedMap;
use crate::proto::wire::json::{self, Object};

/// Errands of other tabs under way; more are refused.
const MAX_ERRANDS: usize = 256;

/// Whose errands this tab does, and what it is called in its own.
#[derive(Default)]
pub(super) struct Errands {
    /// Drawn with the first one.
    name: Option<String>,
    /// Whose command each of these commands is.
    of_others: SortedMap<CommandId, (String, CommandId)>,
}

impl Client {
    /// Another tab has the socket, and says that it is online.
    pub(super) fn can_give_errands(&self) -> bool {
        self.lead.state() == State::Follows && self.beside.online
    }

    pub(super) fn give_errand(&mut self, id: CommandId, push: Push, payload: Json, timeout_ms: Option<u32>) {
        let from = self.beside.errands.name.get_or_insert_with(|| self.rng.key()).clone();
        let Push { event, topic, ack, .. } = push;
        let errand = Errand { from, id, event, topic, payload, ack, timeout_ms };
        self.outputs.push_back(Output::Tab(TabOutput::Errand(Box::new(errand))));
    }

    pub(super) fn on_errand(&mut self, now: Now, errand: Errand) {
        if !self.leads() {
            return;
        }
        let Errand { from, id, event, topic, payload, ack, timeout_ms } = errand;
        let command = self.next_command;
        self.next_command += 1;
        let full = self.beside.errands.of_others.len() >= MAX_ERRANDS;
        self.beside.errands.of_others.insert(command, (from, id));
        let push = Push { topic, event, args: Vec::new(), attachments: Vec::new(), ack };
        let payload = WireData { json: payload, attachments: Vec::new() };
        let done = if full {
            let text = "wire.send: too many events of other tabs are under way";
            Err(Failure { retryable: true, ..Failure::new(ErrorCode::RateLimited, text) })
        } else {
            self.wire_send(now, command, push, payload, timeout_ms)
        };
        if let Err(failure) = done {
            self.refuse(command, failure);
        }
    }

    /// What has become of another tab's errand is told there alone.
    pub(super) fn tell_of_errand(&mut self, mut event: Event) -> Option<Event> {
        let (Event::Done { id, .. } | Event::Refused { id, .. }) = &mut event else { return Some(event) };
        let Some((to, theirs)) = self.beside.errands.of_others.remove(id) else { return Some(event) };
        *id = theirs;
        let mut text = String::new();
        event.write_json(&mut text);
        self.outputs.push_back(Output::Tab(TabOutput::ErrandDone { to, id: theirs, event: Told(text) }));
        None
    }

    /// An errand of this tab, unless it is one of another, or has been given up.
    pub(super) fn on_errand_done(&mut self, to: &str, id: CommandId, event: Told) {
        let ours = self.beside.errands.name.as_deref() == Some(to);
        if ours && is_end_of(id, &event.0) && self.forget_errand(id) {
            self.outputs.push_back(Output::Told(event));
        }
    }
}

/// Whether it says what has become of this command: another tab may be another build of the application.
fn is_end_of(id: CommandId, event: &str) -> bool {
    let Some(event) = json::parse(event, 0).ok().and_then(Object::read) else { return false };
    let whole = match event.str("type").as_deref() {
        Some("done") => event.object("outcome").is_some(),
        Some("refused") => event.object("error").is_some(),
        _ => false,
    };
    whole && event.get("id").and_then(json::int) == Some(id.into())
}
