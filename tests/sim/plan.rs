//! What a seed means: who is there, what the backend gives, what happens when.

use serde_json::{Value, json};

use chatwire::proto::config::{History, Pages};

use super::changes::{self, ChangeAct};
use super::dice::Stream;
use super::faults::Fault;
use super::room::LONG;
use super::sizes;

pub const ROOMS: [&str; 2] = ["r", "s"];

/// What the backend declares, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hello {
    /// Right after CONNECT.
    Early,
    /// So many milliseconds after it.
    Late(u64),
    /// Never: the application says what the backend gives.
    Configured,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub name: &'static str,
    pub user: &'static str,
    pub disk: usize,
    pub wall_skew_ms: i64,
    /// Whether its monotonic clock stops while the machine sleeps.
    pub stops_in_sleep: bool,
    pub latency_ms: u64,
}

/// One run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub keys: bool,
    /// A send is answered; otherwise it is done when its frame has left.
    pub answers: bool,
    pub cursor: bool,
    pub ordered: bool,
    pub receipts: bool,
    /// How often in a row the server refuses again what it has refused for now.
    pub stubborn: u32,
    pub hello: Hello,
    /// Copies of one's own messages go to the sending socket too.
    pub echo: bool,
    pub window: u64,
    pub max_queued: u64,
    pub max_attempts: u64,
    pub connect_attempts: Option<u64>,
    pub after_server_disconnect: bool,
    pub sends_per_second: u64,
    pub pages: Pages,
    pub history: History,
    pub persons: Vec<Person>,
    pub acts: Vec<(u64, Act)>,
    pub deeds: Vec<(u64, super::deeds::Deeds)>,
    pub changes: Vec<(u64, ChangeAct)>,
    pub storm_ms: u64,
    /// After the storm whoever has a connection, or tries to, hears nothing of its page or its application.
    pub left_alone: bool,
}

/// What happens from outside, at a moment of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    Send { device: usize, room: usize, ttl_ms: Option<u64>, own_key: bool, poison: bool, count: usize },
    Resend { device: usize, nth: usize },
    Discard { device: usize, nth: usize },
    Cancel { device: usize, nth: usize },
    Acknowledged { device: usize, nth: usize },
    MarkRead { device: usize, room: usize },
    LoadEarlier { device: usize, room: usize },
    Typing { device: usize, room: usize },
    Connect { device: usize },
    Disconnect { device: usize },
    Close { device: usize, again_ms: u64 },
    Kill { device: usize, again_ms: u64 },
    Freeze { device: usize, ms: u64 },
    Hide { device: usize, ms: u64 },
    Offline { device: usize, ms: u64 },
    OnlineLie { device: usize },
    Sleep { device: usize, ms: u64 },
    SleepForDays { ms: u64 },
    WallJump { device: usize, ms: i64 },
    ServerClock { ms: i64 },
    Cut { device: usize },
    HalfOpen { device: usize },
    Stall { device: usize, ms: u64 },
    Restart { down_ms: u64, lost: usize },
    ExpireTokens,
    DiskFull { device: usize, ms: u64 },
    HandleLost { device: usize, ms: u64 },
    SlowDisk { device: usize, ms: u64 },
    LongHistory { count: usize },
    WatchLong { device: usize },
    DiskTight { device: usize, ms: u64 },
    StealLock { device: usize },
    Post { room: usize, count: usize },
    Rude { device: usize, kind: u64 },
    StaleReceipt { room: usize },
}

