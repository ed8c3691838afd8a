//! Every kind of fault, and what of a run was reached.

use std::collections::BTreeMap;

macro_rules! faults {
    ($($name:ident),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Fault { $($name),* }
        pub const FAULTS: &[Fault] = &[$(Fault::$name),*];
    };
}

faults! {
    // The link.
    ConnectRefused, ConnectHangs, SlowFrame, CutBeforeFrame, CutAfterFrame, CutBeforeAnswer, CutNow, HalfOpen, Stall,
    DuplicatedFrame, LateFrameOfOldSocket, FramesLostAtClose,
    // The server.
    CrashBeforeStore, CrashAfterStore, CrashBeforeAnswer, Restart, HistoryCut, HistoryLost, TokenExpired,
    TokenRefusedInUse, ServerClockJump, RateLimited, RefusedForNow, RefusedForGood, OtherConflict, ConflictOnKey,
    AnswerWithoutCopy, GarbageAnswer, AnswerWithheld, LateAnswer, CopyBeforeAnswer, RudeFrame, BinaryFrame,
    ServerDisconnect, ConnectError, StaleReceipt, PoisonMessage, Burst, HttpLost, HttpFailed, HttpUnauthorised,
    HttpGarbage,
    // The application's token.
    TokenSlow, TokenFails, TokenEmpty,
    // The store.
    StoreSlow, StoreConflict, StoreFailed, StoreUnknownDone, StoreUnknownLost, StoreFull, HandleLost, ReadFailed,
    TornRecord, OpenFailed,
    // The page.
    KilledAtOutput, Killed, WritesLostAtKill, Frozen, Hidden, OfflineLie, OnlineLie, LockStolen, PokeLost,
    // Time.
    WallJump, Sleep, SleepForDays, ClockSkew,
    // A page that stands still without a word.
    Hung,
    // Requests that change messages.
    ChangeLost, ChangeAnswerLost, ChangeFailed, ChangeRefused,
    // Changes of messages: before their message, after what followed them, twice.
    ToldEarly, ToldLate, ToldRepeated,
    // A disk that is too small until something is given up.
    RoomMade,
    // A live message that never comes, on a socket that lives on.
    CopyLost,
}

/// Whatever ends `offline` wakes the connection by itself, so that `connect()` never finds it there without an
/// obstacle; and a page that thaws has given the lead back, and waits for that first. The table allows both all the same.
pub const UNREACHABLE: [&str; 2] = ["Offline+Connect", "Offline+Wake"];

/// Cells of the tables of connection and lead that mean something.
const CELLS: usize = 54;

/// What was reached, by name, and how often.
#[derive(Clone, Default)]
pub struct Coverage {
    pub faults: BTreeMap<Fault, u64>,
    /// Cells of the tables of connection and lead, by name; those of the table that were not reached stand with zero.
    pub cells: BTreeMap<String, u64>,
}

impl Coverage {
    pub fn fault(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    pub fn add(&mut self, other: &Self) {
        for (fault, count) in &other.faults {
            *self.faults.entry(*fault).or_default() += count;
        }
        for (cell, count) in &other.cells {
            *self.cells.entry(cell.clone()).or_default() += count;
        }
    }

    /// The names of what was never reached, but could be.
    pub fn missing(&self) -> Vec<String> {
        let faults = FAULTS.iter().filter(|fault| !self.faults.contains_key(fault));
        let cells =
            self.cells.iter().filter(|(cell, count)| **count == 0 && !UNREACHABLE.contains(&cell.as_str()));
        // Where nobody counts, nothing is missing by name.
        let counted = self.cells.len();
        let uncounted = (counted != CELLS).then(|| format!("all but {counted} of {CELLS} cells"));
        let cells = cells.map(|(cell, _)| cell.clone()).chain(uncounted);
        faults.map(|fault| format!("{fault:?}")).chain(cells).collect()
    }
}
