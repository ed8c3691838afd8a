//! The order of sends of one connection, when several are in flight (D2 `orderedWindow`).
//!
//! Law (go back N): a send that failed for now must not be overtaken. From that failure on, other keyed sends of the
//! same conversation are refused for now as well, until the failed key comes again. A client that gave the failed
//! message up says so by sending a refused key again: the refusal came after the failure, so it knew. Failures for
//! good (wrong content, too large) stop nobody.

use std::collections::{BTreeMap, BTreeSet};

/// Refused keys remembered for one conversation; beyond it the window is opened rather than memory spent.
const MAX_REFUSED: usize = 4096;

/// State of one connection. Used on the writing thread, in the order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Window {
    stopped: BTreeMap<String, Stop>,
}

#[derive(Debug)]
struct Stop {
    failed: String,
    refused: BTreeSet<String>,
}

impl Window {
    /// Whether this send may be stored now.
    pub(crate) fn admit(&mut self, conversation_id: &str, key: &str) -> bool {
        let Some(stop) = self.stopped.get_mut(conversation_id) else { return true };
        let goes_back = stop.failed == key;
        let gives_up = !stop.refused.insert(key.to_owned());
        if goes_back || gives_up || stop.refused.len() > MAX_REFUSED {
            self.stopped.remove(conversation_id);
            return true;
        }
        false
    }

    /// A send has failed for now, after it had been admitted.
    pub(crate) fn fail(&mut self, conversation_id: &str, key: &str) {
        let stop = self
            .stopped
            .entry(conversation_id.to_owned())
            .or_insert_with(|| Stop { failed: key.to_owned(), refused: BTreeSet::new() });
        if stop.failed != key {
            stop.refused.insert(key.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_failed_key_goes_first() {
        let mut window = Window::default();
        assert!(window.admit("c", "1"));
        window.fail("c", "1");
        assert!(!window.admit("c", "2"));
        assert!(!window.admit("c", "3"));
        assert!(window.admit("other", "9"), "one conversation does not stop another");
        assert!(window.admit("c", "1"));
        assert!(window.admit("c", "2"));
        assert!(window.admit("c", "3"));
    }

    #[test]
    fn a_client_that_gave_up_is_let_on() {
        let mut window = Window::default();
        window.fail("c", "1");
        assert!(!window.admit("c", "2"));
        assert!(!window.admit("c", "3"));
        assert!(window.admit("c", "2"), "the refused key comes again: 1 was given up");
        assert!(window.admit("c", "3"));
    }

    #[test]
    fn a_batch_that_fails_together_goes_back_to_its_first() {
        let mut window = Window::default();
        window.fail("c", "1");
        window.fail("c", "2");
        assert!(!window.admit("c", "3"));
        assert!(window.admit("c", "1"));
        window.fail("c", "1");
        assert!(!window.admit("c", "2"));
        assert!(window.admit("c", "1"));
    }
}
