//! Commands that meet a wipe, another tab, an expired token: each ends, and ends truly.

use chatwire::proto::{Command, CommandId, ErrorCode, Event, Input, StoreFailure, TabInput};
use serde_json::json;

use super::backend::Backend;
use super::checks::outbox_rows;
use super::history::newcomer;
use super::world::World;

fn two() -> (World, usize, usize) {
    let (mut world, leader) = World::one();
    let follower = world.join_on("ana", json!({}), 0);
    world.pass(100);
    world.open_view(follower, 1, "r");
    world.connect(follower);
    world.pass(100);
    (world, leader, follower)
}

fn ends(world: &World, at: usize, ids: &[CommandId]) -> Vec<Result<(), ErrorCode>> {
    let ends = ids.iter().map(|id| world.outcome(at, *id).expect("every command ends"));
    ends.map(|end| end.map(drop).map_err(|error| error.code)).collect()
}

#[test]
fn a_wipe_ends_what_was_accepted_before_it() {
    let (mut world, ana) = World::one();
    world.disks[0].delay_ms = 20;
    let first = world.send(ana, "r", "one");
    let second = world.send(ana, "r", "two");
    world.pass(5);
    let wipe = world.ask(ana, Command::Wipe {});
    let during = world.command(ana, Command::Send(super::acts::message("r", "three")));
    assert_eq!(during.unwrap_err().code, ErrorCode::Cancelled);
    let connect = world.ask(ana, Command::Connect {});
    world.pass(60_000);
    assert_eq!(
        ends(&world, ana, &[first, second, wipe, connect]),
        [Ok(()), Err(ErrorCode::Cancelled), Ok(()), Ok(())]
    );
    assert!(world.outbox(ana).is_empty());
    let key = world.saved(ana, "r", "after");
    world.until_status(ana, &key, chatwire::proto::Status::Acknowledged);
}

#[test]
fn a_failed_wipe_takes_nothing_away() {
    let (mut world, ana) = World::one();
    world.disks[0].delay_ms = 20;
    world.send(ana, "r", "one");
    let second = world.send(ana, "r", "two");
    world.disks[0].refuses_wipe = true;
    let wipe = world.ask(ana, Command::Wipe {});
    world.pass(60_000);
    assert_eq!(ends(&world, ana, &[wipe, second]), [Err(ErrorCode::Storage), Ok(())]);
    world.go_live(ana);
    world.until("both are sent", |world| world.backend.texts("r") == ["one", "two"]);
}

#[test]
fn a_wipe_reaches_the_other_tabs() {
    let (mut world, leader, follower) = two();
    world.post("r", "bo", "secret");
    world.pass(500);
    assert_eq!(world.texts(follower, 1), ["secret"]);
    let wipe = world.ask(leader, Command::Wipe {});
    world.wait(leader, wipe).unwrap();
    world.pass(1000);
    assert!(world.texts(follower, 1).is_empty());
    // It does not fetch again what was to be gone.
    world.pass(30_000);
    assert!(world.texts(follower, 1).is_empty() && world.backend.sessions.is_empty());
    // Neither on the screen nor, when the other tab writes again, in the store.
    world.backend.rooms.get_mut("r").unwrap().messages[0].text = "other".to_owned();
    world.kill(leader);
    world.pass(3000);
    world.post("r", "bo", "new");
    world.pass(3000);
    world.restart(follower);
    world.open_view(follower, 1, "r");
    world.pass(1000);
    assert!(!world.texts(follower, 1).contains(&"secret".to_owned()));
}

#[test]
fn after_a_wipe_in_another_tab_the_history_is_met_anew_and_not_told_as_news() {
    for by_leader in [true, false] {
        let (mut world, leader, follower) = two();
        for n in 0..300 {
            world.post("r", "bo", &format!("b{n}"));
        }
        world.pass(2000);
        let (wiper, other) = if by_leader { (leader, follower) } else { (follower, leader) };
        let wipe = world.ask(wiper, Command::Wipe {});
        world.wait(wiper, wipe).unwrap();
        world.pass(100);
        // Which conversations there are is not known again.
        world.saved(other, "r", "after the wipe");
        world.nodes[other].events.clear();
        // The newest page is told once more, as to a new device.
        for tab in [other, wiper] {
            world.nodes[tab].checks.told.clear();
        }
        world.connect(other);
        world.pass(5000);
        let told = world.count(other, |event| matches!(event, Event::Message { .. }));
        assert!(told <= 50, "by the leader: {by_leader}; {told} are told");
    }
}

