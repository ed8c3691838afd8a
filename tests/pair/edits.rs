//! `edit`, `remove`, `react`, `unreact`, `forward`: shown at once, sent in order, also offline, after a kill and from any tab.

use chatwire::proto::{ChangeKind, Command, ErrorCode, Event, Json, Outcome, QueuedChange, Status};
use serde_json::json;

use super::acts::message;
use super::backend::{Backend, Fate};
use super::changing::ChangeFate;
use super::checks::stored_rows;
use super::deeds::Travel;
use super::world::World;

fn forward(row_key: &str, room: &str) -> Command {
    Command::Forward { row_key: row_key.to_owned(), conversation_id: room.to_owned() }
}

fn changes(world: &World) -> Vec<String> {
    world.backend.requests.iter().filter(|request| !request.starts_with("GET")).cloned().collect()
}

#[test]
fn t12_t13_changes_are_shown_at_once_and_come_to_stand_in_the_history() {
    let (mut world, ana) = World::one();
    let key = world.saved(ana, "r", "helo");
    world.until_status(ana, &key, Status::Acknowledged);
    world.changed(ana, ChangeKind::Edit, &key, "hello");
    world.changed(ana, ChangeKind::React, &key, "👍");
    world.changed(ana, ChangeKind::React, &key, "🎉");
    world.changed(ana, ChangeKind::Unreact, &key, "👍");
    let row = world.shown(ana, &key);
    assert_eq!((row.text.as_str(), row.edited_at_ms.is_some()), ("hello", true), "at once");
    assert_eq!(
        row.reactions.iter().map(|one| (one.emoji.as_str(), one.mine)).collect::<Vec<_>>(),
        [("🎉", true)]
    );
    world.until_sent(ana);
    assert_eq!(
        changes(&world),
        [
            "PATCH /messages/m1",
            "POST /messages/m1/reactions",
            "POST /messages/m1/reactions",
            "DELETE /messages/m1/reactions/%F0%9F%91%8D"
        ]
    );
    let stored = world.backend.message("m1").clone();
    assert_eq!(
        (stored.text.as_str(), stored.reactions),
        ("hello", vec![("🎉".to_owned(), "ana".to_owned())])
    );
    let row = world.shown(ana, &key);
    assert_eq!((row.text.as_str(), row.reactions.len()), ("hello", 1));
    world.changed(ana, ChangeKind::Remove, &key, "");
    assert!(world.shown(ana, &key).deleted_at_ms.is_some());
    world.until_sent(ana);
    assert!(world.backend.message("m1").deleted_ms.is_some());
    // A reload shows the same, without what was on its way.
    world.restart(ana);
    world.open_view(ana, 1, "r");
    world.pass(500);
    let row = world.shown(ana, &key);
    assert!(row.deleted_at_ms.is_some() && row.text.is_empty());
}

#[test]
fn an_edit_of_a_message_that_is_not_acknowledged_waits_for_it_through_a_kill() {
    let (mut world, ana) = World::one();
    world.server_down();
    world.pass(100);
    let key = world.saved(ana, "r", "first");
    let later = world.saved(ana, "r", "second");
    let edit = world.changed(ana, ChangeKind::Edit, &key, "edited");
    world.changed(ana, ChangeKind::React, &later, "👍");
    assert_eq!(world.shown(ana, &key).text, "edited");
    let listed = world.outbox(ana).into_iter().find(|row| row.key.as_deref() == Some(edit.as_str())).unwrap();
    assert_eq!(listed.change, Some(QueuedChange { kind: ChangeKind::Edit, row_key: key.clone() }));
    world.restart(ana);
    world.open_view(ana, 1, "r");
    world.pass(100);
    assert_eq!(world.shown(ana, &key).text, "edited", "also after the reload");
    world.backend.down = false;
    world.go_live(ana);
    world.until_sent(ana);
    assert_eq!(world.backend.texts("r"), ["edited", "second"]);
    assert_eq!(changes(&world), ["PATCH /messages/m1", "POST /messages/m2/reactions"]);
    assert_eq!(world.texts(ana, 1), ["edited", "second"]);
}

#[test]
fn a_kill_at_any_step_neither_loses_an_edit_nor_overtakes_a_later_one() {
    for step in 1..60 {
        let (mut world, ana) = World::one();
        let key = world.saved(ana, "r", "one");
        world.changed(ana, ChangeKind::Edit, &key, "two");
        let last = world.changed(ana, ChangeKind::Edit, &key, "three");
        let steps = world.nodes[ana].steps;
        world.nodes[ana].die_after = Some(steps + step);
        world.pass(3000);
        let died = world.nodes[ana].client.is_none();
        if died {
            world.start(ana);
            world.open_view(ana, 1, "r");
        }
        world.go_live(ana);
        world.until_sent(ana);
        assert_eq!(world.backend.texts("r"), ["three"], "killed after {step} steps, {last}");
        assert_eq!(world.texts(ana, 1), ["three"], "killed after {step} steps");
    }
}

