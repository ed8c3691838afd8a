//! REST of the `team` wire: T6 to T13, T15, D3 to D5.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{Server, base64, draft, http, text};

#[test]
fn d5_login_makes_an_account_once_and_refresh_renews_it() {
    let server = Server::with(|config| config.token_ttl_ms = 90_000);
    let (_, first) = http(&server.base, "POST", "/auth/login", None, Some(json!({ "name": " ann " })));
    let (_, again) = http(&server.base, "POST", "/auth/login", None, Some(json!({ "name": "ann" })));
    assert_eq!(first["user"], again["user"]);
    assert_eq!((&first["user"]["name"], &first["expires_in"]), (&json!("ann"), &json!(90)));
    let token = text(&first["token"]);
    let (status, fresh) = http(&server.base, "POST", "/auth/refresh", Some(&token), None);
    assert_eq!((status, &fresh["user"]), (200, &first["user"]));
    let (status, _) =
        http(&server.base, "GET", "/api/users?q=a", Some(fresh["token"].as_str().unwrap()), None);
    assert_eq!(status, 200);
    let (status, body) = http(&server.base, "POST", "/auth/login", None, Some(json!({ "name": " " })));
    assert_eq!((status, &body["error"]["field"]), (400, &json!("name")));
    for token in [None, Some("nonsense")] {
        let (status, body) = http(&server.base, "POST", "/auth/refresh", token, None);
        assert_eq!((status, &body["error"]["code"]), (401, &json!("AuthError")));
    }
}

#[test]
fn d3_calls_without_a_good_token_are_auth_errors() {
    let server = Server::new();
    for path in ["/api/users", "/team/api/conversations", "/team/api/messages/c_1", "/team/api/users"] {
        let (status, body) = http(&server.base, "GET", path, None, None);
        assert_eq!((status, &body["error"]["code"]), (401, &json!("AuthError")), "{path}");
    }
    let (status, body) = http(&server.base, "GET", "/team/api/nothing", None, None);
    assert_eq!((status, &body["error"]["code"]), (404, &json!("NotFoundError")));
    assert_eq!(http(&server.base, "GET", "/health", None, None).1["status"], "ok");
}

#[test]
fn people_are_found_by_a_part_of_their_name() {
    let server = Server::new();
    let ann = server.login("Ann Smith");
    server.login("Bob");
    let found = ann.ok("GET", "/api/users?q=SMI", Value::Null);
    assert_eq!(found["users"], json!([{ "id": ann.id, "name": "Ann Smith", "online": false }]));
    assert_eq!(ann.ok("GET", "/api/users", Value::Null)["users"].as_array().unwrap().len(), 2);
}

#[test]
fn t6_a_direct_conversation_exists_once() {
    let server = Server::new();
    let (ann, bob) = (server.login("ann"), server.login("bob"));
    let path = "/team/api/conversations/direct";
    let (status, made) = ann.http("POST", path, json!({ "user_id": bob.id }));
    assert_eq!(status, 201, "{made}");
    let row = &made["conversation"];
    assert_eq!(
        (&row["type"], &row["title"], &row["avatar_url"]),
        (&json!("direct"), &Value::Null, &Value::Null)
    );
    assert_eq!((&row["last_seq"], &row["last_read_seq"]), (&json!(0), &json!(0)));
    assert_eq!(row["participants"].as_array().unwrap().len(), 2);
    assert_eq!(row["participants"][0]["role"], "member");
    let (status, found) = bob.http("POST", path, json!({ "user_id": ann.id }));
    assert_eq!((status, &found["error"]["code"]), (409, &json!("ConflictError")));
    assert_eq!(found["error"]["conversation_id"], row["id"]);
    assert_eq!(found["conversation"]["id"], row["id"]);
    assert_eq!(ann.refused("POST", path, json!({ "user_id": ann.id })).1, "ValidationError");
    assert_eq!(
        ann.refused("POST", path, json!({ "user_id": "u_x" })),
        (404, "NotFoundError".into(), Some("user_id".into()))
    );
    assert_eq!(ann.refused("POST", path, json!({})).1, "ValidationError");
}

