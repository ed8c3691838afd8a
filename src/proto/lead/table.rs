//! The transition table of the lead: every state, every signal, in one place.
//!
//! Law: what is not listed is ignored, so a word of the lock that crossed with a release, or an answer of the store to a
//! claim that is over, changes nothing. `Leads` is reached by a claim that stands alone: whoever writes history has
//! written its generation first (rule 2). `docs/lead.mmd` is drawn from this file by its test.

#[cfg(debug_assertions)]
use crate::proto::table::Table;

use State::{Asked, Claims, Follows, Leads, Unasked, Unclaimed};

/// Whether this tab may write history and use the socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Not asked for: this tab is not to be connected.
    #[default]
    Unasked,
    /// The lock has not answered yet.
    Asked,
    /// Another tab has the lock.
    Follows,
    /// Holds the lock; the generation is not written yet.
    Claims,
    /// Holds the lock, and the store has refused its generation: it leads in memory alone, and writes nothing.
    Unclaimed,
    /// Holds the lock, under a generation of its own.
    Leads,
}

/// What can happen to the lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The application wishes to be connected.
    Wanted,
    /// The lock is this tab's.
    Granted,
    /// The lock is another tab's.
    Taken,
    /// The leader does not run, or has offered its lead: the lock is stolen.
    Steal,
    /// The generation is in the store, and everything was read under it.
    Stands,
    /// The store has refused the generation.
    Refused,
    /// Another tab leads: it has stolen the lock, or its generation is in the store.
    Deposed,
    /// Given back: nobody wishes to be connected, or the page is frozen, wiped or closed.
    LetGo,
}

/// The state that `signal` leads to; `None`: it means nothing in this state.
pub(super) fn next(state: State, signal: Signal) -> Option<State> {
    Some(match (signal, state) {
        (Signal::Wanted, Unasked) => Asked,
        (Signal::Granted, Asked | Follows) => Claims,
        (Signal::Taken, Asked) => Follows,
        (Signal::Steal, Follows) => Asked,
        (Signal::Stands, Claims | Unclaimed) => Leads,
        (Signal::Refused, Claims) => Unclaimed,
        (Signal::Deposed, Claims | Unclaimed | Leads) => Follows,
        (Signal::LetGo, Asked | Follows | Claims | Unclaimed | Leads) => Unasked,
        _ => return None,
    })
}

/// All of them: for tests and the simulator.
#[cfg(debug_assertions)]
pub(super) const STATES: [State; 6] = [Unasked, Asked, Follows, Claims, Unclaimed, Leads];
#[cfg(debug_assertions)]
pub(super) const SIGNALS: [Signal; 8] = [
    Signal::Wanted,
    Signal::Granted,
    Signal::Taken,
    Signal::Steal,
    Signal::Stands,
    Signal::Refused,
    Signal::Deposed,
    Signal::LetGo,
];

#[cfg(debug_assertions)]
pub(super) const TABLE: Table<'_, State, Signal> = Table { states: &STATES, signals: &SIGNALS, next };

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by hand from DESIGN.md (rules 2 to 4 and 14), so that the match above is checked against a second author.
    const EXPECTED: &str = "
        .         wanted granted taken   steal stands refused   deposed letgo
        unasked   asked  -       -       -     -      -         -       -
        asked     -      claims  follows -     -      -         -       unasked
        follows   -      claims  -       asked -      -         -       unasked
        claims    -      -       -       -     leads  unclaimed follows unasked
        unclaimed -      -       -       -     leads  -         follows unasked
        leads     -      -       -       -     -      -         follows unasked
    ";

    #[test]
    fn every_cell_is_as_expected() {
        assert_eq!(TABLE.compare(EXPECTED), 48);
    }

    #[test]
    fn the_documented_diagram_is_this_table() {
        TABLE.compare_diagram("docs/lead.mmd");
    }
}
