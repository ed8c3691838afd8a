//! What is known of each message and each change from outside the clients.

use chatwire::proto::ErrorCode;

use super::world::Whose;

/// What is known of one message from outside the client.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    pub device: usize,
    /// The life of that page which has queued it.
    pub life: u32,
    pub disk: usize,
    pub room: String,
    pub key: Option<String>,
    /// `send()` resolved, and said that it is durable.
    pub accepted: bool,
    /// Only memory has it, as its `send()` said, or a fault took its record: it may be lost.
    pub lost_allowed: bool,
    /// A fault took its record: a page may go on from what it remembers, and the record that comes of it is no promise.
    pub torn: bool,
    /// It had left the store, and a write that a torn generation let pass has put it there again.
    pub put_back: bool,
    pub cancelled: bool,
    pub discarded: bool,
    /// Cancels and discards of it that neither took place nor came too late: open for ever, where the page has ended.
    pub removals_open: u32,
    /// When the last of those was asked for.
    pub removal_ms: Option<u64>,
    /// How often it had been resent by then: a later resend stands for itself.
    pub resends_before_removal: u32,
    /// The same, of a removal that took place.
    pub taken_back_after: Option<u32>,
    /// The store refused one of those: others go from memory meanwhile, and with the lead it is forgotten (1013240).
    pub removal_refused: bool,
    pub resends: u32,
    /// Refusals for now, frames and refusals for good before the last resend, which begins anew.
    pub before_resend: (u32, u32, usize),
    /// When a store first had it.
    pub stored_ms: Option<u64>,
    /// Resent by another page: its first copy at the server was sent from another queue.
    pub moved: bool,
    pub frames: u32,
    pub first_frame_ms: Option<u64>,
    /// Where nothing is answered: when a frame of it had left the buffer of its socket.
    pub handed_ms: Option<u64>,
    /// It went on the wire from memory, since the store refused its mark: whether it went is not known after a kill.
    pub unmarked: bool,
    /// By which page, in which of its lives.
    pub unmarked_by: Option<Whose>,
    pub cancelled_by: Option<Whose>,
    /// The mark under which its last frame left, and in which row.
    pub last_mark: Option<(u64, (u64, u32))>,
    /// By the wall clock of its machine.
    pub deadline_ms: Option<u64>,
    pub ttl_ms: Option<u64>,
    pub failed: Option<ErrorCode>,
    /// All reasons that it has ever failed for.
    pub all_reasons: Vec<ErrorCode>,
    /// Those that may be said again, until a resend is durable: before that the old failure may stand again.
    pub reasons: Vec<ErrorCode>,
    pub shown_acknowledged: bool,
}

impl Sent {
    /// Its last removal took place, and nothing that happened since may have brought it back.
    pub fn is_taken_back(&self) -> bool {
        self.taken_back_after == Some(self.resends) && !self.torn && !self.put_back
    }

    /// It was taken back, or a removal of it is open: one that was refused excuses nothing.
    pub fn removed(&self) -> bool {
        self.cancelled || self.discarded || self.removals_open > 0
    }
}

#[derive(Default)]
pub struct Ledger {
    pub sent: Vec<Sent>,
    pub changes: Vec<super::changes::Changed>,
}
