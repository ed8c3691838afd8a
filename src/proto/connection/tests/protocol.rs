//! What the session says and understands: E1 to E12.

use super::*;

#[test]
fn e1_the_url_has_no_sid_and_the_handshake_comes_first() {
    let mut rig = Rig::new(json!({}));
    rig.connect();
    rig.token(Ok("t1"));
    let open = "open wss://h/team/socket.io/?EIO=4&transport=websocket";
    assert_eq!(rig.names(), ["changed", "token Connect", open]);
    rig.opened(rig.conn());
    assert_eq!(rig.state(), ConnectionState::Connecting, "an open socket is no session yet");
    rig.text(OPEN);
    assert_eq!(rig.state(), ConnectionState::Authenticating);
}

#[test]
fn e1_without_a_readable_handshake_the_framing_is_lost() {
    for first in [r#"0{"sid":""}"#, "0", "40", "x", "2", r#"42["a"]"#] {
        let mut rig = Rig::new(json!({}));
        rig.connect();
        rig.token(Ok("t1"));
        rig.opened(rig.conn());
        rig.actions();
        rig.text(first);
        let names = rig.names();
        assert!(names[0].starts_with("protocol error"), "{first}: {names:?}");
        assert_eq!(names[1..], ["close 1000 connection lost", "changed"], "{first}");
        assert_eq!((rig.state(), rig.snapshot().attempt), (ConnectionState::Waiting, 1), "{first}");
    }
}

#[test]
fn e2_a_ping_is_answered_at_once_and_silence_is_death() {
    let mut rig = Rig::online(json!({}));
    rig.pass(25_000);
    rig.text("2");
    assert_eq!(rig.names(), ["text 3"]);
    rig.pass(44_999);
    assert_eq!(rig.state(), ConnectionState::Online);
    assert!(rig.actions().is_empty());
    rig.pass(1);
    assert_eq!(rig.names(), ["close 1000 connection lost", "lost", "changed"]);
    assert_eq!(rig.state(), ConnectionState::Waiting);
    assert!(rig.reason().contains("ping timeout"), "{}", rig.reason());
}

#[test]
fn e2_any_frame_is_life() {
    let mut rig = Rig::online(json!({}));
    for frame in ["6", r#"42["x"]"#, "garbage", r#"42/other,["x"]"#] {
        rig.pass(40_000);
        rig.text(frame);
    }
    rig.pass(40_000);
    rig.binary(b"x");
    rig.pass(40_000);
    assert_eq!(rig.state(), ConnectionState::Online);
}

#[test]
fn e2_before_a_send_both_clocks_are_compared() {
    // The timer is overdue, as in a throttled tab: nothing is handed to a dead socket.
    let mut rig = Rig::online(json!({}));
    rig.sleep(45_000);
    assert_eq!(rig.emit("x", &[], true), Emitted::NotOnline);
    assert_eq!(rig.names(), ["close 1000 connection lost", "lost", "changed"]);

    // Only the wall clock has moved: the machine slept.
    let mut rig = Rig::online(json!({}));
    rig.now.wall_ms += 600_000;
    assert_eq!(rig.emit("x", &[], true), Emitted::NotOnline);
    assert_eq!(rig.emit("x", &[], true), Emitted::NotOnline);
    assert!(rig.actions().is_empty(), "in doubt, neither used nor given up");
    rig.pass(2_000);
    assert_eq!(rig.names(), ["close 1000 connection lost", "lost", "changed"]);
}

#[test]
fn e2_a_clock_that_was_set_costs_no_socket_that_speaks() {
    let mut rig = Rig::online(json!({}));
    rig.now.wall_ms += 600_000;
    assert_eq!(rig.emit("x", &[], false), Emitted::NotOnline);
    rig.pass(1_500);
    rig.text("2");
    assert_eq!(rig.names(), ["writable", "text 3"]);
    assert!(matches!(rig.emit("x", &[], false), Emitted::Sent { .. }));
    rig.pass(30_000);
    assert_eq!(rig.state(), ConnectionState::Online);
}