#[test]
fn t7_t9_groups_their_roles_and_members() {
    let server = Server::new();
    let [ann, bob, cat, dan] = ["ann", "bob", "cat", "dan"].map(|name| server.login(name));
    let path = "/team/api/conversations/group";
    let none: [&str; 0] = [];
    for (title, ids) in
        [(" ", vec![bob.id.as_str()]), ("Club", none.to_vec()), ("Club", vec![ann.id.as_str()])]
    {
        let body = json!({ "title": title, "participant_ids": ids });
        assert_eq!(ann.refused("POST", path, body).1, "ValidationError");
    }
    let made = ann.ok("POST", path, json!({ "title": "Club", "participant_ids": [bob.id, bob.id] }));
    let id = text(&made["conversation"]["id"]);
    assert_eq!(
        (&made["conversation"]["type"], &made["conversation"]["title"]),
        (&json!("group"), &json!("Club"))
    );
    let members = format!("/team/api/conversations/{id}/participants");
    let forbidden = (403, "ForbiddenError".to_owned(), None);
    assert_eq!(
        bob.refused("POST", &members, json!({ "user_id": cat.id })),
        forbidden,
        "a member adds nobody"
    );
    assert_eq!(cat.refused("GET", &format!("/team/api/conversations/{id}"), Value::Null), forbidden);
    ann.ok("POST", &members, json!({ "user_id": cat.id, "role": "moderator" }));
    assert_eq!(ann.refused("POST", &members, json!({ "user_id": cat.id })).1, "ConflictError");
    cat.ok("POST", &members, json!({ "user_id": dan.id }));
    let remove = |user: &support::Account| format!("{members}/{}", user.id);
    assert_eq!(cat.refused("DELETE", &remove(&ann), Value::Null), forbidden, "a moderator removes no admin");
    cat.ok("DELETE", &remove(&dan), Value::Null);
    assert_eq!(dan.refused("GET", &format!("/team/api/messages/{id}"), Value::Null), forbidden);
    ann.ok("DELETE", &remove(&ann), Value::Null);
    let left = bob.ok("GET", &format!("/team/api/conversations/{id}"), Value::Null);
    let roles: Vec<&Value> =
        left["conversation"]["participants"].as_array().unwrap().iter().map(|one| &one["role"]).collect();
    assert!(roles.contains(&&json!("admin")), "somebody is admin: {roles:?}");
    let direct = ann.direct_with(&bob);
    let direct = format!("/team/api/conversations/{direct}/participants");
    assert_eq!(ann.refused("POST", &direct, json!({ "user_id": cat.id })), forbidden, "exactly two");
}

#[test]
fn t8_the_list_has_the_newest_change_first_and_pages() {
    let server = Server::new();
    let ann = server.login("ann");
    let mut ids: Vec<String> = Vec::new();
    for name in ["bob", "cat", "dan"] {
        ids.push(ann.direct_with(&server.login(name)));
    }
    let body =
        json!({ "conversation_id": ids[0], "content_encrypted": base64("hi"), "message_type": "text" });
    server.login("bob").ok("POST", "/team/api/messages", body);
    let list = ann.ok("GET", "/team/api/conversations", Value::Null);
    assert_eq!((&list["conversations"][0]["id"], &list["has_more"]), (&json!(ids[0]), &json!(false)));
    assert_eq!(list["conversations"][0]["last_message"]["content_encrypted"], base64("hi"));
    assert_eq!(list["conversations"][0]["unread_count"], 1);
    let page = ann.ok("GET", "/team/api/conversations?limit=2", Value::Null);
    assert_eq!((page["conversations"].as_array().unwrap().len(), &page["has_more"]), (2, &json!(true)));
    let page = ann.ok("GET", "/team/api/conversations?limit=2&offset=2", Value::Null);
    assert_eq!((page["conversations"].as_array().unwrap().len(), &page["has_more"]), (1, &json!(false)));
    assert_eq!(ann.refused("GET", "/team/api/conversations?limit=501", Value::Null).2.unwrap(), "limit");
}