impl Act {
    /// The fault that it is; `None`: what people do.
    pub fn fault(&self) -> Option<Fault> {
        Some(match self {
            Self::Send { poison: true, .. } => Fault::PoisonMessage,
            Self::Kill { .. } => Fault::Killed,
            Self::Freeze { .. } => Fault::Frozen,
            Self::Hide { .. } => Fault::Hidden,
            Self::Offline { .. } => Fault::OfflineLie,
            Self::OnlineLie { .. } => Fault::OnlineLie,
            Self::Sleep { .. } => Fault::Sleep,
            Self::SleepForDays { .. } => Fault::SleepForDays,
            Self::WallJump { .. } => Fault::WallJump,
            Self::ServerClock { .. } => Fault::ServerClockJump,
            Self::Cut { .. } => Fault::CutNow,
            Self::HalfOpen { .. } => Fault::HalfOpen,
            Self::Stall { .. } => Fault::Stall,
            Self::Restart { lost: 0, .. } => Fault::Restart,
            Self::Restart { lost: usize::MAX, .. } => Fault::HistoryLost,
            Self::Restart { .. } => Fault::HistoryCut,
            Self::ExpireTokens => Fault::TokenExpired,
            Self::DiskFull { .. } => Fault::StoreFull,
            Self::DiskTight { .. } => Fault::RoomMade,
            Self::HandleLost { .. } => Fault::HandleLost,
            Self::SlowDisk { .. } => Fault::StoreSlow,
            Self::StealLock { .. } => Fault::LockStolen,
            Self::Post { count, .. } if *count > 20 => Fault::Burst,
            Self::Rude { kind: 0, .. } => Fault::BinaryFrame,
            Self::Rude { kind: 1, .. } => Fault::ServerDisconnect,
            Self::Rude { .. } => Fault::RudeFrame,
            Self::StaleReceipt { .. } => Fault::StaleReceipt,
            _ => return None,
        })
    }
}

impl Plan {
    pub fn draw(seed: u64) -> Self {
        let mut s = Stream::new(seed);
        let tabs = s.one_in(2);
        let persons = persons(&mut s, tabs);
        let keys = !s.one_in(3);
        let hello = match s.below(4) {
            0 => Hello::Late(s.between(50, 2000)),
            1 => Hello::Configured,
            _ => Hello::Early,
        };
        let mut plan = Self {
            keys,
            // Out of a stream of its own, and a profile's or the application's word alone.
            answers: hello != Hello::Configured || !Stream::new(!seed).one_in(3),
            cursor: !s.one_in(3),
            ordered: keys && s.one_in(2),
            receipts: true,
            stubborn: 0,
            hello,
            echo: s.one_in(3),
            window: s.between(2, 8),
            max_queued: s.pick(&[4, 12, 1000]),
            max_attempts: s.between(1, 4),
            connect_attempts: s.pick(&[None, None, Some(2), Some(5)]),
            after_server_disconnect: s.one_in(2),
            sends_per_second: s.pick(&[2, 1000, 1000]),
            pages: Pages::default(),
            history: sizes::history(seed),
            persons,
            acts: Vec::new(),
            deeds: Vec::new(),
            changes: Vec::new(),
            storm_ms: 0,
            left_alone: false,
        };
        // Without a cursor twenty pages are all that is looked through.
        plan.pages = if plan.cursor { sizes::pages(seed) } else { plan.pages };
        plan.acts = draw_acts(&mut s, plan.persons.len());
        let last_ms = plan.acts.last().map_or(0, |(at, _)| *at);
        plan.changes = changes::draw(seed, last_ms, plan.persons.len());
        plan.deeds = super::deeds::Deeds::draw_all(seed, last_ms);
        tighten(seed, &mut plan);
        hesitate(seed, &mut plan);
        plan.storm_ms = plan.acts.last().map_or(0, |(at, _)| *at) + 5000;
        plan
    }

    /// The options of `createChat` for one device.
    pub fn options(&self, user: &str) -> Value {
        let mut options = json!({
            "url": "https://chat.test", "profile": "team", "userId": user, "hasGetToken": true,
            "outbox": {"window": self.window, "maxQueued": self.max_queued, "maxAttempts": self.max_attempts},
            "reconnect": {"afterServerDisconnect": self.after_server_disconnect},
            "limits": {"sendsPerSecond": self.sends_per_second, "sendBurst": self.sends_per_second.min(5)},
        });
        if let Some(attempts) = self.connect_attempts {
            options["reconnect"]["maxAttempts"] = json!(attempts);
        }
        if self.hello == Hello::Configured {
            options["capabilities"] = self.capabilities();
            options["capabilities"]["answers"] = json!(self.answers);
        }
        options
    }