#[test]
fn a_lost_answer_is_asked_for_again_also_without_keys() {
    for backend in [Backend::full(), Backend::plain()] {
        let mut world = World::new(backend.room("r", &["ana", "bo"]));
        let ana = world.join("ana");
        world.open_view(ana, 1, "r");
        world.go_live(ana);
        let key = world.saved(ana, "r", "one");
        world.until_status(ana, &key, Status::Acknowledged);
        let kinds = [(ChangeKind::Edit, "two"), (ChangeKind::React, "👍"), (ChangeKind::Unreact, "👍")];
        for (kind, text) in kinds.into_iter().chain([(ChangeKind::Remove, "")]) {
            world.backend.change_fates.extend([ChangeFate::LoseRequest, ChangeFate::LoseAnswer]);
            let change = world.changed(ana, kind, &key, text);
            world.until_sent(ana);
            assert!(world.outbox(ana).is_empty(), "{kind:?} {change}");
        }
        let message = world.backend.message("m1");
        assert!(message.deleted_ms.is_some() && message.reactions.is_empty());
        assert!(world.shown(ana, &key).deleted_at_ms.is_some());
        assert_eq!(world.count(ana, |event| matches!(event, Event::Error { .. })), 0);
    }
}

#[test]
fn an_answer_without_the_message_is_one() {
    let (mut world, ana) = World::one();
    let key = world.saved(ana, "r", "one");
    world.until_status(ana, &key, Status::Acknowledged);
    world.backend.change_fates.push_back(ChangeFate::AnswerBare);
    let edit = world.changed(ana, ChangeKind::Edit, &key, "two");
    let answered = world.ask(ana, Command::Acknowledged { key: edit });
    let outcome = world.wait(ana, answered).unwrap();
    assert!(matches!(outcome, Outcome::Message(message) if message.row_key == key && message.text == "two"));
    world.until_sent(ana);
    assert_eq!(world.texts(ana, 1), ["two"]);
}

#[test]
fn an_answer_that_names_no_id_leaves_the_edit_waiting_for_it() {
    let (mut world, ana) = World::one();
    world.backend.fates.push_back(Fate::AnswerBare);
    let key = world.saved(ana, "r", "one");
    world.changed(ana, ChangeKind::Edit, &key, "two");
    world.until_sent(ana);
    assert_eq!(world.backend.texts("r"), ["two"]);
}

#[test]
fn the_id_that_an_edit_waits_for_may_come_with_another_change() {
    let (mut world, ana) = World::one();
    world.backend.fates.push_back(Fate::AnswerBare);
    // No copy comes by the socket.
    world.latency_ms = 50;
    let key = world.saved(ana, "r", "one");
    world.until("it is stored", |world| !world.backend.texts("r").is_empty());
    world.react("m1", "👍", "bo", true, Travel { late_ms: 60_000, twice: false });
    world.changed(ana, ChangeKind::Edit, &key, "two");
    world.cut(ana);
    world.until_sent(ana);
    assert_eq!(world.backend.texts("r"), ["two"]);
    assert_eq!(world.shown(ana, &key).reactions.len(), 1);
}

#[test]
fn others_messages_take_reactions_and_nothing_else() {
    let (mut world, ana) = World::one();
    world.post("r", "bo", "theirs");
    world.pass(100);
    world.changed(ana, ChangeKind::React, "r:m1", "👍");
    world.until_sent(ana);
    assert_eq!(world.backend.message("m1").reactions, [("👍".to_owned(), "ana".to_owned())]);
    for (kind, text) in [(ChangeKind::Edit, "mine now"), (ChangeKind::Remove, "")] {
        assert_eq!(world.refused(ana, kind, "r:m1", text).code, ErrorCode::Forbidden);
    }
    assert_eq!(changes(&world).len(), 1);
}

#[test]
fn what_cannot_be_changed_is_refused_at_once() {
    let (mut world, ana) = World::one();
    let key = world.saved(ana, "r", "one");
    let long = "x".repeat(10_001);
    for (kind, row_key, text, code) in [
        (ChangeKind::Edit, key.as_str(), " ", ErrorCode::Validation),
        (ChangeKind::Edit, &key, &long, ErrorCode::TooLarge),
        (ChangeKind::React, &key, "", ErrorCode::Validation),
        (ChangeKind::React, &key, "👍".repeat(20).as_str(), ErrorCode::Validation),
        (ChangeKind::Unreact, &key, "a\nb", ErrorCode::Validation),
        (ChangeKind::Edit, "nobody", "two", ErrorCode::NotFound),
        (ChangeKind::React, "r:m99", "👍", ErrorCode::NotFound),
    ] {
        assert_eq!(world.refused(ana, kind, row_key, text).code, code, "{kind:?} {row_key}");
    }
    let removal = world.changed(ana, ChangeKind::Remove, &key, "");
    assert_eq!(
        world.refused(ana, ChangeKind::Edit, &key, "two").code,
        ErrorCode::Conflict,
        "while it is under way"
    );
    world.until_sent(ana);
    for kind in [ChangeKind::Edit, ChangeKind::React, ChangeKind::Remove] {
        assert_eq!(world.refused(ana, kind, &key, "👍").code, ErrorCode::Conflict);
    }
    assert_eq!(world.refused(ana, ChangeKind::Edit, &removal, "two").code, ErrorCode::NotFound, "no message");
}

