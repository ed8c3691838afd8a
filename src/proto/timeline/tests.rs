//! The merge rules one by one.

use std::collections::BTreeMap;

use super::intake::MAX_WAITING;
use super::*;
use crate::proto::api::{Key, RecordId, ViewUpdate};
use crate::proto::model::{Sender, Status};
use crate::proto::profile::ServerMessage;
use crate::proto::store::{self, decode_head};

fn no_echoes() -> Echoes {
    Echoes { messages: Vec::new(), pending: Vec::new() }
}

mod burst;
mod joint;
mod lead;
mod memory;
mod model;

const ROOM: &str = "r";

/// A server's message; every third is one's own.
fn copy(n: u64, seqs: bool) -> ServerMessage {
    let mine = n.is_multiple_of(3);
    ServerMessage {
        id: format!("m{n}"),
        key: mine.then(|| format!("k{n}")),
        conversation_id: ROOM.into(),
        sender_id: if mine { "me" } else { "bo" }.into(),
        sender: None,
        kind: "text".into(),
        text: format!("t{n}"),
        metadata: None,
        attachments: None,
        reply_to_id: None,
        created_at_ms: n as i64,
        seq: seqs.then_some(n),
        status: None,
        read_by: Vec::new(),
        reactions: Some(Vec::new()),
        edited_at_ms: None,
        deleted_at_ms: None,
    }
}

/// The same while it is queued.
fn echo(n: u64) -> Message {
    let mut message = merge::to_message(&copy(n, false), "me", None);
    (message.id, message.row_key, message.status) = (None, format!("k{n}"), Status::Sent);
    message
}

/// Timelines over a store that answers at once.
struct Bench {
    timelines: Timelines,
    records: BTreeMap<Key, Vec<u8>>,
    version: u64,
    told: Vec<Action>,
    /// Records may be missing.
    torn: bool,
}

impl Bench {
    fn new() -> Self {
        let timelines = Timelines::new("me", 100_000, History::default(), true);
        Self { timelines, records: BTreeMap::new(), version: 0, told: Vec::new(), torn: false }
    }

    fn push(&mut self, op: Op) {
        self.timelines.push(ROOM, op);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(action) = self.timelines.poll_action() {
            match action {
                Action::Load { conversation_id, want } => {
                    let key = match want {
                        Want::Segment(number) => store::segment_key(&conversation_id, number),
                        Want::Index(page) => store::index_key(&conversation_id, page),
                    };
                    let bytes = self.records.get(&Key::Text(key)).cloned();
                    self.timelines.on_loaded(&conversation_id, want, bytes.as_deref());
                }
                Action::ScanIndex => {
                    let pages = self.records.iter().filter_map(|(key, bytes)| match key {
                        Key::Text(key) if key.starts_with(store::INDEX_PREFIX) => {
                            Some((store::conversation_of(key)?, Ok(store::decode_index(bytes).ok()?.1)))
                        }
                        _ => None,
                    });
                    let pages: Vec<(String, Result<store::IndexPage, u32>)> = pages.collect();
                    self.timelines.on_index_scan(&pages);
                }
                Action::Damaged { error, .. } if !self.torn => panic!("damaged: {error}"),
                action => self.told.push(action),
            }
        }
    }

    fn save(&mut self) {
        self.version += 1;
        for item in self.timelines.take_dirty() {
            if let Some((RecordId { key, .. }, bytes)) = self.timelines.encode(self.version, &item) {
                self.records.insert(key, bytes);
            }
            self.timelines.on_written(&item, Some(self.version));
        }
    }

    /// All is stored, and nothing but the head stays in memory.
    fn forget(&mut self) {
        self.save();
        if let Some(log) = self.timelines.logs.get_mut(ROOM) {
            log.head.last_message = log.last_message().cloned();
            log.segments.clear();
            log.index.clear();
        }
    }

    fn restart(&mut self) {
        self.save();
        self.timelines = Timelines::new("me", 100_000, History::default(), true);
        let orphans = self.records.get(&Key::Text(store::ORPHANS_KEY.into()));
        self.timelines.restore_orphans(orphans.map(Vec::as_slice)).unwrap();
        if let Some(bytes) = self.records.get(&Key::Text(store::head_key(ROOM))) {
            let (version, head) = decode_head(bytes).unwrap();
            self.timelines.restore(version, head);
        }
        self.drain();
    }

    fn rows(&mut self) -> Vec<Message> {
        self.timelines.open_view(1, ROOM).unwrap();
        self.timelines.load_earlier(1, 100_000).unwrap();
        let mut rows: BTreeMap<u32, Message> = BTreeMap::new();
        let mut last: Option<ViewUpdate> = None;
        while self.timelines.views_dirty() {
            for update in self.timelines.flush(true, &|_| no_echoes(), &|_| true) {
                rows.extend(update.rows.iter().cloned());
                last = Some(update);
            }
            self.drain();
        }
        self.timelines.close_view(1);
        last.unwrap().order.iter().map(|slot| rows[slot].clone()).collect()
    }

    fn live(&mut self, n: u64) {
        self.push(Op::Live(Box::new(copy(n, true))));
    }

    fn answer(&mut self, n: u64, copy: Option<ServerMessage>) {
        self.push(Op::Answer { row: n, message: Box::new(echo(n)), copy: copy.map(Box::new) });
    }

    fn page(&mut self, numbers: core::ops::RangeInclusive<u64>, seqs: bool) {
        let range = seqs.then_some((*numbers.start() - 1, *numbers.end()));
        let messages = numbers.map(|n| Box::new(copy(n, seqs))).collect();
        let asked = self.timelines.heard();
        self.push(Op::Page(PageOp { messages, range, ticket: 1, asked, tells: true, ..PageOp::default() }));
    }