    pub fn capabilities(&self) -> Value {
        json!({"keys": self.keys, "cursor": self.cursor, "orderedWindow": self.ordered, "receipts": self.receipts})
    }

    /// The backend in a few words.
    pub fn backend(&self) -> String {
        let word = |has: bool, word: &str| if has { word.to_owned() } else { format!("no {word}") };
        format!(
            "{}, {}, {}, {}, hello {:?}",
            word(self.keys, "keys"),
            word(self.answers, "answers"),
            word(self.cursor, "cursor"),
            word(self.ordered, "ordered window"),
            self.hello
        )
    }
}

fn persons(s: &mut Stream, tabs: bool) -> Vec<Person> {
    let mut persons = Vec::new();
    for (name, user, disk) in
        [("ana/1", "ana", 0), ("ana/1b", "ana", 0), ("ana/2", "ana", 1), ("bo/1", "bo", 2)]
    {
        let skew = s.pick(&[0, 0, 0, 1000, 60_000, 7_200_000]);
        let wall_skew_ms = if s.one_in(2) { skew } else { -skew };
        let (stops_in_sleep, latency_ms) = (s.one_in(2), s.between(1, 150));
        if name != "ana/1b" || tabs {
            persons.push(Person { name, user, disk, wall_skew_ms, stops_in_sleep, latency_ms });
        }
    }
    persons
}

fn draw_acts(s: &mut Stream, devices: usize) -> Vec<(u64, Act)> {
    let (count, pace_ms) = (s.between(28, 48), s.pick(&[200, 1000, 4000]));
    // How often something bad happens, of eight.
    let badness = s.pick(&[0, 1, 2, 4]);
    let kinds = s.next();
    let mut at = 1100;
    let mut acts = Vec::new();
    for device in 0..devices {
        acts.push((at, Act::Connect { device }));
    }
    for _ in 0..count {
        at += s.between(1, 2 * pace_ms);
        let device = s.below(devices as u64) as usize;
        if badness > 0 && devices == 4 && s.one_in(40) {
            depose_offline(s, &mut acts, at);
            at += 1000;
            continue;
        }
        let act = if s.below(8) < badness { bad(s, device, kinds) } else { good(s, device) };
        acts.push((at, act));
    }
    acts
}

impl Plan {
    /// All conversations that there are, empty at first: of one that is met full only the newest page is asked for.
    pub fn rooms(&self) -> impl Iterator<Item = &'static str> {
        let long = self.acts.iter().any(|(_, act)| matches!(act, Act::LongHistory { .. }));
        ROOMS.into_iter().chain(long.then_some(LONG))
    }
}

/// Some schedules have a disk that becomes too small. Out of a stream of its own: the others stay what they were.
fn tighten(seed: u64, plan: &mut Plan) {
    let mut s = Stream::new(seed ^ 0x0074_6967_6874);
    if !s.one_in(12) {
        return;
    }
    let (first, last) =
        (plan.acts.first().map_or(0, |(at, _)| *at), plan.acts.last().map_or(0, |(at, _)| *at));
    let at = s.between(first, last);
    let device = s.below(plan.persons.len() as u64) as usize;
    let ms = s.pick(&[3000, 20_000, 70_000]);
    plan.acts.push((at, Act::LongHistory { count: s.between(340, 400) as usize }));
    let tight = at + s.between(1000, 8000);
    plan.acts.push((tight, Act::DiskTight { device, ms }));
    if s.one_in(2) {
        // What is given up is wanted while room is short.
        let device = s.below(plan.persons.len() as u64) as usize;
        plan.acts.push((tight + s.between(0, ms), Act::WatchLong { device }));
    }
    plan.acts.sort_by_key(|(at, _)| *at);
}

