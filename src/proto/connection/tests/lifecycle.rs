//! Attempts, budgets, time-outs, explicit ends, leading tabs.

use super::*;

#[test]
fn the_way_to_online_and_what_the_snapshot_shows() {
    let mut rig = Rig::new(json!({}));
    let idle = rig.snapshot();
    assert_eq!((idle.state, idle.attempt, idle.leader), (ConnectionState::Idle, 0, true));
    rig.connect();
    assert_eq!((rig.state(), rig.snapshot().attempt), (ConnectionState::Connecting, 1));
    rig.join("t1");
    rig.sleep(40);
    rig.text(JOINED);
    let online = rig.snapshot();
    assert_eq!(
        (online.state, online.attempt, online.socket_id.as_deref()),
        (ConnectionState::Online, 0, Some("s1"))
    );
    assert_eq!((online.reason, online.retry_in_ms), (None, None));
    assert_eq!(online.since_ms, 1_700_000_000_040);
    rig.actions();
    rig.connect();
    assert!(rig.actions().is_empty(), "connect() while online changes nothing");
}

#[test]
fn each_stage_of_an_attempt_is_bounded_by_one_deadline() {
    let mut rig = Rig::new(json!({ "reconnect": { "connectTimeoutMs": 5000 } }));
    rig.connect();
    rig.pass(2_000);
    rig.token(Ok("t"));
    rig.pass(2_000);
    rig.opened(rig.conn());
    rig.pass(999);
    rig.text(OPEN);
    assert_eq!(rig.state(), ConnectionState::Authenticating);
    rig.actions();
    rig.pass(1);
    assert_eq!(rig.names(), ["close 1000 connection lost", "changed"]);
    assert_eq!(rig.reason(), "no answer to CONNECT within 5000 ms");

    rig.pass_retry();
    rig.token(Ok("t"));
    rig.pass(5_000);
    assert_eq!(rig.reason(), "the socket did not open within 5000 ms");
    rig.pass_retry();
    rig.token(Ok("t"));
    rig.opened(rig.conn());
    rig.pass(5_000);
    assert_eq!(rig.reason(), "no Engine.IO handshake within 5000 ms");
    rig.pass_retry();
    rig.go_online("t");
    rig.pass(5_000);
    assert_eq!(rig.state(), ConnectionState::Online, "the deadline ends with the attempt");
}

#[test]
fn failures_back_off_within_their_bounds_and_the_budget_ends_them() {
    let mut rig = Rig::new(json!({ "reconnect": { "maxAttempts": 6, "maxDelayMs": 4000 } }));
    rig.connect();
    for (failure, ceiling) in [(1, 1_000), (2, 2_000), (3, 4_000), (4, 4_000), (5, 4_000)] {
        rig.token(Ok("t"));
        rig.closed(1006, "");
        let hint = "the socket could not be opened (1006): is `url` right, and does the server run?";
        assert_eq!(rig.reason(), hint);
        let snapshot = rig.snapshot();
        assert_eq!((snapshot.state, snapshot.attempt), (ConnectionState::Waiting, failure));
        let wait = rig.pass_retry();
        assert!((100..=ceiling).contains(&wait), "{failure}: {wait}");
    }
    rig.actions();
    rig.token(Ok("t"));
    rig.closed(1006, "");
    let names = rig.names();
    assert_eq!(names[1..], ["changed", "failed Server"]);
    rig.pass(3_600_000);
    assert_eq!((rig.state(), rig.actions().len()), (ConnectionState::Failed, 0));
    rig.connect();
    assert_eq!((rig.state(), rig.snapshot().attempt), (ConnectionState::Connecting, 1), "a new budget");
}

#[test]
fn an_online_that_lasts_starts_the_attempts_afresh() {
    let mut rig = Rig::new(json!({}));
    rig.connect();
    for failures in 1..=4 {
        rig.token(Err("x"));
        assert_eq!(rig.snapshot().attempt, failures);
        rig.pass_retry();
    }
    rig.go_online("t1");
    rig.pass(9_999);
    rig.closed(1006, "");
    assert_eq!(rig.snapshot().attempt, 0, "it was accepted");
    assert_eq!(rig.connection.failures, 5, "a server that greets and falls over is not hurried");
    rig.pass_retry();
    rig.go_online("t1");
    rig.pass(10_000);
    rig.closed(1012, "restart of t1");
    assert_eq!(
        (rig.snapshot().attempt, rig.reason().as_str()),
        (0, "the socket closed (1012: restart of [secret])")
    );
    let wait = rig.pass_retry();
    assert!((100..=1_000).contains(&wait), "{wait}");
}

#[test]
fn the_loss_of_an_accepted_socket_uses_up_no_attempt() {
    let mut rig = Rig::online(json!({ "reconnect": { "maxAttempts": 1 } }));
    rig.closed(1006, "");
    assert_eq!(rig.state(), ConnectionState::Waiting);
    rig.pass_retry();
    rig.token(Err("x"));
    assert_eq!(rig.state(), ConnectionState::Failed);
}

#[test]
fn c8_sockets_that_are_accepted_and_do_not_last_use_up_no_attempt() {
    let mut rig = Rig::new(json!({ "reconnect": { "maxAttempts": 2 } }));
    rig.connect();
    for _ in 0..4 {
        rig.go_online("t");
        rig.pass(3_000);
        rig.closed(1006, "");
        rig.pass_retry();
        rig.token(Err("x"));
        assert_eq!(
            rig.state(),
            ConnectionState::Waiting,
            "one attempt of two, between sockets that were accepted"
        );
        rig.pass_retry();
    }
    rig.token(Err("x"));
    assert_eq!(rig.state(), ConnectionState::Failed);
}

