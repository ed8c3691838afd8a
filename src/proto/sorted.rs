//! A map and a set that keep their order, in one flat vector.
//!
//! Measured: each instance of the standard library's B-tree costs 5 to 8 KB of wasm, and the core has thirty of
//! them. What is kept here is small (tens to a few thousand entries) or grows at its end, where a flat vector is
//! as fast. Only the methods that the core uses, under their usual names.
//!
//! Values lie in boxes: entries of the same key type then have one layout, and the optimiser keeps one copy of the
//! searching and moving for all of them.

use core::borrow::Borrow;
use core::cmp::Ordering;

/// Entries by key, ascending.
#[derive(Clone, Debug)]
pub struct SortedMap<K, V>(Vec<(K, Box<V>)>);

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the key stands; where it is missing, the place for it, with all bits turned, which is beyond any length.
    /// A plain number: a `Result` would be written to memory and read again by each caller.
    #[inline(never)]
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
    {
        let (mut low, mut high) = (0, self.0.len());
        // Keys mostly come in ascending order: the last one is looked at first.
        let mut middle = high.saturating_sub(1);
        while low < high {
            match self.key_at(middle).borrow().cmp(key) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return middle,
                Ordering::Greater => high = middle,
            }
            middle = low + (high - low) / 2;
        }
        !low
    }

    // In range wherever it is called: a check that can fail would need an answer for it.
    #[allow(clippy::indexing_slicing)]
    fn key_at(&self, at: usize) -> &K {
        &self.0[at].0
    }

    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(self.find(key)).map(|(_, value)| &**value)
    }

    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key);
        self.0.get_mut(at).map(|(_, value)| &mut **value)
    }

    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key) < self.0.len()
    }

    /// The value that stood there before.
    pub fn insert(&mut self, key: K, value: V) -> Option<Box<V>> {
        self.put(key, Box::new(value))
    }

    #[inline(never)]
    fn put(&mut self, key: K, value: Box<V>) -> Option<Box<V>> {
        let at = self.find(&key);
        if at < self.0.len() {
            // In range. A way out for when it is not would drop the value, which needs code of its own for each type.
            #[allow(clippy::indexing_slicing)]
            return Some(core::mem::replace(&mut self.0[at].1, value));
        }
        self.0.insert(!at, (key, value));
        None
    }

    /// The value under `key`, made by `make` where there is none: the key is copied then alone.
    pub fn or_insert_with<Q>(&mut self, key: &Q, make: impl FnOnce() -> V) -> &mut V
    where
        K: Borrow<Q>,
        Q: Ord + ToOwned<Owned = K> + ?Sized,
    {
        let mut at = self.find(key);
        if at >= self.0.len() {
            at = !at;
            self.0.insert(at, (key.to_owned(), Box::new(make())));
        }
        // In range: it was found or inserted just now.
        #[allow(clippy::indexing_slicing)]
        let entry = &mut self.0[at];
        &mut entry.1
    }

    /// The value under `key`, an empty one where there is none: one copy for all values under keys of one type.
    pub fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.or_put(key, Box::<V>::default)
    }

    #[inline(never)]
    fn or_put(&mut self, key: K, make: fn() -> Box<V>) -> &mut V {
        let mut at = self.find(&key);
        if at >= self.0.len() {
            at = !at;
            self.0.insert(at, (key, make()));
        }
        // In range: it was found or inserted just now.
        #[allow(clippy::indexing_slicing)]
        let entry = &mut self.0[at];
        &mut entry.1
    }

    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key);
        if at < self.0.len() { Some(*self.take(at)) } else { None }
    }

    #[inline(never)]
    fn take(&mut self, at: usize) -> Box<V> {
        self.0.remove(at).1
    }

    pub fn pop_first(&mut self) -> Option<(K, Box<V>)> {
        if self.0.is_empty() { None } else { Some(self.0.remove(0)) }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn remove_where(&mut self, unwanted: &dyn Fn(&K, &V) -> bool) {
        let mut at = 0;
        while let Some((key, value)) = self.0.get(at) {
            if unwanted(key, value) {
                self.take(at);
            } else {
                at += 1;
            }
        }
    }

    /// The keys of the entries that are wanted: a list of its own, so that the map can be changed while it is gone
    /// through.
    pub fn keys_where(&self, wanted: &dyn Fn(&K, &V) -> bool) -> Vec<K>
    where
        K: Clone,
    {
        let mut keys = Vec::new();
        for (key, value) in &self.0 {
            if wanted(key, value) {
                keys.push(key.clone());
            }
        }
        keys
    }

    /// Whether there is an entry that is wanted.
    pub fn any(&self, wanted: &dyn Fn(&K, &V) -> bool) -> bool {
        self.0.iter().any(|(key, value)| wanted(key, value))
    }

    /// Keys with their values. A slice's own iterator: adapters around it are code of their own for each type.
    pub fn iter(&self) -> core::slice::Iter<'_, (K, Box<V>)> {
        self.0.iter()
    }

    pub fn iter_mut(&mut self) -> core::slice::IterMut<'_, (K, Box<V>)> {
        self.0.iter_mut()
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.iter().map(|(_, value)| &**value)
    }

    /// Entries from `key` on, ascending.
    pub fn from<Q: Ord + ?Sized>(&self, key: &Q) -> core::slice::Iter<'_, (K, Box<V>)>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key);
        self.0.get(at.min(!at)..).unwrap_or_default().iter()
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, Box<V>);
    type IntoIter = std::vec::IntoIter<(K, Box<V>)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Keys, ascending.
