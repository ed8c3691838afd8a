use super::super::super::{Answer, OutgoingChange, RestRequest, Sending};
use super::*;
use crate::proto::model::{ChangeKind, ErrorCode};

fn request(kind: ChangeKind, text: &str) -> RestRequest {
    match Team.change(OutgoingChange { kind, id: "m/1", conversation_id: "c1", text }) {
        Sending::Rest(request) => request,
        other => panic!("no request: {other:?}"),
    }
}

fn refused(kind: ChangeKind, status: u16) -> Option<ErrorCode> {
    match Team.parse_change(kind, status, "") {
        Answer::Refused { failure, .. } | Answer::AuthRefused(failure) => Some(failure.code),
        _ => None,
    }
}

#[test]
fn t12_t13_d4_requests_of_changes() {
    let of = |method, path: &str, body: Option<&str>| RestRequest {
        method,
        path: path.to_owned(),
        body: body.map(str::to_owned),
    };
    let edit = of("PATCH", "/messages/m%2F1", Some(r#"{"content_encrypted":"Zm9v"}"#));
    assert_eq!(request(ChangeKind::Edit, "foo"), edit);
    assert_eq!(request(ChangeKind::Remove, ""), of("DELETE", "/messages/m%2F1", None));
    let react = of("POST", "/messages/m%2F1/reactions", Some(r#"{"emoji":"👍"}"#));
    assert_eq!(request(ChangeKind::React, "👍"), react);
    let unreact = of("DELETE", "/messages/m%2F1/reactions/%F0%9F%91%8D", None);
    assert_eq!(request(ChangeKind::Unreact, "👍"), unreact);
}

#[test]
fn t12_t13_answers_to_changes() {
    let named = format!(r#"{{"message":{ROW}}}"#);
    for body in [ROW, &named] {
        let answer = Team.parse_change(ChangeKind::Edit, 200, body);
        assert_eq!(answer, Answer::Stored(Some(Box::new(message()))));
    }
    for body in ["", "7", "{}", r#"{"success":true}"#, r#"{"message":{"id":7}}"#] {
        assert_eq!(Team.parse_change(ChangeKind::React, 204, body), Answer::Stored(None), "{body}");
    }
    for kind in [ChangeKind::Remove, ChangeKind::Unreact] {
        assert_eq!(Team.parse_change(kind, 404, ""), Answer::Stored(None), "what is to go is gone");
    }
    assert_eq!(refused(ChangeKind::Edit, 404), Some(ErrorCode::NotFound));
    assert_eq!(refused(ChangeKind::React, 409), Some(ErrorCode::Conflict));
    assert_eq!(refused(ChangeKind::Remove, 403), Some(ErrorCode::Forbidden));
    assert_eq!(refused(ChangeKind::Remove, 503), Some(ErrorCode::Server));
    assert!(matches!(Team.parse_change(ChangeKind::Edit, 401, ""), Answer::AuthRefused(_)));
}
