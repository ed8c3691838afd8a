//! What is left of a history when the lead goes, and comes back.

use super::*;

impl Bench {
    fn take_over(&mut self) {
        let (version, head) = decode_head(&self.records[&Key::Text(store::head_key(ROOM))]).unwrap();
        self.timelines.restore(version, head);
    }
}

#[test]
fn a_status_that_was_shown_and_not_written_outlives_the_lead() {
    let mut bench = Bench::new();
    bench.live(3);
    bench.save();
    bench.timelines.target(Some(ROOM), "m3", Change::Status { status: Status::Read, user_id: None });
    bench.timelines.abdicate();
    bench.take_over();
    bench.live(6);
    bench.restart();
    assert_eq!(bench.rows()[0].status, Status::Read, "it is written with what comes next");
}

#[test]
fn a_write_that_ends_after_the_lead_is_gone_does_not_pass_for_what_came_after_it() {
    let mut bench = Bench::new();
    bench.live(1);
    bench.save();
    bench.live(2);
    let under_way = bench.timelines.take_dirty();
    bench.version += 1;
    for item in &under_way {
        let (RecordId { key, .. }, bytes) = bench.timelines.encode(bench.version, item).unwrap();
        bench.records.insert(key, bytes);
    }
    bench.live(3);
    bench.timelines.abdicate();
    for item in &under_way {
        bench.timelines.on_written(item, Some(bench.version));
    }
    bench.take_over();
    assert_eq!(bench.rows().len(), 2, "the third is in no store, and would never be written");
    bench.live(3);
    bench.restart();
    assert_eq!(bench.rows().len(), 3);
}
