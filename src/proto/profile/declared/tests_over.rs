//! Declared profiles on the other framings: topics of Phoenix Channels, answers of plain JSON frames.

use super::super::Over;
use super::*;
use crate::proto::config::{Config, PageFacts};
use crate::proto::model::ErrorCode;

const ROOMS: &str = r#"{"name":"rooms","framing":"phoenix",
"topics":{"user":"people:$userId","conversation":"room:$conversationId"},
"capabilities":{"answers":true,"keys":true},"conversations":"group",
"commands":{"send":{"event":"say","payload":{"body":"$text","ref_id":"$key"}},"typing":{"event":"types","payload":{"on":"$isTyping"}},
"online":{"event":"here"}},
"message":{"text":"body","senderId":"author","key":"ref_id","createdAt":"at"},
"events":{"said":{"as":"message"},"types":{"as":"typing","userId":"who","isTyping":"on"},"gone":{"as":"deleted"}}}"#;

const FRAMES: &str = r#"{"name":"frames","framing":"json","capabilities":{"answers":true},
"commands":{"send":{"event":"say","payload":{"room":"$conversationId","body":"$text","ref":"$key"}}},
"message":{"conversationId":"room","text":"body","senderId":"from","key":"ref","createdAt":"at"},
"events":{"said":{"as":"message"},"stored":{"as":"acknowledged","key":"ref","messageId":"id"},"refused":{"as":"failed","key":"ref"}}}"#;

fn declared(profile: &str) -> Declared {
    let options =
        format!(r#"{{"url":"https://chat.example","profile":{profile},"userId":"ana","token":"t"}}"#);
    let config = Config::parse(&options, PageFacts { online: true, visible: true }).unwrap();
    Declared::new(*config.spec.unwrap(), "ana")
}

fn incoming(profile: &Declared, topic: &str, event: &str, payload: &str) -> Incoming {
    profile.incoming(topic, event, &[json::parse(payload, 0).unwrap()])
}

fn send(profile: &Declared) -> Push {
    profile.send(Outgoing {
        key: "k1",
        conversation_id: "c1",
        kind: "text",
        text: "hi",
        metadata: None,
        reply_to_id: None,
        created_at_ms: 1_500,
    })
}

#[test]
fn what_is_said_goes_on_the_topic_of_its_conversation() {
    let profile = declared(ROOMS);
    let push = send(&profile);
    assert_eq!((push.topic.as_str(), push.event.as_str(), push.ack), ("room:c1", "say", true));
    assert_eq!(push.args, [r#"{"body":"hi","ref_id":"k1"}"#]);
    assert_eq!(profile.typing("c1", true).unwrap().topic, "room:c1");
    assert_eq!(profile.presence(true).unwrap().topic, "", "the user's own");
    assert_eq!(profile.topic("c1").as_deref(), Some("room:c1"));
    assert_eq!(profile.conversation_of("room:c1"), Some("c1"));
    assert_eq!((profile.conversation_of("people:ana"), profile.conversation_of("room:")), (None, None));
}

#[test]
fn what_comes_on_a_topic_need_not_name_its_conversation() {
    let profile = declared(ROOMS);
    let row = r#"{"id":7,"body":"hi","author":"bo","at":1500}"#;
    let Incoming::Message(message) = incoming(&profile, "room:c1", "said", row) else { panic!("a message") };
    assert_eq!((message.id.as_str(), message.conversation_id.as_str()), ("7", "c1"));
    // Elsewhere it must.
    assert!(matches!(incoming(&profile, "people:ana", "said", row), Incoming::Malformed(_)));
    let typing = incoming(&profile, "room:c1", "types", r#"{"who":"bo","on":true}"#);
    let of_c1 = Some("c1".to_owned());
    assert_eq!(
        typing,
        Incoming::Typing { conversation_id: of_c1.clone(), user_id: "bo".into(), typing: true }
    );
    let gone = incoming(&profile, "room:c1", "gone", r#"{"message_id":"7"}"#);
    assert_eq!(gone, Incoming::Deleted { message_id: "7".into(), conversation_id: of_c1 });
    // A topic of the application's own has events of its own.
    assert_eq!(incoming(&profile, "lobby", "said", row), Incoming::Other);
}

#[test]
fn a_reply_and_what_a_join_says_are_those_of_phoenix() {
    let profile = declared(ROOMS);
    let row = json::parse(
        r#"{"id":"m7","body":"hi","author":"ana","at":1500,"ref_id":"k1","conversation_id":"c1"}"#,
        0,
    );
    let Answer::Stored(Some(copy)) = profile.answer("k1", Some("ok"), &[row.unwrap()]) else {
        panic!("stored")
    };
    assert_eq!((copy.id.as_str(), copy.key.as_deref()), ("m7", Some("k1")));
    let refusal = json::parse(r#"{"code":"ForbiddenError","message":"no"}"#, 0).unwrap();
    let Answer::Refused { failure, .. } = profile.answer("k1", Some("error"), &[refusal]) else {
        panic!("refused")
    };
    assert_eq!(failure.code, ErrorCode::Forbidden);
    let reply = json::parse(r#"{"capabilities":{"keys":true},"seq":4}"#, 0).unwrap();
    let joined = Incoming::Joined { conversation_id: "c1".into(), last_seq: Some(4) };
    assert_eq!(profile.joined("room:c1", reply), joined);
    assert!(matches!(profile.joined("people:ana", reply), Incoming::Hello { .. }));
    assert_eq!(profile.joined("lobby", reply), Incoming::Other);
}

#[test]
fn on_plain_frames_answers_are_events() {
    let profile = declared(FRAMES);
    let push = send(&profile);
    assert_eq!((push.event.as_str(), push.ack), ("say", false));
    assert_eq!(push.args, [r#"{"room":"c1","body":"hi","ref":"k1"}"#]);
    assert_eq!(profile.topic("c1"), None);
    let stored = incoming(&profile, "", "stored", r#"{"ref":"k1","id":9}"#);
    assert_eq!(stored, Incoming::Stored { key: "k1".into(), id: "9".into() });
    let refused =
        incoming(&profile, "", "refused", r#"{"ref":"k1","code":"ValidationError","message":"no"}"#);
    let Incoming::Failed { key, failure, .. } = refused else { panic!("failed") };
    assert_eq!((key.as_deref(), failure.code), (Some("k1"), ErrorCode::Validation));
    // What every server of such frames may say, declared or not (A6, D2).
    let error = incoming(&profile, "", "error", r#"{"code":"auth","message":"no"}"#);
    assert!(matches!(error, Incoming::Failed { failure, .. } if failure.code == ErrorCode::Auth));
    let hello = incoming(&profile, "", "hello", r#"{"capabilities":{"answers":true,"receipts":true}}"#);
    let Incoming::Hello { capabilities, .. } = hello else { panic!("a hello") };
    assert_eq!((capabilities.answers, capabilities.receipts), (Some(true), Some(true)));
    assert!(matches!(incoming(&profile, "", "stored", r#"{"id":9}"#), Incoming::Malformed(_)));
}

#[test]
fn topics_have_the_names_of_phoenix_unless_they_are_declared() {
    let profile = declared(&ROOMS.replacen(
        r#""topics":{"user":"people:$userId","conversation":"room:$conversationId"},"#,
        "",
        1,
    ));
    assert_eq!(send(&profile).topic, "conversation:c1");
    let Over::Phoenix(topics) = &profile.spec.over else { panic!("Phoenix") };
    assert_eq!(topics.of_user("ana"), "user:ana");
}
