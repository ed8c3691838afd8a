//! A leading tab that stops running: frozen with a word, or standing still without one.

use chatwire::proto::store::{GENERATION_KEY, decode_generation, decode_head, encode_generation, head_key};
use chatwire::proto::{
    Command, Event, Input, PageInput, RecordId, SendCommand, Status, StoreFailure, StoreRequest, TabInput,
    Transaction,
};
use serde_json::json;

use super::acts::message;
use super::backend::{Backend, Fate};
use super::checks::outbox_rows;
use super::world::World;

/// The longest that a tab which is looked at waits for a leader that stands still (ARCHITECTURE.md, "Tabs"), and the connect.
const TAKEOVER_MS: u64 = 8_500;

/// Two connected tabs of one store; the first leads.
fn tabs(backend: Backend) -> (World, usize, usize) {
    let mut world = World::new(backend.room("r", &["ana", "bo"]));
    let first = world.join("ana");
    world.go_live(first);
    let disk = world.nodes[first].disk;
    let second = world.join_on("ana", json!({}), disk);
    world.connect(second);
    world.pass(500);
    assert!(world.nodes[first].leads && !world.nodes[second].leads);
    (world, first, second)
}

#[test]
fn a_page_that_is_frozen_gives_the_lead_back_at_once_and_asks_again_when_it_thaws() {
    let (mut world, first, second) = tabs(Backend::full());
    world.input(first, Input::Page(PageInput::Frozen));
    world.pass(500);
    assert!(world.nodes[second].leads && !world.nodes[first].leads);
    assert_eq!(world.backend.sessions.len(), 1);
    world.saved(second, "r", "while the other one is frozen");
    world.pass(500);
    assert_eq!(world.backend.texts("r").len(), 1);
    world.input(first, Input::Page(PageInput::Resumed));
    world.pass(500);
    assert!(world.nodes[first].waits && world.nodes[second].leads);
    world.kill(second);
    world.pass(500);
    assert!(world.nodes[first].leads);
    assert_eq!(world.backend.sessions.keys().map(|(at, _)| *at).collect::<Vec<_>>(), [first]);
}

#[test]
fn a_frozen_page_that_waits_is_not_given_the_lead() {
    let (mut world, first, second) = tabs(Backend::full());
    world.input(second, Input::Page(PageInput::Frozen));
    world.pass(100);
    assert!(!world.nodes[second].waits);
    world.kill(first);
    world.pass(500);
    assert!(!world.nodes[second].leads);
    world.input(second, Input::Page(PageInput::Visible));
    world.pass(500);
    assert!(world.nodes[second].leads);
}

#[test]
fn a_leader_that_stands_still_is_replaced_within_the_stated_time() {
    let (mut world, first, second) = tabs(Backend::full());
    world.pass_pinged(60_000);
    assert!(world.nodes[first].leads, "one that answers is left alone");
    world.stand_still(first, true);
    let before = world.now.mono_ms;
    world.until_within(TAKEOVER_MS, "the other tab is live", |world| {
        world.nodes[second].leads && world.backend.sessions.keys().any(|(at, _)| *at == second)
    });
    assert!(world.now.mono_ms - before >= 4_000, "two questions were asked");
    world.saved(second, "r", "sent by the new leader");
    world.pass(500);
    assert_eq!(world.backend.texts("r").len(), 1);
    world.stand_still(first, false);
    world.pass(500);
    assert_eq!(world.nodes.iter().filter(|node| node.leads).count(), 1);
    assert_eq!(world.backend.sessions.len(), 1, "the old leader's socket is closed");
}

#[test]
fn a_leader_that_was_robbed_while_it_stood_still_sends_nothing_on_its_old_socket() {
    // Without keys the server would store it twice.
    let (mut world, first, second) = tabs(Backend::plain());
    let disk = world.nodes[first].disk;
    world.disks[disk].delay_ms = 50;
    world.send(first, "r", "hello");
    // It is in the store, marked, and the page stands still before it hears so.
    world.pass(49);
    world.stand_still(first, true);
    world.disks[disk].delay_ms = 0;
    world.backend.fates.push_back(Fate::Answer);
    world.until_within(TAKEOVER_MS, "the other tab leads", |world| world.nodes[second].leads);
    world.pass(1_000);
    world.stand_still(first, false);
    world.pass(1_000);
    let sent = world.backend.texts("r");
    assert!(sent.len() <= 1, "{sent:?}");
    let id = world.outbox(second);
    let unconfirmed = id.iter().filter(|row| row.failure.is_some()).count();
    assert_eq!(sent.len() + unconfirmed, 1, "sent once, or not known to be sent");
}

/// The head's record.
fn history(world: &World, disk: usize) -> Option<Vec<u8>> {
    world.disks[disk].records.get(&RecordId::history(head_key("r"))).map(<[u8]>::to_vec)
}

fn generation(world: &World, disk: usize) -> u64 {
    let record = world.disks[disk].records.get(&RecordId::meta(GENERATION_KEY)).unwrap();
    decode_generation(record).unwrap().1
}