#[test]
fn a_row_that_is_only_in_the_store_is_changed_and_forwarded() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]).room("s", &["ana", "cy"]));
    let ana = world.join("ana");
    world.go_live(ana);
    let key = world.saved(ana, "r", "own");
    world.until_status(ana, &key, Status::Acknowledged);
    for n in 0..450 {
        world.post("r", "bo", &format!("b{n}"));
    }
    world.pass(2000);
    world.restart(ana);
    world.pass(100);
    world.changed(ana, ChangeKind::Edit, &key, "edited");
    world.changed(ana, ChangeKind::React, "r:m5", "👍");
    let id = world.ask(ana, forward("r:m7", "s"));
    world.wait(ana, id).unwrap();
    world.go_live(ana);
    world.until_sent(ana);
    assert_eq!(
        (world.backend.message("m1").text.as_str(), world.backend.texts("s")),
        ("edited", vec!["b5".to_owned()])
    );
    assert_eq!(world.backend.message("m5").reactions.len(), 1);
}

#[test]
fn a_forward_is_a_send_of_what_is_shown() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]).room("s", &["ana", "cy"]));
    let ana = world.join("ana");
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    world.server_down();
    let mut send = message("r", "a photo");
    (send.kind, send.metadata) = (Some("image".to_owned()), Json::parse(r#"{"width":3}"#));
    let sent = world.ask(ana, Command::Send(send));
    world.pass(100);
    let key = world.message(ana, sent).row_key;
    world.changed(ana, ChangeKind::Edit, &key, "the photo");
    let id = world.ask(ana, forward(&key, "s"));
    let Ok(Outcome::Message(copy)) = world.wait(ana, id) else { panic!("no message") };
    assert_eq!(
        (copy.conversation_id.as_str(), copy.text.as_str(), copy.kind.as_str()),
        ("s", "the photo", "image")
    );
    assert_eq!(copy.metadata.as_ref().map(Json::text), Some(r#"{"width":3}"#));
    assert!(copy.key.is_some() && copy.key.as_deref() != Some(key.as_str()) && copy.change.is_none());
    let refused = world.command(ana, forward(&key, "nowhere")).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound);
    world.changed(ana, ChangeKind::Remove, &key, "");
    let refused = world.command(ana, forward(&key, "s")).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    world.backend.down = false;
    world.until_sent(ana);
    assert_eq!(world.backend.texts("s"), ["the photo"]);
}

#[test]
fn attachments_are_forwarded_as_metadata() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]).room("s", &["ana", "cy"]));
    let ana = world.join("ana");
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    for metadata in [json!(null), json!({"a": 1}), json!({"attachments": 7}), json!([2])] {
        let payload = json!({
            "id": format!("x{}", metadata.to_string().len()), "sender_id": "bo", "conversation_id": "r",
            "content_encrypted": "", "message_type": "file", "created_at": "2026-01-01T00:00:00Z",
            "metadata": metadata, "attachments": [{"url": "u"}],
        });
        let told = world.backend.tell("ana", "chat:message_received", &payload);
        world.say(told);
        world.pass(100);
        let id = world.ask(ana, forward(&format!("r:{}", payload["id"].as_str().unwrap()), "s"));
        world.wait(ana, id).unwrap();
    }
    world.until_sent(ana);
    let sent = world.backend.heard.iter().filter(|(_, name, _)| name == "chat:message_send");
    let carried: Vec<_> = sent.map(|(_, _, payload)| payload["metadata"].clone()).collect();
    let attachments = json!([{"url": "u"}]);
    assert_eq!(
        carried,
        [
            json!({"attachments": attachments}),
            json!({"attachments": attachments, "a": 1}),
            json!({"attachments": 7}),
            json!([2])
        ]
    );
}

#[test]
fn a_tab_that_follows_queues_changes_and_the_leader_sends_them() {
    let (mut world, leader, follower) = World::two(Backend::full());
    let key = world.saved(follower, "r", "one");
    world.until_status(follower, &key, Status::Acknowledged);
    world.server_down();
    world.pass(200);
    let waiting = world.saved(leader, "r", "later");
    world.pass(100);
    world.changed(follower, ChangeKind::Edit, &key, "two");
    let edit = world.changed(follower, ChangeKind::Edit, &waiting, "much later");
    world.pass(100);
    for tab in [leader, follower] {
        assert_eq!(world.texts(tab, 1), ["two", "much later"], "shown in every tab");
    }
    assert!(stored_rows(&mut world.disks[0].records).iter().all(|row| row.wire.is_none()));
    let answered = world.ask(follower, Command::Acknowledged { key: edit });
    world.backend.down = false;
    let outcome = world.wait(follower, answered).unwrap();
    assert!(matches!(outcome, Outcome::Message(message) if message.text == "much later"));
    world.until_sent(leader);
    assert_eq!(world.backend.texts("r"), ["two", "much later"]);
    for tab in [leader, follower] {
        assert_eq!(world.texts(tab, 1), ["two", "much later"]);
    }
}
