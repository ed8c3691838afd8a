//! The profile `assistant` by the facts' numbers: against a backend that declares keys and answers, and against one that
//! gives nothing but its messages.

use chatwire::proto::{
    Command, ConversationKind, Delivery, ErrorCode, Event, Gaps, Outcome, SendCommand, Sender, Status,
};
use serde_json::{Value, json};

use super::acts::message;
use super::assistant_backend::{Assistant, record};
use super::backend::{Backend, Fate, Say};
use super::world::World;

pub const ROOM: &str = "assistant";

pub fn options() -> Value {
    json!({
        "profile": "assistant", "url": "https://chat.test/assistant/ws", "timezone": "Europe/Paris",
    })
}

pub fn started(assistant: Assistant) -> (World, usize) {
    let mut world = World::new(Backend::assistant(assistant));
    let ana = world.join_with("ana", options());
    world.open_view(ana, 1, ROOM);
    (world, ana)
}

pub fn live(assistant: Assistant) -> (World, usize) {
    let (mut world, ana) = started(assistant);
    world.go_live(ana);
    world.pass(1000);
    (world, ana)
}

pub fn says(world: &mut World, event: &str, payload: &Value) {
    let say = world.backend.says(event, payload);
    world.say(say);
    world.pass(100);
}

pub fn delivery(world: &World, at: usize) -> Delivery {
    world.nodes[at].client.as_ref().unwrap().guarantees().delivery
}

#[test]
fn a4_a6_d2_with_keys_and_answers_a_send_waits_for_its_ack() {
    let (mut world, ana) = live(Assistant::full());
    assert_eq!(delivery(&world, ana), Delivery::ExactlyOnce);
    world.backend.fates.push_back(Fate::Withhold);
    let key = world.saved(ana, ROOM, "hello");
    world.pass(1000);
    assert_eq!((world.status(ana, &key), world.outbox(ana).len()), (Some(Status::Sent), 1));
    let ack = world.backend.the_assistant().ack(&key);
    says(&mut world, "ack", &ack);
    assert_eq!(world.status(ana, &key), Some(Status::Acknowledged));
    world.pass(1000);
    assert!(world.outbox(ana).is_empty());
    let rows = world.rows(ana, 1);
    assert_eq!((rows.len(), rows[0].id.as_deref(), &rows[0].row_key), (1, Some("a0"), &key));
    let heard = &world.backend.heard.iter().find(|(_, event, _)| event == "command").unwrap().2;
    let expected = json!({"commandType": "text_command", "message": "hello", "userId": "ana",
        "userTimezone": "Europe/Paris", "clientMessageId": key});
    assert_eq!(heard["payload"], expected);
    assert!(heard["timestamp"].is_u64());
}

#[test]
fn d2_a6_a_server_that_keeps_keys_and_acknowledges_is_known_by_its_first_ack() {
    let hello = Some(json!({"capabilities": {"keys": true}}));
    let (mut world, ana) = live(Assistant { hello, ..Assistant::full() });
    assert_eq!(delivery(&world, ana), Delivery::AtMostOnce);
    let first = world.saved(ana, ROOM, "first");
    world.until_status(ana, &first, Status::Acknowledged);
    assert_eq!(delivery(&world, ana), Delivery::ExactlyOnce);
    world.backend.fates.push_back(Fate::LoseFrame);
    let second = world.saved(ana, ROOM, "second");
    world.until_status(ana, &second, Status::Acknowledged);
    assert_eq!(world.backend.asked(), ["first", "second"]);
    // Also on the connection after, whose hello says no more.
    assert_eq!(delivery(&world, ana), Delivery::ExactlyOnce);
}

#[test]
fn a4_a_lost_answer_is_repeated_under_its_key_and_stored_once() {
    for fate in [Fate::LoseAnswer, Fate::LoseFrame, Fate::Withhold] {
        let (mut world, ana) = live(Assistant::full());
        world.backend.fates.push_back(fate.clone());
        let key = world.saved(ana, ROOM, "once");
        world.until_status(ana, &key, Status::Acknowledged);
        assert_eq!(world.backend.asked(), ["once"], "{fate:?}");
        world.pass(1000);
        assert_eq!(world.texts(ana, 1), ["once"], "{fate:?}");
    }
}