#[test]
fn a_leader_whose_claim_is_refused_keeps_its_lead_when_there_is_room_again() {
    let (mut world, ana) = World::one();
    world.ask(ana, Command::Disconnect {});
    world.pass(100);
    world.nodes[ana].checks.memory_only = true;
    world.nodes[ana].events.clear();
    let empty = history(&world, 0);
    world.disks[0].broken = Some(StoreFailure::Quota);
    world.go_live(ana);
    world.post("r", "bo", "one");
    let two = world.send(ana, "r", "two");
    world.pass(12_000);
    assert!(!world.message(ana, two).durable);
    assert_eq!(world.texts(ana, 1), ["one", "two"]);
    assert_eq!(history(&world, 0), empty, "nothing is written under another tab's generation");
    let before = generation(&world, 0);
    world.disks[0].broken = None;
    world.pass(6_000);
    assert_ne!(history(&world, 0), empty);
    assert_eq!(generation(&world, 0), before + 1, "claimed first");
    let told = world.nodes[ana].events.iter().filter(|event| matches!(event, Event::Leader { .. })).count();
    assert_eq!(told, 1, "it led all along");
    world.restart(ana);
    world.open_view(ana, 1, "r");
    world.pass(100);
    assert_eq!(world.texts(ana, 1), ["one", "two"]);
}

#[test]
fn a_thief_whose_claim_is_refused_writes_nothing_over_what_the_robbed_leader_writes() {
    let (mut world, first, second) = tabs(Backend::full());
    for at in [first, second] {
        world.open_view(at, 1, "r");
        world.nodes[at].checks.memory_only = true;
    }
    let disk = world.nodes[first].disk;
    world.disks[disk].broken = Some(StoreFailure::Quota);
    world.post("r", "bo", "one");
    world.pass(100);
    world.stand_still(first, true);
    world.until_within(TAKEOVER_MS, "the other tab leads", |world| world.nodes[second].leads);
    world.pass(1_000);
    world.post("r", "bo", "two");
    world.pass(100);
    assert_eq!(world.texts(second, 1), ["one", "two"]);
    let before = generation(&world, disk);
    // It runs before it hears that it was robbed, and writes what it knows.
    world.disks[disk].broken = None;
    world.nodes[first].still = Some(Vec::new());
    world.stand_still(first, false);
    world.pass(100);
    let newest = world.rows(first, 1).pop().unwrap().row_key;
    world.ask(first, Command::MarkRead { conversation_id: "r".to_owned(), row_key: newest });
    world.pass(100);
    assert!(history(&world, disk).is_some());
    world.pass(20_000);
    let head = world.disks[disk].records.get(&RecordId::history(head_key("r"))).unwrap();
    assert!(decode_head(head).unwrap().1.read_up_to.is_some(), "what the robbed leader wrote stands");
    assert!(generation(&world, disk) > before, "whoever writes has claimed it");
    let key = world.saved(second, "r", "three");
    world.until_status(second, &key, Status::Acknowledged);
    world.pass(35_000);
    for at in [first, second] {
        assert_eq!(world.texts(at, 1), ["one", "two", "three"]);
    }
    assert_eq!(world.backend.sessions.len(), 1);
}

/// The claim that is refused at first ends what the store knows of replaced rows, when it stands.
#[test]
fn a_row_that_is_on_the_wire_unmarked_is_not_written_again_where_it_was_cancelled() {
    let (mut world, other, leader) = World::two(Backend::full());
    world.nodes[leader].checks.memory_only = true;
    world.disks[0].broken = Some(StoreFailure::Quota);
    world.restart(other);
    world.pass(2000);
    world.disks[0].broken = None;
    world.backend.fates.push_back(Fate::Ignore);
    let key = world.saved(other, "r", "one");
    world.until_status(leader, &key, Status::Sent);
    let cancel = world.ask(other, Command::Cancel { key });
    assert!(world.wait(other, cancel).is_ok());
    assert!(outbox_rows(&mut world.disks[0].records).is_empty());
    world.pass(6000);
    assert!(outbox_rows(&mut world.disks[0].records).is_empty(), "it is gone");
    world.pass(60_000);
    assert!(world.backend.texts("r").is_empty());
    for at in [other, leader] {
        assert!(world.texts(at, 1).is_empty());
    }
}

#[test]
fn a_status_that_the_store_refused_is_known_to_the_next_leader() {
    for loses_pokes in [false, true] {
        let (mut world, old, new) = World::two(Backend::full());
        let key = world.saved(old, "r", "one");
        for at in [old, new] {
            world.until_status(at, &key, Status::Acknowledged);
            world.nodes[at].events.clear();
        }
        world.disks[0].broken = Some(StoreFailure::Quota);
        let receipt =
            json!({"messageId": "m1", "conversationId": "r", "userId": "bo", "status": "delivered"});
        let say = world.backend.tell("ana", "chat:message_status_updated", &receipt);
        world.say(say);
        world.pass(500);
        assert_eq!(world.status(old, &key), Some(Status::Delivered));
        assert_eq!(world.status(new, &key), Some(Status::Acknowledged));
        world.loses_pokes = loses_pokes;
        world.input(new, Input::Tab(TabInput::Leads));
        world.input(old, Input::Tab(TabInput::Deposed));
        world.pass(8_000);
        world.disks[0].broken = None;
        world.loses_pokes = false;
        world.pass(35_000);
        let late = world.join_on("ana", json!({}), 0);
        world.open_view(late, 1, "r");
        world.pass(100);
        for at in [old, new, late] {
            assert_eq!(world.rows(at, 1)[0].status, Status::Delivered, "{at}");
        }
        for at in [old, new] {
            assert_eq!(world.count(at, |event| matches!(event, Event::Status { .. })), 1, "told once");
        }
    }
}

