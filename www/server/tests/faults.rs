//! The test switches, and that builds without the feature lack them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

#[cfg(not(feature = "faults"))]
#[test]
fn a_build_for_users_has_no_test_routes() {
    let server = support::Server::new();
    for (method, path) in [
        ("POST", "/test/faults"),
        ("POST", "/test/reset"),
        ("GET", "/test/log"),
        ("GET", "/test/sockets"),
        ("GET", "/test/connections?user=ann"),
    ] {
        let (status, body) = support::http(&server.base, method, path, None, None);
        assert_eq!((status, &body["error"]["code"]), (404, &serde_json::json!("NotFoundError")), "{path}");
    }
}

#[cfg(feature = "faults")]
mod armed {
    use serde_json::{Value, json};

    use super::support::{self, Account, Folder, Frame, Process, Server, Socket, draft, http};

    fn arm(base: &str, fault: Value) {
        let (status, body) = http(base, "POST", "/test/faults", None, Some(fault));
        assert_eq!(status, 200, "{body}");
    }

    fn stored(base: &str, conversation: &str) -> Vec<String> {
        let (_, rows) = http(base, "GET", &format!("/test/log?conversation={conversation}"), None, None);
        rows.as_array().unwrap().iter().map(|row| support::text(&row["client_message_id"])).collect()
    }

    fn pair(base: &str) -> (Account, Account, String) {
        let (ann, bob) = (support::login(base, "ann"), support::login(base, "bob"));
        let id = ann.direct_with(&bob);
        (ann, bob, id)
    }

    #[test]
    fn lose_ack_stores_and_cuts() {
        let server = Server::new();
        let (ann, bob, id) = pair(&server.base);
        let (mut socket, mut bobs) = (ann.connect(), bob.connect());
        arm(&server.base, json!({ "fault": "lose_ack", "user": "ann", "skip": 1 }));
        assert_eq!(socket.call("chat:message_send", draft(&id, "0", "k0"))["success"], true);
        socket.emit_with_ack("chat:message_send", draft(&id, "1", "k1"));
        assert!(socket.until_closed().iter().all(|frame| matches!(frame, Frame::Event(..))));
        assert_eq!(stored(&server.base, &id), ["k0", "k1"]);
        assert_eq!(bobs.event("chat:message_received")["seq"], 1);
        assert_eq!(bobs.event("chat:message_received")["seq"], 2, "the others hear of it");
        let again = ann.connect().call("chat:message_send", draft(&id, "1", "k1"));
        assert_eq!((&again["duplicate"], &again["data"]["seq"]), (&json!(true), &json!(2)));
    }

    #[test]
    fn withhold_ack_keeps_the_socket() {
        let server = Server::new();
        let (ann, _, id) = pair(&server.base);
        let mut socket = ann.connect();
        arm(&server.base, json!({ "fault": "withhold_ack" }));
        let silent = socket.emit_with_ack("chat:message_send", draft(&id, "1", "k1"));
        let next = socket.emit_with_ack("chat:message_send", draft(&id, "2", "k2"));
        let Frame::Ack(first, _) = socket.frame() else { panic!("no ack") };
        assert_eq!((first, silent + 1), (next, next));
        assert_eq!(stored(&server.base, &id), ["k1", "k2"]);
    }

    #[test]
    fn delay_ack_and_fail_send() {
        let server = Server::new();
        let (ann, _, id) = pair(&server.base);
        let mut socket = ann.connect();
        arm(&server.base, json!({ "fault": "delay_ack", "ms": 300 }));
        let started = std::time::Instant::now();
        assert_eq!(socket.call("chat:message_send", draft(&id, "1", "k1"))["success"], true);
        assert!(started.elapsed().as_millis() >= 300);
        arm(&server.base, json!({ "fault": "fail_send", "code": "ForbiddenError" }));
        assert_eq!(
            socket.call("chat:message_send", draft(&id, "2", "k2"))["error"]["code"],
            "ForbiddenError"
        );
        arm(
            &server.base,
            json!({ "fault": "fail_send", "count": 2, "code": "RateLimited", "retry_after_ms": 7 }),
        );
        let refused = socket.call("chat:message_send", draft(&id, "3", "k3"));
        assert_eq!(
            (&refused["error"]["code"], &refused["error"]["retry_after_ms"]),
            (&json!("RateLimited"), &json!(7))
        );
        let (status, _) = http(&server.base, "POST", "/test/reset", None, None);
        assert_eq!(status, 200);
        assert_eq!(socket.call("chat:message_send", draft(&id, "3", "k3"))["success"], true);
        assert_eq!(stored(&server.base, &id), ["k1", "k3"]);
        for wrong in [
            json!({ "fault": "x" }),
            json!({ "fault": "fail_send", "code": "x" }),
            json!({ "fault": "lose_ack", "count": 0 }),
        ] {
            assert_eq!(http(&server.base, "POST", "/test/faults", None, Some(wrong)).0, 400);
        }
    }

    #[test]
    fn go_back_n_after_a_failure_in_the_middle() {
        let server = Server::new();
        let (ann, _, id) = pair(&server.base);
        let mut socket = ann.connect();
        arm(&server.base, json!({ "fault": "fail_send", "code": "ServerError", "skip": 3 }));
        let send = |socket: &mut Socket, from: usize| {
            let acks: Vec<u64> = (from..10)
                .map(|n| socket.emit_with_ack("chat:message_send", draft(&id, "x", &format!("k{n}"))))
                .collect();
            acks.into_iter().map(|ack| socket.ack(ack)["success"] == true).collect::<Vec<bool>>()
        };
        assert_eq!(send(&mut socket, 0), (0..10).map(|n| n < 3).collect::<Vec<bool>>());
        assert_eq!(send(&mut socket, 3), [true; 7]);
        let keys: Vec<String> = (0..10).map(|n| format!("k{n}")).collect();
        assert_eq!(stored(&server.base, &id), keys);
    }

