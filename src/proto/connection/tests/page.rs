//! The page: network, visibility, freezing.

use super::*;

fn waiting() -> Rig {
    let mut rig = Rig::online(json!({}));
    for _ in 0..6 {
        rig.closed(1006, "");
        rig.pass_retry();
        rig.token(Ok("t"));
    }
    rig.closed(1006, "");
    rig.actions();
    assert!(rig.snapshot().retry_in_ms.unwrap() > 1_000 && rig.snapshot().attempt > 5);
    rig
}

#[test]
fn without_a_network_nothing_is_tried() {
    let mut rig = Rig::new(json!({}));
    rig.page(PageInput::Offline);
    rig.connect();
    assert_eq!(rig.names(), ["changed"]);
    assert_eq!((rig.state(), rig.reason().as_str()), (ConnectionState::Offline, "offline"));
    assert_eq!(rig.timers.next(), None);

    let mut rig = waiting();
    rig.page(PageInput::Offline);
    assert_eq!((rig.state(), rig.timers.next()), (ConnectionState::Offline, None));
    assert_eq!(rig.snapshot().retry_in_ms, None);
    rig.page(PageInput::Visible);
    assert_eq!(rig.state(), ConnectionState::Offline);
}

#[test]
fn an_attempt_under_way_is_given_up_without_counting() {
    for mut rig in [Rig::joining(json!({})), {
        let mut rig = Rig::new(json!({}));
        rig.connect();
        rig
    }] {
        rig.page(PageInput::Offline);
        assert_eq!((rig.state(), rig.snapshot().attempt), (ConnectionState::Offline, 0));
        assert_eq!((rig.timers.next(), rig.connection.conn()), (None, None));
    }
}

#[test]
fn the_networks_return_is_a_new_budget_after_a_little_jitter() {
    let mut rig = waiting();
    rig.page(PageInput::Offline);
    rig.page(PageInput::Online);
    let snapshot = rig.snapshot();
    assert_eq!((snapshot.state, snapshot.attempt), (ConnectionState::Waiting, 0));
    assert!(snapshot.retry_in_ms.unwrap() <= 500);
    rig.pass_retry();
    assert_eq!(rig.state(), ConnectionState::Connecting);

    let mut hidden = waiting();
    hidden.page(PageInput::Offline);
    hidden.page(PageInput::Hidden);
    hidden.page(PageInput::Online);
    assert!((5_000..=5_500).contains(&hidden.snapshot().retry_in_ms.unwrap()));
}

#[test]
fn an_offline_word_does_not_kill_a_working_socket() {
    let mut rig = Rig::online(json!({}));
    rig.page(PageInput::Offline);
    assert!(matches!(rig.emit("x", &[], false), Emitted::Sent { .. }));
    rig.pass(25_000);
    rig.text("2");
    rig.pass(25_000);
    assert_eq!(rig.state(), ConnectionState::Online);
    // Once it is lost, the word counts.
    rig.actions();
    rig.closed(1006, "");
    assert_eq!(rig.names(), ["lost", "changed"]);
    assert_eq!((rig.state(), rig.timers.next()), (ConnectionState::Offline, None));
}

#[test]
fn after_a_change_of_network_a_missed_ping_is_enough() {
    let mut rig = Rig::online(json!({}));
    rig.pass(10_000);
    rig.page(PageInput::Offline);
    rig.page(PageInput::Online);
    rig.pass(19_999);
    assert_eq!(rig.state(), ConnectionState::Online);
    rig.pass(1);
    assert_eq!(rig.state(), ConnectionState::Waiting, "ping interval and five seconds after the handshake");
}

#[test]
fn a_page_shown_again_retries_now_with_a_new_budget() {
    let mut rig = waiting();
    rig.page(PageInput::Hidden);
    rig.page(PageInput::Visible);
    assert_eq!((rig.state(), rig.snapshot().attempt), (ConnectionState::Connecting, 1));

    // C8: also where the attempts were used up.
    for input in [PageInput::Visible, PageInput::Online, PageInput::Resumed] {
        let mut rig = Rig::new(json!({ "reconnect": { "maxAttempts": 1 } }));
        rig.connect();
        rig.token(Err("x"));
        assert_eq!(rig.state(), ConnectionState::Failed);
        rig.page(input);
        rig.pass(500);
        assert_eq!(rig.state(), ConnectionState::Connecting, "{input:?}");
    }
}

#[test]
fn hidden_pages_wait_before_they_retry() {
    let mut rig = Rig::online(json!({}));
    rig.page(PageInput::Hidden);
    rig.closed(1006, "");
    let wait = rig.snapshot().retry_in_ms.unwrap();
    assert!((5_100..=6_000).contains(&wait), "{wait}");

    let mut rig = Rig::online(json!({}));
    rig.closed(1006, "");
    rig.page(PageInput::Hidden);
    assert_eq!(rig.snapshot().retry_in_ms, Some(5_000), "hidden while it waits");
    rig.pass_retry();
    assert_eq!(rig.state(), ConnectionState::Connecting);
}

#[test]
fn a_frozen_page_has_closed_its_socket_before() {
    let mut rig = Rig::online(json!({}));
    rig.page(PageInput::Frozen);
    assert_eq!(rig.names(), ["close 1000 page frozen", "lost", "changed"]);
    assert_eq!((rig.state(), rig.reason().as_str()), (ConnectionState::Offline, "page frozen"));
    assert_eq!(rig.timers.next(), None);
    rig.page(PageInput::Online);
    assert_eq!(rig.state(), ConnectionState::Offline, "still frozen");
    rig.page(PageInput::Resumed);
    assert_eq!(rig.names(), ["changed", "token Connect"], "with a token of its own");
    rig.go_online("t2");

    let mut rig = Rig::joining(json!({}));
    rig.page(PageInput::Frozen);
    assert_eq!(rig.names(), ["close 1000 page frozen", "changed"]);
}

#[test]
fn a_page_that_wakes_up_looks_at_its_link() {
    // The machine slept: timers and monotonic clock stood still.
    let mut rig = Rig::online(json!({}));
    rig.now.wall_ms += 3_600_000;
    rig.page(PageInput::Visible);
    assert_eq!(rig.state(), ConnectionState::Online);
    rig.pass(2_000);
    assert_eq!(rig.state(), ConnectionState::Waiting);

    // The tab was throttled: the timer comes late, the frames stand behind it.
    let mut rig = Rig::online(json!({}));
    rig.sleep(60_000);
    rig.fire();
    assert_eq!(rig.state(), ConnectionState::Online);
    rig.text("2");
    rig.pass(44_999);
    assert_eq!(rig.state(), ConnectionState::Online);
    rig.pass(1);
    assert_eq!(rig.state(), ConnectionState::Waiting);
}
