//! What some schedules have beside the rest: a third tab of one disk, a backend without receipts, or one that refuses
//! the same message again and again. Out of a stream of its own.

use super::dice::Stream;
use super::plan::{Act, Person, Plan, ROOMS, bad, good};

/// With the second tab of the first disk; without it there are three pages.
const WITH_TABS: usize = 4;

pub fn widen(seed: u64, plan: &mut Plan) {
    let mut s = Stream::new(seed ^ 0x7769_6465_6e00);
    plan.receipts = !s.one_in(4);
    if s.one_in(4) {
        plan.stubborn = s.between(1, 6) as u32;
    }
    if plan.persons.len() == WITH_TABS && s.one_in(2) {
        third_tab(&mut s, plan);
    }
    if plan.connect_attempts.is_some() && s.one_in(20) {
        give_up(&mut s, plan);
    }
}

/// The server is away until whoever has a budget of attempts has given up, and then pages say that the network is back: too
/// rare a cell to be left to chance.
fn give_up(s: &mut Stream, plan: &mut Plan) {
    let Some((first, last)) = plan.acts.first().zip(plan.acts.last()) else { return };
    let at = s.between(first.0, last.0);
    plan.acts.push((at, Act::Restart { down_ms: 9000, lost: 0 }));
    for device in 0..plan.persons.len() {
        // What a slow store has not taken yet keeps the lead with whoever has given up.
        plan.acts.push((at + 1, Act::SlowDisk { device, ms: 6000 }));
        let room = s.below(ROOMS.len() as u64) as usize;
        let send = Act::Send { device, room, ttl_ms: None, own_key: false, poison: false, count: 1 };
        plan.acts.push((at + 2, send));
        plan.acts.push((at + s.between(3000, 6000), Act::OnlineLie { device }));
    }
    plan.storm_ms = plan.storm_ms.max(at + 11_000);
    plan.acts.sort_by_key(|(at, _)| *at);
}

/// Without a cursor a catch-up looks through twenty pages: small ones end before what is known, and that is told.
pub fn short_pages(seed: u64, plan: &mut Plan) {
    let mut s = Stream::new(seed ^ 0x7368_6f72_7400);
    if !plan.cursor && s.one_in(4) {
        plan.pages.newest = s.between(2, 4) as u32;
    }
}

/// After the storm a page that has a connection, or tries to, may be told nothing: it has to come back by itself.
pub fn leave_alone(seed: u64, plan: &mut Plan) {
    plan.left_alone = Stream::new(seed ^ 0x616c_6f6e_6500).one_in(2);
}

fn third_tab(s: &mut Stream, plan: &mut Plan) {
    let Some((first, last)) = plan.acts.first().zip(plan.acts.last()) else { return };
    let (first, last) = (first.0, last.0);
    let device = plan.persons.len();
    plan.persons.push(Person {
        name: "ana/1c",
        user: "ana",
        disk: 0,
        wall_skew_ms: plan.persons[0].wall_skew_ms,
        stops_in_sleep: s.one_in(2),
        latency_ms: s.between(1, 150),
    });
    plan.acts.push((s.between(first, last), Act::Connect { device }));
    let (badness, kinds) = (s.pick(&[0, 1, 2, 4]), s.next());
    for _ in 0..s.between(4, 16) {
        let at = s.between(first, last);
        let act = if s.below(8) < badness { bad(s, device, kinds) } else { good(s, device) };
        plan.acts.push((at, act));
    }
    plan.acts.sort_by_key(|(at, _)| *at);
}