#[test]
fn without_a_hello_a_send_is_done_when_its_frame_has_left_and_stays_sent() {
    let (mut world, ana) = live(Assistant::default());
    let guarantees = world.nodes[ana].client.as_ref().unwrap().guarantees();
    assert_eq!((guarantees.delivery, guarantees.gaps), (Delivery::AtMostOnce, Gaps::Unseen));
    let key = world.saved(ana, ROOM, "hello");
    let id = world.ask(ana, Command::Acknowledged { key: key.clone() });
    let Ok(Outcome::Message(done)) = world.wait(ana, id) else { panic!("acknowledged() resolves") };
    assert_eq!((done.status, done.id), (Status::Sent, None));
    world.pass(120_000);
    assert_eq!((world.status(ana, &key), world.outbox(ana).len()), (Some(Status::Sent), 0));
    world.restart(ana);
    world.open_view(ana, 1, ROOM);
    world.go_live(ana);
    world.pass(1000);
    assert_eq!((world.texts(ana, 1), world.backend.asked().len()), (vec!["hello".to_owned()], 1));
}

#[test]
fn a6_an_ack_that_nobody_waits_for_names_the_message_whenever_it_comes() {
    for when in ["before the frame has left", "at once", "later", "after the next start"] {
        let (mut world, ana) = live(Assistant { acks: when == "at once", ..Assistant::default() });
        world.never_drains = when == "before the frame has left";
        let key = world.saved(ana, ROOM, "hello");
        world.pass(if when == "at once" { 1000 } else { 50 });
        if when == "later" {
            world.pass(60_000);
        }
        if when == "after the next start" {
            world.restart(ana);
            world.go_live(ana);
            world.pass(1000);
        }
        if when != "at once" {
            let ack = world.backend.the_assistant().ack(&key);
            // Said twice it says nothing new.
            says(&mut world, "ack", &ack);
            says(&mut world, "ack", &ack);
        }
        world.pass(1000);
        assert_eq!(world.status(ana, &key), Some(Status::Acknowledged), "{when}");
        assert!(world.outbox(ana).is_empty(), "{when}");
        world.restart(ana);
        world.open_view(ana, 1, ROOM);
        world.go_live(ana);
        world.pass(1000);
        let rows = world.rows(ana, 1);
        let shown: Vec<_> = rows.iter().map(|row| (row.id.as_deref(), row.row_key.as_str())).collect();
        assert_eq!(shown, [(Some("a0"), key.as_str())], "{when}");
        assert_eq!(world.backend.asked().len(), 1, "{when}");
    }
}

#[test]
fn a6_an_ack_of_a_key_that_nobody_knows_says_nothing() {
    let (mut world, ana) = live(Assistant::full());
    says(&mut world, "ack", &json!({"clientMessageId": "of another device", "id": "a7"}));
    says(&mut world, "ack", &json!({"id": "a7"}));
    world.pass(1000);
    assert!(world.rows(ana, 1).is_empty());
    assert_eq!(world.count(ana, |event| matches!(event, Event::ProtocolError { .. })), 1);
}

#[test]
fn a5_an_own_copy_is_the_row_that_is_there_with_its_key_or_without() {
    for (keys, acks) in [(true, true), (true, false), (false, true), (false, false)] {
        let (mut world, ana) = live(Assistant { keys, acks, echo: true, ..Assistant::default() });
        let sent = ["same", "same", "other"].map(|text| world.saved(ana, ROOM, text));
        world.pass(40_000);
        let rows = world.rows(ana, 1);
        let shown: Vec<String> = rows.iter().map(|row| row.row_key.clone()).collect();
        assert_eq!(shown, sent, "keys: {keys}, acks: {acks}");
        assert!(rows.iter().all(|row| row.status == Status::Acknowledged && row.id.is_some()));
    }
}

#[test]
fn a5_an_own_message_of_another_device_is_shown_as_mine() {
    let (mut world, ana) = live(Assistant::full());
    let told = record("a9", "user", &json!("from elsewhere"), world.now.wall_ms);
    says(&mut world, "message", &told);
    world.pass(60_000);
    let rows = world.rows(ana, 1);
    assert_eq!((rows[0].sender, rows[0].sender_id.as_str()), (Sender::Me, "ana"));
}

