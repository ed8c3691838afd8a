use serde_json::{Value, json};

use super::*;
use crate::proto::ErrorCode;

const PAGE: PageFacts = PageFacts { online: true, visible: true };

fn options(more: Value) -> Value {
    let mut options = json!({
        "url": "https://chat.example.com/team",
        "profile": "team",
        "userId": "ana",
        "hasGetToken": true,
    });
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    options
}

fn parsed(more: Value) -> Config {
    Config::parse(&options(more).to_string(), PAGE).unwrap()
}

fn refused(more: Value) -> String {
    let failure = Config::parse(&options(more).to_string(), PAGE).unwrap_err();
    assert_eq!((failure.code, failure.retryable), (ErrorCode::Config, false));
    failure.message
}

#[test]
fn the_defaults_are_those_of_the_documents() {
    let config = parsed(json!({}));
    assert_eq!(config.user_id, "ana");
    assert!(config.static_token.is_none() && config.persistent);
    assert_eq!(config.limits.max_text_length, 10_000);
    assert_eq!(
        config.reconnect,
        Reconnect {
            base_delay_ms: 1_000,
            max_delay_ms: 30_000,
            jitter: Jitter::Full,
            max_attempts: None,
            connect_timeout_ms: 20_000,
            after_server_disconnect: false
        }
    );
    assert_eq!(
        config.outbox,
        OutboxLimits { max_queued: 1_000, max_attempts: 3, window: 8, ack_timeout_ms: 15_000 }
    );
    assert_eq!(config.capabilities, CapabilityPatch::default());
    assert_eq!(config.page, PAGE);
}

#[test]
fn d1_the_path_is_a_prefix_and_never_a_namespace() {
    let endpoint = parsed(json!({})).endpoint;
    assert_eq!(endpoint.socket_url, "wss://chat.example.com/team/socket.io/?EIO=4&transport=websocket");
    assert_eq!(
        (endpoint.namespace.as_str(), endpoint.api_url.as_str()),
        ("/", "https://chat.example.com/team/api")
    );

    for (url, socket, api) in [
        ("wss://h", "wss://h/socket.io/?EIO=4&transport=websocket", "https://h/api"),
        (
            "ws://localhost:8002/",
            "ws://localhost:8002/socket.io/?EIO=4&transport=websocket",
            "http://localhost:8002/api",
        ),
        (
            "http://127.0.0.1:1/a/",
            "ws://127.0.0.1:1/a/socket.io/?EIO=4&transport=websocket",
            "http://127.0.0.1:1/a/api",
        ),
    ] {
        let endpoint = parsed(json!({ "url": url })).endpoint;
        assert_eq!((endpoint.socket_url.as_str(), endpoint.api_url.as_str()), (socket, api));
    }
}

#[test]
fn d1_everything_about_the_endpoint_can_be_set() {
    let endpoint = parsed(json!({
        "endpoint": { "path": "/rt/", "namespace": "/chat", "apiUrl": "https://api.example.com/v2/" }
    }))
    .endpoint;
    assert_eq!(endpoint.socket_url, "wss://chat.example.com/rt/?EIO=4&transport=websocket");
    assert_eq!(
        (endpoint.namespace.as_str(), endpoint.api_url.as_str()),
        ("/chat", "https://api.example.com/v2")
    );
    let endpoint = parsed(json!({ "endpoint": { "apiUrl": "/v2" } })).endpoint;
    assert_eq!(endpoint.api_url, "https://chat.example.com/v2");
}

