//! Socket.IO of the `team` wire: T1 to T5, T14, D2 to D6, and the order of what is in flight.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{Account, Frame, Server, Socket, draft, http, text};

fn pair(server: &Server) -> (Account, Account, String) {
    let (ann, bob) = (server.login("ann"), server.login("bob"));
    let id = ann.direct_with(&bob);
    (ann, bob, id)
}

#[test]
fn t1_d2_d6_connect_hello_and_refusals() {
    let server = Server::with(|config| {
        (config.ping_interval_ms, config.ping_timeout_ms, config.max_payload_bytes) = (300, 7000, 50_000);
    });
    let ann = server.login("ann");
    for auth in [json!({ "token": "x" }), json!({}), json!({ "token": 7 })] {
        let error = Socket::connect(&server.base, auth).err().unwrap();
        assert!(text(&error["message"]).starts_with("AuthError: "), "{error}");
    }
    let mut socket = Socket::connect(&server.base, json!({ "token": ann.token })).unwrap();
    assert_eq!((&socket.open["pingInterval"], &socket.open["pingTimeout"]), (&json!(300), &json!(7000)));
    assert_eq!(socket.open["maxPayload"], 50_000);
    // The very first event.
    let Frame::Event(name, hello) = socket.frame() else { panic!("no event") };
    assert_eq!(name, "chatwire:hello");
    let wanted = json!({ "keys": true, "cursor": true, "orderedWindow": true, "receipts": true, "maxPayload": 50_000 });
    assert_eq!(hello["capabilities"], wanted);
    // Whose the token is, so that a client with another user's queue sends nothing of it.
    assert_eq!(hello["user"], json!({ "id": ann.id }));
}

#[test]
fn t3_a_send_is_answered_and_told_to_everybody_but_its_socket() {
    let server = Server::new();
    let (ann, bob, id) = pair(&server);
    let (mut first, mut second, mut bobs) = (ann.connect(), ann.connect(), bob.connect());
    let mut stranger = server.login("cat").connect();
    let sent = first.call("chat:message_send", draft(&id, "hi", "k1"));
    let row = &sent["data"];
    assert_eq!((&sent["success"], &sent["duplicate"]), (&json!(true), &Value::Null));
    assert_eq!(
        (&row["seq"], &row["status"], &row["message_type"]),
        (&json!(1), &json!("sent"), &json!("text"))
    );
    let told = bobs.event("chat:message_received");
    assert_eq!(
        (&told["id"], &told["sender_id"], &told["conversation_id"]),
        (&row["id"], &json!(ann.id), &json!(id))
    );
    assert!(told.get("client_message_id").is_none());
    assert_eq!(&second.event("chat:message_received"), row, "the sender's other device knows the key");
    let received = |socket: &mut Socket| {
        socket.events_so_far().iter().filter(|(name, _)| name == "chat:message_received").count()
    };
    assert_eq!((received(&mut first), received(&mut stranger)), (0, 0));
    let rows = ann.history(&id);
    assert_eq!(&rows[0], row, "REST tells the same");
}

#[test]
fn d3_keys_are_kept_per_sender() {
    let server = Server::new();
    let (ann, bob, id) = pair(&server);
    let mut socket = ann.connect();
    let first = socket.call("chat:message_send", draft(&id, "hi", "k"));
    drop(socket);
    let mut socket = ann.connect();
    let mut bobs = bob.connect();
    let again = socket.call("chat:message_send", draft(&id, "hi", "k"));
    assert_eq!((&again["duplicate"], &again["data"]), (&json!(true), &first["data"]));
    let other = socket.call("chat:message_send", draft(&id, "ho", "k"));
    assert_eq!((&other["success"], &other["error"]["code"]), (&json!(false), &json!("ValidationError")));
    assert_eq!(other["error"]["field"], "client_message_id");
    let cat = server.login("cat");
    let elsewhere = ann.direct_with(&cat);
    let other = socket.call("chat:message_send", draft(&elsewhere, "hi", "k"));
    assert_eq!(other["error"]["field"], "client_message_id", "another conversation is other content");
    let bobs_own = bobs.call("chat:message_send", draft(&id, "hi", "k"));
    assert_eq!((&bobs_own["success"], &bobs_own["data"]["seq"]), (&json!(true), &json!(2)));
    assert!(
        bobs.events_so_far().iter().all(|(name, _)| name != "chat:message_received"),
        "a duplicate is no news"
    );
    assert_eq!(ann.history(&id).len(), 2);
}

