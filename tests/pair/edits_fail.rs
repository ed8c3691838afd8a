//! Changes that fail: what is shown then, what is asked again, what goes with what.

use chatwire::proto::{ChangeKind, Command, ErrorCode, Event, Status};
use serde_json::json;

use super::backend::Fate;
use super::changing::ChangeFate;
use super::world::World;

fn acknowledged() -> (World, usize, String) {
    let (mut world, ana) = World::one();
    let key = world.saved(ana, "r", "one");
    world.until_status(ana, &key, Status::Acknowledged);
    (world, ana, key)
}

/// What an application is told of failed changes.
fn errors(world: &World, at: usize) -> Vec<ErrorCode> {
    let told = world.nodes[at].events.iter().filter_map(|event| match event {
        Event::Error { error } => Some(error.code),
        _ => None,
    });
    told.collect()
}

fn end(world: &mut World, at: usize, command: Command) -> Option<ErrorCode> {
    let id = world.ask(at, command);
    world.wait(at, id).err().map(|failure| failure.code)
}

#[test]
fn what_the_server_refuses_is_taken_back_told_and_kept() {
    for (status, name, code) in [
        (403, "ForbiddenError", ErrorCode::Forbidden),
        (400, "ValidationError", ErrorCode::Validation),
        (404, "NotFoundError", ErrorCode::NotFound),
        (409, "ConflictError", ErrorCode::Conflict),
        (413, "TooLarge", ErrorCode::TooLarge),
    ] {
        let (mut world, ana, key) = acknowledged();
        world.backend.change_fates.push_back(ChangeFate::Refuse(status, name));
        let edit = world.changed(ana, ChangeKind::Edit, &key, "two");
        assert_eq!(world.shown(ana, &key).text, "two");
        let code_told = end(&mut world, ana, Command::Acknowledged { key: edit.clone() });
        world.pass(100);
        assert_eq!((code_told, errors(&world, ana)), (Some(code), vec![code]));
        let row = world.shown(ana, &key);
        assert_eq!((row.text.as_str(), row.edited_at_ms), ("one", None), "taken back");
        let kept = world.outbox(ana);
        assert_eq!((kept.len(), kept[0].status, kept[0].text.as_str()), (1, Status::Failed, "two"));
        world.restart(ana);
        world.open_view(ana, 1, "r");
        world.pass(100);
        assert_eq!(world.shown(ana, &key).text, "one");
        if status == 400 {
            world.ask(ana, Command::Resend { key: edit.clone() });
            world.pass(100);
            assert_eq!(world.shown(ana, &key).text, "two", "shown again");
            world.go_live(ana);
            world.until_sent(ana);
            assert_eq!(world.backend.texts("r"), ["two"]);
        } else {
            assert_eq!(end(&mut world, ana, Command::Discard { key: edit }), None);
            world.until_sent(ana);
            assert_eq!(world.backend.texts("r"), ["one"]);
        }
    }
}

#[test]
fn what_is_gone_at_the_server_is_removed() {
    let (mut world, ana, key) = acknowledged();
    world.backend.change_fates.push_back(ChangeFate::Refuse(404, "NotFoundError"));
    world.changed(ana, ChangeKind::Remove, &key, "");
    world.until_sent(ana);
    assert!(world.shown(ana, &key).deleted_at_ms.is_some());
    assert_eq!(errors(&world, ana), []);
}

#[test]
fn trouble_of_the_server_is_tried_again_up_to_the_limit() {
    let (mut world, ana, key) = acknowledged();
    let trouble = ChangeFate::Refuse(503, "ServerError");
    world.backend.change_fates.extend([trouble.clone(), trouble.clone()]);
    world.changed(ana, ChangeKind::Edit, &key, "two");
    // What stands behind it keeps its order.
    let behind = world.saved(ana, "r", "behind");
    world.pass(300);
    assert_eq!(world.backend.texts("r"), ["one"]);
    world.until_sent(ana);
    assert_eq!(world.backend.texts("r"), ["two", "behind"]);
    world.until_status(ana, &behind, Status::Acknowledged);
    world.backend.change_fates.extend([trouble.clone(), trouble.clone(), trouble]);
    let edit = world.changed(ana, ChangeKind::Edit, &key, "three");
    assert_eq!(end(&mut world, ana, Command::Acknowledged { key: edit }), Some(ErrorCode::Server));
    assert_eq!(errors(&world, ana), [ErrorCode::Server]);
}

#[test]
fn a_server_that_asks_to_wait_is_not_asked_before() {
    let (mut world, ana, key) = acknowledged();
    world.backend.change_fates.push_back(ChangeFate::Refuse(429, "RateLimited"));
    world.changed(ana, ChangeKind::React, &key, "👍");
    world.until_sent(ana);
    assert_eq!(world.backend.message("m1").reactions.len(), 1);
    assert_eq!(errors(&world, ana), []);
}

