//! Whatever happens in whatever order, a few things always hold.

use super::*;

/// What the walk itself remembers of the machine's words.
#[derive(Default)]
struct World {
    open: Option<ConnId>,
    online: bool,
    /// Questions because a token ends.
    expiring: u32,
    /// `disconnect()` or a refused token: only `connect()` may follow.
    ended: bool,
}

impl World {
    fn take(&mut self, rig: &mut Rig) {
        for action in rig.actions() {
            match action {
                Action::Socket(SocketOutput::Open { conn, .. }) => {
                    assert_eq!(self.open.replace(conn), None, "one socket at a time");
                    assert!(!self.ended, "an explicit end is final");
                }
                Action::Socket(SocketOutput::Close { conn, .. }) => {
                    assert_eq!(self.open.take(), Some(conn), "what is closed was open");
                }
                Action::Socket(SocketOutput::Text { conn, .. }) => assert_eq!(self.open, Some(conn)),
                Action::Socket(_) => panic!("nothing else is sent"),
                Action::Token { reason, .. } => {
                    assert!(!self.ended, "an explicit end is final");
                    self.expiring += u32::from(reason == crate::proto::TokenReason::Expiring);
                }
                Action::Online { .. } => assert!(!core::mem::replace(&mut self.online, true)),
                Action::Lost => assert!(core::mem::take(&mut self.online), "lost only what was online"),
                Action::Closed(_) | Action::AuthError(_) => self.ended = true,
                _ => {}
            }
        }
        assert_eq!(self.open, rig.connection.conn());
        assert_eq!(self.online, rig.state() == ConnectionState::Online);
    }
}

/// Each state waits for something that has a deadline, and has no timer of another state.
fn check_timers(rig: &Rig) {
    use ConnectionState as S;
    let set: Vec<Timer> = TIMERS.into_iter().filter(|timer| rig.timers.get(*timer).is_some()).collect();
    let snapshot = rig.snapshot();
    match rig.state() {
        S::Connecting | S::Authenticating => assert_eq!(set, [Timer::Connect]),
        S::Online => assert!(set.contains(&Timer::Heartbeat) && !set.contains(&Timer::Retry), "{set:?}"),
        S::Waiting if snapshot.leader => assert_eq!(set, [Timer::Retry], "{snapshot:?}"),
        S::Waiting | S::Idle | S::Offline | S::Closed | S::Failed => {
            assert!(set.is_empty(), "{snapshot:?} {set:?}")
        }
    }
    assert_eq!(snapshot.retry_in_ms.is_some(), set.contains(&Timer::Retry));
}

fn step(rig: &mut Rig, world: &mut World, draw: u64) {
    const FRAMES: [&str; 16] = [
        OPEN,
        OPEN,
        OPEN,
        JOINED,
        JOINED,
        JOINED,
        r#"40{"sid":"s","pid":"p"}"#,
        "40",
        "41",
        "1",
        "2",
        r#"42["a",1]"#,
        r#"421["a","o"]"#,
        r#"44{"message":"jwt expired"}"#,
        r#"44"full""#,
        r#"451-["b",{"_placeholder":true,"num":0}]"#,
    ];
    const PAGE: [PageInput; 8] = [
        PageInput::Online,
        PageInput::Online,
        PageInput::Offline,
        PageInput::Visible,
        PageInput::Visible,
        PageInput::Hidden,
        PageInput::Frozen,
        PageInput::Resumed,
    ];
    let pick = (draw >> 8) as usize;
    let conn = rig.connection.conn();
    match (draw % 32, conn) {
        (0 | 1, _) => {
            world.ended = false;
            rig.connect();
        }
        (2, _) if pick.is_multiple_of(4) => rig.disconnect(),
        (3, _) => rig.lead(!pick.is_multiple_of(4)),
        (4 | 5, _) => rig.page(PAGE[pick % PAGE.len()]),
        (6, _) => rig.refuse(if pick.is_multiple_of(2) { RefusedBy::Rest } else { RefusedBy::Socket }),
        (7, _) => rig.now.wall_ms = rig.now.wall_ms.wrapping_add_signed(pick as i64 % 200_000 - 50_000),
        (8, _) => rig.sleep(draw >> 16 & 0xffff),
        (9..=12, _) => rig.pass(draw >> 16 & 0x3fff),
        (13, _) => drop(rig.emit("x", &["1"], pick.is_multiple_of(2))),
        (14, Some(_)) => {
            world.open = None;
            rig.closed(1006, "x");
        }
        (14, None) => rig.fire(),
        (15, Some(_)) => drop(rig.binary(b"xy")),
        (16..=27, _) => advance(rig, pick),
        (28..=31, Some(_)) => drop(rig.text(FRAMES[pick % FRAMES.len()])),
        _ => {}
    }
}

/// What a healthy world would do next.
fn advance(rig: &mut Rig, pick: usize) {
    if rig.connection.asking.is_some() {
        // `{"exp":1700000200,"iat":1700000180}`: twenty seconds.
        const ENDING: &str = "e30.eyJleHAiOjE3MDAwMDAyMDAsImlhdCI6MTcwMDAwMDE4MH0.c2ln";
        let token = if pick.is_multiple_of(3) { ENDING } else { "t-o-k-e-n" };
        rig.token(if pick.is_multiple_of(8) { Err("no") } else { Ok(token) });
    } else if let Some(conn) = rig.connection.conn() {
        match rig.connection.session.stage() {
            session::Stage::Opening => rig.opened(conn),
            session::Stage::Handshake => drop(rig.text(OPEN)),
            session::Stage::Joining => drop(rig.text(JOINED)),
            session::Stage::Gone | session::Stage::Live => {}
        }
    }
}

#[test]
fn whatever_happens_in_whatever_order() {
    let (mut onlines, mut expiring) = (0, 0);
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let mut draws = Rng::new([seed; 32]);
        let more = match seed % 4 {
            0 => json!({ "reconnect": { "maxAttempts": 3 } }),
            1 => json!({ "reconnect": { "afterServerDisconnect": true } }),
            2 => json!({ "hasGetToken": false, "token": "fixed" }),
            _ => json!({}),
        };
        let (mut rig, mut world) = (Rig::new(more), World::default());
        for _ in 0..2_000 {
            step(&mut rig, &mut world, draws.between(0, u64::MAX - 1));
            let was_online = world.online;
            world.take(&mut rig);
            onlines += u32::from(world.online && !was_online);
            seen.insert(rig.state());
            if rig.timers.next().is_none_or(|at| at > rig.now.mono_ms) {
                check_timers(&rig);
            }
        }
        expiring += world.expiring;
        rig.connection.take_early();
        rig.close();
        assert!(rig.actions().iter().all(|action| matches!(action, Action::Socket(_))));
        assert_eq!((rig.connection.conn(), rig.timers.next()), (None, None));
    }
    assert_eq!(seen.len(), 8, "every state is visited: {seen:?}");
    assert!(expiring > 20, "tokens end in it: {expiring}");
    assert!(onlines > 1_000, "the walk comes online often enough to mean something: {onlines}");
}
