//! Plain JSON frames by the facts' numbers.

use super::*;
use crate::proto::ErrorCode;

fn rig(more: Value) -> Rig {
    let mut options = json!({ "url": "https://h/assistant/ws", "profile": "assistant", "userId": "ana/é" });
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    Rig::new(options)
}

/// The address that is opened with this token.
fn opening(more: Value, token: &str) -> String {
    let mut rig = rig(more);
    rig.connect();
    rig.token(Ok(token));
    rig.names().into_iter().find(|name| name.starts_with("open")).unwrap()
}

fn online_with(more: Value) -> Rig {
    let mut rig = rig(more);
    rig.connect();
    accepted(&mut rig);
    rig
}

fn online() -> Rig {
    online_with(json!({}))
}

/// From the question for a token to `online`, where the upgrade carries it.
fn accepted(rig: &mut Rig) {
    rig.token(Ok("t1"));
    let conn = rig.conn();
    rig.opened(conn);
    assert_eq!(rig.state(), ConnectionState::Online);
    rig.actions();
}

/// The pings that were sent.
fn pings(rig: &mut Rig) -> usize {
    rig.names().iter().filter(|name| *name == r#"text {"type":"ping"}"#).count()
}

#[test]
fn a1_a2_d9_the_address_names_the_user_and_the_token_is_a_sub_protocol() {
    let url = "open wss://h/assistant/ws?userId=ana%2F%C3%A9";
    assert_eq!(opening(json!({}), "ab?>"), format!("{url} chatwire bearer.YWI_Pg"));
    assert_eq!(opening(json!({ "tokenIn": "firstFrame" }), "t1"), url);
    assert_eq!(opening(json!({ "tokenIn": "query" }), "a&b"), format!("{url}&token=a%26b"));
}

#[test]
fn a1_who_opens_the_socket_is_online() {
    let mut rig = rig(json!({}));
    rig.connect();
    rig.token(Ok("t1"));
    rig.actions();
    let conn = rig.conn();
    rig.opened(conn);
    assert_eq!(rig.names(), ["changed", "online resumed=false"]);
    assert_eq!(rig.snapshot().socket_id, None);
}

#[test]
fn d9_the_first_frame_carries_the_token_and_what_comes_before_auth_ok_waits() {
    let mut rig = rig(json!({ "tokenIn": "firstFrame" }));
    rig.connect();
    rig.token(Ok("a\"b"));
    rig.actions();
    let conn = rig.conn();
    rig.opened(conn);
    assert_eq!(rig.state(), ConnectionState::Authenticating);
    assert_eq!(rig.names(), ["changed", r#"text {"type":"auth","payload":{"token":"a\"b"}}"#]);
    let hello = rig.text(r#"{"type":"hello","payload":{"capabilities":{}}}"#).unwrap();
    assert_eq!(hello.0, "hello", "what the server gives may be said at once");
    assert!(rig.text(r#"{"type":"context","payload":1}"#).is_none());
    assert!(rig.text(r#"{"type":"ping"}"#).is_none());
    assert_eq!(rig.names(), [r#"text {"type":"pong"}"#]);
    rig.text(r#"{"type":"auth_ok"}"#);
    assert_eq!(rig.names(), ["changed", "online resumed=false"]);
    let early = rig.connection.take_early();
    let told: Vec<_> = early.iter().filter_map(Held::delivered).map(|held| described(&held)).collect();
    assert_eq!(told, [("context".to_owned(), vec!["1".to_owned()])]);
    rig.text(r#"{"type":"auth_ok"}"#);
    assert!(rig.names().is_empty(), "said twice it says nothing new");
}

#[test]
fn d9_what_waits_for_auth_ok_is_bounded() {
    let mut rig = rig(json!({ "tokenIn": "firstFrame" }));
    rig.connect();
    rig.token(Ok("t1"));
    let conn = rig.conn();
    rig.opened(conn);
    rig.actions();
    for _ in 0..257 {
        rig.text(r#"{"type":"x","payload":1}"#);
    }
    let names = rig.names();
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(names[0].starts_with("protocol error: too many frames"), "{names:?}");
    assert_eq!(rig.connection.take_early().len(), 256);
}

#[test]
fn d9_an_error_of_code_auth_asks_for_another_token_once() {
    let mut rig = rig(json!({ "tokenIn": "firstFrame" }));
    rig.connect();
    for token in ["t1", "t2"] {
        rig.token(Ok(token));
        let conn = rig.conn();
        rig.opened(conn);
        rig.actions();
        rig.text(r#"{"type":"error","payload":{"code":"auth","message":"no"}}"#);
        if token == "t1" {
            assert!(rig.names().contains(&"token Refused".to_owned()));
        }
    }
    assert_eq!(rig.state(), ConnectionState::Failed);
    assert!(rig.names().contains(&"auth error Auth".to_owned()));
}

#[test]
fn d9_another_error_in_place_of_auth_ok_is_a_failed_attempt() {
    let mut rig = rig(json!({ "tokenIn": "firstFrame" }));
    rig.connect();
    rig.token(Ok("t1"));
    let conn = rig.conn();
    rig.opened(conn);
    rig.text(r#"{"type":"error","payload":{"code":"busy","message":"come back later"}}"#);
    assert_eq!(rig.state(), ConnectionState::Waiting);
    assert!(rig.reason().ends_with("come back later"), "{}", rig.reason());
    rig.pass_retry();
    assert!(rig.names().contains(&"token Connect".to_owned()));
}

#[test]
fn d9_a_server_that_never_answers_the_first_frame_is_given_up_in_time() {
    let mut rig = rig(json!({ "tokenIn": "firstFrame" }));
    rig.connect();
    rig.token(Ok("t1"));
    let conn = rig.conn();
    rig.opened(conn);
    rig.pass(20_000);
    assert_eq!(rig.state(), ConnectionState::Waiting);
}

#[test]
fn d6_a_refused_upgrade_asks_for_another_token_once_where_it_carries_one() {
    for (token_in, expected) in [("subprotocol", 1), ("query", 1), ("firstFrame", 0)] {
        let mut rig = rig(json!({ "tokenIn": token_in }));
        rig.connect();
        let mut refused = 0;
        for _ in 0..4 {
            refused += rig.names().iter().filter(|name| *name == "token Refused").count();
            rig.token(Ok("t"));
            rig.actions();
            rig.closed(1006, "");
            let wait = rig.snapshot().retry_in_ms.expect("a retry");
            rig.pass(wait);
        }
        assert_eq!(refused, expected, "{token_in}");
    }
}

#[test]
fn a9_the_client_closes_with_1000_and_a_reason() {
    let mut rig = online();
    rig.disconnect();
    assert_eq!(rig.names(), ["close 1000 disconnect", "lost", "changed", "closed Closed"]);
}

#[test]
fn a10_a_server_that_never_answers_a_ping_is_judged_by_its_socket_alone() {
    let mut rig = online();
    rig.pass(29_999);
    assert_eq!(pings(&mut rig), 0);
    rig.pass(1);
    assert_eq!(pings(&mut rig), 1);
    rig.pass(10 * 60_000);
    assert_eq!((rig.state(), pings(&mut rig)), (ConnectionState::Online, 20));
    // Neither a change of the network nor a sleep kills it.
    rig.page(PageInput::Offline);
    rig.page(PageInput::Online);
    rig.now.wall_ms += 3_600_000;
    assert!(matches!(rig.emit("x", &["1"], false), Emitted::Sent { .. }));
    rig.pass(60_000);
    assert_eq!(rig.state(), ConnectionState::Online);
    rig.closed(1006, "");
    assert_eq!(rig.state(), ConnectionState::Waiting);
}

#[test]
fn a10_silence_is_death_once_this_server_has_answered_a_ping() {
    let mut rig = online();
    rig.pass(30_000);
    assert!(rig.text(r#"{"type":"pong","timestamp":5}"#).is_none());
    assert_eq!(rig.names(), [r#"text {"type":"ping"}"#]);
    rig.pass(39_999);
    assert_eq!((rig.state(), pings(&mut rig)), (ConnectionState::Online, 1));
    rig.pass(1);
    assert_eq!(rig.state(), ConnectionState::Waiting);
    assert!(rig.reason().contains("ping timeout"), "{}", rig.reason());
}

#[test]
fn a10_what_was_found_out_holds_for_the_next_socket_until_a_ping_is_in_vain() {
    let mut rig = online();
    rig.pass(30_000);
    rig.text(r#"{"type":"pong"}"#);
    rig.closed(1006, "");
    for alive_ms in [40_000, 600_000] {
        // Known to answer, it dies of silence; asked in vain, it is not taken for one that answers any more.
        let wait = rig.snapshot().retry_in_ms.expect("a retry");
        rig.pass(wait);
        accepted(&mut rig);
        rig.pass(alive_ms - 1);
        assert_eq!(rig.state(), ConnectionState::Online, "{alive_ms}");
        rig.pass(1);
        let dead = alive_ms == 40_000;
        assert_eq!(rig.state() == ConnectionState::Waiting, dead, "{alive_ms}");
    }
}

#[test]
fn a10_a_change_of_the_network_is_asked_about_at_once() {
    let mut rig = online();
    rig.pass(30_000);
    rig.text(r#"{"type":"pong"}"#);
    rig.actions();
    rig.page(PageInput::Offline);
    rig.page(PageInput::Online);
    assert!(pings(&mut rig) >= 1);
    rig.pass(5_000);
    assert_eq!(rig.state(), ConnectionState::Waiting);
}

#[test]
fn a6_a_ping_of_the_server_is_answered() {
    let mut rig = online();
    assert!(rig.text(r#"{"type":"ping"}"#).is_none());
    assert_eq!(rig.names(), [r#"text {"type":"pong"}"#]);
}

#[test]
fn a6_frames_that_cannot_be_read_are_events_and_the_socket_stays() {
    let mut rig = online();
    for frame in ["", "hunter2", "[]", "{}", r#"{"type":7,"payload":"hunter2"}"#, r#"{"type":"x","payload":"#]
    {
        assert!(rig.text(frame).is_none());
        let actions = rig.actions();
        let [Action::ProtocolError { message, excerpt }] = actions.as_slice() else {
            panic!("{frame}: {actions:?}");
        };
        assert!(!message.is_empty() && !excerpt.contains("hunter2"), "{message} {excerpt}");
    }
    assert!(rig.binary(&[1]).is_none());
    assert!(rig.names()[0].starts_with("protocol error: a binary frame"));
    assert_eq!(rig.state(), ConnectionState::Online);
}

#[test]
fn a6_whatever_else_comes_is_given_out_by_its_type() {
    let mut rig = online();
    let told = rig.text(r#"{"type":"context","payload":{"a":1},"timestamp":5}"#).unwrap();
    assert_eq!(told, ("context".to_owned(), vec![r#"{"a":1}"#.to_owned()]));
    let bare = r#"{"id":"1","content":"hi","sender":"ai","type":"text"}"#;
    assert_eq!(rig.text(bare).unwrap(), ("message".to_owned(), vec![bare.to_owned()]));
}

#[test]
fn a3_a_push_is_a_frame_with_the_time_that_it_brings_or_that_it_is() {
    let mut rig = online();
    let now = rig.now.wall_ms;
    assert!(matches!(rig.emit("command", &["{\"a\":1}", "5"], false), Emitted::Sent { ack_id: None, .. }));
    rig.emit("x", &["1"], false);
    rig.emit("y", &[], false);
    assert_eq!(
        rig.names(),
        [
            r#"text {"type":"command","payload":{"a":1},"timestamp":5}"#.to_owned(),
            format!(r#"text {{"type":"x","payload":1,"timestamp":{now}}}"#),
            format!(r#"text {{"type":"y","timestamp":{now}}}"#),
        ]
    );
}

#[test]
fn what_this_wire_cannot_carry_is_refused_in_words() {
    let mut rig = online();
    let mut emit = |push: Push| rig.connection.emit(&push, rig.now, &mut rig.timers, &mut rig.rng);
    let event = || Push { event: "x".to_owned(), ..Push::default() };
    for push in [
        Push { ack: true, ..event() },
        Push { topic: "t".to_owned(), ..event() },
        Push { attachments: vec![vec![1]], ..event() },
    ] {
        let Emitted::Refused(failure) = emit(push) else { panic!("refused") };
        assert_eq!((failure.code, failure.retryable), (ErrorCode::Unsupported, false));
    }
    assert_eq!(rig.connection.check_topic("t").unwrap_err().code, ErrorCode::Unsupported);
    assert!(rig.names().is_empty());
}

#[test]
fn e12_what_the_server_does_not_take_in_one_frame_is_not_sent() {
    let mut rig = online();
    rig.connection.set_max_payload(Some(64));
    let long = format!("\"{}\"", "y".repeat(64));
    assert!(matches!(rig.emit("x", &[&long], false), Emitted::TooLarge { limit: 64, .. }));
}
