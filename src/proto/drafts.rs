//! Drafts: what the user has begun to write, by conversation.
//!
//! Law: each has a record of its own, which any tab may write, so that no two writers share one: the conversation's is the
//! leader's. The last commit counts. What differs only here and is not yet written stays over every read of the store.

use crate::proto::sorted::{SortedMap, SortedSet};

/// All drafts of one instance.
#[derive(Debug, Default)]
pub struct Drafts {
    texts: SortedMap<String, String>,
    dirty: SortedSet<String>,
    /// On their way into the store.
    writing: SortedSet<String>,
    /// Written here last, as far as is known.
    own: SortedSet<String>,
    /// Another tab has written one of those: only the store knows which was the last.
    crossed: bool,
}

impl Drafts {
    /// The draft of a conversation; empty where there is none.
    pub fn get(&self, conversation_id: &str) -> &str {
        self.texts.get(conversation_id).map_or("", String::as_str)
    }

    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// It is on its way into the store as it is.
    pub fn is_under_way(&self, conversation_id: &str) -> bool {
        self.writing.contains(conversation_id) && !self.dirty.contains(conversation_id)
    }

    /// The user has written. `false`: it is what it was, and the store has it.
    pub fn set(&mut self, conversation_id: &str, text: String) -> bool {
        if self.get(conversation_id) == text {
            return self.is_unwritten(conversation_id);
        }
        self.put(conversation_id, text);
        self.dirty.insert(conversation_id.to_owned());
        self.own.insert(conversation_id.to_owned());
        true
    }

    fn put(&mut self, conversation_id: &str, text: String) {
        if text.is_empty() {
            self.texts.remove(conversation_id);
        } else {
            self.texts.insert(conversation_id.to_owned(), text);
        }
    }

    fn is_unwritten(&self, conversation_id: &str) -> bool {
        self.dirty.contains(conversation_id) || self.writing.contains(conversation_id)
    }

    /// Takes all that the store has; what cannot be read is `None`, and is written again as it is known here.
    /// The conversations whose draft is another now.
    pub fn restore(&mut self, stored: Vec<(String, Option<String>)>) -> Vec<String> {
        let mut changed = Vec::new();
        let mut found = SortedSet::new();
        for (id, _) in &stored {
            found.insert(id.clone());
        }
        for id in self.texts.keys_where(&|id, _| !found.contains(id)) {
            if !self.is_unwritten(&id) {
                self.texts.remove(&id);
                changed.push(id);
            }
        }
        for (id, text) in stored {
            match text {
                Some(text) => {
                    if self.hear(&id, text) {
                        changed.push(id);
                    }
                }
                None => {
                    self.dirty.insert(id);
                }
            }
        }
        changed
    }

    /// Another tab has written this one; empty: removed. `true`: it is another than before.
    pub fn take(&mut self, conversation_id: &str, text: String) -> bool {
        let crosses = self.own.remove(conversation_id);
        self.crossed |= crosses;
        !crosses && self.hear(conversation_id, text)
    }

    fn hear(&mut self, conversation_id: &str, text: String) -> bool {
        if self.is_unwritten(conversation_id) || self.get(conversation_id) == text {
            return false;
        }
        self.put(conversation_id, text);
        true
    }

    /// The transaction that is made has some.
    pub fn is_writing(&self) -> bool {
        !self.writing.is_empty()
    }

    pub fn has_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Records to write (`get` gives them; an empty one is to be deleted); they count as under way from here on.
    pub fn take_dirty(&mut self) -> SortedSet<String> {
        let dirty = core::mem::take(&mut self.dirty);
        for id in dirty.iter() {
            self.writing.insert(id.clone());
        }
        dirty
    }

    /// What was under way is in the store, or not.
    pub fn on_written(&mut self, saved: bool) {
        for (id, _) in core::mem::take(&mut self.writing) {
            if !saved {
                self.dirty.insert(id);
            }
        }
    }

    /// The store has to be read, now that it has what is written here.
    pub fn take_crossed(&mut self) -> bool {
        self.dirty.is_empty() && self.writing.is_empty() && core::mem::take(&mut self.crossed)
    }

    /// The database was deleted: all are written again.
    pub fn on_emptied(&mut self) {
        for (id, _) in self.texts.iter() {
            self.dirty.insert(id.clone());
        }
    }

    /// Forgets everything (wipe).
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(drafts: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
        drafts.iter().map(|(id, text)| ((*id).to_owned(), text.map(str::to_owned))).collect()
    }

    #[test]
    fn what_is_not_written_yet_stays_over_what_the_store_and_other_tabs_have() {
        let mut drafts = Drafts::default();
        assert!(drafts.set("r", "mine".into()));
        assert!(!drafts.take("r", "theirs".into()));
        assert!(drafts.restore(stored(&[("r", Some("old"))])).is_empty());
        drafts.take_dirty();
        assert!(drafts.restore(Vec::new()).is_empty(), "it is under way");
        assert_eq!(drafts.get("r"), "mine");
        drafts.on_written(true);
        drafts.take("r", "theirs".into());
        assert!(drafts.take("r", "theirs again".into()));
        assert_eq!(drafts.restore(stored(&[("s", Some("other"))])), ["r", "s"]);
        assert_eq!((drafts.get("r"), drafts.get("s")), ("", "other"));
    }

    #[test]
    fn of_two_that_cross_only_the_store_knows_the_last() {
        let mut drafts = Drafts::default();
        drafts.set("r", "mine".into());
        drafts.take_dirty();
        assert!(!drafts.take("r", "theirs".into()));
        assert!(!drafts.take_crossed(), "not before it is written");
        drafts.on_written(true);
        assert!(drafts.take_crossed());
        assert!(!drafts.take_crossed(), "once");
        assert_eq!(drafts.get("r"), "mine");
        assert_eq!(drafts.restore(stored(&[("r", Some("theirs"))])), ["r"]);
    }

    #[test]
    fn what_was_not_written_is_written_again_with_what_came_meanwhile() {
        let mut drafts = Drafts::default();
        drafts.set("r", "one".into());
        drafts.take_dirty();
        assert!(!drafts.has_dirty());
        drafts.set("r", "two".into());
        drafts.on_written(false);
        assert_eq!(drafts.take_dirty().len(), 1, "merged");
        drafts.on_written(true);
        assert!(!drafts.set("r", "two".into()), "nothing new, and written");
        drafts.set("r", String::new());
        assert_eq!((drafts.get("r"), drafts.len()), ("", 0));
        assert!(drafts.has_dirty(), "its record is to go");
    }

    #[test]
    fn a_record_that_cannot_be_read_is_replaced_or_removed() {
        let mut drafts = Drafts::default();
        assert!(drafts.restore(stored(&[("r", None)])).is_empty());
        assert!(drafts.has_dirty());
    }
}
