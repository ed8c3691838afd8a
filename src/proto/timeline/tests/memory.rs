//! What is counted, marked and found does not depend on what is in memory.

use super::*;
use crate::proto::model::ReplyTo;

/// Messages of others up to `n`.
fn others(n: u64) -> u32 {
    (1..=n).filter(|n| !n.is_multiple_of(3)).count() as u32
}

impl Bench {
    /// With so many messages, of which nothing is in memory.
    fn forgotten(count: u64) -> Self {
        let mut bench = Self::new();
        bench.page(1..=count, true);
        bench.forget();
        bench
    }

    fn unread(&self) -> u32 {
        self.timelines.log(ROOM).map_or(0, Log::unread)
    }

    /// Brings the segment of a message into memory, as a window does that shows it, and reads up to it.
    fn read(&mut self, n: u64) {
        self.timelines.find(ROOM, &format!("m{n}"), 7);
        self.drain();
        self.timelines.mark_read(ROOM, &format!("r:m{n}"), true).expect("in memory");
        self.drain();
    }

    fn loaded(&self) -> usize {
        self.timelines.logs.get(ROOM).map_or(0, |log| log.segments.len())
    }

    fn row(&mut self, n: u64) -> Message {
        self.rows().into_iter().find(|row| row.created_at_ms == n as i64).unwrap()
    }
}

#[test]
fn reading_far_above_the_end_counts_what_is_not_in_memory() {
    let mut bench = Bench::forgotten(5000);
    for n in [100, 101, 350, 2600, 2601, 4980, 5000] {
        bench.read(n);
        assert_eq!(bench.unread(), others(5000) - others(n), "read up to {n}");
        assert!(bench.loaded() < 12, "{} segments stay for a count", bench.loaded());
        if n == 350 {
            bench.forget();
        }
    }
}

#[test]
fn reading_on_another_device_counts_what_is_not_in_memory() {
    let mut bench = Bench::forgotten(3000);
    for seq in [10, 1700, 2999] {
        bench.timelines.on_read_seq(ROOM, seq);
        bench.drain();
        assert_eq!(bench.unread(), others(3000) - others(seq));
    }
}

#[test]
fn what_comes_while_it_is_counted_is_counted_once() {
    let mut bench = Bench::forgotten(3000);
    bench.timelines.on_read_seq(ROOM, 1000);
    bench.timelines.push(ROOM, Op::Live(Box::new(copy(3001, true))));
    bench.timelines.push(ROOM, Op::Live(Box::new(copy(3002, true))));
    bench.timelines.on_read_seq(ROOM, 1200);
    bench.drain();
    assert_eq!(bench.unread(), others(3002) - others(1200));
}

#[test]
fn a_receipt_marks_own_messages_further_back_than_memory_goes() {
    let mut bench = Bench::forgotten(700);
    bench.timelines.read_before(ROOM, "m700", "bo");
    bench.drain();
    let read = |rows: &[Message]| rows.iter().filter(|row| row.read_by == ["bo"]).count();
    assert_eq!(read(&bench.rows()), 233, "all own ones before it");
    bench.forget();
    let before = bench.loaded();
    bench.timelines.read_before(ROOM, "m700", "bo");
    bench.drain();
    assert!(bench.loaded() <= before + 2, "it ends where that was known");
    assert_eq!(read(&bench.rows()), 233);
}

#[test]
fn own_messages_without_a_number_are_found_beyond_the_tail() {
    let mut bench = Bench::new();
    bench.page(1..=1, true);
    let own: Vec<u64> = (1..=250).map(|n| n * 3).collect();
    for n in &own {
        bench.answer(*n, None);
    }
    bench.forget();
    // In a page of the server they have their numbers, and other places.
    for n in &own {
        bench.live(*n);
    }
    let rows = bench.rows();
    assert_eq!(rows.len(), own.len() + 1, "one row each");
    assert!(rows.iter().all(|row| row.seq.is_some()));
}

#[test]
fn own_messages_without_an_id_are_found_beyond_the_tail() {
    let mut bench = Bench::new();
    for n in 1..=250 {
        bench.answer(n * 3, None);
    }
    bench.forget();
    for n in 1..=250 {
        let keyless = ServerMessage { key: None, ..copy(n * 3, false) };
        bench.push(Op::Live(Box::new(keyless)));
        if n == 100 {
            bench.forget();
        }
    }
    assert_eq!(bench.rows().len(), 250);
}

#[test]
fn where_nobody_knows_what_was_told_last_all_is_looked_at() {
    let mut bench = Bench::new();
    bench.push(Op::Live(Box::new(copy(1, false))));
    bench.timelines.on_joined(ROOM);
    for n in 1..=150 {
        bench.answer(n * 3, None);
    }
    bench.save();
    let log = bench.timelines.logs.get_mut(ROOM).unwrap();
    let tail = log.tail_number();
    log.segments.remove_where(&|number, _| Some(*number) != tail);
    bench.timelines.on_lost();
    bench.push(Op::Live(Box::new(copy(1000, false))));
    let joined_to = bench.timelines.logs.get(ROOM).unwrap().head.joined_to.clone();
    assert_eq!(joined_to.as_deref(), Some(crate::proto::timeline::joint::LOST));
}

#[test]
fn an_answer_shows_what_it_answers_wherever_that_stands() {
    let mut bench = Bench::forgotten(500);
    let answer = ServerMessage { reply_to_id: Some("m7".into()), ..copy(502, true) };
    bench.push(Op::Live(Box::new(answer)));
    assert_eq!(bench.row(502).reply_to, Some(ReplyTo { row_key: "r:m7".into(), excerpt: "t7".into() }));
}