#[test]
fn t10_d4_pages_by_offset_and_after() {
    let server = Server::new();
    let (ann, bob) = (server.login("ann"), server.login("bob"));
    let id = ann.direct_with(&bob);
    let mut socket = ann.connect();
    for n in 1..=10 {
        assert_eq!(
            socket.call("chat:message_send", draft(&id, &n.to_string(), &format!("k{n}")))["success"],
            true
        );
    }
    let page = |query: &str| {
        let page = bob.ok("GET", &format!("/team/api/messages/{id}?{query}"), Value::Null);
        let seqs: Vec<i64> =
            page["messages"].as_array().unwrap().iter().map(|row| row["seq"].as_i64().unwrap()).collect();
        (seqs, page["has_more"].as_bool().unwrap())
    };
    assert_eq!(page(""), ((1..=10).collect(), false));
    assert_eq!(page("limit=3"), (vec![8, 9, 10], true));
    assert_eq!(page("limit=3&offset=3"), (vec![5, 6, 7], true));
    assert_eq!(page("limit=5&offset=5"), ((1..=5).collect(), false));
    assert_eq!(page("limit=5&offset=8"), (vec![1, 2], false));
    assert_eq!(page("offset=10"), (vec![], false));
    assert_eq!(page("after=0&limit=4"), ((1..=4).collect(), true));
    assert_eq!(page("after=6&limit=4"), ((7..=10).collect(), false));
    assert_eq!(page("after=10"), (vec![], false));
    assert_eq!(page("after=99"), (vec![], false));
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("offset=-1", "offset"),
        ("after=-1", "after"),
        ("after=x", "query"),
    ] {
        let (status, code, named) =
            bob.refused("GET", &format!("/team/api/messages/{id}?{query}"), Value::Null);
        assert_eq!(
            (status, code.as_str(), named.as_deref()),
            (400, "ValidationError", Some(field)),
            "{query}"
        );
    }
    assert_eq!(bob.refused("GET", "/team/api/messages/c_none", Value::Null).1, "NotFoundError");
    let rows = ann.history(&id);
    assert_eq!(rows[0]["client_message_id"], "k1");
    assert!(bob.history(&id)[0].get("client_message_id").is_none(), "keys are told to their sender only");
}

#[test]
fn t11_sends_over_rest_and_its_keys() {
    let server = Server::new();
    let (ann, bob) = (server.login("ann"), server.login("bob"));
    let id = ann.direct_with(&bob);
    let (mut anns, mut bobs) = (ann.connect(), bob.connect());
    let body = json!({ "conversation_id": id, "content_encrypted": base64("hi"), "message_type": "image",
        "client_message_id": "k", "metadata": { "width": 3 } });
    let (status, sent) = ann.http("POST", "/team/api/messages", body.clone());
    assert_eq!(status, 201);
    let row = &sent["message"];
    assert_eq!(
        (&row["seq"], &row["client_message_id"], &row["message_type"]),
        (&json!(1), &json!("k"), &json!("image"))
    );
    assert_eq!(row["metadata"], json!({ "width": 3 }));
    assert_eq!(
        anns.event("chat:message_received")["client_message_id"],
        "k",
        "REST has no socket to leave out"
    );
    assert!(bobs.event("chat:message_received").get("client_message_id").is_none());
    let (status, again) = ann.http("POST", "/team/api/messages", body.clone());
    assert_eq!((status, &again["duplicate"], &again["message"]["id"]), (200, &json!(true), &row["id"]));
    let mut other = body.clone();
    other["content_encrypted"] = json!(base64("ho"));
    let named = Some("client_message_id".to_owned());
    assert_eq!(ann.refused("POST", "/team/api/messages", other), (400, "ValidationError".into(), named));
    let reply = json!({ "conversation_id": id, "content_encrypted": base64("re"), "reply_to": row["id"] });
    assert_eq!(bob.ok("POST", "/team/api/messages", reply)["message"]["reply_to"], row["id"]);
    let reply = json!({ "conversation_id": id, "content_encrypted": base64("re"), "reply_to": "m_none" });
    assert_eq!(bob.refused("POST", "/team/api/messages", reply).2.unwrap(), "reply_to");
    let cat = server.login("cat");
    assert_eq!(cat.refused("POST", "/team/api/messages", body).0, 403);
}

