//! Several namespaces on one connection.

use super::*;
use crate::proto::ErrorCode;

/// Online in `/`, and in `/a`.
fn beside() -> Rig {
    let mut rig = Rig::online(json!({}));
    rig.want("/a");
    assert_eq!(rig.names(), ["joins /a"]);
    rig.join_topic("/a", "{}");
    assert_eq!(rig.names(), [r#"text 40/a,{"token":"t1"}"#]);
    assert!(rig.text(r#"40/a,{"sid":"s2","pid":"p1"}"#).is_none());
    assert_eq!(rig.names(), ["settled /a"]);
    rig
}

impl Rig {
    fn want(&mut self, topic: &str) {
        self.connection.want_topic(topic, true, &mut self.timers);
    }

    fn join_topic(&mut self, topic: &str, params: &str) {
        self.connection.join(topic, params, self.now, &mut self.timers);
    }

    fn leave_topic(&mut self, topic: &str) {
        self.connection.leave_topic(topic, &mut self.timers);
    }

    fn emit_to(&mut self, topic: &str, event: &str, ack: bool) -> Emitted {
        let push = Push {
            topic: topic.to_owned(),
            event: event.to_owned(),
            args: vec!["1".to_owned()],
            ack,
            ..Push::default()
        };
        self.connection.emit(&push, self.now, &mut self.timers, &mut self.rng)
    }

    fn asked(&mut self, topic: &str) -> u64 {
        let Emitted::Sent { ack_id: Some(id), .. } = self.emit_to(topic, "ask", true) else {
            panic!("not sent")
        };
        id
    }
}

#[test]
fn e4_another_namespace_is_joined_on_the_same_connection() {
    let mut rig = beside();
    assert!(matches!(rig.emit_to("/a", "hi", false), Emitted::Sent { ack_id: None, .. }));
    assert_eq!(rig.names(), [r#"text 42/a,["hi",1]"#]);
    assert_eq!(rig.text(r#"42/a,["told",2]"#), Some(("/a told".to_owned(), vec!["2".to_owned()])));
    assert_eq!(rig.text(r#"42["told",3]"#), Some(("told".to_owned(), vec!["3".to_owned()])));
    assert!(rig.text(r#"42/b,["told",4]"#).is_none(), "nobody has joined it");
}

#[test]
fn e4_parameters_go_beside_the_token_or_in_its_place() {
    for (params, auth) in [
        (r#"{ "room":7 }"#, r#"{"token":"t1","room":7 }"#),
        (r#"{"room":7,"token":"mine"}"#, r#"{"room":7,"token":"mine"}"#),
        ("{}", r#"{"token":"t1"}"#),
        ("", r#"{"token":"t1"}"#),
        ("[]", r#"{"token":"t1"}"#),
        ("{ }", r#"{"token":"t1"}"#),
    ] {
        let mut rig = Rig::online(json!({}));
        rig.want("/a");
        rig.join_topic("/a", params);
        assert_eq!(rig.names()[1], format!("text 40/a,{auth}"));
    }
}

#[test]
fn e7_ids_of_answers_are_those_of_one_namespace() {
    let mut rig = beside();
    let (own, other) = (rig.asked(""), rig.asked("/a"));
    assert_eq!(rig.names(), [r#"text 420["ask",1]"#, r#"text 42/a,1["ask",1]"#]);
    assert!(rig.text("43/a,0[1]").is_none(), "asked elsewhere");
    assert_eq!(rig.text("43/a,1[1]"), Some((format!("ack {other}"), vec!["1".to_owned()])));
    assert!(rig.text("43/a,1[1]").is_none(), "once");
    assert_eq!(rig.text("430[2]"), Some((format!("ack {own}"), vec!["2".to_owned()])));
    // The server's ids count for themselves, too.
    let (first, _) = rig.text(r#"425["q"]"#).unwrap();
    let (second, _) = rig.text(r#"42/a,5["q"]"#).unwrap();
    let id = |text: &str| text.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
    assert_ne!(id(&first), id(&second));
    assert!(matches!(rig.connection.answer(id(&second), &[raw("7")], &[]), Emitted::Sent { .. }));
    assert_eq!(rig.connection.answer(id(&second), &[raw("7")], &[]), Emitted::NotOnline, "once");
    assert!(matches!(rig.connection.answer(id(&first), &[raw("8")], &[]), Emitted::Sent { .. }));
    assert_eq!(rig.names(), ["text 43/a,5[7]", "text 435[8]"]);
}

#[test]
fn e6_binary_packets_of_another_namespace() {
    let mut rig = beside();
    let id = rig.asked("/a");
    rig.text(r#"451-/a,["photo",{"_placeholder":true,"num":0}]"#);
    let held = rig.binary(b"x").expect("a packet");
    let Some(Delivered::Event { topic, name, attachments, .. }) = held.delivered() else {
        panic!("no event")
    };
    assert_eq!((topic.as_ref(), name.as_ref(), attachments), ("/a", "photo", vec![&b"x"[..]]));
    let number = id & ((1 << 53) - 1);
    rig.text(&format!(r#"461-/a,{number}[{{"_placeholder":true,"num":0}}]"#));
    let held = rig.binary(b"y").expect("an answer");
    assert!(matches!(held.delivered(), Some(Delivered::Ack { id: told, .. }) if told == id));
}

#[test]
fn e8_a_refused_namespace_leaves_the_session_alone() {
    let mut rig = Rig::online(json!({}));
    assert_eq!(rig.emit_to("/a", "hi", false), Emitted::NotJoined);
    rig.join_topic("/a", "{}");
    rig.names();
    rig.text(r#"44/a,{"message":"members only","data":{"code":"ForbiddenError"}}"#);
    assert_eq!(rig.names(), ["settled /a"]);
    let Emitted::Refused(failure) = rig.emit_to("/a", "hi", false) else { panic!("not refused") };
    assert_eq!(failure.code, ErrorCode::Forbidden);
    assert_eq!(failure.message, "the server refused to join /a: members only");
    assert_eq!(rig.state(), ConnectionState::Online);
    // Asked again a second later, at the next event.
    rig.pass(1_000);
    assert_eq!(rig.emit_to("/a", "hi", false), Emitted::NotJoined);
    assert_eq!(rig.names(), ["joins /a"]);
}

#[test]
fn e8_a_namespace_that_does_not_answer_is_given_up_and_may_answer_late() {
    let mut rig = Rig::online(json!({}));
    rig.want("/a");
    rig.join_topic("/a", "{}");
    rig.names();
    rig.pass(9_999);
    assert!(rig.names().is_empty());
    rig.pass(1);
    assert_eq!(rig.names(), ["settled /a"]);
    let Emitted::Refused(failure) = rig.emit_to("/a", "hi", false) else { panic!("not refused") };
    assert_eq!(failure.code, ErrorCode::Timeout);
    // A second CONNECT would make two of it, or end the connection.
    rig.want("/a");
    rig.pass(5_000);
    assert!(rig.names().is_empty());
    rig.text(r#"40/a,{"sid":"s2"}"#);
    assert_eq!(rig.names(), ["settled /a"]);
    assert!(matches!(rig.emit_to("/a", "hi", false), Emitted::Sent { .. }));
}

#[test]
fn e7_e8_what_was_asked_of_a_namespace_ends_with_it() {
    let mut rig = beside();
    let id = rig.asked("/a");
    rig.text(r#"42/a,5["q"]"#);
    rig.names();
    rig.text("41/a,");
    assert_eq!(rig.names(), [format!("unanswered [{id}]"), "settled /a".to_owned()]);
    assert_eq!(rig.state(), ConnectionState::Online);
    assert_eq!(
        rig.connection.answer(5 | (1 << 53), &[], &[]),
        Emitted::NotOnline,
        "the server would close the connection"
    );
    assert!(rig.text(r#"42/a,["late"]"#).is_none());
    // Who goes on sending joins again.
    assert_eq!(rig.emit_to("/a", "hi", false), Emitted::NotJoined);
    assert_eq!(rig.names(), ["joins /a"]);
}

#[test]
fn a_namespace_is_left_where_it_was_joined_and_joined_again_after_a_pause() {
    let mut rig = beside();
    rig.leave_topic("/a");
    assert_eq!(rig.names(), ["text 41/a,", "settled /a"]);
    assert!(rig.text(r#"42/a,["late"]"#).is_none());
    // The official server takes both in one burst for an attack, and ends the connection.
    rig.want("/a");
    assert_eq!(rig.emit_to("/a", "hi", false), Emitted::NotJoined);
    rig.pass(249);
    assert!(rig.names().is_empty());
    rig.pass(1);
    assert_eq!(rig.names(), ["joins /a"]);
    for name in ["/", "/never"] {
        rig.leave_topic(name);
        assert!(rig.names().is_empty());
    }
}

#[test]
fn one_that_has_not_answered_is_left_when_it_has() {
    let mut rig = Rig::online(json!({}));
    rig.want("/a");
    rig.join_topic("/a", r#"{"v":1}"#);
    rig.names();
    rig.leave_topic("/a");
    assert_eq!(rig.names(), ["settled /a"]);
    // With other parameters: those of the pending join are not what is wanted.
    rig.want("/a");
    assert!(rig.names().is_empty());
    rig.text(r#"40/a,{"sid":"s3"}"#);
    assert_eq!(rig.names(), ["text 41/a,", "settled /a"]);
    rig.pass(250);
    assert_eq!(rig.names(), ["joins /a"]);
    rig.join_topic("/a", r#"{"v":2}"#);
    rig.text(r#"40/a,{"sid":"s4"}"#);
    assert!(matches!(rig.emit_to("/a", "hi", false), Emitted::Sent { .. }));
}

#[test]
fn e9_an_answer_before_the_connect_reply_waits_for_it() {
    let mut rig = Rig::online(json!({}));
    rig.want("/a");
    rig.join_topic("/a", "{}");
    rig.names();
    let (told, _) = rig.text(r#"42/a,7["q"]"#).expect("an event");
    let id = told.rsplit(' ').next().unwrap().parse().unwrap();
    assert_eq!(rig.connection.answer(id, &[raw("1")], &[]), Emitted::NotOnline);
    assert!(rig.names().is_empty());
    rig.text(r#"40/a,{"sid":"s3"}"#);
    assert_eq!(rig.names(), ["text 43/a,7[1]", "settled /a"]);
}

#[test]
fn e8_a_token_that_a_namespace_refuses_is_renewed_once() {
    const EXPIRED: &str = r#"44/a,{"message":"jwt expired","data":{"code":"AuthError"}}"#;
    let mut rig = Rig::online(json!({}));
    rig.want("/a");
    rig.join_topic("/a", "{}");
    rig.names();
    rig.text(EXPIRED);
    assert_eq!(rig.names(), ["token Refused"]);
    assert_eq!(rig.emit_to("/a", "hi", false), Emitted::NotJoined);
    // Nothing goes without a token.
    rig.join_topic("/a", "{}");
    rig.token(Ok("t2"));
    assert_eq!(rig.names(), ["token renewed", "joins /a"]);
    rig.join_topic("/a", "{}");
    assert_eq!(rig.names(), [r#"text 40/a,{"token":"t2"}"#]);
    rig.text(EXPIRED);
    assert_eq!(rig.names(), ["settled /a"]);
    let Emitted::Refused(failure) = rig.emit_to("/a", "hi", false) else { panic!("not refused") };
    assert_eq!((failure.code, rig.state()), (ErrorCode::Forbidden, ConnectionState::Online));
    // Where no other token can be had it is refused at once.
    let mut rig = Rig::static_token();
    rig.connect();
    let conn = rig.conn();
    rig.opened(conn);
    rig.text(OPEN);
    rig.text(JOINED);
    rig.want("/a");
    rig.join_topic("/a", "{}");
    rig.names();
    rig.text(EXPIRED);
    assert_eq!(rig.names(), ["settled /a"]);
}

#[test]
fn e12_parameters_and_answers_are_checked_before_they_go() {
    let mut rig = Rig::online(json!({}));
    rig.connection.set_max_payload(Some(1_000));
    rig.want("/a");
    rig.join_topic("/a", &format!(r#"{{"x":"{}"}}"#, "y".repeat(1_000_000)));
    assert_eq!(rig.names(), ["joins /a", "settled /a"]);
    let Emitted::Refused(failure) = rig.emit_to("/a", "hi", false) else { panic!("not refused") };
    assert_eq!(failure.code, ErrorCode::TooLarge);
    rig.text(r#"425["q"]"#);
    let long = format!("\"{}\"", "y".repeat(2_000));
    assert!(matches!(rig.connection.answer(5, &[raw(&long)], &[]), Emitted::TooLarge { limit: 1_000, .. }));
    assert!(rig.names().is_empty());
}

#[test]
fn e11_each_namespace_has_its_own_session_to_resume() {
    let mut rig = beside();
    rig.text(r#"42/a,["told","offset-1"]"#);
    rig.closed(1006, "");
    rig.pass_retry();
    rig.go_online("t2");
    rig.want("/a");
    rig.join_topic("/a", "{}");
    assert_eq!(rig.names(), ["joins /a", r#"text 40/a,{"token":"t2","pid":"p1","offset":"offset-1"}"#]);
    // Told again before the reply, or behind it (E9).
    assert!(rig.text(r#"42/a,["told","offset-2"]"#).is_some());
    rig.text(r#"40/a,{"sid":"s2","pid":"p1"}"#);
    rig.closed(1006, "");
    rig.pass_retry();
    rig.go_online("t2");
    rig.want("/a");
    rig.join_topic("/a", "{}");
    assert!(rig.names()[1].ends_with(r#""pid":"p1","offset":"offset-2"}"#));
    // Another session begins anew.
    rig.text(r#"40/a,{"sid":"s4","pid":"p2"}"#);
    rig.closed(1006, "");
    rig.pass_retry();
    rig.go_online("t2");
    rig.want("/a");
    rig.join_topic("/a", "{}");
    assert!(rig.names()[1].ends_with(r#""pid":"p2"}"#));
}

#[test]
fn what_comes_out_of_place_changes_nothing() {
    let mut rig = beside();
    rig.text(r#"44/a,{"message":"late"}"#);
    assert!(matches!(rig.emit_to("/a", "hi", false), Emitted::Sent { .. }));
    rig.names();
    rig.leave_topic("/a");
    rig.names();
    rig.text(r#"40/a,{"sid":"s9"}"#);
    rig.pass(300);
    assert!(rig.names().is_empty());
    // A server that disconnects whoever joins is not asked as fast as it answers.
    assert_eq!(rig.emit_to("/a", "hi", false), Emitted::NotJoined);
    rig.join_topic("/a", "{}");
    rig.names();
    rig.text("41/a,");
    assert_eq!(rig.names(), ["settled /a"]);
    assert!(matches!(rig.emit_to("/a", "hi", false), Emitted::Refused(_)));
}

#[test]
fn names_and_their_number_are_bounded() {
    let mut rig = Rig::online(json!({}));
    for name in ["a", "/a,b", &format!("/{}", "x".repeat(256))] {
        let Emitted::Refused(failure) = rig.emit_to(name, "hi", false) else { panic!("not refused") };
        assert_eq!(failure.code, ErrorCode::Validation);
    }
    for n in 0..31 {
        assert_eq!(rig.emit_to(&format!("/{n}"), "hi", false), Emitted::NotJoined);
    }
    rig.names();
    let Emitted::Refused(failure) = rig.emit_to("/31", "hi", false) else { panic!("not refused") };
    assert_eq!(failure.message, "topic: at most 32 namespaces on one connection");
    // In the place of one that is not wanted any more there is room.
    rig.leave_topic("/7");
    assert_eq!(rig.emit_to("/31", "hi", false), Emitted::NotJoined);
    // What the server says of others makes none.
    rig.text(r#"40/other,{"sid":"x"}"#);
    rig.text("41/other,");
    assert!(matches!(rig.emit_to("", "hi", false), Emitted::Sent { .. }));
}