    #[test]
    fn refused_and_expired_tokens() {
        let server = Server::new();
        let (ann, bob, _) = pair(&server.base);
        arm(&server.base, json!({ "fault": "refuse_token", "count": 2, "user": ann.id }));
        assert!(Socket::connect(&server.base, json!({ "token": ann.token })).is_err());
        bob.connect();
        assert_eq!(ann.refused("GET", "/team/api/conversations", Value::Null).0, 401);
        let mut socket = ann.connect();
        arm(&server.base, json!({ "fault": "expire_tokens" }));
        assert!(!socket.until_closed().iter().any(|frame| matches!(frame, Frame::Disconnect)));
        assert!(Socket::connect(&server.base, json!({ "token": ann.token })).is_err());
        let (_, fresh) = http(&server.base, "POST", "/auth/refresh", Some(&ann.token), None);
        Socket::connect(&server.base, json!({ "token": fresh["token"] })).unwrap();
    }

    #[test]
    fn dropped_sockets_are_counted() {
        let server = Server::new();
        let (ann, bob, _) = pair(&server.base);
        let (mut one, mut two, _bobs) = (ann.connect(), ann.connect(), bob.connect());
        arm(&server.base, json!({ "fault": "drop_sockets", "user": "ann" }));
        one.until_closed();
        two.until_closed();
        ann.connect();
        let (_, body) = http(&server.base, "GET", "/test/sockets", None, None);
        let anns = &body["sockets"][&ann.id];
        assert_eq!(
            (&anns["max_live"], &anns["opened"], &anns["name"]),
            (&json!(2), &json!(3), &json!("ann"))
        );
        assert_eq!(body["sockets"][&bob.id]["live"], 1);
    }

    #[test]
    fn each_connection_has_its_times() {
        let server = Server::new();
        let (ann, bob, _) = pair(&server.base);
        let (mut anns, mut bobs) = (ann.connect(), bob.connect());
        let log = || http(&server.base, "GET", "/test/connections?user=ann", None, None).1;
        anns.call("presence:online", Value::Null);
        let open = log();
        assert_eq!(open["connections"].as_array().unwrap().len(), 1, "bob's is not among them");
        assert_eq!(open["connections"][0]["closed_ms"], Value::Null);
        arm(&server.base, json!({ "fault": "drop_sockets", "user": "ann" }));
        while bobs.event("user:status_changed")["status"] != "offline" {}
        let closed = log();
        let [opened_ms, closed_ms] = ["opened_ms", "closed_ms"].map(|name| &closed["connections"][0][name]);
        assert!(opened_ms.as_i64() <= closed_ms.as_i64() && closed_ms.as_i64() <= closed["now_ms"].as_i64());
        http(&server.base, "POST", "/test/reset", None, None);
        assert_eq!(log()["connections"], json!([]), "what has ended is forgotten");
    }

    /// Polling leaves no connection to cut between two requests: the session is unknown from then on.
    #[test]
    fn a_dropped_polling_session_is_unknown() {
        let server = Server::new();
        let ann = server.login("ann");
        let path = "/team/socket.io/?EIO=4&transport=polling";
        let (_, open) = http(&server.base, "GET", path, None, None);
        let open: Value = serde_json::from_str(open.as_str().unwrap().strip_prefix('0').unwrap()).unwrap();
        let path = format!("{path}&sid={}", support::text(&open["sid"]));
        let connect = format!("40{}", json!({ "token": ann.token }));
        let agent = ureq::agent();
        agent.post(format!("{}{path}", server.base)).send(&connect).unwrap();
        let mut heard = String::new();
        while !heard.contains("chatwire:hello") {
            let (status, packets) = http(&server.base, "GET", &path, None, None);
            assert_eq!(status, 200);
            heard.push_str(packets.as_str().unwrap_or("2"));
            if heard.ends_with('2') {
                agent.post(format!("{}{path}", server.base)).send("3").unwrap();
            }
        }
        arm(&server.base, json!({ "fault": "drop_sockets" }));
        let (status, body) = http(&server.base, "GET", &path, None, None);
        assert_eq!((status, body), (400, json!({ "code": 1, "message": "Session ID unknown" })));
    }

    fn crash(fault: &str) -> (Vec<Frame>, Vec<String>) {
        let folder = Folder::new();
        let process = Process::start(&folder);
        let (ann, _, id) = pair(&process.base);
        let mut socket = ann.connect();
        arm(&process.base, json!({ "fault": fault, "skip": 1 }));
        assert_eq!(socket.call("chat:message_send", draft(&id, "0", "k0"))["success"], true);
        socket.emit_with_ack("chat:message_send", draft(&id, "1", "k1"));
        let frames = socket.until_closed();
        assert!(!process.wait().success());
        let process = Process::start(&folder);
        let keys = stored(&process.base, &id);
        (frames, keys)
    }

    #[test]
    fn crash_before_store() {
        let (frames, keys) = crash("crash_before_store");
        assert!(frames.is_empty());
        assert_eq!(keys, ["k0"]);
    }

    #[test]
    fn crash_after_store() {
        let (frames, keys) = crash("crash_after_store");
        assert!(frames.is_empty());
        assert_eq!(keys, ["k0", "k1"]);
    }

    #[test]
    fn crash_after_ack() {
        let (frames, keys) = crash("crash_after_ack");
        assert!(matches!(frames.as_slice(), [Frame::Ack(..)]), "{frames:?}");
        assert_eq!(keys, ["k0", "k1"]);
    }
}
