//! Channels that crash, are closed, refused, evicted, left; presence.

use super::*;

#[test]
fn x4_a_crash_gives_pushes_back_and_joins_again_after_one_two_five_and_ten_seconds() {
    let mut rig = online();
    let mut join_ref = joined(&mut rig);
    let id = ack_of(&push(&mut rig, "message:send", true));
    sent(&mut rig);
    for (delay, wait) in [(1_000, true), (2_000, true), (5_000, true), (10_000, true), (10_000, false)] {
        let crash = json!([join_ref, join_ref, ROOM, "phx_error", {}]).to_string();
        assert!(rig.text(&crash).is_none());
        let names = rig.names();
        assert_eq!(names, if delay == 1_000 { vec![format!("unanswered [{id}]")] } else { vec![] });
        rig.pass(delay / 2 - 1);
        assert!(sent(&mut rig).iter().all(|frame| frame[3] != "phx_join"));
        rig.pass(delay + 1);
        let again = join_of(&sent(&mut rig), ROOM);
        assert_ne!(again, join_ref, "X6: never the same ref");
        join_ref = again;
        if !wait {
            rig.text(&reply(&join_ref, &join_ref, ROOM, "ok", json!({})));
        }
    }
    // It was joined in between: from the start.
    rig.names();
    rig.text(&json!([join_ref, join_ref, ROOM, "phx_error", {}]).to_string());
    rig.pass(1_500);
    join_of(&sent(&mut rig), ROOM);
}

#[test]
fn x4_a_close_is_not_joined_again_but_for_a_push() {
    let mut rig = online();
    let join_ref = joined(&mut rig);
    let id = ack_of(&push(&mut rig, "message:send", true));
    sent(&mut rig);
    rig.text(&json!([join_ref, join_ref, ROOM, "phx_close", {}]).to_string());
    assert_eq!(rig.names(), [format!("unanswered [{id}]"), format!("settled {ROOM}")]);
    rig.pass(25_000);
    assert!(sent(&mut rig).is_empty());
    assert_eq!(push(&mut rig, "message:send", true), Emitted::NotJoined);
    rig.pass(0);
    join_of(&sent(&mut rig), ROOM);
}

#[test]
fn x4_a_server_that_joins_and_closes_is_not_asked_as_fast_as_it_answers() {
    let mut rig = online();
    let join_ref = joined(&mut rig);
    rig.text(&json!([join_ref, join_ref, ROOM, "phx_close", {}]).to_string());
    rig.names();
    assert_eq!(push(&mut rig, "message:send", true), Emitted::NotJoined);
    rig.pass(499);
    assert!(sent(&mut rig).is_empty());
    rig.pass(1_002);
    join_of(&sent(&mut rig), ROOM);
}

#[test]
fn x5_joins_are_a_few_at_a_time_and_what_is_waited_for_comes_first() {
    let mut rig = online();
    for n in 0..30 {
        rig.connection.want_topic(&format!("conversation:{n}"), false, &mut rig.timers);
    }
    assert_eq!(push(&mut rig, "message:send", true), Emitted::NotJoined);
    let first = sent(&mut rig);
    assert_eq!(first.len(), 8, "{first:?}");
    let join_ref = first[0][1].as_str().unwrap().to_owned();
    rig.text(&reply(&join_ref, &join_ref, first[0][2].as_str().unwrap(), "ok", json!({})));
    let next = sent(&mut rig);
    assert_eq!((next.len(), &next[0][2]), (1, &json!(ROOM)), "what a message waits for");
}

#[test]
fn x5_a_server_that_joins_slowly_one_after_the_other_joins_all() {
    const EACH_MS: u64 = 2_000;
    let mut rig = online();
    for n in 0..25 {
        rig.connection.want_topic(&format!("conversation:{n}"), false, &mut rig.timers);
    }
    let mut queue: Vec<(String, String)> = Vec::new();
    let (mut answered, mut longest) = (Vec::new(), 0);
    for _ in 0..40 {
        for frame in sent(&mut rig) {
            if frame[3] == "phx_join" {
                queue.push((frame[1].as_str().unwrap().to_owned(), frame[2].as_str().unwrap().to_owned()));
            }
        }
        longest = longest.max(queue.len());
        rig.pass(EACH_MS);
        if !queue.is_empty() {
            let (join_ref, topic) = queue.remove(0);
            if rig.text(&reply(&join_ref, &join_ref, &topic, "ok", json!({}))).is_some() {
                answered.push(topic);
            }
        }
    }
    assert_eq!(answered.len(), 25, "{answered:?}");
    assert!(longest <= 8, "{longest} joins wait at the server");
    assert_eq!(rig.state(), ConnectionState::Online);
}

