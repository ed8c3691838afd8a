//! The transition table of the connection: every state, every signal, in one place.
//!
//! Law: what is not listed is ignored. `Closed` is left by `Connect` alone, so nothing that the page, the network or
//! a timer does revives an explicit `disconnect()`. `docs/connection.mmd` is drawn from this file by its test.

use crate::proto::ConnectionState::{
    self, Authenticating, Closed, Connecting, Failed, Idle, Offline, Online, Waiting,
};
use crate::proto::mutant;
#[cfg(debug_assertions)]
use crate::proto::table::Table;

/// What can happen to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// The application called `connect()`.
    Connect,
    /// It is time to try again: the retry is due, the page is shown or resumed, this tab leads.
    Wake,
    /// The network is back: the next attempt comes after a short jitter.
    Soon,
    /// The Engine.IO handshake has come (E1).
    Opened,
    /// CONNECT was answered with a session id.
    Accepted,
    /// The token was refused for the first time and is asked anew (E8).
    Refused,
    /// The attempt or the socket is lost, and there will be another.
    Lost,
    /// Another tab leads, or may lead (D14).
    Hold,
    /// There is no network, or the page is frozen.
    Park,
    /// `disconnect()`, `close()`, or the server's DISCONNECT.
    Stop,
    /// The attempts are used up, or the token was refused twice.
    GiveUp,
}

/// The state that `signal` leads to; `None`: it means nothing in this state.
pub(super) fn next(state: ConnectionState, signal: Signal) -> Option<ConnectionState> {
    if mutant::is(22) && (signal, state) == (Signal::Wake, Closed) {
        return Some(Connecting);
    }
    Some(match (signal, state) {
        (Signal::Connect, Idle | Waiting | Offline | Closed | Failed) => Connecting,
        (Signal::Wake, Waiting | Offline | Failed) => Connecting,
        (Signal::Soon, Waiting | Offline | Failed) => Waiting,
        (Signal::Opened, Connecting) => Authenticating,
        (Signal::Accepted, Authenticating) => Online,
        (Signal::Refused, Authenticating | Online) => Connecting,
        (Signal::Lost, Connecting | Authenticating | Online) => Waiting,
        (Signal::Hold, Connecting | Authenticating | Online | Waiting | Offline) => Waiting,
        (Signal::Park, Connecting | Authenticating | Online | Waiting | Offline) => Offline,
        (Signal::Stop, Idle | Connecting | Authenticating | Online | Waiting | Offline | Failed) => Closed,
        (Signal::GiveUp, Connecting | Authenticating | Online) => Failed,
        _ => return None,
    })
}

/// All of them: for tests and the simulator.
#[cfg(debug_assertions)]
pub(super) const STATES: [ConnectionState; 8] =
    [Idle, Connecting, Authenticating, Online, Waiting, Offline, Closed, Failed];
#[cfg(debug_assertions)]
pub(super) const SIGNALS: [Signal; 11] = [
    Signal::Connect,
    Signal::Wake,
    Signal::Soon,
    Signal::Opened,
    Signal::Accepted,
    Signal::Refused,
    Signal::Lost,
    Signal::Hold,
    Signal::Park,
    Signal::Stop,
    Signal::GiveUp,
];

#[cfg(debug_assertions)]
pub(super) const TABLE: Table<'_, ConnectionState, Signal> =
    Table { states: &STATES, signals: &SIGNALS, next };

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by hand from SPEC.md chapter 1, so that the match above is checked against a second author.
    const EXPECTED: &str = "
        .              connect    wake       soon    opened         accepted refused    lost    hold    park    stop   giveup
        idle           connecting -          -       -              -        -          -       -       -       closed -
        connecting     -          -          -       authenticating -        -          waiting waiting offline closed failed
        authenticating -          -          -       -              online   connecting waiting waiting offline closed failed
        online         -          -          -       -              -        connecting waiting waiting offline closed failed
        waiting        connecting connecting waiting -              -        -          -       waiting offline closed -
        offline        connecting connecting waiting -              -        -          -       waiting offline closed -
        closed         connecting -          -       -              -        -          -       -       -       -      -
        failed         connecting connecting waiting -              -        -          -       -       -       closed -
    ";

    #[test]
    fn every_cell_is_as_expected() {
        assert_eq!(TABLE.compare(EXPECTED), 88);
    }

    #[test]
    fn the_documented_diagram_is_this_table() {
        TABLE.compare_diagram("docs/connection.mmd");
    }
}
