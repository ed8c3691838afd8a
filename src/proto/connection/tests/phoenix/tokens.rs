//! Tokens that are refused where a browser does not say so.

use super::*;

#[test]
fn x1_who_may_not_join_the_users_topic_is_somebody_else() {
    let (mut rig, join_ref) = opened(json!({}));
    rig.text(&reply(&join_ref, &join_ref, USER, "error", json!({"reason": "forbidden"})));
    assert!(rig.names().iter().any(|name| name == "token Refused"));
    rig.token(Ok("t2"));
    let conn = rig.conn();
    rig.opened(conn);
    let join_ref = join_of(&sent(&mut rig), USER);
    rig.text(&reply(&join_ref, &join_ref, USER, "error", json!({"reason": "forbidden"})));
    assert!(rig.names().iter().any(|name| name.starts_with("auth error")));
    assert_eq!(rig.state(), ConnectionState::Failed);
}

#[test]
fn x9_a_server_that_is_down_is_one_reason_for_another_token_until_it_is_back() {
    let mut rig = rig(json!({ "reconnect": { "baseDelayMs": 20000, "maxDelayMs": 20000 } }));
    rig.connect();
    let mut reasons = Vec::new();
    for _ in 0..8 {
        for name in rig.names() {
            if name.starts_with("token") {
                reasons.push(name);
            }
        }
        rig.token(Ok("t"));
        rig.actions();
        rig.closed(1006, "");
        let wait = rig.snapshot().retry_in_ms.expect("a retry");
        rig.pass(wait);
    }
    let refused = reasons.iter().filter(|reason| *reason == "token Refused").count();
    assert_eq!((reasons.len(), refused), (8, 1), "{reasons:?}");
}