#[test]
fn every_option_is_read() {
    let config = parsed(json!({
        "userId": 42, "storage": "memory", "tokenIn": "auth", "timezone": "Europe/Paris", "logLevel": "debug",
        "allowInsecure": true, "url": "http://chat.example.com", "wasm": "/chatwire.wasm", "persist": false,
        "capabilities": { "keys": true, "answers": false, "cursor": false, "orderedWindow": true, "receipts": false, "maxPayload": 9 },
        "limits": { "maxTextLength": 1, "maxFrameBytes": 2048, "maxConversations": 3, "maxWindowRows": 50,
                    "maxStoragePercent": 70, "sendsPerSecond": 5, "sendBurst": 6 },
        "reconnect": { "baseDelayMs": 7, "maxDelayMs": 8, "maxAttempts": 9, "connectTimeoutMs": 1000,
                       "afterServerDisconnect": true },
        "heartbeat": { "intervalMs": 1001, "timeoutMs": 1002 },
        "outbox": { "maxQueued": 11, "maxAttempts": 12, "window": 13, "ackTimeoutMs": 114 },
    }));
    assert_eq!((config.user_id.as_str(), config.persistent), ("42", false));
    assert_eq!(config.endpoint.api_url, "http://chat.example.com/api");
    let expected = CapabilityPatch {
        keys: Some(true),
        answers: Some(false),
        cursor: Some(false),
        ordered_window: Some(true),
        receipts: Some(false),
        max_payload: Some(9),
    };
    assert_eq!(config.capabilities, expected);
    let Limits {
        max_text_length,
        max_frame_bytes,
        max_conversations,
        max_window_rows,
        max_storage_percent,
        sends_per_second,
        send_burst,
    } = config.limits;
    assert_eq!((max_text_length, max_frame_bytes, max_conversations), (1, 2048, 3));
    assert_eq!((max_window_rows, sends_per_second, send_burst), (50, 5, 6));
    assert_eq!((max_storage_percent, config.persist), (70, false));
    assert_eq!(
        config.reconnect,
        Reconnect {
            base_delay_ms: 7,
            max_delay_ms: 8,
            jitter: Jitter::Full,
            max_attempts: Some(9),
            connect_timeout_ms: 1000,
            after_server_disconnect: true
        }
    );
    assert_eq!(config.heartbeat, Heartbeat { interval_ms: 1001, timeout_ms: 1002 });
    assert_eq!(
        config.outbox,
        OutboxLimits { max_queued: 11, max_attempts: 12, window: 13, ack_timeout_ms: 114 }
    );
    assert_eq!(parsed(json!({ "reconnect": { "maxAttempts": null } })).reconnect.max_attempts, None);
    assert_eq!(parsed(json!({ "reconnect": { "baseDelayMs": 60_000 } })).reconnect.max_delay_ms, 60_000);
}

#[test]
fn a_profile_is_one_of_these_or_is_described() {
    let allowed =
        r#""team" or "companion" or "channels" or "phoenix" or "assistant", or what defineProfile() gives"#;
    for (given, shown) in [(json!("slack"), "\"slack\""), (json!(null), "nothing"), (json!([7]), "[7]")] {
        let failure = Config::parse(&options(json!({ "profile": given })).to_string(), PAGE).unwrap_err();
        assert_eq!(failure.message, format!("profile: got {shown}, allowed: {allowed}"));
    }
}