#[test]
fn e3_noop_is_ignored_and_close_closes() {
    let mut rig = Rig::online(json!({}));
    for ignored in ["6", "3", "5"] {
        assert!(rig.text(ignored).is_none());
        assert!(rig.actions().is_empty());
    }
    rig.text("1");
    assert_eq!(rig.names(), ["close 1000 connection lost", "lost", "changed"]);
    assert_eq!(rig.state(), ConnectionState::Waiting);
}

#[test]
fn e4_t1_connect_is_always_sent_and_carries_the_auth() {
    for (namespace, frame) in
        [("/", r#"text 40{"token":"t\"1"}"#), ("/chat", r#"text 40/chat,{"token":"t\"1"}"#)]
    {
        let mut rig = Rig::new(json!({ "endpoint": { "namespace": namespace } }));
        rig.connect();
        rig.token(Ok("t\"1"));
        rig.opened(rig.conn());
        rig.actions();
        rig.text(OPEN);
        assert_eq!(rig.names(), ["changed", frame]);
    }
}

#[test]
fn e5_packets_of_another_namespace_are_nobodys() {
    let mut rig = Rig::online(json!({ "endpoint": { "namespace": "/" } }));
    for frame in
        [r#"42/x,["a"]"#, r#"43/x,0[]"#, "41/x,", r#"44/x,{"message":"auth"}"#, r#"40/x,{"sid":"z"}"#]
    {
        assert!(rig.text(frame).is_none());
        assert!(rig.actions().is_empty(), "{frame}");
    }
    assert_eq!(rig.state(), ConnectionState::Online);
    assert_eq!(rig.text(r#"42["a",{"b":1}]"#).unwrap(), ("a".to_owned(), vec![r#"{"b":1}"#.to_owned()]));
    assert_eq!(rig.text("42[7]").unwrap().0, "7");
}

#[test]
fn e6_binary_events_are_put_together_and_text_between_loses_the_framing() {
    let mut rig = Rig::online(json!({}));
    let packet = r#"452-["photo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
    assert!(rig.text(packet).is_none());
    assert!(rig.text("2").is_none(), "a ping may come between");
    assert!(rig.binary(b"ab").is_none());
    let held = rig.binary(b"c").unwrap();
    assert_eq!(described(&held.delivered().unwrap()).0, "photo");
    match held.delivered().unwrap() {
        Delivered::Event { attachments, .. } => assert_eq!(attachments, [&b"ab"[..], b"c"]),
        other => panic!("{other:?}"),
    }
    assert_eq!(rig.text(r#"450-["none"]"#).unwrap().0, "none");
    assert_eq!(rig.names(), ["text 3"]);

    rig.binary(b"unannounced");
    assert_eq!(rig.state(), ConnectionState::Online);
    assert!(rig.names()[0].starts_with("protocol error: binary frame"));

    rig.text(packet);
    rig.text(r#"42["x"]"#);
    let names = rig.names();
    assert!(names[0].starts_with("protocol error: text packet before"), "{names:?}");
    assert_eq!(names[1..], ["close 1000 connection lost", "lost", "changed"]);
}

#[test]
fn e7_ack_ids_are_never_used_twice_and_late_acks_are_dropped() {
    let mut rig = Rig::online(json!({}));
    assert_eq!(rig.emit("a", &["1", "{}"], true), Emitted::Sent { ack_id: Some(0), bytes: 13 });
    assert_eq!(rig.emit("b", &[], false), Emitted::Sent { ack_id: None, bytes: 7 });
    assert_eq!(rig.emit("c", &[], true), Emitted::Sent { ack_id: Some(1), bytes: 8 });
    assert_eq!(rig.names(), [r#"text 420["a",1,{}]"#, r#"text 42["b"]"#, r#"text 421["c"]"#]);
    assert_eq!(
        rig.text(r#"430[{"success":true}]"#).unwrap(),
        ("ack 0".to_owned(), vec![r#"{"success":true}"#.to_owned()])
    );
    assert!(rig.text("432[]").is_none(), "never asked");

    rig.closed(1006, "");
    rig.pass_retry();
    rig.go_online("t2");
    assert!(rig.text("431[]").is_none(), "asked on another socket");
    assert_eq!(rig.emit("d", &[], true), Emitted::Sent { ack_id: Some(2), bytes: 8 });
    assert_eq!(rig.text("432[]").unwrap().0, "ack 2");
}

#[test]
fn e7_a_servers_question_is_answered_once() {
    let mut rig = Rig::online(json!({}));
    assert_eq!(rig.text(r#"4217["ask"]"#).unwrap().0, "ask wants 17");
    let answer = raw(r#"{"ok":true}"#);
    assert!(matches!(rig.connection.answer(17, &[answer], &[]), Emitted::Sent { .. }));
    assert_eq!(rig.connection.answer(17, &[answer], &[]), Emitted::NotOnline);
    assert_eq!(rig.connection.answer(18, &[], &[]), Emitted::NotOnline);
    assert_eq!(rig.names(), [r#"text 4317[{"ok":true}]"#]);

    rig.text(r#"4219["ask"]"#);
    rig.closed(1006, "");
    rig.pass_retry();
    rig.go_online("t2");
    assert_eq!(rig.connection.answer(19, &[], &[]), Emitted::NotOnline, "it was asked on another socket");
}

#[test]
fn e7_unanswered_questions_are_bounded() {
    let mut rig = Rig::online(json!({}));
    for id in 0..10_000 {
        rig.text(&format!(r#"42{id}["ask"]"#));
    }
    assert_eq!(rig.connection.answer(0, &[], &[]), Emitted::NotOnline);
    assert!(matches!(rig.connection.answer(9_999, &[], &[]), Emitted::Sent { .. }));
}

#[test]
fn e8_a_connect_error_that_is_no_auth_refusal_backs_off_within_the_budget() {
    let mut rig = Rig::joining(json!({ "reconnect": { "maxAttempts": 2 } }));
    rig.text(r#"44{"message":"server is full","data":{"code":"Busy"}}"#);
    assert_eq!(rig.names(), ["close 1000 connection lost", "changed"]);
    assert_eq!((rig.state(), rig.snapshot().attempt), (ConnectionState::Waiting, 1));
    assert_eq!(rig.reason(), "the server refused CONNECT: server is full");
    rig.pass_retry();
    rig.join("t2");
    rig.text(r#"44"nope t2""#);
    assert_eq!(rig.names(), ["close 1000 attempts used up", "changed", "failed Server"]);
    assert_eq!((rig.state(), rig.reason().as_str()), (ConnectionState::Failed, "attempts"));
}

#[test]
fn e8_no_reason_repeats_the_token() {
    let mut rig = Rig::joining(json!({}));
    rig.text(r#"44"I do not like t1 at all""#);
    assert_eq!(rig.reason(), "the server refused CONNECT: I do not like [secret] at all");
    rig.pass_retry();
    rig.join("t2");
    rig.text(&format!(r#"44"{}""#, "x".repeat(10_000)));
    assert!(rig.reason().len() <= 230);
}

#[test]
fn e8_the_servers_disconnect_ends_in_closed_and_nothing_revives_it() {
    let mut rig = Rig::online(json!({}));
    rig.text("41");
    assert_eq!(rig.names(), ["close 1000 server", "lost", "changed", "closed Closed"]);
    assert_eq!((rig.state(), rig.reason().as_str()), (ConnectionState::Closed, "server"));
    rig.page(PageInput::Online);
    rig.page(PageInput::Visible);
    rig.pass(100_000);
    assert_eq!((rig.state(), rig.actions().len()), (ConnectionState::Closed, 0));
    rig.connect();
    assert_eq!(rig.names(), ["changed", "token Connect"]);
}

#[test]
fn e8_unless_the_application_wants_to_come_back() {
    let mut rig = Rig::online(json!({ "reconnect": { "afterServerDisconnect": true } }));
    rig.text("41");
    assert_eq!(rig.names(), ["close 1000 connection lost", "lost", "changed"]);
    rig.pass_retry();
    rig.go_online("t2");
}

#[test]
fn e9_events_before_the_connect_reply_are_kept() {
    let mut rig = Rig::joining(json!({}));
    assert!(rig.text(r#"42["first",1]"#).is_none());
    assert!(rig.text(r#"4209["second"]"#).is_none());
    rig.text(r#"451-["third",{"_placeholder":true,"num":0}]"#);
    assert!(rig.binary(b"x").is_none());
    assert!(rig.actions().is_empty());
    rig.text(JOINED);
    assert_eq!(rig.names(), ["changed", "online resumed=false"]);
    let early = rig.connection.take_early();
    let names: Vec<String> = early.iter().map(|held| described(&held.delivered().unwrap()).0).collect();
    assert_eq!(names, ["first", "second wants 9", "third"]);
    assert!(matches!(rig.connection.answer(9, &[], &[]), Emitted::Sent { .. }));
    assert!(rig.connection.take_early().is_empty());
}

#[test]
fn e9_what_is_kept_is_bounded_and_dies_with_its_socket() {
    let mut rig = Rig::joining(json!({}));
    for _ in 0..300 {
        rig.text(r#"42["x"]"#);
    }
    assert_eq!(rig.names().len(), 44, "every event beyond 256 is reported");
    rig.closed(1006, "");
    rig.pass_retry();
    rig.join("t2");
    let half = format!(r#"42["x","{}"]"#, "y".repeat(600 * 1024));
    rig.text(&half);
    rig.text(&half);
    assert_eq!(rig.names().len(), 1);
    rig.text(JOINED);
    assert_eq!(rig.connection.take_early().len(), 1);
}

#[test]
fn e10_a_connect_without_sid_is_a_version_2_server() {
    for reply in ["40", "40{}", r#"40{"sid":""}"#, r#"40{"sid":7}"#] {
        let mut rig = Rig::joining(json!({}));
        rig.text(reply);
        let names = rig.names();
        assert!(names[0].contains("Socket.IO version 2"), "{names:?}");
        assert_eq!(names[1..], ["close 1000 connection lost", "changed"]);
        assert!(rig.reason().contains("version 2"));
        assert_eq!((rig.state(), rig.snapshot().attempt), (ConnectionState::Waiting, 1));
    }
}

#[test]
fn e11_recovery_carries_pid_and_the_last_offset() {
    let mut rig = Rig::new(json!({}));
    rig.connect();
    rig.join("t1");
    rig.text(r#"40{"sid":"s1","pid":"p1"}"#);
    rig.text(r#"42["a",{},"o1"]"#);
    rig.text(r#"42["volatile",{}]"#);
    rig.text(r#"425["asking","no offset"]"#);
    rig.closed(1006, "");
    rig.pass_retry();
    rig.token(Ok("t2"));
    rig.opened(rig.conn());
    rig.actions();
    rig.text(OPEN);
    assert_eq!(rig.names(), ["changed", r#"text 40{"token":"t2","pid":"p1","offset":"o1"}"#]);
    rig.text(r#"40{"sid":"s1","pid":"p1"}"#);
    assert_eq!(rig.names(), ["changed", "online resumed=true"]);

    rig.closed(1006, "");
    rig.pass_retry();
    rig.join("t3");
    rig.text(r#"40{"sid":"s2","pid":"p2"}"#);
    assert_eq!(rig.names(), ["changed", "online resumed=false"], "another pid is another session");
    rig.disconnect();
    rig.connect();
    rig.token(Ok("t4"));
    rig.opened(rig.conn());
    rig.actions();
    rig.text(OPEN);
    assert_eq!(rig.names()[1], r#"text 40{"token":"t4"}"#, "disconnect() ends the session");
}

#[test]
fn e12_what_the_server_would_not_take_is_not_sent() {
    let mut rig = Rig::online(json!({}));
    let text = format!("\"{}\"", "x".repeat(1_000_000));
    assert_eq!(rig.emit("x", &[&text], true), Emitted::TooLarge { limit: 1_000_000, size: 1_000_011 });
    rig.connection.set_max_payload(Some(13));
    assert_eq!(rig.emit("x", &["1234"], true), Emitted::Sent { ack_id: Some(0), bytes: 13 });
    assert_eq!(rig.emit("x", &["12345"], true), Emitted::TooLarge { limit: 13, size: 14 });
    assert_eq!(rig.names().len(), 1);
    rig.connection.set_max_payload(Some(5_000_000));
    assert!(matches!(rig.emit("x", &[&text], true), Emitted::TooLarge { limit: 1_000_000, .. }));
    assert_eq!(rig.state(), ConnectionState::Online);
}
