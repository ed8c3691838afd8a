//! Changes before their message, changes that race with a page, and what they leave behind.

use chatwire::proto::store::{ORPHANS_KEY, decode_orphans};
use chatwire::proto::{Command, Event, Message, RecordId, SendCommand};
use serde_json::json;

use super::acts::message;
use super::backend::Backend;
use super::deeds::Travel;
use super::world::World;

const LATE: Travel = Travel { late_ms: 500, twice: false };
const NOW: Travel = Travel { late_ms: 0, twice: false };
const TWICE: Travel = Travel { late_ms: 0, twice: true };

/// A message that the server has, and of which the clients hear only what becomes of it.
fn unheard(world: &mut World, text: &str) -> String {
    let now = world.now.wall_ms;
    world.backend.post_silently(now, "r", "bo", text);
    world.backend.rooms["r"].messages.last().unwrap().id.clone()
}

/// Changes of messages that nobody has: 128 may wait.
fn tell_of_unknown(world: &mut World, numbers: std::ops::Range<usize>) {
    for n in numbers {
        let row = json!({"id": format!("x{n}"), "sender_id": "bo", "conversation_id": "r", "created_at": 1,
            "seq": 9000 + n, "content_encrypted": "", "edited_at": 5});
        let said = world.backend.tell("ana", "chat:message_updated", &row);
        world.say(said);
    }
}

fn row(world: &World, at: usize, id: &str) -> Option<Message> {
    world.rows(at, 1).into_iter().find(|row| row.id.as_deref() == Some(id))
}

fn waiting(world: &mut World) -> usize {
    let at = RecordId::meta(ORPHANS_KEY);
    world.disks[0].records.get(&at).map_or(0, |bytes| decode_orphans(bytes).unwrap().1.len())
}

fn thumbs(row: &Message) -> Vec<(u32, bool)> {
    row.reactions.iter().map(|one| (one.count, one.mine)).collect()
}

#[test]
fn what_is_told_before_its_message_is_done_when_it_comes_and_only_then() {
    let (mut world, ana) = World::one();
    let id = unheard(&mut world, "first");
    world.tell_row("r", &id, "chat:message_received", LATE);
    world.somebody_edits("r", &id, "second", TWICE);
    world.react(&id, "👍", "cy", true, TWICE);
    world.react(&id, "👍", "ana", true, NOW);
    world.pass(100);
    assert_eq!(row(&world, ana, &id), None);
    assert_eq!(waiting(&mut world), 1, "in the store");
    world.pass(1000);
    let shown = row(&world, ana, &id).unwrap();
    assert_eq!((shown.text.as_str(), thumbs(&shown)), ("second", vec![(2, true)]));
    assert!(shown.edited_at_ms.is_some());
    assert_eq!(waiting(&mut world), 0, "gone with the message's own transaction");
    let told = world.count(ana, |event| match event {
        Event::Message { message, .. } => message.text == "second",
        Event::MessageUpdated { .. } | Event::Reaction { .. } => {
            panic!("nothing has changed of what was told")
        }
        _ => false,
    });
    assert_eq!(told, 1);
    // The same once more, as it was sent.
    world.react(&id, "👍", "ana", false, NOW);
    let now = world.backend.rewind(&id, None);
    world.tell_row("r", &id, "chat:message_received", NOW);
    world.backend.rewind(&id, Some(now));
    world.pass(100);
    let shown = row(&world, ana, &id).unwrap();
    assert_eq!((shown.text.as_str(), thumbs(&shown)), ("second", vec![(1, false)]));
}

#[test]
fn what_waits_survives_the_page_and_a_deletion_wins_over_a_backend_that_is_behind() {
    let (mut world, ana) = World::one();
    let id = unheard(&mut world, "secret");
    world.somebody_edits("r", &id, "still secret", NOW);
    world.delete(&id, TWICE);
    world.pass(100);
    assert_eq!(waiting(&mut world), 1);
    // The rows of a copy of the database that has not heard of it.
    world.backend.rewind(&id, None);
    world.restart(ana);
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    world.pass(1000);
    let shown = row(&world, ana, &id).unwrap();
    assert_eq!((shown.text.as_str(), shown.deleted_at_ms.is_some()), ("", true));
    let conversation = world.nodes[ana].client.as_ref().unwrap().conversation("r").unwrap();
    assert_eq!(conversation.unread, 0, "what is gone is not unread");
    assert_eq!(waiting(&mut world), 0);
}