#[test]
fn a5_a6_a_message_of_the_assistant_in_a_frame_or_bare() {
    let (mut world, ana) = live(Assistant::default());
    let now = world.now.wall_ms;
    let mut told = record("b1", "ai", &json!("sign in, please"), now);
    told["type"] = json!("oauth_required");
    told["metadata"] = json!({"authUrl": "https://auth.test", "confidence": 0.5});
    says(&mut world, "message", &told);
    let bare = record("b2", "ai", &json!("bare"), now + 1);
    let say = world.backend.sessions.keys().map(|socket| Say::Text(*socket, bare.to_string())).collect();
    world.say(say);
    world.pass(1000);
    let rows = world.rows(ana, 1);
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].sender, rows[0].sender_id.as_str()), (Sender::Ai, "assistant"));
    assert_eq!((rows[0].kind.as_str(), rows[1].text.as_str()), ("oauth_required", "bare"));
    assert!(rows[0].metadata.as_ref().unwrap().text().contains("https://auth.test"));
    assert_eq!(world.count(ana, |event| matches!(event, Event::Message { live: true, .. })), 2);
    // Told twice it is one row and one event.
    let say = world.backend.says("message", &bare);
    world.say(say);
    world.pass(1000);
    assert_eq!(world.rows(ana, 1).len(), 2);
}

#[test]
fn a6_the_assistant_types_until_it_says_something() {
    let (mut world, ana) = live(Assistant::default());
    says(&mut world, "typing", &json!({"isTyping": true}));
    let told = record("b1", "ai", &json!("hi"), world.now.wall_ms);
    says(&mut world, "message", &told);
    let typing: Vec<(String, String, bool)> = world.nodes[ana]
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Typing { conversation_id, user_id, typing } => {
                Some((conversation_id.clone(), user_id.clone(), *typing))
            }
            _ => None,
        })
        .collect();
    let of = |typing| (ROOM.to_owned(), "assistant".to_owned(), typing);
    assert_eq!(typing, [of(true), of(false)]);
}

#[test]
fn a6_context_and_whatever_else_comes_reach_the_application() {
    let (mut world, ana) = live(Assistant::default());
    says(&mut world, "context", &json!({"userId": "ana", "timezone": "Europe/Paris"}));
    says(&mut world, "surprise", &json!(7));
    let names: Vec<String> = world.nodes[ana]
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Wire { event, .. } => Some(event.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["context", "surprise"]);
}

#[test]
fn d2_nobody_can_ask_for_history_whatever_is_declared() {
    let declared = json!({"capabilities": {"keys": true, "answers": true, "cursor": true, "receipts": true}});
    let (mut world, ana) = live(Assistant { hello: Some(declared), ..Assistant::full() });
    let key = world.saved(ana, ROOM, "hello");
    world.until_status(ana, &key, Status::Acknowledged);
    world.pass(1000);
    assert!(world.backend.requests.is_empty(), "{:?}", world.backend.requests);
    let guarantees = world.nodes[ana].client.as_ref().unwrap().guarantees();
    assert_eq!((guarantees.gaps, guarantees.receipts), (Gaps::Unseen, false));
}

#[test]
fn the_only_conversation_is_there_from_the_start_and_after_a_wipe_and_no_other_is() {
    let (mut world, ana) = started(Assistant::full());
    world.pass(100);
    let shown = |world: &World| {
        let client = world.nodes[ana].client.as_ref().unwrap();
        client.conversation(ROOM).map(|conversation| conversation.kind)
    };
    assert_eq!(shown(&world), Some(ConversationKind::Assistant), "before it was ever online");
    world.go_live(ana);
    let key = world.saved(ana, ROOM, "hello");
    world.until_status(ana, &key, Status::Acknowledged);
    for other in ["r", ""] {
        let refused = world.command(ana, Command::Send(message(other, "hi"))).unwrap_err();
        assert_eq!(refused.code, ErrorCode::NotFound, "{other}");
    }
    world.nodes[ana].events.clear();
    let id = world.ask(ana, Command::Wipe {});
    world.wait(ana, id).unwrap();
    world.pass(100);
    assert_eq!(shown(&world), Some(ConversationKind::Assistant));
    let removed = |event: &Event| matches!(event, Event::ConversationRemoved { .. });
    assert_eq!(world.count(ana, removed), 0);
    assert!(world.texts(ana, 1).is_empty());
    world.go_live(ana);
    let key = world.saved(ana, ROOM, "again");
    world.until_status(ana, &key, Status::Acknowledged);
    world.restart(ana);
    world.pass(100);
    assert_eq!(shown(&world), Some(ConversationKind::Assistant));
}

