//! Phoenix channels by the facts' numbers.

use super::*;
use crate::proto::ErrorCode;

mod channels;
mod tokens;

const USER: &str = "user:ana";
const ROOM: &str = "conversation:r";

fn rig(more: Value) -> Rig {
    let mut options = json!({ "url": "https://h/app", "profile": "phoenix" });
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    Rig::new(options)
}

/// Frames that were sent, as JSON; topics that wait for their parameters are joined with none.
fn sent(rig: &mut Rig) -> Vec<Value> {
    let mut frames = Vec::new();
    loop {
        let actions = rig.actions();
        if actions.is_empty() {
            return frames;
        }
        for action in actions {
            match action {
                Action::Socket(SocketOutput::Text { text, .. }) => {
                    frames.push(serde_json::from_str(&text).unwrap());
                }
                Action::Joins { topic } => rig.connection.join(&topic, "{}", rig.now, &mut rig.timers),
                _ => {}
            }
        }
    }
}

/// The last join that was sent: its ref.
fn join_of(frames: &[Value], topic: &str) -> String {
    let join = frames.iter().rev().find(|frame| frame[2] == topic && frame[3] == "phx_join");
    let join = join.unwrap_or_else(|| panic!("no join of {topic}: {frames:?}"));
    assert_eq!(join[0], join[1], "the join's ref is the channel's");
    join[1].as_str().unwrap().to_owned()
}

fn reply(join_ref: &str, reference: &str, topic: &str, status: &str, response: Value) -> String {
    json!([join_ref, reference, topic, "phx_reply", {"status": status, "response": response}]).to_string()
}

fn opened(more: Value) -> (Rig, String) {
    let mut rig = rig(more);
    rig.connect();
    rig.token(Ok("t1"));
    rig.actions();
    let conn = rig.conn();
    rig.opened(conn);
    assert_eq!(rig.state(), ConnectionState::Authenticating);
    let frames = sent(&mut rig);
    let join_ref = join_of(&frames, USER);
    (rig, join_ref)
}

fn online() -> Rig {
    let (mut rig, join_ref) = opened(json!({}));
    let said = rig.text(&reply(&join_ref, &join_ref, USER, "ok", json!({"capabilities": {"keys": true}})));
    assert_eq!(said.unwrap().0, "joined user:ana");
    assert_eq!(rig.state(), ConnectionState::Online);
    rig.actions();
    rig
}

/// A channel of a conversation that is joined: its join's ref.
fn joined(rig: &mut Rig) -> String {
    rig.connection.want_topic(ROOM, false, &mut rig.timers);
    let join_ref = join_of(&sent(rig), ROOM);
    assert_eq!(
        rig.text(&reply(&join_ref, &join_ref, ROOM, "ok", json!({"seq": 7}))).unwrap().0,
        format!("joined {ROOM}")
    );
    assert_eq!(rig.names(), [format!("settled {ROOM}")]);
    join_ref
}

fn push(rig: &mut Rig, event: &str, ack: bool) -> Emitted {
    let push = Push {
        topic: ROOM.to_owned(),
        event: event.to_owned(),
        args: vec!["{\"a\":1}".to_owned()],
        ack,
        ..Push::default()
    };
    rig.connection.emit(&push, rig.now, &mut rig.timers, &mut rig.rng)
}

