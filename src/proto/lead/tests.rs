//! Whatever happens in whatever order, a few things always hold.

use super::*;
use crate::proto::rng::Rng;

#[derive(Default)]
struct Rig {
    lead: Lead,
    timers: Timers,
    now: Now,
}

impl Rig {
    fn follower(visible: bool) -> Self {
        let mut rig = Self { lead: Lead::new(visible, Now::default()), ..Self::default() };
        for signal in [Signal::Wanted, Signal::Taken] {
            assert!(rig.signal(signal));
        }
        rig
    }

    fn signal(&mut self, signal: Signal) -> bool {
        self.lead.shift(signal, self.now, &mut self.timers)
    }

    /// Fires the timer if it is due.
    fn fire(&mut self) -> Option<TabOutput> {
        let due = self.timers.get(Timer::Lease)?;
        if !self.timers.take_due(Timer::Lease, self.now.mono_ms) {
            return None;
        }
        self.lead.on_timer(self.now, due, &mut self.timers)
    }

    fn check(&self) {
        let follows = self.lead.state() == State::Follows;
        assert_eq!(self.timers.get(Timer::Lease).is_some(), follows, "whoever follows asks, and nobody else");
        assert!(self.lead.leads() || !self.lead.in_doubt, "who does not lead has no doubt of it");
        assert!(self.lead.unanswered <= MAX_UNANSWERED);
    }
}

#[test]
fn whatever_happens_in_whatever_order() {
    let (mut stolen, mut asked) = (0, 0);
    let mut cells = std::collections::BTreeMap::new();
    for seed in 0..100 {
        let mut draws = Rng::new([seed; 32]);
        let mut rig = Rig { lead: Lead::new(seed % 2 == 0, Now::default()), ..Rig::default() };
        for _ in 0..1_000 {
            let pick = draws.between(0, 1 << 20);
            let visible = pick.is_multiple_of(2);
            let before = rig.lead.state();
            let word = match draws.between(0, 12) {
                0..=3 => {
                    let signal = table::SIGNALS[pick as usize % table::SIGNALS.len()];
                    assert_eq!(rig.signal(signal), table::next(before, signal).is_some());
                    None
                }
                4 => rig.lead.on_yielded(rig.now, &mut rig.timers),
                5 => {
                    rig.lead.on_visibility(rig.now, visible, &mut rig.timers);
                    None
                }
                6 => {
                    let word = rig.lead.on_asked(rig.now, visible);
                    let holds = rig.lead.leads() || before == State::Claims;
                    assert_eq!(word.is_some(), holds, "a leader answers at once");
                    None
                }
                7 => {
                    rig.lead.in_doubt |= rig.lead.leads();
                    None
                }
                _ => {
                    rig.now.mono_ms += pick % 3_000;
                    rig.fire()
                }
            };
            match word {
                Some(TabOutput::Steal) => {
                    assert_eq!((before, rig.lead.state()), (State::Follows, State::Asked));
                    stolen += 1;
                }
                Some(TabOutput::Ask { .. }) => asked += 1,
                other => assert_eq!(other, None),
            }
            rig.check();
        }
        for (cell, reached) in rig.lead.cells() {
            *cells.entry(cell).or_insert(false) |= reached;
        }
    }
    assert!(stolen > 100 && asked > 500, "the walk means something: {stolen} and {asked}");
    assert!(cells.values().all(|reached| *reached), "every cell is gone through: {cells:?}");
}

#[test]
fn two_questions_without_an_answer_and_the_lock_is_stolen() {
    let mut rig = Rig::follower(true);
    let mut words = Vec::new();
    while let Some(at) = rig.timers.next() {
        rig.now.mono_ms = at;
        words.extend(rig.fire());
    }
    let ask = TabOutput::Ask { visible: true };
    assert_eq!(words, [ask.clone(), ask, TabOutput::Steal]);
    assert_eq!(rig.now.mono_ms, ASK_EVERY_MS + ANSWER_MS * MAX_UNANSWERED);
}

#[test]
fn a_hidden_page_steals_too_though_its_timers_come_a_minute_late() {
    let mut rig = Rig::follower(false);
    let mut words = Vec::new();
    while rig.timers.next().is_some() {
        rig.now.mono_ms += 60_000;
        words.extend(rig.fire());
    }
    let ask = TabOutput::Ask { visible: false };
    assert_eq!(words, [ask.clone(), ask, TabOutput::Steal]);
}

#[test]
fn a_page_that_stood_still_itself_asks_anew() {
    let mut rig = Rig::follower(true);
    let ask = Some(TabOutput::Ask { visible: true });
    for pause in [ASK_EVERY_MS, ANSWER_MS, 60_000, ANSWER_MS] {
        rig.now.mono_ms += pause;
        assert_eq!(rig.fire(), ask, "{pause}");
    }
    rig.now.mono_ms += ANSWER_MS;
    assert_eq!(rig.fire(), Some(TabOutput::Steal));
}

#[test]
fn a_client_made_in_a_hidden_page_is_hidden_from_then_on() {
    let mut rig = Rig { now: Now { mono_ms: 3_600_000, wall_ms: 0 }, ..Rig::default() };
    rig.lead = Lead::new(false, rig.now);
    for signal in [Signal::Wanted, Signal::Granted, Signal::Stands] {
        assert!(rig.signal(signal));
    }
    assert_eq!(rig.lead.on_asked(rig.now, true), Some(TabOutput::Alive));
    rig.now.mono_ms += HANDOVER_MS;
    assert_eq!(rig.lead.on_asked(rig.now, true), Some(TabOutput::Yield));
}