#[test]
fn a13_a_text_has_at_most_500_characters_unless_the_application_says_more() {
    let (mut world, ana) = live(Assistant::default());
    let text = "é".repeat(501);
    let refused = world.command(ana, Command::Send(message(ROOM, &text))).unwrap_err();
    assert_eq!(refused.code, ErrorCode::TooLarge);
    world.saved(ana, ROOM, &"é".repeat(500));
}

#[test]
fn what_this_wire_has_no_words_for_is_refused_or_left_unsaid() {
    let (mut world, ana) = live(Assistant::full());
    let told = record("b1", "ai", &json!("hi"), world.now.wall_ms);
    says(&mut world, "message", &told);
    world.pass(1000);
    let row_key = world.rows(ana, 1)[0].row_key.clone();
    let heard = world.backend.heard.len();
    world.ask(ana, Command::MarkRead { conversation_id: ROOM.to_owned(), row_key: row_key.clone() });
    world.ask(ana, Command::SetTyping { conversation_id: ROOM.to_owned(), typing: true });
    world.pass(5000);
    assert_eq!(world.backend.heard.len(), heard);
    let refused = world.command(ana, Command::CreateDirect { user_id: "bo".to_owned() }).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unsupported);
}

#[test]
fn a_key_of_the_applications_own_and_metadata_go_along() {
    let (mut world, ana) = live(Assistant::full());
    let metadata = chatwire::proto::Json::parse(r#"{"screen":"home"}"#);
    let send = SendCommand { key: Some("k1".to_owned()), metadata, ..message(ROOM, "hi") };
    world.ask(ana, Command::Send(send));
    world.until_status(ana, "k1", Status::Acknowledged);
    let heard = &world.backend.heard.iter().find(|(_, event, _)| event == "command").unwrap().2;
    assert_eq!(heard["payload"]["metadata"], json!({"screen": "home"}));
}

#[test]
fn a_socket_that_ends_before_the_frame_has_left_leaves_it_unconfirmed() {
    let (mut world, ana) = live(Assistant::default());
    world.never_drains = true;
    let key = world.saved(ana, ROOM, "hello");
    world.pass(100);
    world.cut(ana);
    world.until_status(ana, &key, Status::Failed);
    let code = world.outbox(ana)[0].failure.as_ref().map(|failure| failure.code);
    assert_eq!(code, Some(ErrorCode::Unconfirmed));
    // It had arrived: the copy says so, and it is not sent again.
    let mut told = record("a0", "user", &json!("hello"), world.now.wall_ms);
    told["client_message_id"] = json!(key);
    world.until("online again", |world| world.nodes[ana].live_socket.is_some());
    world.pass(1000);
    says(&mut world, "message", &told);
    world.pass(1000);
    assert_eq!(world.status(ana, &key), Some(Status::Acknowledged));
    assert_eq!((world.backend.asked().len(), world.outbox(ana).len()), (1, 0));
}

#[test]
fn a10_a_server_without_pongs_keeps_its_socket_and_one_with_them_is_missed() {
    for pongs in [false, true] {
        let (mut world, ana) = live(Assistant { pongs, ..Assistant::default() });
        let conn = world.nodes[ana].live_socket;
        world.pass(100_000);
        assert_eq!(world.nodes[ana].live_socket, conn);
        world.nodes[ana].half_open = true;
        world.pass(60_000);
        assert_eq!(world.nodes[ana].live_socket == conn, !pongs, "pongs: {pongs}");
    }
}

#[test]
fn d14_a_second_tabs_message_goes_out_by_the_first() {
    let (mut world, leader) = live(Assistant::full());
    let follower = world.join_on("ana", options(), 0);
    world.pass(100);
    world.open_view(follower, 1, ROOM);
    world.connect(follower);
    world.pass(100);
    let key = world.saved(follower, ROOM, "from the second tab");
    world.until_status(leader, &key, Status::Acknowledged);
    world.pass(1000);
    for node in [leader, follower] {
        assert_eq!(world.rows(node, 1)[0].id.as_deref(), Some("a0"));
    }
    let refused = world.command(follower, Command::Send(message("r", "hi"))).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound);
}
