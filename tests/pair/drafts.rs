//! What the user has begun to write: kept, shown in every tab, gone when it is empty.

use chatwire::proto::store::{draft_key, encode_draft};
use chatwire::proto::{
    Command, CommandId, DraftCommand, ErrorCode, Event, Input, Outcome, Read, RecordId, StoreFailure,
    StoreReply, StoreRequest, TabInput, Table, Transaction,
};
use serde_json::json;

use super::backend::Backend;
use super::node::WriteFault;
use super::world::World;

fn set(world: &mut World, at: usize, text: &str) -> CommandId {
    let draft = DraftCommand { conversation_id: "r".into(), text: text.into() };
    world.ask(at, Command::SetDraft(draft))
}

/// The draft that this tab has shown last.
fn shown(world: &World, at: usize) -> Option<String> {
    world.nodes[at].events.iter().rev().find_map(|event| match event {
        Event::Conversation { conversation } if conversation.id == "r" => Some(conversation.draft.clone()),
        _ => None,
    })
}

fn stored(world: &mut World) -> usize {
    let reads = vec![Read::Prefix { table: Table::Meta, prefix: "d/".into() }];
    match world.disks[0].records.execute(&StoreRequest::Read(reads)) {
        StoreReply::Records(lists) => lists[0].len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_draft_survives_a_kill_and_is_removed_when_it_is_empty() {
    let (mut world, ana) = World::one();
    let id = set(&mut world, ana, "half a sen");
    world.wait(ana, id).unwrap();
    assert_eq!(shown(&world, ana).as_deref(), Some("half a sen"));
    world.restart(ana);
    world.pass(100);
    assert_eq!(shown(&world, ana).as_deref(), Some("half a sen"), "before any network");
    let id = set(&mut world, ana, "");
    assert!(matches!(world.wait(ana, id).unwrap(), Outcome::Nothing));
    assert_eq!((shown(&world, ana).as_deref(), stored(&mut world)), (Some(""), 0));
    world.restart(ana);
    world.go_live(ana);
    world.pass(100);
    assert_eq!(shown(&world, ana).as_deref(), Some(""));
}

#[test]
fn keys_that_come_while_a_write_is_under_way_go_with_the_next() {
    let (mut world, ana) = World::one();
    world.disks[0].delay_ms = 100;
    let writes = world.disks[0].writes;
    let ids: Vec<CommandId> = (1..=40).map(|n| set(&mut world, ana, &"x".repeat(n))).collect();
    for id in ids {
        world.wait(ana, id).unwrap();
    }
    assert_eq!(world.disks[0].writes - writes, 2);
    world.disks[0].delay_ms = 0;
    world.restart(ana);
    world.pass(100);
    assert_eq!(shown(&world, ana), Some("x".repeat(40)));
}

#[test]
fn the_same_text_while_it_is_under_way_is_done_with_it() {
    let (mut world, ana) = World::one();
    world.disks[0].delay_ms = 100;
    let first = set(&mut world, ana, "the same");
    world.pass(10);
    let second = set(&mut world, ana, "the same");
    world.wait(ana, first).unwrap();
    world.wait(ana, second).unwrap();
}

#[test]
fn any_tab_writes_its_own_and_all_show_the_last() {
    let (mut world, leader, follower) = World::two(Backend::full());
    for (from, text) in [(follower, "from the follower"), (leader, "from the leader"), (follower, "")] {
        let id = set(&mut world, from, text);
        world.wait(from, id).unwrap();
        world.pass(100);
        for at in [leader, follower] {
            assert_eq!(shown(&world, at).as_deref(), Some(text), "by {from}, in {at}");
        }
    }
    // A third one that has never been connected.
    let id = set(&mut world, follower, "again");
    world.wait(follower, id).unwrap();
    let third = world.join_on("ana", json!({}), 0);
    world.pass(100);
    assert_eq!(shown(&world, third).as_deref(), Some("again"));
    let id = set(&mut world, third, "third");
    world.wait(third, id).unwrap();
    world.pass(100);
    for at in [leader, follower, third] {
        assert_eq!(shown(&world, at).as_deref(), Some("third"), "in {at}");
    }
}

#[test]
fn two_tabs_that_write_at_once_agree_in_the_end() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.disks[0].delay_ms = 30;
    for n in 0..6 {
        set(&mut world, leader, &format!("leader {n}"));
        world.pass(n * 7);
        set(&mut world, follower, &format!("follower {n}"));
        world.pass(1000);
        let (one, other) = (shown(&world, leader), shown(&world, follower));
        assert_eq!(one, other, "round {n}");
        assert!(one.is_some_and(|text| text.ends_with(&n.to_string())), "round {n}");
    }
}

#[test]
fn a_lost_word_is_made_good_by_the_next_look_at_the_store() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.loses_pokes = true;
    let id = set(&mut world, follower, "unheard");
    world.wait(follower, id).unwrap();
    world.pass(31_000);
    assert_eq!(shown(&world, leader).as_deref(), Some("unheard"));
}

