use super::super::super::{ConversationKind, ConversationPage, Created, RestRequest, Role};
use super::*;
use crate::proto::model::ErrorCode;

fn get(path: &str) -> RestRequest {
    RestRequest { method: "GET", path: path.to_owned(), body: None }
}

fn post(path: &str, body: &str) -> RestRequest {
    RestRequest { method: "POST", path: path.to_owned(), body: Some(body.to_owned()) }
}

const DIRECT: &str = r#"{"id":"c1","type":"direct","title":null,
    "participants":[{"user_id":"me","username":"Me","role":"admin"},{"user_id":"ben","username":"Ben"}]}"#;

fn failure(status: u16, body: &str) -> (ErrorCode, bool, Option<u64>, String) {
    let (failure, wait) = Team.parse_failure(status, body);
    (failure.code, failure.retryable, wait, failure.message)
}

#[test]
fn t6_t7_t8_t10_requests() {
    assert_eq!(Team.list_conversations(0), get("/conversations?limit=100&offset=0"));
    assert_eq!(Team.list_conversations(200), get("/conversations?limit=100&offset=200"));
    assert_eq!(Team.messages_page("c1", 49, 50), get("/messages/c1?limit=50&offset=49"));
    assert_eq!(
        Team.messages_after("a/b ?é", u64::MAX, 200),
        get(&format!("/messages/a%2Fb%20%3F%C3%A9?limit=200&after={}", u64::MAX))
    );
    assert_eq!(Team.create_direct("be\"n"), post("/conversations/direct", r#"{"user_id":"be\"n"}"#));
    assert_eq!(
        Team.create_group("Te\nam", &["ana".to_owned(), "b\"".to_owned()]),
        post("/conversations/group", r#"{"title":"Te\nam","participant_ids":["ana","b\""]}"#)
    );
    assert_eq!(
        Team.create_group("x", &[]),
        post("/conversations/group", r#"{"title":"x","participant_ids":[]}"#)
    );
}

#[test]
fn d4_a_page_of_messages() {
    let second = ROW.replace("m1", "m2");
    let page = Team.parse_page(&format!(r#"{{"messages":[{ROW},{second}],"has_more":true}}"#)).unwrap();
    let second = ServerMessage { id: "m2".to_owned(), ..message() };
    assert_eq!(page.messages, [Box::new(message()), Box::new(second)]);
    assert!(page.has_more == Some(true) && page.malformed.is_empty());
    let page = Team.parse_page(&format!("[{ROW}]")).unwrap();
    assert_eq!((page.messages, page.has_more), (vec![Box::new(message())], None));
    let page = Team.parse_page(r#"{"hasMore":false,"messages":[]}"#).unwrap();
    assert!(page.messages.is_empty() && page.has_more == Some(false));
}

#[test]
fn d4_a_bad_row_costs_itself() {
    let bad = ROW.replace("Zm9v", "so secret");
    let page = Team.parse_page(&format!(r#"{{"messages":[{ROW},{bad},7,{ROW}],"has_more":true}}"#)).unwrap();
    assert_eq!(page.messages.len(), 2);
    assert!(page.has_more == Some(true));
    assert_eq!(
        page.malformed,
        [
            "messages[1]: field `content_encrypted` must be base64 of UTF-8 text",
            "messages[2]: must be an object"
        ]
    );
}

#[test]
fn d4_bodies_that_are_no_list() {
    assert_eq!(Team.parse_page("{}").unwrap_err(), "list: field `messages` is missing");
    assert_eq!(Team.parse_page(r#"{"messages":{}}"#).unwrap_err(), "list: field `messages` must be an array");
    assert!(Team.parse_page(r#"{"messages":[],"has_more":1}"#).unwrap_err().contains("`has_more`"));
    let html = Team.parse_page("<html>secret</html>").unwrap_err();
    assert!(html.starts_with("messages: JSON is malformed") && !html.contains("secret"), "{html}");
    assert!(Team.parse_conversations("", "me").is_err());
}

#[test]
fn t8_the_list_of_conversations() {
    let group = r#"{"id":2,"type":"group","title":"Team","participants":["me",7]}"#;
    let body = format!(r#"{{"conversations":[{DIRECT},{group}],"has_more":true}}"#);
    let ConversationPage { conversations: read, has_more, .. } =
        Team.parse_conversations(&body, "me").unwrap();
    assert!(has_more);
    assert_eq!(
        (read[0].kind, read[0].title.as_str(), read[0].my_role),
        (ConversationKind::Direct, "Ben", Role::Admin)
    );
    assert_eq!(
        (read[1].id.as_str(), read[1].kind, read[1].my_role),
        ("2", ConversationKind::Group, Role::Member)
    );
    let members: Vec<_> = read[1].members.iter().map(|m| (m.user_id.as_str(), m.name.as_str())).collect();
    assert_eq!(members, [("me", "me"), ("7", "7")]);
    let page = Team.parse_conversations(&format!("[{DIRECT}]"), "ben").unwrap();
    let ConversationPage { conversations: bare, has_more, .. } = page;
    assert_eq!((bare[0].title.as_str(), bare[0].my_role, has_more), ("Me", Role::Member, false));
}

#[test]
fn t8_a_server_that_does_not_call_its_conversations_so() {
    let kind = |row: &str| {
        let page = Team.parse_conversations(&format!("[{row}]"), "me").unwrap();
        page.conversations[0].kind
    };
    assert_eq!(kind(r#"{"id":"c0","participants":["me","ben"]}"#), ConversationKind::Direct);
    assert_eq!(kind(r#"{"id":"c0","participants":["me","ben","cleo"]}"#), ConversationKind::Group);
    assert_eq!(kind(r#"{"id":"c0","type":"room","title":"Lunch"}"#), ConversationKind::Group);
}

#[test]
fn t8_a_bad_row_costs_itself_and_all_bad_rows_are_an_error() {
    let body = format!(r#"{{"conversations":[{{"id":"c0"}},{DIRECT}]}}"#);
    let page = Team.parse_conversations(&body, "me").unwrap();
    assert_eq!((page.conversations.len(), page.malformed.len()), (1, 1));
    assert_eq!(
        Team.parse_conversations(r#"{"conversations":[{"id":"c0"},4]}"#, "me").unwrap_err(),
        "conversations[0]: field `type` must be `direct` or `group`"
    );
    assert_eq!(
        Team.parse_conversations(r#"[{"id":"c0","type":"group","participants":[{"username":"x"}]}]"#, "me")
            .unwrap_err(),
        "conversations[0]: field `participants` must hold ids of users, or objects with them"
    );
    assert_eq!(Team.parse_conversations(r#"{"conversations":[]}"#, "me"), Ok(ConversationPage::default()));
}

#[test]
fn t7_roles() {
    for (role, wanted) in [
        (r#""admin""#, Role::Admin),
        (r#""moderator""#, Role::Moderator),
        (r#""member""#, Role::Member),
        (r#""owner""#, Role::Member),
        ("null", Role::Member),
    ] {
        let body =
            format!(r#"[{{"id":1,"type":"group","participants":[{{"user_id":"me","role":{role}}}]}}]"#);
        assert_eq!(Team.parse_conversations(&body, "me").unwrap().conversations[0].my_role, wanted, "{role}");
    }
}

#[test]
fn t6_created_or_found() {
    for body in [DIRECT.to_owned(), format!(r#"{{"conversation":{DIRECT}}}"#)] {
        for status in [200, 201] {
            let Ok(Created::Conversation(read)) = Team.parse_created(status, &body, "me") else { panic!() };
            assert_eq!((read.id.as_str(), read.title.as_str(), read.my_role), ("c1", "Ben", Role::Admin));
        }
    }
    let Ok(Created::Conversation(read)) = Team.parse_created(
        409,
        &format!(r#"{{"error":{{"code":"ConflictError"}},"conversation":{DIRECT}}}"#),
        "me",
    ) else {
        panic!()
    };
    assert_eq!(read.id, "c1");
    for body in [
        r#"{"error":{"code":"ConflictError","conversation_id":"c1"}}"#,
        r#"{"error":{"code":"ConflictError"},"conversationId":"c1"}"#,
        r#"{"conversation":"c1"}"#,
        r#"{"conversation":{"id":"c1"}}"#,
    ] {
        assert_eq!(Team.parse_created(409, body, "me"), Ok(Created::Found("c1".to_owned())), "{body}");
    }
    for body in
        [r#"{"error":{"code":"ConflictError","message":"exists"}}"#, "", "[]", r#"{"error":"exists"}"#]
    {
        assert_eq!(Team.parse_created(409, body, "me"), Ok(Created::FoundSomewhere), "{body}");
    }
}

#[test]
fn t6_creations_that_failed() {
    let failed = |status, body| Team.parse_created(status, body, "me").unwrap_err();
    let refused = failed(400, r#"{"error":{"code":"ValidationError","message":"no","field":"user_id"}}"#);
    assert_eq!(refused.code, ErrorCode::Validation);
    assert_eq!(refused.message, "HTTP 400: ValidationError: no (field `user_id`)");
    for body in ["", "[]", "{}", r#"{"conversation":7}"#] {
        assert_eq!(failed(201, body).code, ErrorCode::Protocol, "{body}");
    }
}

#[test]
fn d3_failures_by_code() {
    for (code, wanted, retryable) in [
        ("ValidationError", ErrorCode::Validation, false),
        ("AuthError", ErrorCode::Auth, false),
        ("ForbiddenError", ErrorCode::Forbidden, false),
        ("NotFoundError", ErrorCode::NotFound, false),
        ("ConflictError", ErrorCode::Conflict, false),
        ("TooLarge", ErrorCode::TooLarge, false),
        ("RateLimited", ErrorCode::RateLimited, true),
        ("ServerError", ErrorCode::Server, true),
    ] {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"m","retry_after_ms":250}}}}"#);
        assert_eq!(failure(418, &body), (wanted, retryable, Some(250), format!("HTTP 418: {code}: m")));
    }
}

#[test]
fn d3_failures_by_status() {
    for (status, wanted, retryable) in [
        (400, ErrorCode::Validation, false),
        (401, ErrorCode::Auth, false),
        (403, ErrorCode::Forbidden, false),
        (404, ErrorCode::NotFound, false),
        (405, ErrorCode::Protocol, false),
        (408, ErrorCode::Timeout, true),
        (409, ErrorCode::Conflict, false),
        (413, ErrorCode::TooLarge, false),
        (429, ErrorCode::RateLimited, true),
        (500, ErrorCode::Server, true),
        (503, ErrorCode::Server, true),
    ] {
        let (code, again, wait, message) = failure(status, "<html>secret page of a proxy</html>");
        assert_eq!((code, again, wait), (wanted, retryable, None), "{status}");
        assert_eq!(message, format!("HTTP {status}"));
    }
    assert_eq!(failure(503, r#"{"error":{"code":"Maintenance","retry_after_ms":"9"}}"#).2, Some(9));
    assert_eq!(failure(404, r#"{"error":"no such route"}"#).3, "HTTP 404: no such route");
}
