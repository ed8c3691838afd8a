//! Declared profiles as options: what is built in is good, what is wrong is named.

use serde_json::{Value, json};

use super::*;
use crate::proto::ErrorCode;
use crate::proto::profile::BUILT_IN;

fn parse(profile: Value, more: Value) -> Result<Config, Failure> {
    let mut options =
        json!({ "url": "https://chat.example.com", "profile": profile, "userId": "7", "token": "t" });
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    Config::parse(&options.to_string(), PageFacts { online: true, visible: true })
}

fn refusal(profile: Value) -> String {
    let failure = parse(profile, json!({})).unwrap_err();
    assert_eq!(failure.code, ErrorCode::Config);
    failure.message
}

#[test]
fn what_is_built_in_is_a_declaration_like_any_other() {
    for (name, text) in BUILT_IN {
        let by_name = parse(json!(name), json!({})).unwrap();
        let options =
            format!(r#"{{"url":"https://chat.example.com","profile":{text},"userId":"7","token":"t"}}"#);
        let by_hand = Config::parse(&options, PageFacts { online: true, visible: true }).unwrap();
        assert_eq!(by_name.spec, by_hand.spec, "{name}");
        assert_eq!(by_name.reconnect, by_hand.reconnect, "{name}");
        assert_eq!(by_name.database, by_hand.database, "{name}");
    }
}

#[test]
fn c8_h3_a_profile_says_when_to_try_again_and_the_application_overrules_it() {
    let companion = parse(json!("companion"), json!({})).unwrap().reconnect;
    assert_eq!((companion.base_delay_ms, companion.max_delay_ms), (1_000, 5_000));
    assert_eq!((companion.jitter, companion.max_attempts), (Jitter::Half, Some(5)));
    let channels = parse(json!("channels"), json!({})).unwrap().reconnect;
    assert_eq!(
        (channels.base_delay_ms, channels.max_delay_ms, channels.max_attempts),
        (1_000, 1_000, Some(5))
    );
    let own = parse(json!("channels"), json!({ "reconnect": { "maxAttempts": null, "baseDelayMs": 2_000 } }));
    let own = own.unwrap().reconnect;
    assert_eq!((own.max_attempts, own.base_delay_ms, own.max_delay_ms), (None, 2_000, 2_000));
}

#[test]
fn a_wrong_declaration_is_refused_with_its_place() {
    let good = json!({
        "name": "mine",
        "commands": { "send": { "event": "say", "payload": { "body": "$text" } } },
        "events": { "said": { "as": "message" } },
    });
    assert!(parse(good.clone(), json!({})).is_ok());
    let with = |path: &str, value: Value| {
        let mut wrong = good.clone();
        let (mut at, names) = (&mut wrong, path.split('.'));
        for name in names {
            at = &mut at[name];
        }
        *at = value;
        refusal(wrong)
    };
    for (path, value, expected) in [
        ("name", json!(""), "profile.name: got \"\", allowed: a text of 1 to 64 characters"),
        ("nam", json!("x"), "profile.nam: unknown option, allowed: name, framing"),
        ("commands", json!({}), "profile.commands.send: got nothing, allowed: { event, payload }"),
        ("commands.send", json!("say"), "profile.commands.send: got \"say\", allowed: an object"),
        ("commands.send.event", json!(7), "profile.commands.send.event: got 7, allowed: a text"),
        (
            "commands.send.payload",
            json!("$text"),
            "profile.commands.send.payload: got \"$text\", allowed: an object",
        ),
        (
            "commands.send.payload.body",
            json!("$txt"),
            "profile.commands.send.payload: got \"$txt\", allowed: \"$userId\"",
        ),
        ("commands.shout", json!({}), "profile.commands.shout: unknown option, allowed: send"),
        ("events.said.as", json!("shout"), "profile.events.said.as: got \"shout\", allowed: \"message\""),
        ("events.said", json!({}), "profile.events.said.as: got nothing, allowed: \"message\""),
        ("events.said.who", json!("x"), "profile.events.said.who: unknown option"),
        (
            "message",
            json!({ "base64": "yes" }),
            "profile.message.base64: got \"yes\", allowed: true or false",
        ),
        (
            "auth",
            json!({ "jwt": "$tokn" }),
            "profile.auth: got \"$tokn\", allowed: \"$token\" or \"$userId\"",
        ),
        ("framing", json!("http"), "profile.framing: got \"http\", allowed: \"socket.io\" or \"phoenix\""),
        (
            "conversations",
            json!("some"),
            "profile.conversations: got \"some\", allowed: \"direct\" or \"group\" or \"listed\"",
        ),
        ("capabilities", json!({ "keys": 1 }), "profile.capabilities.keys: got 1, allowed: true or false"),
    ] {
        let told = with(path, value);
        assert!(told.starts_with(expected), "{told}\nexpected: {expected}");
    }
}

#[test]
fn a_declaration_may_be_spoken_over_any_framing_and_what_that_cannot_carry_is_refused() {
    let of = |framing: &str, more: Value| {
        let mut profile =
            json!({ "name": "own", "framing": framing, "commands": { "send": { "event": "say" } } });
        for (name, value) in more.as_object().unwrap() {
            profile[name] = value.clone();
        }
        profile
    };
    for (framing, expected) in
        [("socket.io", Framing::SocketIo), ("phoenix", Framing::Phoenix), ("json", Framing::Json)]
    {
        let config = parse(of(framing, json!({})), json!({})).unwrap();
        assert_eq!(config.endpoint.framing, expected, "{framing}");
    }
    let address = parse(of("phoenix", json!({})), json!({})).unwrap().endpoint.socket_url;
    assert_eq!(address, "wss://chat.example.com/websocket?vsn=2.0.0");
    assert!(parse(of("json", json!({})), json!({ "tokenIn": "firstFrame" })).is_ok());
    let list = json!({ "commands": { "send": { "event": "say", "payload": ["$text"] } } });
    let edit = json!({ "commands": { "send": { "event": "say" }, "edit": { "event": "edit" } } });
    for (profile, place) in [
        (of("graphql", json!({})), "profile.framing"),
        (of("json", json!({ "topics": {} })), "profile.topics"),
        (of("json", json!({ "auth": { "jwt": "$token" } })), "profile.auth"),
        (of("socket.io", json!({ "topics": {} })), "profile.topics"),
        (of("phoenix", json!({ "topics": { "conversation": "room" } })), "profile.topics.conversation"),
        (
            of("phoenix", json!({ "topics": { "conversation": "$conversationId" } })),
            "profile.topics.conversation",
        ),
        (of("phoenix", json!({ "topics": { "user": "conversation:$userId" } })), "profile.topics.user"),
        (of("phoenix", list.clone()), "profile.commands.send.payload"),
        (of("json", list), "profile.commands.send.payload"),
        (of("json", edit.clone()), "profile.commands.edit"),
    ] {
        let message = refusal(profile);
        assert!(message.starts_with(place), "{place}: {message}");
    }
    assert!(parse(of("phoenix", edit), json!({})).is_ok());
}