#[test]
fn t15_wrong_sends_are_refused_by_name() {
    let server = Server::with(|config| config.max_text_chars = 10);
    let (ann, bob, id) = pair(&server);
    let mut socket = ann.connect();
    let mut refused = |payload: Value| {
        let answer = socket.call("chat:message_send", payload);
        assert_eq!(answer["success"], false);
        (text(&answer["error"]["code"]), answer["error"]["field"].as_str().unwrap_or("").to_owned())
    };
    assert_eq!(refused(draft("c_none", "hi", "a")).0, "NotFoundError");
    let theirs = bob.direct_with(&server.login("cat"));
    assert_eq!(refused(draft(&theirs, "hi", "b")).0, "ForbiddenError");
    assert_eq!(refused(draft(&id, "", "c")), ("ValidationError".into(), "content_encrypted".into()));
    assert_eq!(refused(draft(&id, "12345678901", "d")), ("TooLarge".into(), "content_encrypted".into()));
    assert_eq!(refused(json!("no object")), ("ValidationError".into(), "payload".into()));
    assert_eq!(refused(Value::Null), ("ValidationError".into(), "payload".into()));
    assert!(ann.history(&id).is_empty());
    let fine = socket.call("chat:message_send", draft(&id, "1234567890", "e"));
    assert_eq!(fine["success"], true, "a failure for good stops nobody: {fine}");
}

#[test]
fn e12_a_frame_that_is_too_large_is_refused_and_the_socket_stays() {
    let server = Server::with(|config| config.max_payload_bytes = 2000);
    let (ann, _, id) = pair(&server);
    let mut socket = ann.connect();
    let answer = socket.call("chat:message_send", draft(&id, &"x".repeat(3000), "k"));
    assert_eq!(answer["error"]["code"], "TooLarge");
    assert_eq!(socket.call("chat:message_send", draft(&id, "short", "k"))["success"], true);
}

#[test]
fn t4_typing_presence_and_status() {
    let server = Server::new();
    let (ann, bob, id) = pair(&server);
    let (mut anns, mut bobs) = (ann.connect(), bob.connect());
    bobs.call("presence:online", Value::Null);
    let told = anns.event("user:status_changed");
    assert_eq!((&told["userId"], &told["status"]), (&json!(bob.id), &json!("online")));
    assert!(text(&told["timestamp"]).ends_with('Z'));
    let view = ann.ok("GET", &format!("/team/api/conversations/{id}"), Value::Null);
    let online: Vec<&Value> =
        view["conversation"]["participants"].as_array().unwrap().iter().map(|one| &one["online"]).collect();
    assert_eq!(online.iter().filter(|one| **one == &json!(true)).count(), 1);

    bobs.emit("chat:typing", json!({ "conversationId": id, "isTyping": true }));
    let told = anns.event("chat:user_typing");
    let wanted = (json!(bob.id), json!("bob"), json!(true), json!(id));
    assert_eq!(
        (
            told["userId"].clone(),
            told["username"].clone(),
            told["isTyping"].clone(),
            told["conversationId"].clone()
        ),
        wanted
    );
    let mut cats = server.login("cat").connect();
    let refused = cats.call("chat:typing", json!({ "conversationId": id, "isTyping": true }));
    assert_eq!(refused["error"]["code"], "ForbiddenError");

    let sent = anns.call("chat:message_send", draft(&id, "hi", "k"));
    let message = bobs.event("chat:message_received");
    for event in
        ["chat:message_delivered", "chat:message_read", "chat:message_read", "chat:message_delivered"]
    {
        assert_eq!(bobs.call(event, json!({ "messageId": message["id"] }))["success"], true);
    }
    let mut seen = Vec::new();
    for (name, payload) in anns.events_so_far() {
        if name == "chat:message_status_updated" {
            assert_eq!((&payload["messageId"], &payload["userId"]), (&sent["data"]["id"], &json!(bob.id)));
            assert_eq!(payload["conversationId"], json!(id));
            seen.push(text(&payload["status"]));
        }
        assert_ne!(payload["userId"].as_str(), Some(cats.sid.as_str()));
    }
    assert_eq!(seen, ["delivered", "read"], "T14: forward only, told once");
    drop(bobs);
    let told = anns.event("chat:user_typing");
    assert_eq!(told["isTyping"], false, "who is gone types no more");
    assert_eq!(anns.event("user:status_changed")["status"], "offline");
}