#[test]
fn an_explicit_disconnect_is_revived_by_nothing_but_connect() {
    let mut online = Rig::online(json!({}));
    online.disconnect();
    assert_eq!(online.names(), ["text 41", "close 1000 disconnect", "lost", "changed", "closed Closed"]);
    let mut joining = Rig::joining(json!({}));
    joining.disconnect();
    assert_eq!(joining.names(), ["close 1000 disconnect", "changed", "closed Closed"]);
    let mut asking = Rig::new(json!({}));
    asking.connect();
    asking.disconnect();
    let mut waiting = Rig::online(json!({}));
    waiting.closed(1006, "");
    waiting.disconnect();
    let mut offline = Rig::new(json!({}));
    offline.page(PageInput::Offline);
    offline.connect();
    offline.disconnect();
    for mut rig in [online, joining, asking, waiting, offline] {
        rig.actions();
        assert_eq!((rig.state(), rig.reason().as_str()), (ConnectionState::Closed, "disconnect"));
        assert_eq!((rig.timers.next(), rig.connection.conn()), (None, None));
        for input in [
            PageInput::Hidden,
            PageInput::Visible,
            PageInput::Offline,
            PageInput::Online,
            PageInput::Frozen,
            PageInput::Resumed,
        ] {
            rig.page(input);
        }
        for timer in TIMERS {
            rig.connection.on_timer(timer, rig.now, &mut rig.timers, &mut rig.rng);
        }
        rig.token_for(1, Ok("late"));
        rig.refuse(RefusedBy::Rest);
        rig.connection.drop_socket("x", rig.now, &mut rig.timers, &mut rig.rng);
        rig.disconnect();
        assert_eq!((rig.state(), rig.actions().len(), rig.timers.next()), (ConnectionState::Closed, 0, None));
        rig.lead(false);
        rig.lead(true);
        assert_eq!((rig.state(), rig.names().len()), (ConnectionState::Closed, 1));
        rig.connect();
        assert_eq!((rig.state(), rig.snapshot().attempt), (ConnectionState::Connecting, 1));
    }
}

#[test]
fn after_close_there_is_nothing_but_the_sockets_close() {
    let mut rig = Rig::online(json!({}));
    let conn = rig.conn();
    rig.close();
    assert_eq!(rig.names(), ["text 41", "close 1000 closed"]);
    rig.connect();
    rig.disconnect();
    rig.close();
    rig.lead(false);
    rig.page(PageInput::Visible);
    rig.connection.on_closed(conn, 1000, "", rig.now, &mut rig.timers, &mut rig.rng);
    assert!(rig.text_of(conn, r#"42["x"]"#).is_none());
    assert_eq!(rig.emit("x", &[], false), Emitted::NotOnline);
    assert_eq!((rig.actions().len(), rig.timers.next()), (0, None));
    assert_eq!((rig.state(), rig.reason().as_str()), (ConnectionState::Closed, "closed"));

    let mut asking = Rig::new(json!({}));
    asking.connect();
    asking.close();
    asking.token_for(1, Ok("late"));
    assert_eq!((asking.actions().len(), asking.connection.conn()), (0, None));
}

#[test]
fn d10_a_silent_socket_is_dropped_and_opened_anew() {
    let mut rig = Rig::online(json!({}));
    rig.connection.drop_socket("no answer to a send within 15000 ms", rig.now, &mut rig.timers, &mut rig.rng);
    assert_eq!(rig.names(), ["close 1000 connection lost", "lost", "changed"]);
    assert_eq!(rig.reason(), "no answer to a send within 15000 ms");
    rig.pass_retry();
    rig.go_online("t2");
}

#[test]
fn d14_a_follower_waits_until_it_leads() {
    let mut rig = Rig::undecided(json!({}));
    rig.connect();
    assert_eq!((rig.state(), rig.reason().as_str()), (ConnectionState::Waiting, "finding the leading tab"));
    rig.lead(false);
    let snapshot = rig.snapshot();
    assert_eq!(
        (snapshot.state, snapshot.leader, snapshot.retry_in_ms),
        (ConnectionState::Waiting, false, None)
    );
    assert_eq!(rig.reason(), "another tab leads");
    rig.actions();
    for input in [PageInput::Offline, PageInput::Online, PageInput::Hidden, PageInput::Visible] {
        rig.page(input);
    }
    rig.connect();
    rig.pass(3_600_000);
    assert_eq!((rig.state(), rig.actions().len()), (ConnectionState::Waiting, 0));
    rig.lead(true);
    assert_eq!(rig.names(), ["changed", "token Connect", "changed"]);
    rig.go_online("t");
}

#[test]
fn d14_a_tab_that_was_not_asked_to_connect_does_not() {
    let mut rig = Rig::undecided(json!({}));
    rig.lead(false);
    rig.lead(true);
    assert_eq!((rig.state(), rig.names()), (ConnectionState::Idle, vec!["changed".to_owned()]));
}

#[test]
fn a_deposed_tab_closes_its_socket_first() {
    let mut rig = Rig::online(json!({}));
    rig.lead(false);
    assert_eq!(rig.names(), ["close 1000 another tab leads", "lost", "changed"]);
    assert_eq!((rig.state(), rig.snapshot().leader), (ConnectionState::Waiting, false));
    assert_eq!(rig.timers.next(), None);
    rig.lead(true);
    rig.go_online("t2");
}
