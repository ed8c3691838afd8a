//! The program: its ready line, its exit codes, what survives a restart.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use std::process::Stdio;

use serde_json::Value;
use support::{Folder, Process, Server, config, draft};

#[test]
fn messages_accounts_and_tokens_survive_a_restart() {
    let server = Server::new();
    let (mut ann, bob) = (server.login("ann"), server.login("bob"));
    let id = ann.direct_with(&bob);
    let sent = ann.connect().call("chat:message_send", draft(&id, "hi", "k"));
    bob.connect().call("chat:message_read", serde_json::json!({ "messageId": sent["data"]["id"] }));
    let before = ann.history(&id);
    let server = Server::on(server.stop(), |_| {}).unwrap();
    ann.base = server.base.clone();
    assert_eq!(ann.history(&id), before, "with the token of before");
    assert_eq!(server.login("ann").id, ann.id);
    let mut socket = ann.connect();
    assert_eq!(socket.call("chat:message_send", draft(&id, "hi", "k"))["duplicate"], true);
    assert_eq!(socket.call("chat:message_send", draft(&id, "ho", "l"))["data"]["seq"], 2);
}

#[test]
fn an_answer_survives_a_kill() {
    let folder = Folder::new();
    let process = Process::start(&folder);
    let (mut ann, bob) = (support::login(&process.base, "ann"), support::login(&process.base, "bob"));
    let id = ann.direct_with(&bob);
    let mut socket = ann.connect();
    for n in 0..20 {
        assert_eq!(socket.call("chat:message_send", draft(&id, "x", &format!("k{n}")))["success"], true);
    }
    drop(process);
    let process = Process::start(&folder);
    ann.base = process.base.clone();
    assert_eq!(ann.history(&id).len(), 20);
}

#[cfg(unix)]
#[test]
fn sigterm_ends_it_in_order() {
    let folder = Folder::new();
    let process = Process::start(&folder);
    let mut socket = support::login(&process.base, "ann").connect();
    let killed = std::process::Command::new("kill").arg(process.id().to_string()).status().unwrap();
    assert!(killed.success());
    assert!(socket.until_closed().is_empty());
    assert!(process.wait().success());
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        !left.iter().any(|name| name.to_string_lossy().ends_with("-wal")),
        "folded into one file: {left:?}"
    );
}

#[test]
fn a_port_that_is_taken_is_named_and_exits_2() {
    let server = Server::new();
    let port = server.base.rsplit(':').next().unwrap();
    let folder = Folder::new();
    let output = Process::command(&folder, &["--port", port]).output().unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(words.contains(port) && words.contains("--port"), "{words}");
    assert!(output.stdout.is_empty());
}

#[test]
fn wrong_flags_and_a_database_in_use_exit_1() {
    let folder = Folder::new();
    let output = Process::command(&folder, &["--prt", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--prt"));
    let first = Process::start(&folder);
    let output = Process::command(&folder, &["--port", "0"]).stdout(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("in use"));
    drop(first);
}

#[test]
fn a_built_application_is_served_with_its_types() {
    let folder = Folder::new();
    let site = folder.path().join("site");
    std::fs::create_dir_all(site.join("assets")).unwrap();
    std::fs::write(site.join("index.html"), "<!doctype html>page").unwrap();
    std::fs::write(site.join("assets/core.wasm"), b"\0asm").unwrap();
    std::fs::write(site.join("assets/app.js"), "1").unwrap();
    let missing = Server::on(Folder::new(), |config| config.static_dir = Some("/no/such/folder".into()));
    assert!(missing.err().unwrap().to_string().contains("--static"));
    let server = Server::on(folder, |config| config.static_dir = Some(site)).unwrap();
    let get = |path: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.get(format!("{}{path}", server.base)).call().unwrap();
        let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        (response.status().as_u16(), kind.unwrap_or_default(), response.body_mut().read_to_string().unwrap())
    };
    assert_eq!(get("/assets/core.wasm").1, "application/wasm");
    assert!(get("/assets/app.js").1.contains("javascript"));
    for path in ["/", "/chat/c_1"] {
        let (status, kind, body) = get(path);
        assert_eq!(
            (status, kind.as_str(), body.as_str()),
            (200, "text/html", "<!doctype html>page"),
            "{path}"
        );
    }
    assert_eq!(get("/assets/other.wasm").0, 404, "a missing file is no page");
    let (status, kind, _) = get("/team/api/nothing");
    assert_eq!((status, kind.as_str()), (404, "application/json"));
    assert_eq!(server.login("ann").ok("GET", "/team/api/conversations", Value::Null)["has_more"], false);
}

#[test]
fn logs_hold_neither_texts_nor_tokens() {
    let folder = Folder::new();
    let log = folder.path().join("log");
    let mut command = Process::command(&folder, &["--port", "0"]);
    command.env("CHATWIRE_LOG", "trace").env("CHATWIRE_LOG_FORMAT", "json");
    let process = Process::spawn(command.stderr(std::fs::File::create(&log).unwrap()));
    let (ann, bob) = (support::login(&process.base, "ann"), support::login(&process.base, "bob"));
    let id = ann.direct_with(&bob);
    let mut socket = ann.connect();
    socket.call("chat:message_send", draft(&id, "a private matter", "k"));
    let wrong = serde_json::json!({ "conversation_id": id, "content_encrypted": "a private matter" });
    assert_eq!(ann.refused("POST", "/team/api/messages", wrong).0, 400);
    drop(process);
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.lines().count() > 1 && log.lines().all(|line| line.starts_with('{')), "{log}");
    for secret in ["private", &support::base64("a private matter"), &ann.token, &bob.token] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn the_secret_can_be_given() {
    let folder = Folder::new();
    let secret = |config: &mut chatwire_server::Config| config.jwt_secret = Some("shared".into());
    let server = Server::on(folder, secret).unwrap();
    let mut ann = server.login("ann");
    let server = Server::on(server.stop(), |_| {}).unwrap();
    ann.base = server.base.clone();
    assert_eq!(ann.refused("GET", "/team/api/conversations", Value::Null).0, 401, "another secret");
    assert_eq!(config(&Folder::new()).port, 0);
}