#[test]
fn d4_members_are_told_of_a_conversation_and_hear_it_at_once() {
    let server = Server::new();
    let [ann, bob, cat] = ["ann", "bob", "cat"].map(|name| server.login(name));
    let (mut anns, mut bobs, mut cats) = (ann.connect(), bob.connect(), cat.connect());
    let group = json!({ "title": "Club", "participant_ids": [bob.id] });
    let id = text(&ann.ok("POST", "/team/api/conversations/group", group)["conversation"]["id"]);
    for socket in [&mut anns, &mut bobs] {
        assert_eq!(socket.event("chat:conversation_updated")["conversation"]["id"], json!(id));
    }
    bobs.call("chat:message_send", draft(&id, "one", "k1"));
    ann.ok("POST", &format!("/team/api/conversations/{id}/participants"), json!({ "user_id": cat.id }));
    let view = cats.event("chat:conversation_updated");
    assert_eq!(view["conversation"]["last_read_seq"], 1, "what was before counts as read");
    bobs.call("chat:message_send", draft(&id, "two", "k2"));
    assert_eq!(cats.event("chat:message_received")["seq"], 2);
    ann.ok("DELETE", &format!("/team/api/conversations/{id}/participants/{}", cat.id), Value::Null);
    let view = cats.event("chat:conversation_updated");
    assert_eq!(view["conversation"]["participants"].as_array().unwrap().len(), 2, "without the one removed");
    bobs.call("chat:message_send", draft(&id, "three", "k3"));
    assert!(cats.events_so_far().iter().all(|(name, _)| name != "chat:message_received"));
}