/// Somebody connects and takes it back before it is known who leads: too rare a cell to be left to chance. Out of a stream
/// of its own.
fn hesitate(seed: u64, plan: &mut Plan) {
    let mut s = Stream::new(seed ^ 0x6865_7369_7461);
    let Some((first, last)) = plan.acts.first().zip(plan.acts.last()) else { return };
    if !s.one_in(40) {
        return;
    }
    let (at, device) = (s.between(first.0, last.0), s.below(plan.persons.len() as u64) as usize);
    let back = at + 1500 + s.between(0, 4);
    for (at, act) in [
        (at, Act::Disconnect { device }),
        (at + 1500, Act::Connect { device }),
        (back, Act::Disconnect { device }),
        (back + 1500, Act::Connect { device }),
    ] {
        plan.acts.push((at, act));
    }
    plan.acts.sort_by_key(|(at, _)| *at);
}

/// A leader loses its socket, then the network, then the lock: too rare a row to be left to chance.
fn depose_offline(s: &mut Stream, acts: &mut Vec<(u64, Act)>, at: u64) {
    let (leader, other) = if s.one_in(2) { (0, 1) } else { (1, 0) };
    acts.push((at, Act::Connect { device: leader }));
    acts.push((at + 300, Act::Cut { device: leader }));
    acts.push((at + 500, Act::Offline { device: leader, ms: 3000 }));
    acts.push((at + 700, Act::StealLock { device: other }));
}

pub fn good(s: &mut Stream, device: usize) -> Act {
    let room = s.below(ROOMS.len() as u64) as usize;
    let nth = s.below(1000) as usize;
    match s.below(24) {
        0..=12 => Act::Send {
            device,
            room,
            ttl_ms: s.one_in(8).then(|| s.between(50, 60_000)),
            own_key: s.one_in(10),
            poison: false,
            count: s.pick(&[1, 1, 1, 3, 6]),
        },
        13 => Act::Resend { device, nth },
        14 => Act::Discard { device, nth },
        15 | 16 => Act::Cancel { device, nth },
        17 => Act::Acknowledged { device, nth },
        18 => Act::MarkRead { device, room },
        19 => Act::LoadEarlier { device, room },
        20 => Act::Typing { device, room },
        21 => Act::Post { room, count: s.between(1, 4) as usize },
        22 if s.one_in(2) => Act::Disconnect { device },
        _ => Act::Connect { device },
    }
}

/// `kinds` leaves out about half of the kinds in each run, so that the others can be seen by themselves.
pub fn bad(s: &mut Stream, device: usize, kinds: u64) -> Act {
    let room = s.below(ROOMS.len() as u64) as usize;
    let mut kind = s.below(26);
    while kinds >> kind & 1 == 0 && kind < 25 {
        kind += 1;
    }
    let ms = s.pick(&[100, 3000, 20_000, 70_000]);
    let signed = if s.one_in(2) { ms as i64 } else { -(ms as i64) };
    match kind {
        0 | 1 => Act::Kill { device, again_ms: s.between(10, 5000) },
        2 => Act::Close { device, again_ms: s.between(10, 5000) },
        3 => Act::Freeze { device, ms },
        4 => Act::Hide { device, ms },
        5 => Act::Offline { device, ms },
        6 => Act::OnlineLie { device },
        7 => Act::Sleep { device, ms: ms * s.pick(&[1, 8]) },
        8 => Act::SleepForDays { ms: s.between(1, 3) * 86_400_000 },
        9 => Act::WallJump { device, ms: signed * s.pick(&[1, 600]) },
        10 => Act::ServerClock { ms: signed.max(-20_000) },
        11 | 12 => Act::Cut { device },
        13 => Act::HalfOpen { device },
        14 => Act::Stall { device, ms: ms.min(20_000) },
        15 | 16 => Act::Restart { down_ms: s.between(1, 10_000), lost: 0 },
        17 => Act::Restart { down_ms: s.between(1, 10_000), lost: s.pick(&[1, 3, 10, usize::MAX]) },
        18 => Act::ExpireTokens,
        19 => Act::DiskFull { device, ms },
        20 => Act::HandleLost { device, ms },
        21 => Act::StealLock { device },
        22 => Act::Post { room, count: s.pick(&[25, 30, 60]) },
        23 => Act::Rude { device, kind: s.below(7) },
        24 => Act::StaleReceipt { room },
        _ => Act::Send { device, room, ttl_ms: None, own_key: false, poison: true, count: 1 },
    }
}
