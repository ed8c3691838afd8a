//! What must hold of the log of the server.

use super::ledger::Sent;
use super::stored::Stored;
use super::world::World;

/// Whoever leads looks into the store more often than that.
const READ_MS: u64 = 40_000;

impl World {
    /// The server's log: in the order of each queue, and no message more often than somebody wished.
    pub fn check_log(&mut self) {
        let mut wrong = None;
        for (id, room) in &self.server.rooms {
            let Some((last, before)) = room.messages.split_last() else { continue };
            let Some(number) = last.number else { continue };
            let copies = before.iter().filter(|stored| stored.number == Some(number)).count();
            let wished = if self.plan.keys { 0 } else { self.ledger.sent[number].resends as usize };
            if copies > wished {
                wrong = Some(("the log has each message once", format!("message {number} twice in {id}")));
            }
            let Some((_, Some(place))) = last.queued else { continue };
            // What a loss of history made come a second time comes when it comes.
            if self.server.ever.get(&number).is_some_and(|count| *count > 1) {
                continue;
            }
            // A server that refuses for good and takes the same after a crash has made its own order.
            let (for_now, for_good) = self.server.refusals.get(&number).cloned().unwrap_or_default();
            if !for_good.is_empty() || u64::from(for_now) >= self.plan.max_attempts {
                continue;
            }
            // A failure that the store did not take is forgotten with the lead, when others have gone before it.
            if !self.ledger.sent[number].all_reasons.is_empty() {
                continue;
            }
            // Two tabs that send at once have no order but the one that comes out; nor has a page with what a killed
            // one before it had under way, whose commit may come at any time.
            let own = &self.ledger.sent[number];
            let earlier = |stored: &&Stored| {
                stored.number.is_some_and(|number| stands_before(&self.ledger.sent[number], own))
            };
            let latest = before
                .iter()
                .rev()
                .find(earlier)
                .and_then(|stored| Some((stored.queued?.1?, stored.number?)));
            // A removal that the store refuses holds up nobody: it is forgotten with the page or the lead, when others have
            // gone from memory before it.
            let open = own.removed() || own.removal_refused;
            let forgotten = |before: usize| {
                let before = &self.ledger.sent[before];
                let after =
                    before.first_frame_ms.zip(own.removal_ms).is_some_and(|(left, asked)| left >= asked);
                open && (before.unmarked || after)
            };
            // What is handed to the network is done where nothing is answered, and may be lost: the order is that of the
            // wire. It comes again only where its removal was not committed.
            let handed = |before: usize| {
                let later = self.ledger.sent[before].first_frame_ms;
                own.handed_ms.is_some_and(|at| later.is_some_and(|later| at <= later))
            };
            // Where nothing is answered nobody hears that the server has refused it, and what stood behind it is stored.
            let refused = self.server.refusals.get(&number).is_some_and(|(for_now, _)| *for_now > 0);
            let unheard = refused && !self.plan.answers;
            if let Some((latest, number_before)) = latest
                .filter(|_| !unheard)
                .filter(|(latest, _)| *latest > place && !own.lost_allowed)
                .filter(|(_, before)| !forgotten(*before) && !handed(*before))
            {
                let what = format!(
                    "message {number} (queued {place}) came after {number_before} ({latest}) in {id}"
                );
                wrong = Some(("the log is in the order of the queue", what));
            }
        }
        if let Some((checker, what)) = wrong {
            self.wrong(checker, what);
        }
    }
}

/// Whether whoever sends `own` knew of this one, which its queue has before it.
fn stands_before(sent: &Sent, own: &Sent) -> bool {
    let page = sent.device == own.device && (sent.life == own.life || own.accepted);
    // What another tab had stored for so long every leader has read.
    let read = sent.disk == own.disk
        && sent.accepted
        && own.stored_ms.zip(sent.stored_ms).is_some_and(|(own, its)| its + READ_MS < own);
    (page || read) && !sent.lost_allowed && !sent.moved
}