#[test]
fn a_refusal_names_the_field_the_value_and_what_is_allowed() {
    for (wrong, message) in [
        (
            json!({ "reconnect": { "maxAttempts": "five" } }),
            "reconnect.maxAttempts: got \"five\", allowed: a whole number from 1 to 1000 or null",
        ),
        (
            json!({ "reconnect": { "maxAttempts": 0 } }),
            "reconnect.maxAttempts: got 0, allowed: a whole number from 1 to 1000 or null",
        ),
        (
            json!({ "reconnect": { "baseDelayMs": 500, "maxDelayMs": 400 } }),
            "reconnect.maxDelayMs: got 400, allowed: a whole number from 500 to 86400000",
        ),
        (
            json!({ "outbox": { "window": 1.5 } }),
            "outbox.window: got 1.5, allowed: a whole number from 1 to 256",
        ),
        (json!({ "outbox": [] }), "outbox: got [], allowed: an object"),
        (json!({ "tokenIn": "query" }), "tokenIn: got \"query\", allowed: \"auth\""),
        (json!({ "storage": "disk" }), "storage: got \"disk\", allowed: \"indexeddb\" or \"memory\""),
        (json!({ "allowInsecure": "yes" }), "allowInsecure: got \"yes\", allowed: true or false"),
        (json!({ "timezone": "" }), "timezone: got \"\", allowed: a text of 1 to 64 characters"),
        (json!({ "userId": "" }), "userId: got \"\", allowed: a text of 1 to 256 characters"),
        (
            json!({ "userId": 1.5 }),
            "userId: got 1.5, allowed: a text of 1 to 256 characters, none a control character, or a whole number",
        ),
        (
            json!({ "userId": null }),
            "userId: got nothing, allowed: a text of 1 to 256 characters, none a control character, or a whole number",
        ),
        (
            json!({ "hasGetToken": false }),
            "getToken: got nothing, allowed: a function that gives a token, or token: a text",
        ),
        (
            json!({ "endpoint": { "namespace": "chat" } }),
            "endpoint.namespace: got \"chat\", allowed: a text that begins with a slash, without comma, query or blank",
        ),
        (
            json!({ "url": "http://chat.example.com" }),
            "url: got \"http://chat.example.com\", allowed: wss or https (ws and http on localhost only, or with \
             allowInsecure: true)",
        ),
        (
            json!({ "url": "ftp://h" }),
            "url: got \"ftp://h\", allowed: an absolute URL of the scheme wss, https, ws or http",
        ),
        (
            json!({ "url": null }),
            "url: got nothing, allowed: an absolute URL of the scheme wss, https, ws or http",
        ),
        (
            json!({ "endpoint": { "apiUrl": "javascript:alert(1)" } }),
            "endpoint.apiUrl: got \"javascript:alert(1)\", allowed: an absolute URL of the scheme wss, https, ws or http",
        ),
    ] {
        assert_eq!(refused(wrong), message);
    }
    let failure = Config::parse("\"x\"", PAGE).unwrap_err();
    assert_eq!(failure.message, "options: got \"x\", allowed: an object");
}

#[test]
fn typing_errors_are_refused_by_name() {
    let message = refused(json!({ "getTokens": true }));
    assert!(
        message.starts_with("getTokens: unknown option, allowed: url, profile, framing, userId"),
        "{message}"
    );
    let message = refused(json!({ "reconnect": { "maxDelay": 1 } }));
    assert!(message.starts_with("reconnect.maxDelay: unknown option, allowed: baseDelayMs"), "{message}");
}

#[test]
fn plain_connections_leave_this_machine_only_when_allowed() {
    for url in ["http://localhost", "ws://127.0.0.1:1", "http://[::1]", "http://a.b.localhost:3000"] {
        parsed(json!({ "url": url }));
    }
    for url in ["ws://10.0.0.1", "http://localhost.evil.com", "http://mylocalhost"] {
        assert!(refused(json!({ "url": url })).contains("allowInsecure"), "{url}");
        parsed(json!({ "url": url, "allowInsecure": true }));
    }
    assert!(refused(json!({ "endpoint": { "apiUrl": "http://10.0.0.1/api" } })).contains("allowInsecure"));
    for url in ["javascript:alert(1)", "data:text/html,x", "file:///x", "//h", "h"] {
        assert!(refused(json!({ "url": url, "allowInsecure": true })).contains("an absolute URL"), "{url}");
    }
}

#[test]
fn no_message_repeats_a_secret() {
    for secret in [
        json!({ "url": "https://ana:hunter2@h" }),
        json!({ "url": "https://h/?token=hunter2" }),
        json!({ "url": "https//ana:hunter2@h" }),
        json!({ "url": "https://h/#hunter2" }),
        json!({ "endpoint": { "apiUrl": "https://x:hunter2@h" } }),
        json!({ "endpoint": { "path": "/a?token=hunter2" } }),
        json!({ "hasGetToken": true, "token": "hunter2" }),
        json!({ "hasGetToken": false, "token": ["hunter2"] }),
    ] {
        let message = refused(secret);
        assert!(!message.contains("hunter2"), "{message}");
    }
    let config = parsed(json!({ "hasGetToken": false, "token": "hunter2" }));
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!(config.static_token, Some(Secret("hunter2".to_owned())));
    let long = refused(json!({ "storage": "x".repeat(5_000) }));
    assert!(long.len() < 200, "{long}");
}