#[test]
fn a_page_that_was_asked_for_before_a_reaction_does_not_take_it_back() {
    let (mut world, ana) = World::one();
    world.post("r", "bo", "hello");
    world.pass(100);
    let id = world.backend.rooms["r"].messages[0].id.clone();
    // The page of the next connect is on its way when both are heard.
    world.slow_http_ms = 400;
    world.react(&id, "🎉", "bo", true, NOW);
    world.pass(50);
    world.cut(ana);
    world.until("connected", |world| {
        !world.backend.requests.is_empty() && world.backend.sessions.values().any(|session| session.joined)
    });
    let asked = world.backend.requests.len();
    world.until("the page is asked for", |world| {
        world.backend.requests.len() > asked && world.backend.requests.last().unwrap().contains("/messages/")
    });
    world.react(&id, "👍", "cy", true, NOW);
    world.react(&id, "🎉", "bo", false, NOW);
    world.pass(5000);
    let shown = row(&world, ana, &id).unwrap();
    let emojis: Vec<&str> = shown.reactions.iter().map(|one| one.emoji.as_str()).collect();
    assert_eq!(emojis, ["👍"]);
}

#[test]
fn a_reaction_of_the_time_away_comes_and_goes_with_the_page() {
    let (mut world, ana) = World::one();
    world.post("r", "bo", "hello");
    let id = world.backend.rooms["r"].messages[0].id.clone();
    world.react(&id, "👍", "bo", true, NOW);
    world.pass(100);
    world.server_down();
    world.pass(100);
    world.react(&id, "👍", "bo", false, NOW);
    world.react(&id, "🎉", "bo", true, NOW);
    world.backend.down = false;
    world.until("back", |world| world.backend.sessions.values().any(|session| session.joined));
    world.pass(2000);
    let shown = row(&world, ana, &id).unwrap();
    let emojis: Vec<&str> = shown.reactions.iter().map(|one| one.emoji.as_str()).collect();
    assert_eq!(emojis, ["🎉"]);
}

#[test]
fn a_deletion_is_told_once_takes_its_share_of_the_unread_and_leaves_no_excerpt() {
    let (mut world, ana) = World::one();
    for n in 0..230 {
        world.post("r", "bo", &format!("t{n}"));
    }
    world.pass(500);
    world.ask(ana, Command::LoadEarlier { view: 1, count: 300 });
    world.pass(500);
    let target = world.rows(ana, 1)[3].clone();
    let send = SendCommand { reply_to: Some(target.row_key.clone()), ..message("r", "an answer") };
    world.ask(ana, Command::Send(send));
    for n in 0..230 {
        world.post("r", "bo", &format!("u{n}"));
    }
    world.pass(500);
    let excerpt = |world: &World| {
        let rows = world.rows(ana, 1);
        rows.into_iter().find(|row| row.text == "an answer").unwrap().reply_to.unwrap().excerpt
    };
    // Neither of the two is in memory.
    world.restart(ana);
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    let id = target.id.clone().unwrap();
    let unread = |world: &World| world.nodes[ana].client.as_ref().unwrap().conversation("r").unwrap().unread;
    let before = unread(&world);
    world.delete(&id, TWICE);
    world.pass(500);
    assert_eq!(unread(&world), before - 1);
    let told =
        |event: &Event| matches!(event, Event::MessageDeleted { row_key, .. } if *row_key == target.row_key);
    assert_eq!(world.count(ana, told), 1);
    for _ in 0..2 {
        world.ask(ana, Command::LoadEarlier { view: 1, count: 500 });
        world.until("loaded", |world| !world.nodes[ana].checks.loading(1));
        world.pass(200);
    }
    let shown = row(&world, ana, &id).unwrap();
    assert_eq!((shown.text.as_str(), shown.deleted_at_ms.is_some()), ("", true));
    assert_eq!(excerpt(&world), "");
    let last = world.backend.rooms["r"].messages.last().unwrap().id.clone();
    world.delete(&last, NOW);
    world.pass(100);
    let conversation = world.nodes[ana].client.as_ref().unwrap().conversation("r").unwrap();
    assert!(conversation.last_message.unwrap().deleted_at_ms.is_some());
}

#[test]
fn an_answer_to_what_is_gone_by_now_shows_nothing_of_it_while_it_is_queued() {
    let (mut world, ana) = World::one();
    world.post("r", "bo", "secret");
    world.pass(100);
    let target = world.rows(ana, 1)[0].clone();
    world.latency_ms = 1000;
    let send = SendCommand { reply_to: Some(target.row_key), ..message("r", "an answer") };
    world.ask(ana, Command::Send(send));
    world.pass(100);
    let excerpt = |world: &World| world.rows(ana, 1)[1].reply_to.clone().unwrap().excerpt;
    assert_eq!(excerpt(&world), "secret");
    world.latency_ms = 10;
    world.delete(&target.id.unwrap(), NOW);
    world.pass(100);
    assert_eq!(excerpt(&world), "", "its echo");
    world.pass(5000);
    assert_eq!(excerpt(&world), "", "its row");
}

#[test]
fn beyond_the_limit_the_oldest_goes_and_the_newest_page_is_looked_at() {
    let (mut world, ana) = World::one();
    let id = unheard(&mut world, "overtaken");
    world.somebody_edits("r", &id, "edited", NOW);
    world.pass(100);
    let asked = world.backend.requests.len();
    tell_of_unknown(&mut world, 0..128);
    world.pass(1000);
    assert_eq!(waiting(&mut world), 128, "the newest");
    let pages =
        world.backend.requests[asked..].iter().filter(|request| request.contains("/messages/r")).count();
    assert_eq!(pages, 1, "once a connection");
    assert_eq!(row(&world, ana, &id).unwrap().text, "edited", "the page had it");
}