#[test]
fn a_wipe_that_nobody_heard_of_is_found_at_the_take_over() {
    let (mut world, leader, follower) = two();
    world.post("r", "bo", "secret");
    world.pass(500);
    world.loses_pokes = true;
    let wipe = world.ask(leader, Command::Wipe {});
    world.wait(leader, wipe).unwrap();
    world.backend.rooms.get_mut("r").unwrap().messages[0].text = "other".to_owned();
    world.kill(leader);
    world.pass(3000);
    assert_eq!(world.texts(follower, 1), ["other"]);
}

#[test]
fn a_wipe_in_the_second_tab_empties_the_leader_too() {
    let (mut world, leader, follower) = two();
    world.post("r", "bo", "secret");
    world.pass(500);
    let wipe = world.ask(follower, Command::Wipe {});
    world.wait(follower, wipe).unwrap();
    world.pass(30_000);
    assert!(world.texts(leader, 1).is_empty() && world.backend.sessions.is_empty());
}

#[test]
fn an_expired_token_is_asked_anew_once_for_a_new_conversation() {
    let (mut world, ana) = World::one();
    world.backend.refused_tokens.insert("ana:1".to_owned());
    world.nodes[ana].token = "ana:2".to_owned();
    let asked = world.nodes[ana].tokens_asked;
    let direct = world.ask(ana, Command::CreateDirect { user_id: "bo".into() });
    let group = world.ask(ana, Command::CreateGroup { title: "g".into(), members: vec!["bo".into()] });
    world.pass(5000);
    assert_eq!(ends(&world, ana, &[direct, group]), [Ok(()), Ok(())]);
    assert_eq!(world.nodes[ana].tokens_asked, asked + 1);
}

#[test]
fn what_was_asked_with_the_token_of_before_is_asked_again_with_the_present_one() {
    let (mut world, ana) = newcomer(500);
    world.go_live(ana);
    world.backend.refused_tokens.insert("ana:1".to_owned());
    world.nodes[ana].token = "ana:2".to_owned();
    let asked = world.nodes[ana].tokens_asked;
    world.ask(ana, Command::LoadEarlier { view: 1, count: 200 });
    world.pass(3);
    let direct = world.ask(ana, Command::CreateDirect { user_id: "bo".into() });
    world.pass(3);
    let group = world.ask(ana, Command::CreateGroup { title: "g".into(), members: vec!["bo".into()] });
    world.pass(5000);
    assert_eq!(ends(&world, ana, &[direct, group]), [Ok(()), Ok(())]);
    assert_eq!(world.nodes[ana].tokens_asked, asked + 1);
    assert!(world.texts(ana, 1).len() > 50);
}

#[test]
fn a_token_that_is_refused_twice_ends_the_creation() {
    let (mut world, ana) = World::one();
    for token in ["ana:1", "ana:2"] {
        world.backend.refused_tokens.insert(token.to_owned());
    }
    world.nodes[ana].token = "ana:2".to_owned();
    let direct = world.ask(ana, Command::CreateDirect { user_id: "bo".into() });
    world.pass(5000);
    assert_eq!(ends(&world, ana, &[direct]), [Err(ErrorCode::Auth)]);
}

#[test]
fn a_second_tab_creates_conversations_with_a_token_of_its_own() {
    let (mut world, _, follower) = two();
    let direct = world.ask(follower, Command::CreateDirect { user_id: "bo".into() });
    world.pass(1000);
    assert_eq!(ends(&world, follower, &[direct]), [Ok(())]);
    assert_eq!(world.nodes[follower].tokens_asked, 1);
}

#[test]
fn a_creation_ends_when_no_token_is_given() {
    let (mut world, _, follower) = two();
    world.nodes[follower].next_tokens.push_back(Err("no session".to_owned()));
    let refused = world.ask(follower, Command::CreateDirect { user_id: "bo".into() });
    world.pass(1000);
    world.nodes[follower].hold_tokens = true;
    let silent = world.ask(follower, Command::CreateDirect { user_id: "bo".into() });
    world.pass(60_000);
    assert_eq!(ends(&world, follower, &[refused, silent]), [Err(ErrorCode::Auth), Err(ErrorCode::Auth)]);
}

