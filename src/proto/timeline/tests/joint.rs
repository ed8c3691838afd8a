//! What a connection has to do with the history: catch-ups that were interrupted, copies that come before answers.

use super::*;

/// A page of a backend without a cursor; whether it goes back to what is known without a gap.
fn reached(bench: &mut Bench, numbers: core::ops::RangeInclusive<u64>) -> bool {
    bench.told.clear();
    bench.page(numbers, false);
    let applied = bench.told.iter().find_map(|action| match action {
        Action::PageApplied { applied, .. } => Some(applied.reached),
        _ => None,
    });
    applied.unwrap()
}

#[test]
fn a_catch_up_without_a_cursor_goes_on_where_an_interrupted_one_has_left_rows() {
    let mut bench = Bench::new();
    assert!(reached(&mut bench, 1..=10), "of what was never there nothing is missed");
    bench.timelines.on_joined(ROOM);
    for restarts in [true, false] {
        // A live message, and the newest of two pages; then the connection is lost, or the page ends.
        bench.timelines.on_lost();
        bench.push(Op::Live(Box::new(copy(80, false))));
        assert!(!reached(&mut bench, 50..=80));
        bench.timelines.on_lost();
        if restarts {
            bench.restart();
        }
    }
    assert!(!reached(&mut bench, 50..=82), "the oldest row of it is known, and what is before it is not");
    assert!(reached(&mut bench, 5..=50));
    assert!(bench.timelines.on_joined(ROOM));
    assert!(reached(&mut bench, 70..=90), "everything joins on");
}

#[test]
fn where_nothing_has_come_a_catch_up_writes_nothing() {
    let mut bench = Bench::new();
    bench.page(1..=10, false);
    bench.timelines.on_joined(ROOM);
    bench.save();
    bench.timelines.on_lost();
    assert!(reached(&mut bench, 1..=10));
    assert!(bench.timelines.on_joined(ROOM));
    assert!(!bench.timelines.has_dirty());
}

#[test]
fn a_copy_without_a_key_that_a_page_brings_before_the_answer_is_the_messages_row() {
    for (sent_before, rows) in [(true, 1), (false, 2)] {
        let mut bench = Bench::new();
        bench.page(1..=2, false);
        if sent_before {
            bench.timelines.on_sent(ROOM);
        }
        bench.push(Op::Live(Box::new(ServerMessage { key: None, ..copy(3, false) })));
        if !sent_before {
            bench.timelines.on_sent(ROOM);
        }
        bench.answer(3, None);
        let shown = bench.rows();
        assert_eq!(shown.len(), 2 + rows);
        assert_eq!(shown.iter().filter(|row| row.row_key == "k3").count(), 1);
        let named = shown.iter().any(|row| row.row_key == "k3" && row.id.as_deref() == Some("m3"));
        assert_eq!(named, sent_before, "what was here when the frame left is another message");
    }
}

#[test]
fn what_another_tab_cannot_read_is_written_again_or_looked_at() {
    let mut bench = Bench::new();
    bench.page(1..=250, true);
    bench.save();
    for (key, segment) in [(store::head_key(ROOM), u32::MAX), (store::segment_key(ROOM, 0), 0)] {
        bench.records.get_mut(&Key::Text(key.clone())).unwrap().clear();
        bench.timelines.write_again(ROOM, segment);
        bench.save();
        assert!(bench.records.values().all(|bytes| !bytes.is_empty()), "{key}");
    }
    bench.restart();
    bench.timelines.write_again(ROOM, 1);
    let asked = bench.timelines.poll_action();
    assert!(matches!(asked, Some(Action::Load { want: Want::Segment(1), .. })), "{asked:?}");
    bench.timelines.write_again(ROOM, 99);
    bench.timelines.write_again("unknown", u32::MAX);
    assert!(bench.timelines.poll_action().is_none());
    bench.save();
    // A window on it is open, and its head could not be read.
    bench.timelines.push("torn", Op::Find { name: "k".to_owned(), ticket: 1 });
    bench.timelines.write_again("torn", u32::MAX);
    assert!(!bench.timelines.has_dirty());
}