#[test]
fn t12_edit_and_delete() {
    let server = Server::new();
    let [ann, bob, cat] = ["ann", "bob", "cat"].map(|name| server.login(name));
    let group = json!({ "title": "Club", "participant_ids": [bob.id, cat.id] });
    let id = text(&ann.ok("POST", "/team/api/conversations/group", group)["conversation"]["id"]);
    let mut anns = ann.connect();
    let sent = cat.connect().call("chat:message_send", draft(&id, "first", "k"));
    let path = format!("/team/api/messages/{}", text(&sent["data"]["id"]));
    let change = json!({ "content_encrypted": base64("second") });
    assert_eq!(bob.refused("PATCH", &path, change.clone()).0, 403);
    assert_eq!(ann.refused("PATCH", &path, change.clone()).0, 403, "an admin edits nothing of others");
    let edited = cat.ok("PATCH", &path, change.clone());
    assert!(edited["message"]["edited_at"].is_string());
    let told = anns.event("chat:message_updated");
    assert_eq!((&told["content_encrypted"], &told["seq"]), (&json!(base64("second")), &json!(1)));
    let again = cat.connect().call("chat:message_send", draft(&id, "first", "k"));
    assert_eq!(again["duplicate"], true, "the key stands for the content as it was sent: {again}");
    assert_eq!(bob.refused("DELETE", &path, Value::Null).0, 403);
    ann.ok("DELETE", &path, Value::Null);
    ann.ok("DELETE", &path, Value::Null);
    let told = anns.event("chat:message_deleted");
    assert_eq!((&told["messageId"], &told["conversationId"]), (&sent["data"]["id"], &json!(id)));
    let events = anns.events_so_far();
    assert!(events.iter().all(|(name, _)| name != "chat:message_deleted"), "told once");
    let rows = bob.history(&id);
    assert_eq!((&rows[0]["content_encrypted"], rows[0]["deleted_at"].is_string()), (&json!(""), true));
    assert_eq!(cat.refused("PATCH", &path, change).0, 409);
    assert_eq!(cat.refused("DELETE", "/team/api/messages/m_none", Value::Null).0, 404);
}