#[test]
fn one_database_for_each_backend_namespace_and_user() {
    let name = |more| parsed(more).database;
    let first = name(json!({}));
    assert_eq!(first.len(), "chatwire-".len() + 32);
    assert!(first.bytes().skip(9).all(|byte| byte.is_ascii_hexdigit()));
    for same in [
        json!({ "url": "wss://CHAT.example.com:443/team/" }),
        json!({ "endpoint": { "apiUrl": "/elsewhere" } }),
        json!({ "hasGetToken": false, "token": "t" }),
        json!({ "outbox": { "window": 1 } }),
    ] {
        assert_eq!(name(same.clone()), first, "{same}");
    }
    for other in [
        json!({ "userId": "ben" }),
        json!({ "url": "https://chat.example.com" }),
        json!({ "url": "https://chat.example.com:444/team" }),
        json!({ "endpoint": { "namespace": "/x" } }),
        json!({ "endpoint": { "path": "/x" } }),
    ] {
        assert_ne!(name(other.clone()), first, "{other}");
    }
    assert_eq!(name(json!({ "userId": 42 })), name(json!({ "userId": "42" })));
}

#[test]
fn control_characters_are_refused_in_user_ids_and_tokens() {
    for text in ["ana\n", "\0", "a\rb", "a\u{85}"] {
        assert!(refused(json!({ "userId": text })).starts_with("userId: got "));
        let message = refused(json!({ "hasGetToken": false, "token": text }));
        assert!(message.starts_with("token: got ") && !message.contains(text), "{message}");
    }
}

#[test]
fn an_unknown_option_is_told_the_names_that_an_application_knows() {
    let message = refused(json!({ "getTokn": 1 }));
    assert!(message.contains(" getToken, token,") && !message.contains("hasGetToken"), "{message}");
}

/// The `assistant` profile's options.
fn assistant(more: Value) -> Config {
    let mut with = json!({ "profile": "assistant", "url": "https://h/assistant/ws" });
    for (name, value) in more.as_object().unwrap() {
        with[name] = value.clone();
    }
    parsed(with)
}

#[test]
fn d1_a1_the_assistants_url_is_the_sockets_own_address() {
    let endpoint = assistant(json!({})).endpoint;
    assert_eq!((endpoint.framing, endpoint.socket_url.as_str()), (Framing::Json, "wss://h/assistant/ws"));
    let other = assistant(json!({ "endpoint": { "path": "/ws" } })).endpoint;
    assert_eq!(other.socket_url, "wss://h/ws");
    assert!(
        refused(json!({ "profile": "assistant", "url": "https://h/ws?userId=bo" })).starts_with("url: "),
        "a query is not silently kept"
    );
}

#[test]
fn a2_d9_where_the_assistants_token_goes() {
    for (option, expected) in [
        (json!(null), TokenIn::Subprotocol),
        (json!("subprotocol"), TokenIn::Subprotocol),
        (json!("firstFrame"), TokenIn::FirstFrame),
        (json!("query"), TokenIn::Query),
    ] {
        assert_eq!(assistant(json!({ "tokenIn": option })).endpoint.token_in, expected);
    }
    let message = refused(json!({ "profile": "assistant", "tokenIn": "auth" }));
    assert!(message.contains("firstFrame"), "{message}");
}

#[test]
fn a12_a13_limits_and_time_zone_of_the_assistant() {
    let config = assistant(json!({ "timezone": "Europe/Paris" }));
    assert_eq!((config.limits.max_text_length, config.outbox.max_attempts), (500, 3));
    assert_eq!(config.timezone, "Europe/Paris");
    let other = assistant(json!({ "limits": { "maxTextLength": 2_000 } }));
    assert_eq!((other.limits.max_text_length, other.timezone.as_str()), (2_000, ""));
}
