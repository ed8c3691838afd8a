//! Pages by offset: it is counted from the newest row, so what is deleted or added while one reads shifts them.
//!
//! Law (T10): a page holds the oldest row of the one before it. Where it does not, rows have been passed over, and one reads
//! anew from the newest row on; not for ever, since a busy conversation may never hold still.

use super::{Job, Sync};

/// How often one reads anew before what there is counts.
const MAX_RESTARTS: u32 = 3;

/// Where a pull by offset stands.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    /// The server's id of the oldest row of the last page.
    oldest: Option<String>,
    restarts: u32,
    /// The last page did not meet the one before it.
    pub(super) anew: bool,
}

impl Sync {
    /// A page has come: the id of its oldest row, and whether it holds a row. Before `on_page`. Whether there is a hole now that
    /// is not looked for any more: said once a pull.
    pub fn meet_pages(&mut self, job: &Job, oldest: Option<&str>, holds: &dyn Fn(&str) -> bool) -> bool {
        let Job::Offset { conversation_id, offset } = job else { return false };
        let Some(pull) = self.active.get_mut(conversation_id) else { return false };
        let offsets = &mut pull.offsets;
        let meets = *offset == 0 || offsets.oldest.as_deref().is_none_or(holds);
        offsets.anew = !meets && offsets.restarts < MAX_RESTARTS;
        let hole = !meets && offsets.restarts == MAX_RESTARTS;
        if offsets.anew {
            pull.pages = 0;
        }
        offsets.restarts += u32::from(offsets.anew || hole);
        offsets.oldest = oldest.map(str::to_owned);
        hole
    }
}
