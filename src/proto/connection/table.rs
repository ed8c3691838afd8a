//! The transition table of the connection: every state, every signal, in one place.
//!
//! Law: what is not listed is ignored. `Closed` is left by `Connect` alone, so nothing that the page, the network or
//! a timer does revives an explicit `disconnect()`. `docs/connection.mmd` is drawn from this file by its test.

use crate::proto::ConnectionState::{
    self, Authenticating, Closed, Connecting, Failed, Idle, Offline, Online, Waiting,
};
use crate::proto::mutant;

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

    fn name(state: ConnectionState) -> String {
        format!("{state:?}").to_lowercase()
    }

    #[test]
    fn every_cell_is_as_expected() {
        let mut rows = EXPECTED.lines().filter(|line| !line.trim().is_empty());
        let head: Vec<&str> = rows.next().unwrap().split_whitespace().skip(1).collect();
        let signals: Vec<String> =
            SIGNALS.iter().map(|signal| format!("{signal:?}").to_lowercase()).collect();
        assert_eq!(head, signals);
        let mut cells = 0;
        for (state, row) in STATES.into_iter().zip(rows.by_ref()) {
            let row: Vec<&str> = row.split_whitespace().collect();
            assert_eq!(row[0], name(state));
            assert_eq!(row.len(), 1 + SIGNALS.len(), "{}", row[0]);
            for (signal, expected) in SIGNALS.into_iter().zip(&row[1..]) {
                let got = next(state, signal).map_or_else(|| "-".to_owned(), name);
                assert_eq!(got, *expected, "{state:?} and {signal:?}");
                cells += 1;
            }
        }
        assert_eq!((cells, rows.next()), (88, None));
    }

    /// The table as a Mermaid state diagram: one arrow for each pair of states, with all its signals.
    fn diagram() -> String {
        let mut out = String::from("stateDiagram-v2\n    [*] --> idle\n");
        for from in STATES {
            for to in STATES {
                let labels: Vec<String> = SIGNALS
                    .into_iter()
                    .filter(|signal| next(from, *signal) == Some(to))
                    .map(|signal| format!("{signal:?}"))
                    .collect();
                if !labels.is_empty() {
                    out += &format!("    {} --> {}: {}\n", name(from), name(to), labels.join(", "));
                }
            }
        }
        out
    }

    #[test]
    fn the_documented_diagram_is_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/connection.mmd");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, diagram()).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == diagram(), "docs/connection.mmd is out of date: run this test with UPDATE_DOCS=1");
    }
}
