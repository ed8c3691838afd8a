//! Frames that are wrong, too large, or of another socket.

use super::*;

#[test]
fn a_malformed_frame_is_an_event_and_the_socket_stays() {
    let mut rig = Rig::online(json!({}));
    for frame in [
        "",
        "9",
        "4",
        "42",
        "42{}",
        r#"42["hunter2""#,
        "42[]",
        "43[1]",
        OPEN,
        JOINED,
        r#"44"late""#,
        r#"42["connect"]"#,
    ] {
        assert!(rig.text(frame).is_none());
        let actions = rig.actions();
        let [Action::ProtocolError { message, excerpt }] = actions.as_slice() else {
            panic!("{frame}: {actions:?}");
        };
        assert!(!message.is_empty() && !excerpt.contains("hunter2"), "{message} {excerpt}");
    }
    assert_eq!(rig.state(), ConnectionState::Online);
}

#[test]
fn an_oversized_frame_is_an_event() {
    let mut rig = Rig::online(json!({ "limits": { "maxFrameBytes": 1024 } }));
    let frame = format!(r#"42["x","{}"]"#, "y".repeat(2_000));
    assert!(rig.text(&frame).is_none());
    assert_eq!(rig.names(), ["protocol error: packet too large: at most 1024 bytes"]);
    rig.text(r#"451-["x",{"_placeholder":true,"num":0}]"#);
    rig.text(&frame);
    assert_eq!(
        rig.names()[1..],
        ["close 1000 connection lost", "lost", "changed"],
        "a hole in a binary packet"
    );
}

#[test]
fn frames_and_closes_of_another_socket_are_dropped() {
    let mut rig = Rig::online(json!({}));
    let old = rig.conn();
    rig.closed(1006, "");
    rig.pass_retry();
    rig.go_online("t2");
    assert_ne!(rig.conn(), old);
    assert!(rig.text_of(old, r#"42["x"]"#).is_none() && rig.text_of(old, "1").is_none());
    rig.connection.on_closed(old, 1006, "", rig.now, &mut rig.timers, &mut rig.rng);
    rig.opened(old);
    assert!(rig.connection.on_binary(rig.now, old, vec![1], &mut rig.timers, &mut rig.rng).is_none());
    assert_eq!((rig.state(), rig.actions().len()), (ConnectionState::Online, 0));
}
