//! First in, first out.
//!
//! The standard library's ring buffer costs a kilobyte of wasm for every type that is kept in one, and the core has a
//! dozen. Two stacks do the same: what is pushed, and, turned around, what is taken next. Every item is moved twice
//! at most. Items lie in boxes: queues of all types then share their code. Only the methods that the core uses, under
//! their usual names.

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue<T> {
    pushed: Vec<Box<T>>,
    /// The next one stands last.
    taken: Vec<Box<T>>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { pushed: Vec::new(), taken: Vec::new() }
    }
}

impl<T> Queue<T> {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push_back(&mut self, item: T) {
        self.pushed.push(Box::new(item));
    }

    pub fn push_front(&mut self, item: T) {
        self.taken.push(Box::new(item));
    }

    pub fn pop_front(&mut self) -> Option<T> {
        self.take().map(|item| *item)
    }

    #[inline(never)]
    fn take(&mut self) -> Option<Box<T>> {
        if self.taken.is_empty() {
            while let Some(item) = self.pushed.pop() {
                self.taken.push(item);
            }
        }
        self.taken.pop()
    }

    pub fn front(&self) -> Option<&T> {
        self.taken.last().or(self.pushed.first()).map(|item| &**item)
    }

    pub fn back(&self) -> Option<&T> {
        self.pushed.last().or(self.taken.first()).map(|item| &**item)
    }

    pub fn retain(&mut self, keep: &dyn Fn(&T) -> bool) {
        let mut kept = Vec::new();
        while let Some(item) = self.take() {
            if keep(&item) {
                kept.push(item);
            }
        }
        self.pushed = kept;
    }

    pub fn len(&self) -> usize {
        self.pushed.len() + self.taken.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn clear(&mut self) {
        self.pushed.clear();
        self.taken.clear();
    }

    /// Whether there is an item that is wanted.
    pub fn any(&self, wanted: &dyn Fn(&T) -> bool) -> bool {
        self.taken.iter().any(|item| wanted(item)) || self.pushed.iter().any(|item| wanted(item))
    }

    /// In the order of the queue.
    #[cfg(test)]
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.taken.iter().rev().chain(&self.pushed).map(|item| &**item)
    }
}

impl<T> FromIterator<T> for Queue<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self { pushed: items.into_iter().map(Box::new).collect(), taken: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    #[test]
    fn it_behaves_like_the_standard_queue() {
        let (mut ours, mut theirs) = (Queue::new(), VecDeque::new());
        let mut state = 7_u32;
        for _ in 0..5000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match state >> 28 {
                0..7 => {
                    ours.push_back(state);
                    theirs.push_back(state);
                }
                7 => {
                    ours.push_front(state);
                    theirs.push_front(state);
                }
                8 if state & 0xff == 0 => {
                    ours.clear();
                    theirs.clear();
                }
                8 if state & 0xf00 == 0 => {
                    ours.retain(&|item| item % 3 > 0);
                    theirs.retain(|item| item % 3 > 0);
                }
                _ => assert_eq!(ours.pop_front(), theirs.pop_front()),
            }
            assert_eq!((ours.len(), ours.is_empty()), (theirs.len(), theirs.is_empty()));
            assert_eq!((ours.front(), ours.back()), (theirs.front(), theirs.back()));
            assert!(ours.iter().eq(theirs.iter()));
            assert_eq!(ours.any(&|item| item % 5 == 0), theirs.iter().any(|item| item % 5 == 0));
        }
    }
}