fn ack_of(emitted: &Emitted) -> u64 {
    match emitted {
        Emitted::Sent { ack_id: Some(id), .. } => *id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn x1_x12_the_token_is_a_sub_protocol_in_standard_base64_and_vsn_is_full() {
    let mut rig = rig(json!({}));
    rig.connect();
    rig.token(Ok("a>b~?".strip_suffix('?').unwrap()));
    let open = rig.names().into_iter().find(|name| name.starts_with("open")).unwrap();
    assert_eq!(open, "open wss://h/app/websocket?vsn=2.0.0 phoenix base64url.bearer.phx.YT5ifg");
}

#[test]
fn x1_a_token_that_no_sub_protocol_can_carry_is_said_and_never_shown() {
    let mut rig = rig(json!({}));
    rig.connect();
    rig.token(Ok("ab?"));
    let actions = rig.actions();
    assert!(!actions.iter().any(|action| matches!(action, Action::Socket(_))), "{actions:?}");
    let failure = actions.iter().find_map(|action| match action {
        Action::AuthError(failure) => Some(failure.message.clone()),
        _ => None,
    });
    assert!(failure.unwrap().contains("tokenIn: 'query'"));
    assert_eq!(rig.state(), ConnectionState::Failed);
}

#[test]
fn x1_by_url_only_where_asked_for_by_name() {
    let mut rig = rig(json!({ "tokenIn": "query" }));
    rig.connect();
    rig.token(Ok("a b?&c"));
    let open = rig.names().into_iter().find(|name| name.starts_with("open")).unwrap();
    assert_eq!(open, "open wss://h/app/websocket?vsn=2.0.0&token=a%20b%3F%26c");
}

#[test]
fn p6_the_user_topic_is_the_greeting_and_a_server_without_one_greets_too() {
    let (mut rig, join_ref) = opened(json!({}));
    // X2: without a join_ref, to be found by its ref alone.
    let unmatched = json!([null, join_ref, USER, "phx_reply", {"status": "error", "response": {"reason": "unmatched topic"}}]);
    assert!(rig.text(&unmatched.to_string()).is_none());
    assert_eq!(rig.state(), ConnectionState::Online);
    let refused = rig.emit("x", &[], true);
    assert!(
        matches!(&refused, Emitted::Refused(failure) if failure.code == ErrorCode::NotFound),
        "{refused:?}"
    );
    rig.pass(20_000);
    assert!(sent(&mut rig).iter().all(|frame| frame[3] != "phx_join"), "it is not asked for again");
}

#[test]
fn p6_a_server_that_refuses_the_user_topic_twice_is_taken_for_one_without() {
    let (mut rig, join_ref) = opened(json!({}));
    rig.text(&reply(&join_ref, &join_ref, USER, "error", json!({"reason": "bad params"})));
    assert_eq!(rig.state(), ConnectionState::Waiting, "{}", rig.reason());
    rig.pass_retry();
    rig.token(Ok("t2"));
    rig.actions();
    let conn = rig.conn();
    rig.opened(conn);
    let join_ref = join_of(&sent(&mut rig), USER);
    rig.text(&reply(&join_ref, &join_ref, USER, "error", json!({"reason": "bad params"})));
    assert_eq!(rig.state(), ConnectionState::Online);
}

#[test]
fn x9_a_refused_join_of_the_user_topic_asks_for_a_fresh_token_once() {
    let (mut rig, join_ref) = opened(json!({}));
    rig.text(&reply(&join_ref, &join_ref, USER, "error", json!({"reason": "unauthorized"})));
    assert!(rig.names().contains(&"token Refused".to_owned()));
    rig.token(Ok("t2"));
    rig.actions();
    let conn = rig.conn();
    rig.opened(conn);
    let join_ref = join_of(&sent(&mut rig), USER);
    rig.text(&reply(&join_ref, &join_ref, USER, "error", json!({"reason": "unauthorized"})));
    assert_eq!((rig.state(), rig.reason().as_str()), (ConnectionState::Failed, "auth"));
}

#[test]
fn x9_a_refused_upgrade_asks_for_a_fresh_token_once() {
    let mut rig = rig(json!({}));
    rig.connect();
    let mut reasons = Vec::new();
    for _ in 0..3 {
        rig.token(Ok("t"));
        rig.closed(1006, "");
        rig.pass_retry();
        reasons.extend(rig.names().into_iter().filter(|name| name.starts_with("token")));
    }
    assert_eq!(reasons, ["token Connect", "token Refused", "token Connect", "token Connect"]);
}

#[test]
fn x8_a_push_waits_for_its_join_and_brings_it_about() {
    let mut rig = online();
    assert_eq!(push(&mut rig, "message:send", true), Emitted::NotJoined);
    let join_ref = join_of(&sent(&mut rig), ROOM);
    assert_eq!(push(&mut rig, "message:send", true), Emitted::NotJoined);
    assert!(sent(&mut rig).is_empty(), "one join");
    rig.text(&reply(&join_ref, &join_ref, ROOM, "ok", json!({})));
    let id = ack_of(&push(&mut rig, "message:send", true));
    assert_eq!(sent(&mut rig), [json!([join_ref, id.to_string(), ROOM, "message:send", {"a": 1}])]);
    let answer = rig.text(&reply(&join_ref, &id.to_string(), ROOM, "ok", json!({"message": 1}))).unwrap();
    assert_eq!(answer, (format!("ok {id}"), vec!["{\"message\":1}".to_owned()]));
    assert!(
        rig.text(&reply(&join_ref, &id.to_string(), ROOM, "ok", json!({}))).is_none(),
        "X3: two replies to one ref"
    );
}

#[test]
fn x2_frames_of_another_join_are_dropped_and_broadcasts_are_not() {
    let mut rig = online();
    assert!(rig.text(&json!([null, null, ROOM, "message:new", {}]).to_string()).is_none(), "not joined");
    let join_ref = joined(&mut rig);
    let event = |join_ref: Option<&str>| json!([join_ref, null, ROOM, "message:new", {"b": 2}]).to_string();
    assert_eq!(rig.text(&event(None)).unwrap().0, format!("{ROOM} message:new"));
    assert_eq!(rig.text(&event(Some(&join_ref))).unwrap().0, format!("{ROOM} message:new"));
    assert!(rig.text(&event(Some("999"))).is_none());
    assert!(rig.text(&json!([join_ref, null, "other", "x", {}]).to_string()).is_none(), "another topic");
    assert!(rig.names().is_empty());
}

#[test]
fn x3_any_status_and_response_reach_whoever_asked() {
    let mut rig = online();
    let join_ref = joined(&mut rig);
    let id = ack_of(&push(&mut rig, "x", true));
    let said = rig.text(&reply(&join_ref, &id.to_string(), ROOM, "maybe", json!(["list"])));
    assert_eq!(said.unwrap(), (format!("maybe {id}"), vec!["[\"list\"]".to_owned()]));
    let id = ack_of(&push(&mut rig, "x", true));
    // X10: in the other encoding.
    let names = [join_ref.as_str(), &id.to_string(), ROOM, "ok"];
    let mut frame = vec![1];
    frame.extend(names.iter().map(|name| u8::try_from(name.len()).unwrap()));
    frame.extend(names.concat().bytes());
    frame.extend([1, 2, 3]);
    let held = rig.binary(&frame).unwrap();
    match held.delivered().unwrap() {
        Delivered::Ack { id: answered, status, attachments, .. } => {
            assert_eq!((answered, status.as_deref(), attachments), (id, Some("ok"), vec![&[1_u8, 2, 3][..]]));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn x7_heartbeats_go_every_thirty_seconds_and_silence_is_death() {
    let mut rig = online();
    rig.pass(29_999);
    assert!(sent(&mut rig).is_empty());
    rig.pass(1);
    let beat = sent(&mut rig).remove(0);
    assert_eq!(
        (&beat[0], &beat[2], &beat[3], &beat[4]),
        (&json!(null), &json!("phoenix"), &json!("heartbeat"), &json!({}))
    );
    let answer = json!([null, beat[1], "phoenix", "phx_reply", {"status": "ok", "response": {}}]).to_string();
    rig.pass(5_000);
    assert!(rig.text(&answer).is_none());
    rig.pass(39_999);
    assert_eq!(rig.state(), ConnectionState::Online);
    rig.pass(1);
    assert_eq!(rig.state(), ConnectionState::Waiting);
    assert!(rig.reason().contains("no sign of life"));
}

#[test]
fn x7_frames_feed_the_heartbeat_where_timers_are_slow_and_the_network_asks_at_once() {
    let mut rig = online();
    rig.sleep(31_000);
    assert!(rig.text(&json!([null, null, ROOM, "x", {}]).to_string()).is_none());
    assert_eq!(sent(&mut rig)[0][3], "heartbeat", "no timer has fired");
    rig.page(PageInput::Online);
    assert_eq!(sent(&mut rig)[0][3], "heartbeat");
    rig.pass(4_999);
    assert_eq!(rig.state(), ConnectionState::Online);
    rig.pass(1);
    assert_eq!(rig.state(), ConnectionState::Waiting, "the network has changed, and nothing answers");
}