#[test]
fn what_is_dropped_while_the_newest_page_is_on_its_way_is_looked_for_behind_it() {
    let (mut world, ana) = World::one();
    let first = unheard(&mut world, "first");
    tell_of_unknown(&mut world, 0..129);
    world.slow_http_ms = 200;
    world.pass(30);
    // The page has left the server: it does not say that this one is deleted.
    world.delete(&first, NOW);
    tell_of_unknown(&mut world, 1000..1129);
    world.pass(3000);
    assert!(row(&world, ana, &first).unwrap().deleted_at_ms.is_some());
}

#[test]
fn a_look_that_is_refused_for_good_is_over() {
    let (mut world, ana) = World::one();
    let id = unheard(&mut world, "overtaken");
    world.backend.http_faults.push_back(403);
    tell_of_unknown(&mut world, 0..129);
    world.pass(1000);
    assert!(world.backend.http_faults.is_empty(), "it was asked for");
    world.somebody_edits("r", &id, "edited", NOW);
    tell_of_unknown(&mut world, 1000..1129);
    world.pass(1000);
    assert_eq!(row(&world, ana, &id).unwrap().text, "edited", "the next look had it");
}

#[test]
fn another_tab_that_takes_the_lead_has_what_waits() {
    let (mut world, leader, follower) = World::two(Backend::full());
    let id = unheard(&mut world, "first");
    world.delete(&id, NOW);
    world.pass(100);
    assert_eq!(waiting(&mut world), 1);
    world.backend.rewind(&id, None);
    world.kill(leader);
    world.until("the other leads", |world| world.nodes[follower].leads);
    world.pass(3000);
    let shown = row(&world, follower, &id).unwrap();
    assert_eq!((shown.text.as_str(), shown.deleted_at_ms.is_some()), ("", true));
}

#[test]
fn what_is_told_while_a_history_comes_page_by_page_counts_once_on_each_side_of_the_page_under_way() {
    let (mut world, ana) = World::one();
    world.post("r", "bo", "before");
    world.pass(100);
    world.restart(ana);
    let ids: Vec<String> = (0..150).map(|n| unheard(&mut world, &format!("b{n}"))).collect();
    world.open_view(ana, 1, "r");
    world.slow_http_ms = 1000;
    world.connect(ana);
    world.pass(1500);
    assert!(row(&world, ana, &ids[0]).is_none(), "the first page is on its way");
    // One is in that page, as it was before; the other in the next, with all that has been told.
    let (first, next) = (&ids[60], &ids[140]);
    for id in [first, next] {
        world.react(id, "👍", "cy", true, TWICE);
        world.react(id, "👍", "bo", true, NOW);
        world.react(id, "👍", "cy", false, TWICE);
        world.somebody_edits("r", id, "new", TWICE);
    }
    world.delete(&ids[141], NOW);
    world.pass(100);
    assert_eq!(waiting(&mut world), 3);
    world.pass(5000);
    world.ask(ana, Command::LoadEarlier { view: 1, count: 200 });
    world.pass(100);
    assert_eq!(world.rows(ana, 1).len(), 151);
    for id in [first, next] {
        let shown = row(&world, ana, id).unwrap();
        assert_eq!((shown.text.as_str(), thumbs(&shown)), ("new", vec![(1, false)]));
        assert_eq!(shown.reactions[0].users, ["bo"]);
    }
    assert!(row(&world, ana, &ids[141]).unwrap().deleted_at_ms.is_some());
    assert_eq!(waiting(&mut world), 0);
}

#[test]
fn what_is_told_of_an_older_message_than_is_here_waits_for_its_page_and_counts_once() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ids: Vec<String> = (0..150).map(|n| unheard(&mut world, &format!("b{n}"))).collect();
    let ana = world.join("ana");
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    world.pass(1000);
    let (old, gone) = (&ids[10], &ids[11]);
    world.react(old, "👍", "cy", true, TWICE);
    world.somebody_edits("r", old, "new", TWICE);
    world.delete(gone, NOW);
    world.pass(100);
    assert_eq!(waiting(&mut world), 2, "only the newest page is here");
    world.restart(ana);
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    // Taken back while its message is still not here.
    world.react(old, "👍", "bo", true, NOW);
    world.react(old, "👍", "cy", false, NOW);
    world.pass(100);
    world.ask(ana, Command::LoadEarlier { view: 1, count: 200 });
    world.pass(3000);
    let shown = row(&world, ana, old).unwrap();
    assert_eq!((shown.text.as_str(), thumbs(&shown)), ("new", vec![(1, false)]));
    assert_eq!(shown.reactions[0].users, ["bo"]);
    assert!(row(&world, ana, gone).unwrap().deleted_at_ms.is_some());
    assert_eq!(waiting(&mut world), 0);
}