#[test]
fn a_queued_answer_shows_nothing_of_what_is_gone_and_not_in_memory() {
    let mut bench = Bench::new();
    bench.page(1..=500, true);
    bench.timelines.target(Some(ROOM), "m7", Change::Deleted { at_ms: 1000 });
    bench.drain();
    bench.forget();
    let mut queued = echo(501);
    queued.reply_to = Some(ReplyTo { row_key: "r:m7".into(), excerpt: "t7".into() });
    bench.timelines.open_view(1, ROOM).unwrap();
    let mut shown = None;
    for _ in 0..4 {
        let echoes = || vec![Echo { message: queued.clone(), revision: 1 }];
        let all = |_: &str| Echoes { messages: echoes(), pending: Vec::new() };
        for update in bench.timelines.flush(true, &all, &|_| true) {
            let told = update.rows.into_iter().map(|(_, row)| row).find(|row| row.row_key == "k501");
            shown = told.or(shown);
        }
        bench.drain();
        bench.timelines.dirty_all_views();
    }
    assert_eq!(shown.unwrap().reply_to.unwrap().excerpt, "");
}

#[test]
fn an_own_edit_without_a_copy_has_the_time_of_the_message_it_changes() {
    let mut bench = Bench::forgotten(500);
    let change = Change::Edited { text: "new".into(), at_ms: Some(i64::MAX) };
    bench.push(Op::Own { row: 1, id: "m6".into(), change, undated: true });
    let row = bench.row(6);
    assert_eq!((row.text.as_str(), row.edited_at_ms), ("new", Some(6)));
}

#[test]
fn where_the_database_is_gone_what_is_in_memory_is_written_and_the_rest_fetched() {
    let mut bench = Bench::forgotten(500);
    bench.timelines.find(ROOM, "m450", 1);
    bench.live(501);
    bench.drain();
    bench.records.clear();
    // The page of the index is not in memory.
    bench.timelines.logs.get_mut(ROOM).unwrap().index.clear();
    bench.timelines.on_emptied();
    bench.drain();
    assert!(bench.told.iter().any(|action| matches!(action, Action::Unsure(_))), "it is asked for");
    bench.restart();
    bench.timelines.target(None, "m450", Change::Edited { text: "found".into(), at_ms: Some(1) });
    bench.drain();
    let rows = bench.rows();
    assert!(rows.iter().any(|row| row.text == "found"), "by its index");
    assert!(rows.iter().any(|row| row.seq == Some(450)) && rows.iter().any(|row| row.seq == Some(501)));
    assert_eq!(bench.timelines.hole(ROOM), Some((0, 400)));
    bench.page(1..=400, true);
    assert_eq!(bench.rows().len(), 501);
    assert_eq!(bench.unread(), others(501), "nothing is counted twice");
}

#[test]
fn an_index_page_that_cannot_be_read_is_made_anew_from_its_segments() {
    for looked_for in [false, true] {
        let mut bench = Bench::new();
        bench.torn = true;
        bench.page(1..=650, false);
        bench.restart();
        bench.records.remove(&Key::Text(store::index_key(ROOM, 0))).unwrap();
        if looked_for {
            // Somebody meets the damage, and then it is looked for in all conversations.
            bench.push(Op::Find { name: "m3".into(), ticket: 1 });
            bench.restart();
            bench.torn = false;
            bench.timelines.target(None, "m7", Change::Deleted { at_ms: 1000 });
            bench.drain();
        } else {
            for n in [7, 350, 650] {
                bench.push(Op::Live(Box::new(copy(n, false))));
            }
        }
        let rows = bench.rows();
        assert_eq!(rows.len(), 650, "each is known again");
        assert_eq!(rows[6].deleted_at_ms.is_some(), looked_for);
    }
}

#[test]
fn what_comes_below_pushes_no_row_out_from_under_a_reader_at_the_top() {
    let mut bench = Bench::new();
    bench.page(1..=60, true);
    bench.timelines.open_view(1, ROOM).unwrap();
    let first_of = |bench: &mut Bench| {
        let update = bench.timelines.flush(true, &|_| no_echoes(), &|_| true).pop().unwrap();
        bench.drain();
        (update.order[0], update.order.len())
    };
    let (first, rows) = first_of(&mut bench);
    assert_eq!(rows, 50);
    for n in 61..=200 {
        bench.live(n);
        assert_eq!(first_of(&mut bench), (first, n as usize - 10), "with message {n}");
    }
    for n in 201..=300 {
        bench.live(n);
    }
    assert_eq!(first_of(&mut bench).1, 200, "and is bounded");
    bench.timelines.load_earlier(1, 50).unwrap();
    assert_eq!(first_of(&mut bench).1, 250);
    bench.live(301);
    assert_eq!(first_of(&mut bench).1, 251, "whatever was loaded before");
    bench.timelines.show_newest(1).unwrap();
    assert_eq!(first_of(&mut bench).1, 50);
}

#[test]
fn a_window_keeps_its_oldest_row_also_where_its_rows_are_read_again() {
    let mut bench = Bench::new();
    bench.page(1..=60, true);
    bench.timelines.open_view(1, ROOM).unwrap();
    let mut rows = 0;
    for last in [60, 70] {
        for n in 61..=last {
            bench.live(n);
        }
        bench.forget();
        bench.timelines.dirty_all_views();
        while bench.timelines.views_dirty() {
            for update in bench.timelines.flush(true, &|_| no_echoes(), &|_| true) {
                rows = update.order.len();
            }
            bench.drain();
        }
        assert_eq!(rows as u64, last - 10);
    }
}
