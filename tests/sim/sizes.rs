//! Sizes that are large where chatwire is shipped, made small in some schedules: what takes a long history otherwise, a few
//! messages do. Each out of a stream of its own.

use chatwire::proto::config::{History, Pages};

use super::dice::Stream;

/// Small pages make catch-ups long.
pub fn pages(seed: u64) -> Pages {
    let mut s = Stream::new(seed ^ 0x7061_6765);
    match s.one_in(2) {
        true => Pages::default(),
        false => Pages { newest: s.between(4, 9) as u32, after: s.between(1, 12) as u32 },
    }
}

/// Few messages that may wait for the store make floods of a few; small segments make long histories, of which little is in
/// memory.
pub fn history(seed: u64) -> History {
    let mut history = History::default();
    let mut s = Stream::new(seed ^ 0x666c_6f6f_6400);
    if s.one_in(3) {
        history.max_unsaved = s.between(4, 80) as u32;
    }
    let mut s = Stream::new(seed ^ 0x7365_676d_656e);
    if s.one_in(2) {
        history.segment_rows = s.between(2, 12) as u32;
        history.max_sealed = s.below(4) as u32;
        history.max_loaded = s.pick(&[2, 6, 256]) as u32;
    }
    history
}
