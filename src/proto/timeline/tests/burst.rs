//! Messages that come faster than there is a moment in which nothing is to be written.

use super::*;

#[test]
fn a_burst_keeps_no_more_in_memory_than_it_may() {
    let mut bench = Bench::new();
    let (most_sealed, rows) = (History::default().max_sealed as usize, History::default().segment_rows);
    let most = most_sealed as u64 * u64::from(rows) * 2;
    let mut seen = 0;
    for n in 1..=most {
        bench.push(Op::Live(Box::new(copy(n, true))));
        if !n.is_multiple_of(50) {
            continue;
        }
        let mut items = Vec::new();
        for item in bench.timelines.take_dirty() {
            items.push((bench.timelines.encode(n, &item), item));
        }
        // The next one comes before it is stored: the conversation has something to write all the time.
        bench.push(Op::Live(Box::new(copy(most + n, true))));
        for (record, item) in items {
            if let Some((RecordId { key, .. }, bytes)) = record {
                bench.records.insert(key, bytes);
            }
            bench.timelines.on_written(&item, Some(n));
        }
        assert!(bench.timelines.has_dirty());
        bench.timelines.evict();
        let loaded = bench.timelines.logs.get(ROOM).map_or(0, |log| log.segments.len());
        // The tail, and what is not stored yet.
        assert!(loaded <= most_sealed + 3, "{loaded} segments after {n} messages");
        seen = seen.max(loaded);
    }
    assert!(seen > 2, "{seen}: some stay, for who scrolls up");
    bench.restart();
    let rows: u32 =
        bench.timelines.logs.get(ROOM).map_or(0, |log| log.head.segments.iter().map(|info| info.count).sum());
    assert_eq!(u64::from(rows), most + most / 50);
}