#[test]
fn connect_of_a_tab_that_loses_the_lead_ends() {
    let (mut world, leader, follower) = two();
    world.server_down();
    world.pass(100);
    let connect = world.ask(leader, Command::Connect {});
    world.nodes[leader].leads = false;
    world.nodes[follower].leads = true;
    world.input(follower, Input::Tab(TabInput::Leads));
    world.input(leader, Input::Tab(TabInput::Deposed));
    world.pass(1000);
    assert!(world.outcome(leader, connect).is_none(), "it waits for the other tab's socket");
    world.backend.down = false;
    assert!(world.wait(leader, connect).is_ok());
}

#[test]
fn callers_of_acknowledged_are_bounded() {
    let (mut world, ana) = World::one();
    world.server_down();
    let key = world.saved(ana, "r", "one");
    let ask = |world: &mut World, key: &str| {
        world.command(ana, Command::Acknowledged { key: key.to_owned() }).map_err(|error| error.code)
    };
    let refused = (0..1001).map(|_| ask(&mut world, &key)).find_map(Result::err);
    assert_eq!(refused, Some(ErrorCode::OutboxFull));
    world.disks[0].delay_ms = 1000;
    let refused = (0..501).map(|n| ask(&mut world, &format!("unknown{n}"))).find_map(Result::err);
    assert_eq!(refused, Some(ErrorCode::OutboxFull));
}

#[test]
fn a_conversation_goes_only_when_the_list_is_sure_of_it() {
    let mut world = World::new(Backend::full().room("r", &["ana"]).room("s", &["ana"]).room("t", &["ana"]));
    let ana = world.join("ana");
    world.go_live(ana);
    let removed = |world: &mut World| {
        world.cut(ana);
        world.pass(10_000);
        world.count(ana, |event| matches!(event, Event::ConversationRemoved { .. }))
    };
    world.backend.unreadable.insert("s".to_owned());
    assert_eq!(removed(&mut world), 0, "a row that cannot be read is no row that is gone");
    world.backend.unreadable.clear();
    world.backend.unlisted.insert("s".to_owned());
    world.backend.list_limit = 1;
    let lists = |world: &World| {
        world.backend.requests.iter().filter(|request| request.contains("/conversations")).count()
    };
    let before = lists(&world);
    world.cut(ana);
    world.until("both pages", |world| lists(world) == before + 2);
    world.backend.unlisted.clear();
    world.pass(10_000);
    let gone = world.count(ana, |event| matches!(event, Event::ConversationRemoved { .. }));
    assert_eq!((gone, lists(&world)), (0, before + 5), "between two pages one may slip through: asked again");
    world.backend.unlisted.insert("s".to_owned());
    assert_eq!(removed(&mut world), 1);
    world.backend.list_limit = 100;
    world.backend.unlisted.insert("t".to_owned());
    assert_eq!(removed(&mut world), 2, "one page tells all");
}

#[test]
fn a_wipe_ends_what_another_tab_has_only_in_memory() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.nodes[follower].checks.memory_only = true;
    world.disks[0].broken = Some(StoreFailure::Quota);
    let refused = world.send(follower, "r", "refused");
    world.pass(10);
    let key = world.message(follower, refused).key.unwrap();
    let acknowledged = world.ask(follower, Command::Acknowledged { key });
    world.disks[0].broken = None;
    let wipe = world.ask(leader, Command::Wipe {});
    world.wait(leader, wipe).unwrap();
    world.pass(10);
    assert_eq!(world.wait(follower, acknowledged).unwrap_err().code, ErrorCode::Cancelled);
    world.pass(10_000);
    assert!(outbox_rows(&mut world.disks[0].records).is_empty());
    assert!(world.outbox(follower).is_empty());
}

#[test]
fn a_wipe_ends_what_another_tab_is_just_writing() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.disks[0].delay_ms = 50;
    let sends = [world.send(follower, "r", "given"), world.send(follower, "r", "waits for that")];
    world.disks[0].records.empty();
    for at in [leader, follower] {
        world.input(at, Input::Tab(TabInput::Wiped));
    }
    for id in sends {
        assert_eq!(world.wait(follower, id).unwrap_err().code, ErrorCode::Cancelled);
    }
    world.pass(10_000);
    assert!(outbox_rows(&mut world.disks[0].records).is_empty());
    assert!(world.outbox(follower).is_empty());
    world.go_live(follower);
    world.pass(5_000);
    assert!(world.backend.texts("r").is_empty());
}
