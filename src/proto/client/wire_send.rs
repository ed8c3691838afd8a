//! Events of the backend's own: sent now or not at all.

use super::super::api::{CommandId, Now, Outcome};
use super::super::connection::Emitted;
use super::super::model::{ErrorCode, Failure};
use super::super::profile::Push;
use super::super::timer::Timer;
use super::{AckFor, Client};
use crate::proto::text::concat;
use crate::proto::wire::json::decimal;

const WIRE_ACK_TIMEOUT_MS: u64 = 15_000;

impl Client {
    pub(super) fn wire_send(
        &mut self,
        now: Now,
        id: CommandId,
        event: String,
        args: &str,
        ack: bool,
        timeout_ms: Option<u32>,
    ) -> Result<(), Failure> {
        if super::super::wire::is_reserved(&event) || event.is_empty() {
            let text = "event: this name is empty or reserved by the framing";
            return Err(Failure::new(ErrorCode::Validation, text));
        }
        let args = if args == "null" { Vec::new() } else { vec![args.to_owned()] };
        let push = Push { event, args, ack, ..Push::default() };
        match self.connection.emit(&push, now, &mut self.timers, &mut self.rng) {
            Emitted::Sent { ack_id: Some(ack_id), .. } => {
                let wait = timeout_ms.map_or(WIRE_ACK_TIMEOUT_MS, u64::from);
                let deadline_mono_ms = now.mono_ms.saturating_add(wait);
                self.acks.insert(ack_id, AckFor::Wire { command: id, deadline_mono_ms });
                self.update_wire_timer();
            }
            Emitted::Sent { ack_id: None, .. } => self.done(id, Outcome::Nothing),
            Emitted::NotOnline => {
                let text = "wire.send: not online in this tab, and such events are not queued";
                return Err(Failure::new(ErrorCode::Server, text));
            }
            Emitted::NotJoined => {
                let text = "wire.send: the topic is being joined, and such events are not queued";
                return Err(Failure { retryable: true, ..Failure::new(ErrorCode::Server, text) });
            }
            Emitted::Refused(failure) => return Err(failure),
            Emitted::TooLarge { limit, size } => {
                let text = concat(&[
                    "wire.send: ",
                    &decimal(size),
                    " bytes; the server takes at most ",
                    &decimal(limit),
                    " in a frame",
                ]);
                return Err(Failure::new(ErrorCode::TooLarge, text));
            }
        }
        Ok(())
    }

    fn update_wire_timer(&mut self) {
        let mut next: Option<u64> = None;
        for (_, waiting) in self.acks.iter() {
            if let AckFor::Wire { deadline_mono_ms, .. } = **waiting {
                next = Some(next.map_or(deadline_mono_ms, |at| at.min(deadline_mono_ms)));
            }
        }
        self.timers.update(Timer::WireAck, next);
    }

    pub(super) fn on_wire_ack_timer(&mut self, now: Now) {
        let mut due: Vec<(u64, CommandId)> = Vec::new();
        for (id, waiting) in self.acks.iter() {
            if let AckFor::Wire { command, deadline_mono_ms } = **waiting
                && deadline_mono_ms <= now.mono_ms
            {
                due.push((*id, command));
            }
        }
        for (ack_id, command) in due {
            self.acks.remove(&ack_id);
            let text = "wire.send: the server did not answer in time (timeoutMs)";
            self.refuse(command, Failure::new(ErrorCode::Timeout, text));
        }
        self.update_wire_timer();
    }
}