#[test]
fn x5_what_was_given_up_still_stands_in_the_servers_queue() {
    let mut rig = online();
    for n in 0..25 {
        rig.connection.want_topic(&format!("conversation:{n}"), false, &mut rig.timers);
    }
    let joins =
        |frames: Vec<Value>| frames.into_iter().filter(|frame| frame[3] == "phx_join").collect::<Vec<_>>();
    let first = joins(sent(&mut rig));
    assert_eq!(first.len(), 8);
    rig.pass(10_000);
    assert_eq!(joins(sent(&mut rig)).len(), 1, "one at a time, for a server that never answers some");
    for late in &first {
        let (late, topic) = (late[1].as_str().unwrap(), late[2].as_str().unwrap());
        rig.text(&reply(late, late, topic, "ok", json!({})));
    }
    assert_eq!(joins(sent(&mut rig)).len(), 7, "their late answers make room");
}

#[test]
fn x5_a_dead_link_is_found_however_many_joins_time_out_on_it() {
    let mut rig = online();
    for n in 0..20 {
        rig.connection.want_topic(&format!("conversation:{n}"), false, &mut rig.timers);
    }
    for _ in 0..50 {
        rig.pass(1_000);
        sent_until_lost(&mut rig);
    }
    assert_ne!(rig.state(), ConnectionState::Online, "40 s of silence, and one join's time");
}

/// Joins what is wanted, as long as there is a socket.
fn sent_until_lost(rig: &mut Rig) {
    if rig.state() == ConnectionState::Online {
        sent(rig);
    }
}

#[test]
fn x7_a_link_in_doubt_is_asked() {
    let mut rig = online();
    rig.now.wall_ms += 3_600_000;
    assert_eq!(push(&mut rig, "x", false), Emitted::NotOnline);
    let frames = sent(&mut rig);
    assert_eq!(frames.last().map(|frame| frame[3].clone()), Some(json!("heartbeat")), "{frames:?}");
    let answer = json!([null, frames[0][1], "phoenix", "phx_reply", {"status": "ok", "response": {}}]);
    rig.text(&answer.to_string());
    assert_eq!(push(&mut rig, "x", false), Emitted::NotJoined);
}

#[test]
fn x5_a_join_without_an_answer_is_left_and_made_again_and_the_socket_lives() {
    let mut rig = online();
    rig.connection.want_topic(ROOM, false, &mut rig.timers);
    let first = join_of(&sent(&mut rig), ROOM);
    rig.pass(9_999);
    assert!(sent(&mut rig).is_empty());
    rig.pass(1);
    let frames = sent(&mut rig);
    assert_eq!((&frames[0][0], &frames[0][3]), (&json!(first), &json!("phx_leave")));
    rig.pass(1_500);
    let second = join_of(&sent(&mut rig), ROOM);
    assert_ne!(first, second);
    // The late answer to the first is stale.
    assert!(rig.text(&reply(&first, &first, ROOM, "ok", json!({}))).is_none());
    assert_eq!(push(&mut rig, "x", true), Emitted::NotJoined);
    assert_eq!(rig.state(), ConnectionState::Online);
}

#[test]
fn x5_no_death_sentence_while_a_join_is_pending() {
    let mut rig = online();
    rig.pass(35_000);
    rig.connection.want_topic(ROOM, false, &mut rig.timers);
    join_of(&sent(&mut rig), ROOM);
    rig.pass(9_000);
    assert_eq!(rig.state(), ConnectionState::Online, "44 s of silence, with a join under way");
    rig.pass(2_000);
    assert!(rig.names().contains(&"lost".to_owned()), "nor any pardon behind it");
}

