//! What the transition tables of the machines have in common.

use core::fmt::Debug;

#[cfg(test)]
mod tests;

/// Every state, every signal, and the state that a signal leads to; `None`: it means nothing there.
pub struct Table<'a, S, G> {
    pub states: &'a [S],
    pub signals: &'a [G],
    pub next: fn(S, G) -> Option<S>,
}

impl<S: Copy + Debug, G: Copy + Debug> Table<'_, S, G> {
    /// Every cell that means something, and whether it was `reached`.
    pub fn cells(&self, reached: &dyn Fn(S, G) -> bool) -> Vec<(String, bool)> {
        let cells = self.states.iter().flat_map(|state| self.signals.iter().map(|signal| (*state, *signal)));
        let cells = cells.filter(|(state, signal)| (self.next)(*state, *signal).is_some());
        cells.map(|(state, signal)| (format!("{state:?}+{signal:?}"), reached(state, signal))).collect()
    }
}
