//! Who is present on a topic (X11).
//!
//! Law: what is told before the state of the present join waits for it, and is then laid upon it: one's own coming is told
//! before the state that holds it already. Metas are told apart by `phx_ref`; who has none left is gone.

use crate::proto::queue::Queue;
use crate::proto::sorted::SortedMap;
use crate::proto::wire::json::{self, Object, RawValue};

/// Keys of one topic, metas of one key, and diffs that wait for the state.
const MAX_KEYS: usize = 10_000;
const MAX_METAS: usize = 64;
const MAX_WAITING: usize = 64;

/// The metas of one topic by key.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// The state of the present join has come.
    known: bool,
    present: SortedMap<String, Vec<String>>,
    waiting: Queue<String>,
}

impl Roster {
    /// A new join: another state will come. Who was present is so until then.
    pub(super) fn begin(&mut self) {
        self.known = false;
        self.waiting.clear();
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.present.contains_key(key)
    }

    /// All keys; then nobody is present.
    pub(super) fn empty(&mut self) -> Vec<String> {
        self.begin();
        let keys = self.present.keys_where(&|_, _| true);
        self.present.clear();
        keys
    }

    /// `presence_state`. Gives who has come and who has gone; `None`: it cannot be read.
    pub(super) fn on_state(&mut self, payload: &RawValue) -> Option<Vec<(String, bool)>> {
        let state = Object::read(payload)?;
        let before = core::mem::take(&mut self.present);
        let mut changes = Vec::new();
        self.add(&state, &mut Vec::new());
        self.known = true;
        while let Some(diff) = self.waiting.pop_front() {
            if let Ok(diff) = json::parse(&diff, 0) {
                self.lay(diff, &mut Vec::new());
            }
        }
        for (key, _) in before.iter() {
            if !self.present.contains_key(key) {
                changes.push((key.clone(), false));
            }
        }
        for (key, _) in self.present.iter() {
            if !before.contains_key(key) {
                changes.push((key.clone(), true));
            }
        }
        Some(changes)
    }

    /// `presence_diff`, the same way.
    pub(super) fn on_diff(&mut self, payload: &RawValue) -> Option<Vec<(String, bool)>> {
        Object::read(payload)?;
        let mut changes = Vec::new();
        if self.known {
            self.lay(payload, &mut changes);
        } else if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(payload.get().to_owned());
        }
        Some(changes)
    }

    /// An update is one diff with the key on both sides: who comes is added before who goes is taken away.
    fn lay(&mut self, diff: &RawValue, changes: &mut Vec<(String, bool)>) {
        let Some(diff) = Object::read(diff) else { return };
        if let Some(joins) = diff.object("joins") {
            self.add(&joins, changes);
        }
        let Some(leaves) = diff.object("leaves") else { return };
        for (key, entry) in leaves.iter() {
            let Some(metas) = self.present.get_mut(key) else { continue };
            for gone in refs_of(entry) {
                metas.retain(|known| *known != gone);
            }
            if metas.is_empty() {
                self.present.remove(key);
                changes.push((key.to_owned(), false));
            }
        }
    }

    fn add(&mut self, entries: &Object<'_>, changes: &mut Vec<(String, bool)>) {
        for (key, entry) in entries.iter() {
            if !self.present.contains_key(key) {
                if self.present.len() >= MAX_KEYS {
                    continue;
                }
                changes.push((key.to_owned(), true));
            }
            let metas = self.present.or_default(key.to_owned());
            for come in refs_of(entry) {
                if metas.len() < MAX_METAS && !metas.contains(&come) {
                    metas.push(come);
                }
            }
        }
    }
}

/// `{metas: [{phx_ref}]}`.
fn refs_of(entry: &RawValue) -> Vec<String> {
    let mut refs = Vec::new();
    let metas = Object::read(entry).and_then(|entry| entry.array("metas"));
    for meta in metas.unwrap_or_default() {
        if let Some(reference) = Object::read(meta).as_ref().and_then(|meta| meta.str("phx_ref")) {
            refs.push(reference.into_owned());
        }
    }
    refs
}