/// `orderedWindow`: 20 connections with 100 sends in flight each.
#[test]
fn d2_many_in_flight_are_stored_in_the_order_of_each_connection() {
    let server = Server::new();
    let (ann, bob, id) = pair(&server);
    let mut listener = bob.connect();
    let started = std::time::Instant::now();
    std::thread::scope(|scope| {
        for sender in 0..20 {
            let (account, id) = (if sender % 2 == 0 { &ann } else { &bob }, &id);
            scope.spawn(move || {
                let mut socket = account.connect();
                let ids: Vec<u64> = (0..50)
                    .map(|n| {
                        let words = format!("{sender} {n}");
                        socket.emit_with_ack("chat:message_send", draft(id, &words, &words))
                    })
                    .collect();
                let mut last = 0;
                for ack in ids {
                    let seq = socket.ack(ack)["data"]["seq"].as_i64().unwrap();
                    assert!(seq > last, "{seq} after {last}");
                    last = seq;
                }
            });
        }
    });
    println!("1000 messages in {:?}", started.elapsed());
    let rows = ann.history(&id);
    let seqs: Vec<i64> = rows.iter().map(|row| row["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=1000).collect::<Vec<i64>>(), "no holes");
    let heard: Vec<i64> =
        (0..1000).map(|_| listener.event("chat:message_received")["seq"].as_i64().unwrap()).collect();
    assert_eq!(heard, seqs, "live messages come in the order of seq");
}

/// Go back N: while a send has failed for now, none behind it is stored.
#[test]
fn d2_nothing_overtakes_a_send_that_failed_for_now() {
    let server = Server::with(|config| (config.rate_per_s, config.rate_burst) = (1, 6));
    let (ann, _, id) = pair(&server);
    let mut socket = ann.connect();
    let acks: Vec<u64> = (1..=20)
        .map(|n| socket.emit_with_ack("chat:message_send", draft(&id, "x", &format!("k{n}"))))
        .collect();
    let answers: Vec<Value> = acks.into_iter().map(|ack| socket.ack(ack)).collect();
    let stored = answers.iter().take_while(|answer| answer["success"] == true).count();
    assert!((5..20).contains(&stored), "{stored}");
    assert_eq!(answers[stored]["error"]["code"], "RateLimited");
    for late in &answers[stored + 1..] {
        assert_eq!(late["error"]["code"], "ServerError", "refused until the failed one comes again: {late}");
    }
    assert_eq!(ann.history(&id).len(), stored);
}

#[test]
fn receipts_and_typing_are_limited_and_leave_the_sends_alone() {
    let server = Server::with(|config| (config.rate_per_s, config.rate_burst) = (1, 6));
    let (ann, bob, id) = pair(&server);
    let (mut anns, mut bobs) = (ann.connect(), bob.connect());
    let sent = anns.call("chat:message_send", draft(&id, "x", "k"));
    let receipt = json!({ "messageId": sent["data"]["id"] });
    let typing = json!({ "conversationId": id, "isTyping": true });
    for (event, payload) in [("chat:message_read", receipt), ("chat:typing", typing)] {
        let answers: Vec<Value> = (0..20).map(|_| bobs.call(event, payload.clone())).collect();
        let taken = answers.iter().take_while(|answer| answer["success"] == true).count();
        assert!((6..20).contains(&taken), "{event}: {taken}");
        assert_eq!(answers[taken]["error"]["code"], "RateLimited");
        assert!(answers[taken]["error"]["retry_after_ms"].as_u64() > Some(0));
    }
    assert_eq!(bobs.call("chat:message_send", draft(&id, "y", "k"))["success"], true);
}

#[test]
fn a_token_that_expires_ends_the_connection_as_a_lost_network_would() {
    let server = Server::with(|config| config.token_ttl_ms = 2500);
    let ann = server.login("ann");
    let mut socket = ann.connect();
    let frames = socket.until_closed();
    assert!(
        !frames.iter().any(|frame| matches!(frame, Frame::Disconnect)),
        "a DISCONNECT would keep clients away"
    );
    let error = Socket::connect(&server.base, json!({ "token": ann.token })).err().unwrap();
    assert_eq!(error["message"], "AuthError: token expired");
    assert_eq!(ann.refused("GET", "/team/api/conversations", Value::Null).0, 401);
    let (status, fresh) = http(&server.base, "POST", "/auth/refresh", Some(&ann.token), None);
    assert_eq!((status, &fresh["expires_in"]), (200, &json!(2.5)));
    Socket::connect(&server.base, json!({ "token": fresh["token"] })).unwrap();
}

#[test]
fn a_token_long_expired_is_not_refreshed() {
    let server = Server::with(|config| (config.token_ttl_ms, config.refresh_grace_ms) = (1, -1_000_000));
    let ann = server.login("ann");
    let (status, body) = http(&server.base, "POST", "/auth/refresh", Some(&ann.token), None);
    assert_eq!((status, &body["error"]["code"]), (401, &json!("AuthError")));
}

#[test]
fn stopping_the_server_is_no_disconnect_packet() {
    let server = Server::new();
    let mut socket = server.login("ann").connect();
    server.stop();
    assert!(!socket.until_closed().iter().any(|frame| matches!(frame, Frame::Disconnect)));
}