#[test]
fn a_refused_token_is_asked_anew_and_the_change_repeated() {
    let (mut world, ana, key) = acknowledged();
    world.backend.refused_tokens.insert("ana:1".to_owned());
    world.nodes[ana].token = "ana:2".to_owned();
    let asked = world.nodes[ana].tokens_asked;
    world.changed(ana, ChangeKind::Edit, &key, "two");
    world.changed(ana, ChangeKind::React, &key, "👍");
    world.until_sent(ana);
    assert_eq!(world.nodes[ana].tokens_asked, asked + 1);
    assert_eq!((world.backend.texts("r"), errors(&world, ana)), (vec!["two".to_owned()], vec![]));
}

#[test]
fn two_changes_under_way_with_one_refused_token_ask_once() {
    let (mut world, ana, key) = acknowledged();
    world
        .backend
        .rooms
        .insert("s".to_owned(), super::backend::Room { members: vec!["ana".into()], ..Default::default() });
    world.restart(ana);
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    let other = world.saved(ana, "s", "there");
    world.until_status(ana, &other, Status::Acknowledged);
    world.backend.refused_tokens.insert("ana:1".to_owned());
    world.nodes[ana].token = "ana:2".to_owned();
    let asked = world.nodes[ana].tokens_asked;
    world.edit(ana, &key, "two");
    world.pass(3);
    world.edit(ana, &other, "there, edited");
    world.until_sent(ana);
    assert_eq!(world.nodes[ana].tokens_asked, asked + 1);
    assert_eq!(world.backend.texts("s"), ["there, edited"]);
}

#[test]
fn an_edit_shares_the_fate_of_its_message() {
    let refusal = json!({"code": "ValidationError", "message": "no"});
    let (mut world, ana) = World::one();
    for discards in [true, false] {
        world.backend.fates.push_back(Fate::Refuse(refusal.clone()));
        let key = world.saved(ana, "r", "one");
        let edit = world.changed(ana, ChangeKind::Edit, &key, "two");
        world.until_status(ana, &key, Status::Failed);
        world.pass(1000);
        assert_eq!(world.outbox(ana).len(), 2, "it waits with its message");
        assert_eq!(world.shown(ana, &key).text, "two");
        let behind = world.saved(ana, "r", "behind");
        world.until_status(ana, &behind, Status::Acknowledged);
        world.restart(ana);
        world.open_view(ana, 1, "r");
        world.go_live(ana);
        world.pass(1000);
        if discards {
            let waits = world.ask(ana, Command::Acknowledged { key: edit });
            assert_eq!(end(&mut world, ana, Command::Discard { key }), None);
            assert_eq!(world.wait(ana, waits).unwrap_err().code, ErrorCode::Cancelled);
            world.until_sent(ana);
            assert_eq!(world.texts(ana, 1), ["behind"]);
        } else {
            world.ask(ana, Command::Resend { key });
            world.until_sent(ana);
            assert_eq!(world.backend.texts("r"), ["behind", "behind", "two"]);
            assert_eq!(world.texts(ana, 1), ["behind", "behind", "two"]);
        }
    }
    assert_eq!(errors(&world, ana), []);
}

#[test]
fn a_cancelled_message_takes_its_edit_along() {
    let (mut world, ana) = World::one();
    world.server_down();
    world.pass(100);
    let key = world.saved(ana, "r", "one");
    world.edit(ana, &key, "two");
    world.pass(100);
    assert_eq!(end(&mut world, ana, Command::Cancel { key }), None);
    world.until_sent(ana);
    assert!(world.texts(ana, 1).is_empty());
    let key = world.saved(ana, "r", "three");
    let edit = world.changed(ana, ChangeKind::Edit, &key, "four");
    assert_eq!(end(&mut world, ana, Command::Cancel { key: edit }), None, "an edit alone");
    world.pass(100);
    assert_eq!(world.texts(ana, 1), ["three"]);
}

#[test]
fn an_edit_of_what_another_tab_has_discarded_fails() {
    let (mut world, leader, follower) = World::two(super::backend::Backend::full());
    world.backend.fates.push_back(Fate::Refuse(json!({"code": "ValidationError", "message": "no"})));
    let key = world.saved(leader, "r", "one");
    world.until_status(follower, &key, Status::Failed);
    // The two tabs do not hear each other in time.
    world.loses_pokes = true;
    world.ask(leader, Command::Discard { key: key.clone() });
    let edit = world.changed(follower, ChangeKind::Edit, &key, "two");
    world.loses_pokes = false;
    let code = end(&mut world, follower, Command::Acknowledged { key: edit });
    assert_eq!(code, Some(ErrorCode::NotFound));
    for tab in [leader, follower] {
        assert_eq!(errors(&world, tab), [ErrorCode::NotFound], "told in tab {tab}");
    }
}

#[test]
fn a_full_outbox_takes_no_change() {
    let (mut world, ana) = World::one();
    world.nodes[ana].options = json!({"outbox": {"maxQueued": 1}});
    world.restart(ana);
    world.pass(100);
    let key = world.saved(ana, "r", "one");
    assert_eq!(world.refused(ana, ChangeKind::Edit, &key, "two").code, ErrorCode::OutboxFull);
}