#[test]
fn t13_statuses_move_forward_and_reactions_are_idempotent() {
    let server = Server::new();
    let (ann, bob) = (server.login("ann"), server.login("bob"));
    let id = ann.direct_with(&bob);
    let mut anns = ann.connect();
    for n in 1..=3 {
        anns.call("chat:message_send", draft(&id, "x", &format!("k{n}")));
    }
    let rows = ann.history(&id);
    let path = |n: usize| format!("/team/api/messages/{}", text(&rows[n]["id"]));
    let status =
        |n: usize, status: &str| bob.ok("POST", &format!("{}/status", path(n)), json!({ "status": status }));
    status(1, "read");
    status(1, "delivered");
    status(0, "delivered");
    let rows = ann.history(&id);
    assert_eq!([&rows[0]["status"], &rows[1]["status"], &rows[2]["status"]], ["delivered", "read", "sent"]);
    assert_eq!(
        (&rows[1]["read_by"], &rows[0]["read_by"]),
        (&json!([bob.id]), &json!([])),
        "one message at a time"
    );
    assert_eq!(rows[0]["delivered_to"], json!([bob.id]));
    let view = bob.ok("GET", &format!("/team/api/conversations/{id}"), Value::Null);
    assert_eq!(
        (&view["conversation"]["last_read_seq"], &view["conversation"]["unread_count"]),
        (&json!(2), &json!(1))
    );
    let told: Vec<Value> = (0..2).map(|_| anns.event("chat:message_status_updated")).collect();
    assert_eq!([&told[0]["status"], &told[1]["status"]], ["read", "delivered"]);
    assert_eq!((&told[0]["messageId"], &told[0]["userId"]), (&rows[1]["id"], &json!(bob.id)));
    assert_eq!(bob.refused("POST", &format!("{}/status", path(0)), json!({ "status": "sent" })).0, 400);

    let reactions = format!("{}/reactions", path(0));
    for _ in 0..2 {
        let row = bob.ok("POST", &reactions, json!({ "emoji": "👍" }));
        assert_eq!(row["message"]["reactions"], json!([{ "emoji": "👍", "user_id": bob.id }]));
    }
    for _ in 0..2 {
        let row = bob.ok("DELETE", &format!("{reactions}/%F0%9F%91%8D"), Value::Null);
        assert_eq!(row["message"]["reactions"], json!([]));
    }
    let ops: Vec<Value> = anns
        .events_so_far()
        .into_iter()
        .filter(|(name, _)| name == "chat:reaction")
        .map(|(_, payload)| payload["op"].clone())
        .collect();
    assert_eq!(ops, ["add", "remove"], "told once each");
    assert_eq!(bob.refused("POST", &reactions, json!({ "emoji": "" })).2.unwrap(), "emoji");
}

#[test]
fn limits_of_text_body_and_rate() {
    let server = Server::with(|config| {
        (config.max_text_chars, config.max_payload_bytes) = (5, 4000);
        (config.rate_per_s, config.rate_burst) = (1, 4);
    });
    let (ann, bob) = (server.login("ann"), server.login("bob"));
    let id = ann.direct_with(&bob);
    let send = |words: &str| json!({ "conversation_id": id, "content_encrypted": base64(words), "message_type": "text" });
    let path = "/team/api/messages";
    assert_eq!(ann.refused("POST", path, send("123456")).0, 413);
    assert_eq!(
        ann.refused("POST", path, send(&"x".repeat(4000))),
        (413, "TooLarge".into(), Some("body".into()))
    );
    // A slow machine earns a token in between: it gets its refusal a little later.
    let refusal = (0..100).map(|_| ann.http("POST", path, send("ääääa"))).find(|(status, _)| *status != 201);
    let (status, body) = refusal.unwrap();
    assert_eq!((status, &body["error"]["code"]), (429, &json!("RateLimited")));
    let wait_ms = body["error"]["retry_after_ms"].as_u64().unwrap();
    assert!((1..=1000).contains(&wait_ms), "{wait_ms}");
    bob.ok("POST", path, send("me"));
}

#[test]
fn cors_is_open_to_local_pages_and_those_that_were_named() {
    let allowed = |server: &Server, origin: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = ureq::http::Request::builder()
            .method("OPTIONS")
            .uri(format!("{}/team/api/conversations", server.base))
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "authorization")
            .body(())
            .unwrap();
        agent.run(request).unwrap().headers().contains_key("access-control-allow-origin")
    };
    let server = Server::new();
    assert!(allowed(&server, "http://localhost:5173"));
    assert!(!allowed(&server, "https://example.org"));
    let server = Server::with(|config| config.cors_origins = vec!["https://example.org".into()]);
    assert!(allowed(&server, "https://example.org"));
    assert!(!allowed(&server, "http://localhost:5173"));
}
