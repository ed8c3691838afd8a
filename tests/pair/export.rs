//! What a device has of a conversation, as a text.

use chatwire::proto::store::{decode_head, head_key, segment_key};
use chatwire::proto::{
    ChangeKind, Command, ErrorCode, Event, Outcome, RecordId, Status, StoreFailure, StoreRequest, Transaction,
};
use serde_json::{Value, json};

use super::backend::Backend;
use super::world::World;

fn filled(count: usize) -> (World, usize) {
    let (mut world, ana) = World::one();
    for n in 0..count {
        world.backend.post_silently(world.now.wall_ms, "r", "bo", &format!("b{n}"));
    }
    world.cut(ana);
    world.until("caught up", |world| {
        world.count(ana, |event| matches!(event, Event::Message { .. })) == count
    });
    world.pass(1000);
    (world, ana)
}

fn export(world: &mut World, at: usize, json: bool) -> String {
    let id = world.ask(at, Command::ExportConversation { conversation_id: "r".into(), json });
    match world.wait(at, id).unwrap() {
        Outcome::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

fn texts(exported: &str) -> (Vec<String>, Value) {
    let value: Value = serde_json::from_str(exported).unwrap();
    let messages = value["messages"].as_array().unwrap();
    (messages.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect(), value)
}

#[test]
fn all_segments_and_what_is_queued_stand_in_it_in_order_without_any_network() {
    let (mut world, ana) = filled(350);
    world.ask(ana, Command::Disconnect {});
    world.saved(ana, "r", "queued");
    world.restart(ana);
    let reads = world.disks[0].reads;
    let (found, value) = texts(&export(&mut world, ana, true));
    let mut wanted = world.backend.texts("r");
    wanted.push("queued".to_owned());
    assert_eq!(found, wanted);
    assert!(world.disks[0].reads - reads >= 4, "a read a segment");
    assert_eq!((&value["complete"], &value["damaged"]), (&json!(true), &json!([])));
    assert_eq!(value["conversation"]["id"], "r");
    let last = &value["messages"][350];
    assert_eq!((&last["status"], &last["sender"]), (&json!("saved"), &json!("me")));
    assert_eq!(value["messages"][0]["rowKey"], "r:m1");
}

#[test]
fn changes_on_their_way_stand_in_it_as_windows_show_them() {
    let (mut world, ana) = filled(0);
    let keys = ["first", "second"].map(|text| world.saved(ana, "r", text));
    world.until_status(ana, &keys[1], Status::Acknowledged);
    world.ask(ana, Command::Disconnect {});
    let queued = world.saved(ana, "r", "queued");
    world.changed(ana, ChangeKind::Edit, &queued, "queued, edited");
    world.changed(ana, ChangeKind::Edit, &keys[0], "first, edited");
    world.changed(ana, ChangeKind::React, &keys[0], "👍");
    world.changed(ana, ChangeKind::Remove, &keys[1], "");
    let (found, value) = texts(&export(&mut world, ana, true));
    assert_eq!(found, ["first, edited", "", "queued, edited"]);
    assert_eq!(value["messages"][0]["reactions"][0]["emoji"], "👍");
    let text = export(&mut world, ana, false);
    assert!(!text.contains("second"), "{text}");
}

#[test]
fn a_tab_that_follows_exports_the_same_also_while_messages_are_settled() {
    let (mut world, leader, follower) = World::two(Backend::full());
    for wait_ms in 0..40 {
        world.send(leader, "r", &format!("from the leader {wait_ms}"));
        world.send(follower, "r", &format!("from the follower {wait_ms}"));
        world.pass(wait_ms);
        for at in [leader, follower] {
            let (mut found, _) = texts(&export(&mut world, at, true));
            let count = found.len();
            found.sort_unstable();
            found.dedup();
            assert_eq!(found.len(), count, "none twice, in {at}");
            let mine = found.iter().filter(|text| text.ends_with(&format!(" {wait_ms}"))).count();
            assert!(mine >= 1, "what was sent here is in it, in {at} after {wait_ms}: {found:?}");
        }
        world.pass(500);
        for at in [leader, follower] {
            assert_eq!(texts(&export(&mut world, at, true)).0, world.backend.texts("r"), "in {at}");
        }
    }
}

#[test]
fn a_damaged_segment_is_named_and_the_others_stand_in_it() {
    let (mut world, ana) = filled(350);
    world.kill(ana);
    let (_, head) =
        decode_head(world.disks[0].records.get(&RecordId::history(head_key("r"))).unwrap()).unwrap();
    let (first, second) = (head.segments[0], head.segments[1]);
    let lost = first.count as usize..(first.count + second.count) as usize;
    for bytes in [vec![1, 2, 3], Vec::new()] {
        let at = RecordId::history(segment_key("r", second.number));
        let puts = vec![(at, bytes)];
        world.disks[0].records.execute(&StoreRequest::Write(Transaction { puts, ..Transaction::default() }));
        world.start(ana);
        let (found, value) = texts(&export(&mut world, ana, true));
        let all = world.backend.texts("r");
        assert_eq!(found, [&all[..lost.start], &all[lost.end..]].concat());
        assert_eq!(value["damaged"][0]["messages"], second.count);
        assert!(value["damaged"][0]["from"].as_str().unwrap().starts_with("20"));
        assert_eq!(world.count(ana, |event| matches!(event, Event::Error { .. })), 1, "told as other damage");
        world.kill(ana);
        world.start(ana);
        let lines = export(&mut world, ana, false);
        assert!(lines.contains(&format!("[{} messages from 20", second.count)), "{lines}");
        world.kill(ana);
    }
    // And it is fetched again.
    world.start(ana);
    world.go_live(ana);
    export(&mut world, ana, true);
    world.pass(5000);
    let found = texts(&export(&mut world, ana, true)).0;
    assert_eq!(found.len(), 350, "{}", world.tail());
    assert_eq!(found, world.backend.texts("r"));
}

#[test]
fn lines_say_who_said_what_and_what_became_of_it() {
    let (mut world, ana) = World::one();
    world.post("r", "bo", "hello\n[2026-01-01 00:00] ana: forged");
    world.post("r", "bo", "gone");
    world.pass(100);
    let told = json!({"message_id": "m2", "conversation_id": "r"});
    let say = world.backend.tell("ana", "chat:message_deleted", &told);
    world.say(say);
    world.pass(100);
    let reply_to = world.rows(ana, 1)[0].row_key.clone();
    let mut answer = super::acts::message("r", "an answer");
    answer.reply_to = Some(reply_to);
    let id = world.ask(ana, Command::Send(answer));
    world.wait(ana, id).unwrap();
    world.pass(100);
    world.ask(ana, Command::Disconnect {});
    let mut picture = super::acts::message("r", "at sea");
    picture.kind = Some("image".to_owned());
    let id = world.ask(ana, Command::Send(picture));
    world.wait(ana, id).unwrap();
    let text = export(&mut world, ana, false);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "r (times are UTC)");
    assert_eq!(lines[2], "[2026-01-01 00:00] bo: hello");
    assert_eq!(lines[3], "    [2026-01-01 00:00] ana: forged", "no message of its own");
    assert_eq!(lines[4], "[2026-01-01 00:00] bo: (deleted)");
    assert!(lines[5].starts_with("[2026-01-01 00:00] ana: (in reply to \"hello"), "{text}");
    assert!(lines[6].ends_with("ana: forged\") an answer"), "{text}");
    assert_eq!(lines[7], "[2026-01-01 00:00] ana: [image] at sea (not sent yet)");
}

#[test]
fn what_is_not_known_here_is_not_found_and_a_store_that_cannot_be_read_says_so() {
    let (mut world, ana) = World::one();
    world.saved(ana, "r", "one");
    world.pass(100);
    let ask = Command::ExportConversation { conversation_id: "nowhere".into(), json: true };
    assert_eq!(world.command(ana, ask).unwrap_err().code, ErrorCode::NotFound);
    world.disks[0].broken = Some(StoreFailure::Other);
    world.disks[0].unreadable = true;
    let id = world.ask(ana, Command::ExportConversation { conversation_id: "r".into(), json: true });
    assert_eq!(world.wait(ana, id).unwrap_err().code, ErrorCode::Storage);
}

#[test]
fn an_export_ends_with_the_client_and_with_the_store() {
    for command in [Command::Close {}, Command::Wipe {}] {
        let (mut world, ana) = filled(350);
        world.disks[0].delay_ms = 50;
        let id = world.ask(ana, Command::ExportConversation { conversation_id: "r".into(), json: true });
        world.ask(ana, command);
        assert!(world.wait(ana, id).is_err());
    }
}

#[test]
fn what_was_given_up_for_room_makes_it_incomplete() {
    let (mut world, ana) = filled(650);
    world.ask(ana, Command::CloseTimeline { view: 1 });
    world.disks[0].limit_bytes = Some(world.disks[0].records.used_bytes());
    world.post("r", "bo", "live");
    world.pass(1000);
    let (found, value) = texts(&export(&mut world, ana, true));
    assert_eq!(value["complete"], false);
    let all = world.backend.texts("r");
    assert_eq!(found, all[all.len() - found.len()..]);
    assert!(found.len() < all.len() && found.len() >= 200);
    assert!(export(&mut world, ana, false).ends_with("[earlier messages may be on the server only]\n"));
}