#[derive(Clone, Debug)]
pub struct SortedSet<K>(SortedMap<K, ()>);

impl<K> Default for SortedSet<K> {
    fn default() -> Self {
        Self(SortedMap::default())
    }
}

impl<K: Ord> SortedSet<K> {
    pub fn new() -> Self {
        Self::default()
    }

    /// `true`: it was not there.
    pub fn insert(&mut self, key: K) -> bool {
        self.0.insert(key, ()).is_none()
    }

    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(key)
    }

    /// `true`: it was there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.remove(key).is_some()
    }

    pub fn pop_first(&mut self) -> Option<K> {
        self.0.pop_first().map(|(key, _)| key)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.keys()
    }
}

/// The keys stand beside nothing: `for (key, _) in set`.
impl<K> IntoIterator for SortedSet<K> {
    type Item = (K, Box<()>);
    type IntoIter = std::vec::IntoIter<(K, Box<()>)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.0.into_iter()
    }
}

/// How many of `length` places, which are in order, come before something: `slice::partition_point`, in one copy for
/// all that is searched.
pub fn partition_point(length: usize, before: &dyn Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, length);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn it_behaves_like_the_standard_map() {
        let (mut ours, mut theirs) = (SortedMap::new(), BTreeMap::new());
        let mut state = 7_u32;
        for _ in 0..5000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (key, op) = (state >> 24, state >> 8 & 3);
            match op {
                0 | 1 => assert_eq!(ours.insert(key, state).map(|old| *old), theirs.insert(key, state)),
                2 => assert_eq!(ours.remove(&key), theirs.remove(&key)),
                _ => assert_eq!(ours.get(&key), theirs.get(&key)),
            }
            assert_eq!(ours.len(), theirs.len());
        }
        let plain = |(key, value): &(u32, Box<u32>)| (*key, **value);
        let theirs_from = |start: u32| theirs.range(start..).map(|(key, value)| (*key, *value));
        assert!(ours.iter().map(plain).eq(theirs_from(0)));
        for start in 0..=256 {
            assert!(ours.from(&start).map(plain).eq(theirs_from(start)));
        }
        assert_eq!(ours.pop_first().map(|entry| plain(&entry)), theirs.pop_first());
        let odd = |key: &u32, _: &u32| key % 2 == 1;
        assert!(ours.keys_where(&odd).iter().eq(theirs.keys().filter(|key| *key % 2 == 1)));
        assert!(ours.any(&odd));
        ours.remove_where(&odd);
        assert!(!ours.any(&odd));
        theirs.retain(|key, _| key % 2 == 0);
        assert!(ours.iter().map(plain).eq(theirs.into_iter()));
    }

    #[test]
    fn it_finds_the_place_that_the_standard_search_finds() {
        let numbers = [1, 3, 3, 3, 7, 9];
        for wanted in 0..=10 {
            let ours = partition_point(numbers.len(), &|at| numbers[at] < wanted);
            assert_eq!(ours, numbers.partition_point(|number| *number < wanted));
        }
    }
}
