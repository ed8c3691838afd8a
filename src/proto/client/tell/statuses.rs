//! The last status of each message that was told, for own ones so that none goes back, for others' so that none is told twice.

use crate::proto::model::Status;
use crate::proto::store::fingerprint;

/// So many messages are remembered at least, and twice as many at most.
const MIN_REMEMBERED: usize = 2048;
/// Of each generation, eight messages in one.
const BUCKETS: usize = 256;

/// Two generations: where the young one is full, it becomes the old one, which is forgotten. One list with an order beside it
/// would be moved about for each message of a burst.
#[derive(Default)]
pub(super) struct Statuses {
    young: Generation,
    old: Generation,
}

/// By the row key's fingerprint: no order is needed, and a sorted list was moved about and searched for a tenth of a burst's time.
#[derive(Default)]
struct Generation {
    /// Empty until something is remembered.
    buckets: Vec<Vec<Remembered>>,
    len: usize,
}

struct Remembered {
    print: u32,
    status: Status,
    row_key: String,
}

impl Statuses {
    pub fn get(&mut self, row_key: &str) -> Option<Status> {
        let print = fingerprint(row_key);
        let known = self.young.find(print, row_key).or_else(|| self.old.find(print, row_key))?;
        Some(known.status)
    }

    /// Higher than all that was told of this message.
    pub fn raise(&mut self, row_key: &str, status: Status) -> bool {
        let print = fingerprint(row_key);
        if let Some(known) = self.young.find(print, row_key) {
            let is_higher = known.status < status;
            known.status = known.status.max(status);
            return is_higher;
        }
        if self.old.find(print, row_key).is_some_and(|known| known.status >= status) {
            return false;
        }
        if self.young.len >= MIN_REMEMBERED {
            self.old = core::mem::take(&mut self.young);
        }
        self.young.buckets.resize_with(BUCKETS, Vec::new);
        if let Some(bucket) = self.young.buckets.get_mut(print as usize % BUCKETS) {
            bucket.push(Remembered { print, status, row_key: row_key.to_owned() });
            self.young.len += 1;
        }
        true
    }
}

impl Generation {
    fn find(&mut self, print: u32, row_key: &str) -> Option<&mut Remembered> {
        let bucket = self.buckets.get_mut(print as usize % BUCKETS)?;
        bucket.iter_mut().find(|known| known.print == print && known.row_key == row_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_whatever_their_keys() {
        let mut statuses = Statuses::default();
        let key = |n: usize| format!("{:05}", 99_999 - n);
        let told = 3 * MIN_REMEMBERED + 10;
        for n in 0..told {
            assert!(statuses.raise(&key(n), Status::Acknowledged));
            assert!(!statuses.raise(&key(n), Status::Acknowledged), "{n}");
            assert!(statuses.young.len <= MIN_REMEMBERED && statuses.old.len <= MIN_REMEMBERED);
        }
        assert!(!statuses.raise(&key(told - MIN_REMEMBERED), Status::Acknowledged));
        assert!(statuses.raise(&key(0), Status::Acknowledged), "forgotten");
    }

    #[test]
    fn a_status_only_rises_in_either_generation() {
        let mut statuses = Statuses::default();
        assert!(statuses.raise("own", Status::Delivered));
        for n in 0..MIN_REMEMBERED {
            statuses.raise(&format!("{n}"), Status::Acknowledged);
        }
        assert!(
            !statuses.raise("own", Status::Acknowledged) && statuses.get("own") == Some(Status::Delivered)
        );
        assert!(statuses.raise("own", Status::Read) && statuses.get("own") == Some(Status::Read));
    }
}