#[test]
fn x6_the_close_of_an_evicted_join_does_not_close_the_new_one() {
    let mut rig = online();
    let old = joined(&mut rig);
    rig.text(&json!([old, old, ROOM, "phx_error", {}]).to_string());
    rig.pass(1_500);
    let new = join_of(&sent(&mut rig), ROOM);
    rig.text(&reply(&new, &new, ROOM, "ok", json!({})));
    rig.names();
    assert!(rig.text(&json!([old, old, ROOM, "phx_close", {}]).to_string()).is_none());
    assert!(rig.names().is_empty());
    assert!(matches!(push(&mut rig, "x", false), Emitted::Sent { ack_id: None, .. }));
}

#[test]
fn x8_an_answer_that_says_unmatched_topic_judges_nothing() {
    let mut rig = online();
    let join_ref = joined(&mut rig);
    let id = ack_of(&push(&mut rig, "message:send", true));
    sent(&mut rig);
    let lost = json!([null, id.to_string(), ROOM, "phx_reply", {"status": "error", "response": {"reason": "unmatched topic"}}]);
    assert!(rig.text(&lost.to_string()).is_none());
    assert_eq!(rig.names(), [format!("unanswered [{id}]")]);
    rig.pass(1_500);
    assert_ne!(join_of(&sent(&mut rig), ROOM), join_ref);
}

#[test]
fn p3_a_refused_join_refuses_pushes_until_it_is_tried_again() {
    for (response, code) in [
        (json!({"reason": "forbidden"}), ErrorCode::Forbidden),
        (json!({"reason": "unauthorized"}), ErrorCode::Forbidden),
        (json!({"code": "NotFoundError", "message": "gone"}), ErrorCode::NotFound),
        (json!({"reason": "unmatched topic"}), ErrorCode::NotFound),
        (json!({"reason": "too many channels joined"}), ErrorCode::Server),
        (json!("no"), ErrorCode::Server),
    ] {
        let mut rig = online();
        rig.connection.want_topic(ROOM, false, &mut rig.timers);
        let join_ref = join_of(&sent(&mut rig), ROOM);
        rig.text(&reply(&join_ref, &join_ref, ROOM, "error", response));
        assert_eq!(rig.names(), [format!("settled {ROOM}")]);
        match push(&mut rig, "x", true) {
            Emitted::Refused(failure) => {
                assert_eq!((failure.code, failure.retryable), (code, code == ErrorCode::Server));
            }
            other => panic!("{other:?}"),
        }
        rig.pass(1_500);
        join_of(&sent(&mut rig), ROOM);
    }
}

#[test]
fn x9_whatever_close_the_client_did_not_ask_for_reconnects() {
    for code in [1000, 1001, 1002, 1006, 1011, 1012] {
        let mut rig = online();
        joined(&mut rig);
        rig.closed(code, "");
        assert_eq!(rig.state(), ConnectionState::Waiting, "{code}");
        rig.pass_retry();
        rig.token(Ok("t2"));
        rig.actions();
        let conn = rig.conn();
        rig.opened(conn);
        let frames = sent(&mut rig);
        assert_eq!(frames.len(), 1, "a new connection knows nothing: {frames:?}");
        join_of(&frames, USER);
    }
}

#[test]
fn p1_a_topic_that_is_left_is_left() {
    let mut rig = online();
    let join_ref = joined(&mut rig);
    rig.connection.leave_topic(ROOM, &mut rig.timers);
    let frames = sent(&mut rig);
    assert_eq!((&frames[0][0], &frames[0][3]), (&json!(join_ref), &json!("phx_leave")));
    let reference = frames[0][1].as_str().unwrap();
    assert!(rig.text(&reply(&join_ref, reference, ROOM, "ok", json!({}))).is_none());
    assert!(rig.text(&json!([join_ref, join_ref, ROOM, "phx_close", {}]).to_string()).is_none());
    assert!(rig.text(&json!([null, null, ROOM, "message:new", {}]).to_string()).is_none());
    assert!(rig.names().is_empty());
}

