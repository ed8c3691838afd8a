//! Tokens: asked on every connect, renewed once, never waited for without end (D6, E8).

use std::rc::Rc;

use super::*;

const REFUSAL: &str = r#"44{"message":"invalid token","data":{"code":"AuthError"}}"#;

#[test]
fn d6_a_refused_token_is_renewed_once_and_then_it_is_an_auth_error() {
    let mut rig = Rig::joining(json!({}));
    rig.text(REFUSAL);
    assert_eq!(rig.names(), ["close 1000 token refused", "changed", "token Refused"]);
    assert_eq!(rig.state(), ConnectionState::Connecting);
    rig.join("t2");
    rig.text(r#"44"jwt expired""#);
    assert_eq!(rig.names(), ["close 1000 token refused", "changed", "auth error Auth", "failed Auth"]);
    assert_eq!((rig.state(), rig.reason().as_str()), (ConnectionState::Failed, "auth"));
    for input in
        [PageInput::Offline, PageInput::Online, PageInput::Visible, PageInput::Frozen, PageInput::Resumed]
    {
        rig.page(input);
    }
    rig.pass(3_600_000);
    assert_eq!((rig.state(), rig.actions().len()), (ConnectionState::Failed, 0), "no retries");
    rig.connect();
    rig.join("t3");
    rig.text(REFUSAL);
    assert_eq!(rig.names()[2], "token Refused", "connect() starts afresh");
}

#[test]
fn d6_the_application_may_judge_what_means_the_token() {
    let judge = |code: Option<&str>, message: &str| match (code, message) {
        (Some("E_SESSION"), "over") => Some(true),
        (_, "you have no author's rights here") => Some(false),
        _ => None,
    };
    let mut rig = Rig::joining(json!({}));
    rig.connection.auth_judge = Some(AuthJudge(Rc::new(judge)));
    rig.text(r#"44{"message":"you have no author's rights here"}"#);
    assert_eq!(rig.state(), ConnectionState::Waiting, "by its words the core would have taken it for one");
    rig.pass_retry();
    rig.join("t1");
    rig.text(r#"44{"message":"over","data":{"code":"E_SESSION"}}"#);
    assert!(rig.names().contains(&"token Refused".to_owned()));
    rig.join("t2");
    rig.text(r#"44"jwt expired""#);
    assert_eq!(rig.reason(), "auth", "without a word of it the core judges");
}

#[test]
fn d6_a_renewed_token_that_is_accepted_counts_as_none_refused() {
    let mut rig = Rig::joining(json!({}));
    rig.text(REFUSAL);
    rig.go_online("t2");
    rig.closed(1006, "");
    rig.pass_retry();
    rig.join("t3");
    rig.text(REFUSAL);
    assert_eq!(rig.names()[2], "token Refused");
}

#[test]
fn d6_two_refusals_with_a_lost_network_between_are_still_in_a_row() {
    let mut rig = Rig::joining(json!({}));
    rig.text(REFUSAL);
    rig.token(Ok("t2"));
    rig.closed(1006, "");
    rig.pass_retry();
    rig.join("t3");
    rig.text(REFUSAL);
    assert_eq!(rig.state(), ConnectionState::Failed);
}

#[test]
fn d6_a_static_token_is_an_auth_error_at_once() {
    let mut rig = Rig::static_token();
    rig.connect();
    assert!(rig.names()[1].starts_with("open "), "nobody is asked");
    rig.opened(rig.conn());
    rig.text(OPEN);
    assert_eq!(rig.names(), ["changed", r#"text 40{"token":"fixed"}"#]);
    rig.text(REFUSAL);
    assert_eq!(rig.names()[2..], ["auth error Auth", "failed Auth"]);
}

#[test]
fn a_new_token_is_asked_on_every_connect() {
    let mut rig = Rig::online(json!({}));
    assert_eq!(rig.connection.token(), Some(&Secret("t1".to_owned())));
    rig.closed(1006, "");
    assert_eq!(rig.connection.token(), None);
    rig.pass_retry();
    assert!(rig.names().contains(&"token Connect".to_owned()));
    rig.go_online("t2");
    assert_eq!(rig.connection.token(), Some(&Secret("t2".to_owned())));
}

#[test]
fn a_get_token_that_fails_is_a_failed_attempt() {
    let mut rig = Rig::new(json!({}));
    rig.connect();
    rig.token(Err("login server is down"));
    assert_eq!(rig.reason(), "getToken failed: login server is down");
    assert_eq!((rig.state(), rig.snapshot().attempt), (ConnectionState::Waiting, 1));
    rig.pass_retry();
    rig.token(Ok(""));
    assert_eq!(rig.reason(), "getToken gave an empty token");
    rig.pass_retry();
    rig.go_online("t");
}

#[test]
fn a_get_token_that_never_answers_is_bounded_and_its_late_answer_ignored() {
    let mut rig = Rig::new(json!({}));
    rig.connect();
    let stale = rig.connection.asking.unwrap();
    rig.pass(20_000);
    assert_eq!(rig.reason(), "no answer from getToken within 20000 ms");
    rig.actions();
    rig.token_for(stale, Ok("late"));
    assert_eq!((rig.state(), rig.actions().len()), (ConnectionState::Waiting, 0));
    rig.pass_retry();
    rig.token_for(stale, Ok("late"));
    assert!(rig.connection.conn().is_none(), "an answer to another question");
    rig.go_online("t");
}

#[test]
fn rest_renews_the_token_beside_the_socket() {
    let mut rig = Rig::online(json!({}));
    rig.refuse(RefusedBy::Rest);
    rig.refuse(RefusedBy::Rest);
    assert_eq!(rig.names(), ["token Refused"], "one question for many refusals");
    assert_eq!((rig.state(), rig.connection.token()), (ConnectionState::Online, None));
    rig.token(Ok("t2"));
    assert_eq!(rig.names(), ["token renewed"]);
    assert_eq!(rig.connection.token(), Some(&Secret("t2".to_owned())));
    rig.pass(1_000);
    rig.refuse(RefusedBy::Rest);
    assert_eq!(
        rig.names(),
        ["close 1000 token refused", "lost", "changed", "auth error Auth", "failed Auth"]
    );
}

#[test]
fn a_token_that_worked_may_be_refused_again_later() {
    for worked in [true, false] {
        let mut rig = Rig::online(json!({}));
        rig.refuse(RefusedBy::Rest);
        rig.token(Ok("t2"));
        if worked {
            rig.connection.mark_token_good();
        } else {
            rig.pass(30_000);
        }
        rig.actions();
        rig.refuse(RefusedBy::Rest);
        assert_eq!(rig.names(), ["token Refused"]);
    }
}

#[test]
fn a_renewal_that_fails_is_tried_again_while_the_socket_stays() {
    let mut rig = Rig::online(json!({}));
    rig.refuse(RefusedBy::Rest);
    rig.token(Err("busy"));
    assert_eq!((rig.state(), rig.reason().as_str()), (ConnectionState::Online, "getToken failed: busy"));
    rig.pass(1_000);
    assert_eq!(rig.names(), ["token Refused", "changed", "token Refused"]);
    rig.pass(20_000);
    assert_eq!(rig.reason(), "getToken did not answer");
    rig.text("2");
    rig.pass(2_000);
    rig.actions();
    rig.token(Ok("t2"));
    assert_eq!(rig.names(), ["changed", "token renewed"]);
    assert_eq!((rig.reason().as_str(), rig.timers.get(Timer::Connect)), ("", None));
}

#[test]
fn an_answer_that_refuses_the_token_opens_the_socket_anew() {
    let mut rig = Rig::online(json!({}));
    rig.refuse(RefusedBy::Socket);
    assert_eq!(rig.names(), ["close 1000 token refused", "lost", "changed", "token Refused"]);
    rig.go_online("t2");
    rig.refuse(RefusedBy::Socket);
    assert_eq!(rig.names()[3..], ["auth error Auth", "failed Auth"], "accepted, and refused in use again");
}

#[test]
fn a_socket_that_stands_on_the_token_before_is_not_refused_twice() {
    let mut rig = Rig::online(json!({}));
    rig.refuse(RefusedBy::Rest);
    rig.token(Ok("t2"));
    rig.actions();
    rig.refuse(RefusedBy::Socket);
    assert_eq!(rig.names(), ["close 1000 token refused", "lost", "changed", "token Refused"]);
}

#[test]
fn a_static_token_refused_in_use_is_an_auth_error() {
    for by in [RefusedBy::Rest, RefusedBy::Socket] {
        let mut rig = Rig::static_token();
        rig.connect();
        rig.opened(rig.conn());
        rig.text(OPEN);
        rig.text(JOINED);
        rig.actions();
        rig.refuse(by);
        assert_eq!(rig.names()[2..], ["changed", "auth error Auth", "failed Auth"]);
    }
}

#[test]
fn a_refusal_of_a_request_from_before_does_not_disturb_an_attempt() {
    let mut rig = Rig::joining(json!({}));
    rig.refuse(RefusedBy::Rest);
    rig.refuse(RefusedBy::Socket);
    assert_eq!((rig.state(), rig.actions().len()), (ConnectionState::Authenticating, 0));
}

/// A JWT (RFC 7519) that ends so many seconds after the rig's present.
fn ending_in(rig: &Rig, seconds: u64) -> String {
    jwt_of(&json!({ "exp": rig.now.wall_ms / 1000 + seconds }))
}

fn jwt_of(claims: &Value) -> String {
    format!("e30.{}.sig", crate::proto::wire::base64::encode(claims.to_string().as_bytes()))
}

/// Time passes while the server pings; what is done meanwhile but to answer.
fn pass_in_peace(rig: &mut Rig, seconds: u64) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..seconds {
        rig.pass(1_000);
        rig.text("2");
        names.extend(rig.names().into_iter().filter(|name| name != "text 3"));
    }
    names
}

fn online_with(token: &str) -> Rig {
    let mut rig = Rig::new(json!({}));
    rig.connect();
    rig.go_online(token);
    rig
}

#[test]
fn another_token_is_asked_for_before_one_ends_that_says_so() {
    for (life_s, asked_after_s) in [(3_600, 3_540), (60, 54)] {
        let first = ending_in(&Rig::new(json!({})), life_s);
        let mut rig = online_with(&first);
        assert!(pass_in_peace(&mut rig, asked_after_s - 1).is_empty());
        assert_eq!(pass_in_peace(&mut rig, 1), ["token Expiring"]);
        assert_eq!(rig.connection.token(), Some(&Secret(first)), "good until then");
        let second = ending_in(&rig, life_s);
        rig.token(Ok(&second));
        assert_eq!(rig.connection.token(), Some(&Secret(second)));
        assert!(rig.names().is_empty(), "nobody has waited for it");
        rig.refuse(RefusedBy::Rest);
        assert_eq!(rig.names(), ["token Refused"], "the first refusal of it");
        rig.token(Ok("opaque"));
        assert_eq!(pass_in_peace(&mut rig, 7_200), ["token renewed"]);
    }
}

#[test]
fn one_that_does_not_come_is_asked_for_again_and_the_old_one_is_used() {
    let first = ending_in(&Rig::new(json!({})), 3_600);
    let mut rig = online_with(&first);
    assert_eq!(pass_in_peace(&mut rig, 3_540), ["token Expiring"]);
    rig.token(Err("busy"));
    assert_eq!((rig.state(), rig.reason().as_str()), (ConnectionState::Online, "getToken failed: busy"));
    assert_eq!(rig.connection.token(), Some(&Secret(first.clone())));
    assert_eq!(pass_in_peace(&mut rig, 2), ["changed", "token Expiring"]);
    // This question nobody answers.
    let names = pass_in_peace(&mut rig, 30);
    assert_eq!(names, ["changed", "token Expiring"]);
    assert_eq!(rig.connection.token(), Some(&Secret(first)));
    let stale = rig.connection.asking.expect("a question");
    rig.refuse(RefusedBy::Rest);
    assert_eq!(rig.names(), ["token Refused"], "it takes the question's place");
    rig.token_for(stale, Ok("late"));
    assert_eq!(rig.connection.token(), None);
}

#[test]
fn the_same_token_given_again_is_not_asked_for_without_end() {
    for made_s in [1_700_000_000, 1_600_000_000] {
        // The second has been over for long, by this clock.
        let token = jwt_of(&json!({ "exp": made_s + 60, "iat": made_s }));
        let mut rig = online_with(&token);
        assert_eq!(pass_in_peace(&mut rig, 54), ["token Expiring"]);
        rig.token(Ok(&token));
        assert!(pass_in_peace(&mut rig, 600).is_empty());
    }
}

#[test]
fn a_question_for_another_token_ends_with_its_socket() {
    let mut rig = online_with(&ending_in(&Rig::new(json!({})), 60));
    assert_eq!(pass_in_peace(&mut rig, 54), ["token Expiring"]);
    let stale = rig.connection.asking.expect("a question");
    rig.closed(1006, "");
    rig.token_for(stale, Ok("late"));
    assert_eq!((rig.state(), rig.connection.token()), (ConnectionState::Waiting, None));
    rig.pass_retry();
    rig.actions();
    rig.go_online("opaque");
    assert!(pass_in_peace(&mut rig, 600).is_empty());
}

#[test]
fn a_token_that_never_changes_or_serves_the_socket_alone_is_used_to_its_end() {
    let token = ending_in(&Rig::new(json!({})), 60);
    let mut rig = Rig::new(json!({ "hasGetToken": false, "token": token }));
    rig.connect();
    let conn = rig.conn();
    rig.opened(conn);
    assert!(rig.text(OPEN).is_none() && rig.text(JOINED).is_none());
    rig.actions();
    assert!(pass_in_peace(&mut rig, 120).is_empty());
    let mut rig = Rig::new(json!({}));
    rig.connection.renews_ahead = false;
    rig.connect();
    rig.go_online(&token);
    assert!(pass_in_peace(&mut rig, 120).is_empty());
}