    fn cursor(&self) -> Option<u64> {
        self.timelines.log(ROOM).and_then(Log::cursor)
    }
}

fn keys(rows: &[Message]) -> Vec<&str> {
    rows.iter().map(|row| row.row_key.as_str()).collect()
}

#[test]
fn echo_and_copy_are_one_row_whichever_comes_first() {
    for copy_first in [true, false] {
        let mut bench = Bench::new();
        if copy_first {
            bench.live(3);
        }
        bench.answer(3, Some(copy(3, true)));
        bench.live(3);
        let rows = bench.rows();
        assert_eq!(keys(&rows), ["k3"]);
        assert_eq!(
            (rows[0].id.as_deref(), rows[0].seq, rows[0].status),
            (Some("m3"), Some(3), Status::Acknowledged)
        );
    }
}

#[test]
fn an_answer_without_a_copy_stands_last_until_the_copy_gives_it_its_place() {
    let mut bench = Bench::new();
    bench.page(1..=2, true);
    bench.answer(3, None);
    bench.live(4);
    assert_eq!(keys(&bench.rows()), ["r:m1", "r:m2", "r:m4", "k3"]);
    bench.live(3);
    assert_eq!(keys(&bench.rows()), ["r:m1", "r:m2", "k3", "r:m4"]);
    assert_eq!(bench.cursor(), Some(4));
}

#[test]
fn a_row_that_leaves_the_tail_for_an_older_segment_is_found_there() {
    let mut bench = Bench::new();
    bench.page(1..=50, true);
    bench.page(52..=101, true);
    // A hundred rows are sealed; the answered one without its copy is alone in the tail.
    bench.answer(51, None);
    bench.live(51);
    bench.restart();
    bench.timelines.find(ROOM, "k51", 9);
    bench.drain();
    let found =
        bench.told.iter().any(|action| matches!(action, Action::Found { ticket: 9, message: Some(_) }));
    assert!(found, "by its key");
    bench.live(102);
    let seqs: Vec<u64> = bench.rows().iter().map(|row| row.seq.unwrap()).collect();
    assert_eq!(seqs, (1..=102).collect::<Vec<u64>>());
}

#[test]
fn the_cursor_never_passes_a_gap() {
    let mut bench = Bench::new();
    bench.page(1..=3, true);
    bench.live(6);
    assert_eq!(bench.cursor(), Some(3));
    assert!(bench.told.iter().any(|action| matches!(action, Action::Behind { .. })));
    bench.page(4..=5, true);
    assert_eq!(bench.cursor(), Some(6));
    // A page that does not join on is a range of its own: what is missing is fetched from where the one before it ends.
    bench.page(8..=9, true);
    assert_eq!((bench.cursor(), bench.timelines.hole(ROOM)), (Some(9), Some((6, 7))));
    bench.page(7..=7, true);
    assert_eq!((bench.cursor(), bench.timelines.hole(ROOM)), (Some(9), None));
}

#[test]
fn a_filled_gap_splits_its_segment() {
    let mut bench = Bench::new();
    bench.page(1..=150, true);
    bench.page(900..=1100, true);
    bench.restart();
    for from in (151..900).step_by(50) {
        bench.page(from..=(from + 49).min(899), true);
        bench.save();
    }
    let log = bench.timelines.log(ROOM).unwrap();
    let sizes: Vec<u32> = log.head.segments.iter().map(|info| info.count).collect();
    assert!(sizes.iter().all(|size| *size <= 2 * 100), "{sizes:?}");
    bench.restart();
    let seqs: Vec<u64> = bench.rows().iter().map(|row| row.seq.unwrap()).collect();
    assert_eq!(seqs, (1..=1100).collect::<Vec<u64>>());
    for n in [1, 151, 500, 899, 1100] {
        bench.restart();
        let change = Change::Status { status: Status::Read, user_id: Some("bo".into()) };
        bench.timelines.target(None, &format!("m{n}"), change);
        bench.drain();
        let row = bench.rows().into_iter().find(|row| row.seq == Some(n)).unwrap();
        assert_eq!(row.status, Status::Read, "m{n} is found by its index");
    }
}

#[test]
fn an_older_telling_takes_nothing_back() {
    let mut bench = Bench::new();
    bench.live(1);
    bench.timelines.target(Some(ROOM), "m1", Change::Edited { text: "new".into(), at_ms: Some(10) });
    bench.timelines.target(
        Some(ROOM),
        "m1",
        Change::Status { status: Status::Read, user_id: Some("cy".into()) },
    );
    bench.timelines.target(Some(ROOM), "m1", Change::Status { status: Status::Delivered, user_id: None });
    bench.live(1);
    let rows = bench.rows();
    assert_eq!((rows[0].text.as_str(), rows[0].status), ("new", Status::Read));
    bench.timelines.target(Some(ROOM), "m1", Change::Deleted { at_ms: 20 });
    bench.live(1);
    let rows = bench.rows();
    assert_eq!((rows[0].text.as_str(), rows[0].deleted_at_ms), ("", Some(20)));
}

#[test]
fn the_apply_queue_is_bounded_and_what_it_drops_is_pulled() {
    let mut bench = Bench::new();
    bench.page(1..=150, true);
    bench.restart();
    for n in 151..=(151 + MAX_WAITING as u64 + 10) {
        bench.timelines.push(ROOM, Op::Live(Box::new(copy(n, true))));
    }
    let dropped = core::iter::from_fn(|| bench.timelines.poll_action())
        .filter(|action| matches!(action, Action::Behind { dropped: true, .. }))
        .count();
    assert_eq!(dropped, 11);
}