#[test]
fn x10_bytes_go_out_as_a_binary_push_and_only_as_the_whole_payload() {
    let mut rig = online();
    let join_ref = joined(&mut rig);
    let mut push = Push {
        topic: ROOM.to_owned(),
        event: "blob".to_owned(),
        args: vec![r#"{"_placeholder":true,"num":0}"#.to_owned()],
        attachments: vec![vec![9, 8]],
        ..Push::default()
    };
    assert!(matches!(
        rig.connection.emit(&push, rig.now, &mut rig.timers, &mut rig.rng),
        Emitted::Sent { ack_id: None, .. }
    ));
    let frames = rig.actions();
    let [Action::Socket(SocketOutput::Binary { bytes, .. })] = frames.as_slice() else {
        panic!("{frames:?}")
    };
    assert_eq!(bytes[0], 0);
    assert_eq!(usize::from(bytes[1]), join_ref.len());
    assert!(bytes.ends_with(b"conversation:rblob\x09\x08"));
    push.args = vec![r#"{"a":{"_placeholder":true,"num":0}}"#.to_owned()];
    let refused = rig.connection.emit(&push, rig.now, &mut rig.timers, &mut rig.rng);
    assert!(matches!(&refused, Emitted::Refused(failure) if failure.code == ErrorCode::Validation));
}

#[test]
fn x10_what_cannot_be_read_is_told_and_the_socket_stays() {
    let mut rig = online();
    assert!(rig.text("[").is_none());
    assert!(rig.binary(&[7]).is_none());
    let names = rig.names();
    assert!(names.len() == 2 && names.iter().all(|name| name.starts_with("protocol error")), "{names:?}");
    assert_eq!(rig.state(), ConnectionState::Online);
}

#[test]
fn x11_presence_waits_for_its_state_and_counts_metas() {
    let mut rig = online();
    let join_ref = joined(&mut rig);
    let meta = |reference: &str| json!({"metas": [{"phx_ref": reference}]});
    let diff = |joins: Value, leaves: Value| {
        json!([null, null, ROOM, "presence_diff", {"joins": joins, "leaves": leaves}]).to_string()
    };
    // One's own coming is told before the state that holds it.
    assert!(rig.text(&diff(json!({"ana": meta("a1")}), json!({}))).is_none());
    let state = json!([join_ref, null, ROOM, "presence_state", {"ana": meta("a1"), "bo": meta("b1")}]);
    let told = rig.text(&state.to_string()).unwrap().0;
    assert_eq!(told, r#"presence [("ana", true), ("bo", true)]"#);
    // An update is one diff with the key on both sides.
    assert!(rig.text(&diff(json!({"bo": meta("b2")}), json!({"bo": meta("b1")}))).is_none());
    // A second socket of one user.
    assert!(rig.text(&diff(json!({"bo": meta("b3")}), json!({}))).is_none());
    assert!(rig.text(&diff(json!({}), json!({"bo": meta("b2")}))).is_none());
    assert_eq!(
        rig.text(&diff(json!({}), json!({"bo": meta("b3")}))).unwrap().0,
        r#"presence [("bo", false)]"#
    );
    // After a rejoin the state says who has come and gone meanwhile.
    rig.text(&json!([join_ref, join_ref, ROOM, "phx_error", {}]).to_string());
    rig.pass(1_500);
    let again = join_of(&sent(&mut rig), ROOM);
    rig.text(&reply(&again, &again, ROOM, "ok", json!({})));
    let state = json!([again, null, ROOM, "presence_state", {"ana": meta("a2"), "cy": meta("c1")}]);
    assert_eq!(rig.text(&state.to_string()).unwrap().0, r#"presence [("cy", true)]"#);
    assert!(rig.text(&json!([null, null, ROOM, "presence_diff", 7]).to_string()).is_none());
    assert!(rig.names().iter().any(|name| name.starts_with("protocol error")));
}

#[test]
fn garbage_in_every_place_of_a_frame_is_survived() {
    for payload in [
        "{}",
        "[]",
        "null",
        "7",
        "\"x\"",
        r#"{"joins":1,"leaves":[]}"#,
        r#"{"joins":{"a":7},"leaves":{"b":{"metas":[1]}}}"#,
    ] {
        for event in ["phx_close", "phx_error", "presence_state", "presence_diff", "phx_join", "message:new"]
        {
            for reference in ["null", "\"1\"", "\"\"", "\"99999999999999999999\""] {
                let mut rig = online();
                joined(&mut rig);
                rig.text(&format!("[{reference},{reference},\"{ROOM}\",\"{event}\",{payload}]"));
                rig.text(&format!(
                    "[{reference},{reference},\"{ROOM}\",\"phx_reply\",{{\"status\":\"error\",\"response\":{payload}}}]"
                ));
                assert_eq!(rig.state(), ConnectionState::Online);
            }
        }
    }
}