#[test]
fn what_cannot_become_a_message_is_refused() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ana = world.join_with("ana", json!({"limits": {"maxTextLength": 5, "maxConversations": 1}}));
    world.go_live(ana);
    let ask = |world: &mut World, room: &str, text: &str| {
        let draft = DraftCommand { conversation_id: room.into(), text: text.into() };
        world.command(ana, Command::SetDraft(draft)).map_err(|failure| failure.code)
    };
    assert_eq!(ask(&mut world, "r", "äöüäöü"), Err(ErrorCode::TooLarge));
    assert_eq!(ask(&mut world, "nowhere", "a"), Err(ErrorCode::NotFound));
    assert_eq!(ask(&mut world, "", "a"), Err(ErrorCode::NotFound));
    assert!(ask(&mut world, "r", "äöüäö").is_ok());
    assert_eq!(shown(&world, ana).as_deref(), Some("äöüäö"));
}

#[test]
fn while_the_store_takes_nothing_a_draft_lives_in_memory_and_is_stored_later() {
    for fault in [StoreFailure::Quota, StoreFailure::Other] {
        let (mut world, ana) = World::one();
        world.disks[0].broken = Some(fault);
        for text in ["one", "two"] {
            let id = set(&mut world, ana, text);
            world.wait(ana, id).unwrap();
            assert_eq!(shown(&world, ana).as_deref(), Some(text));
        }
        assert_eq!(stored(&mut world), 0);
        world.disks[0].broken = None;
        world.pass(6000);
        world.restart(ana);
        world.pass(100);
        assert_eq!(shown(&world, ana).as_deref(), Some("two"), "{fault:?}");
    }
}

#[test]
fn an_unclear_write_of_a_draft_is_looked_for() {
    for fault in [WriteFault::UnknownDone, WriteFault::UnknownLost] {
        for text in ["new", ""] {
            let (mut world, ana) = World::one();
            let id = set(&mut world, ana, "old");
            world.wait(ana, id).unwrap();
            world.disks[0].faults.push_back(fault);
            let id = set(&mut world, ana, text);
            world.wait(ana, id).unwrap();
            world.restart(ana);
            world.pass(100);
            assert_eq!(shown(&world, ana).as_deref(), Some(text), "{fault:?}");
        }
    }
}

#[test]
fn a_wipe_takes_drafts_along_in_every_tab() {
    let (mut world, leader, follower) = World::two(Backend::full());
    let id = set(&mut world, follower, "secret");
    world.wait(follower, id).unwrap();
    world.pass(100);
    let id = world.ask(leader, Command::Wipe {});
    world.wait(leader, id).unwrap();
    world.pass(100);
    assert_eq!(stored(&mut world), 0);
    for at in [leader, follower] {
        world.go_live(at);
    }
    world.pass(100);
    for at in [leader, follower] {
        assert_eq!(shown(&world, at).as_deref(), Some(""), "in {at}");
    }
}

#[test]
fn a_draft_goes_with_its_conversation() {
    let (mut world, ana) = World::one();
    let id = set(&mut world, ana, "too late");
    world.wait(ana, id).unwrap();
    world.backend.rooms.remove("r");
    world.cut(ana);
    world.until("gone", |world| {
        world.count(ana, |event| matches!(event, Event::ConversationRemoved { .. })) > 0
    });
    world.pass(1000);
    assert_eq!(stored(&mut world), 0);
}

#[test]
fn a_database_deleted_under_a_client_takes_no_draft_along() {
    let (mut world, ana) = World::one();
    let id = set(&mut world, ana, "kept");
    world.wait(ana, id).unwrap();
    world.disks[0].records.empty();
    world.input(ana, Input::Tab(TabInput::Emptied));
    world.pass(6000);
    assert_eq!(stored(&mut world), 1);
    assert_eq!(shown(&world, ana).as_deref(), Some("kept"));
}

#[test]
fn a_damaged_draft_is_told_once_and_removed_or_written_again() {
    let (mut world, ana) = World::one();
    let damage = |world: &mut World, bytes: Vec<u8>| {
        let puts = vec![(RecordId::meta(&draft_key("r")), bytes)];
        world.disks[0].records.execute(&StoreRequest::Write(Transaction { puts, ..Transaction::default() }));
    };
    let told = |world: &World| world.count(ana, |event| matches!(event, Event::Error { .. }));
    // Of one that nobody knows nothing is left.
    damage(&mut world, vec![1, 2, 3]);
    world.pass(100_000);
    assert_eq!((told(&world), stored(&mut world)), (1, 0));
    // What this tab knows is written again.
    let id = set(&mut world, ana, "known");
    world.wait(ana, id).unwrap();
    let mut torn = encode_draft(7, "r", "known");
    torn.pop();
    damage(&mut world, torn);
    world.pass(100_000);
    assert_eq!((told(&world), stored(&mut world)), (2, 1));
    world.restart(ana);
    world.pass(100);
    assert_eq!(shown(&world, ana).as_deref(), Some("known"));
}