#[test]
fn a_hidden_leader_hands_over_to_a_tab_that_is_looked_at() {
    let (mut world, first, second) = tabs(Backend::full());
    world.input(first, Input::Page(PageInput::Hidden));
    world.pass_pinged(20_000);
    assert!(world.nodes[first].leads, "not at each switch of tabs");
    world.pass_pinged(20_000);
    assert!(world.nodes[second].leads);
    assert_eq!(world.backend.sessions.len(), 1);
    world.pass_pinged(60_000);
    assert!(world.nodes[second].leads);
}

#[test]
fn a_tab_that_stood_still_itself_does_not_take_silence_for_an_answer() {
    let (mut world, first, second) = tabs(Backend::full());
    for at in [first, second] {
        world.stand_still(at, true);
    }
    world.pass(3_600_000);
    // The one that asks wakes up first.
    world.stand_still(second, false);
    world.pass(100);
    world.stand_still(first, false);
    world.pass_pinged(10_000);
    assert!(world.nodes[first].leads);
}

#[test]
fn a_word_of_another_tab_that_means_nothing_changes_nothing() {
    let (mut world, first, second) = tabs(Backend::full());
    for at in [first, second] {
        for input in [TabInput::Alive, TabInput::Asked { visible: false }, TabInput::Yielded] {
            world.input(at, Input::Tab(input));
        }
    }
    world.pass(100);
    // Only a tab that follows and is looked at may take a lead that is offered.
    assert!(world.nodes[second].leads);
    assert_eq!(world.nodes.iter().filter(|node| node.leads).count(), 1);
}

#[test]
fn a_claim_that_was_replaced_before_everything_was_read_is_no_lead() {
    let (mut world, first, second) = tabs(Backend::full());
    world.disks[0].delay_ms = 50;
    world.kill(first);
    // Its own claim is in the store, what is to be read under it is not read yet.
    world.pass(120);
    let claim = generation(&world, 0);
    let puts = vec![(RecordId::meta(GENERATION_KEY), encode_generation(77, claim + 1))];
    world.disks[0].records.execute(&StoreRequest::Write(Transaction { puts, ..Transaction::default() }));
    world.pass(60_000);
    let mut told = Vec::new();
    for event in &world.nodes[second].events {
        if let Event::Leader { leader } = event {
            told.push(*leader);
        }
    }
    assert_eq!(told, [true], "not before a claim of its own stands");
    assert_eq!(generation(&world, 0), claim + 2);
}

#[test]
fn a_leader_in_doubt_whose_read_fails_reads_again_soon() {
    let (mut world, ana) = World::one();
    world.disks[0].delay_ms = 1_500;
    let id = world.send(ana, "r", "one");
    world.pass(1_600);
    let key = world.message(ana, id).key.unwrap();
    // Whether it still leads is being read.
    (world.disks[0].broken, world.disks[0].unreadable) = (Some(StoreFailure::Other), true);
    world.pass(1_500);
    assert!(world.backend.texts("r").is_empty());
    (world.disks[0].broken, world.disks[0].unreadable, world.disks[0].delay_ms) = (None, false, 0);
    world.until_within(6_000, "it goes out", |world| world.status(ana, &key) == Some(Status::Acknowledged));
}

#[test]
fn a_leader_that_stood_still_calls_no_message_expired_that_another_tab_has_sent() {
    let (mut world, first, second) = tabs(Backend::full());
    world.server_down();
    world.pass(100);
    let send = SendCommand { ttl_ms: Some(20_000), ..message("r", "in time") };
    let id = world.ask(first, Command::Send(send));
    world.wait(first, id).unwrap();
    world.pass(100);
    world.stand_still(first, true);
    world.loses_pokes = true;
    world.backend.down = false;
    world.until_within(TAKEOVER_MS, "the other tab leads", |world| world.nodes[second].leads);
    world.pass(19_000);
    assert_eq!(world.backend.texts("r"), ["in time"]);
    // Its timers run before it hears that it was robbed.
    let now = world.now;
    world.nodes[first].client.as_mut().unwrap().handle_timeout(now);
    world.drain(first);
    world.stand_still(first, false);
    world.pass(10_000);
    let failed = |event: &Event| matches!(event, Event::Status { status: Status::Failed, .. });
    assert!(!world.nodes[first].events.iter().any(failed));
}
