//! Backends that give less: no keys, no sequence numbers, a hello that is late, absent or another one than before.

use chatwire::proto::{Command, Delivery, ErrorCode, Event, Status};
use serde_json::json;

use super::backend::{Backend, Fate};
use super::world::World;

fn plain() -> (World, usize) {
    let mut world = World::new(Backend::plain().room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    (world, ana)
}

#[test]
fn an_answered_send_is_one_row() {
    let (mut world, ana) = plain();
    let key = world.saved(ana, "r", "hello");
    world.until_status(ana, &key, Status::Acknowledged);
    world.restart(ana);
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    world.pass(1000);
    assert_eq!(world.texts(ana, 1), ["hello"]);
    assert_eq!(world.rows(ana, 1)[0].row_key, key);
}

#[test]
fn a_lost_answer_is_unconfirmed_until_its_copy_turns_up() {
    for (fate, arrives) in [(Fate::LoseAnswer, true), (Fate::LoseFrame, false)] {
        let (mut world, ana) = plain();
        world.backend.fates.push_back(fate);
        let key = world.saved(ana, "r", "hello");
        world.until_status(ana, &key, Status::Failed);
        let failure = world.outbox(ana)[0].failure.clone().unwrap();
        assert_eq!(failure.code, ErrorCode::Unconfirmed);
        world.pass(5000);
        if arrives {
            // The catch-up brings the copy.
            assert_eq!(world.status(ana, &key), Some(Status::Acknowledged));
            assert!(world.outbox(ana).is_empty());
        } else {
            assert_eq!(world.status(ana, &key), Some(Status::Failed));
            assert!(world.backend.texts("r").is_empty(), "it is not sent again by itself");
            let id = world.ask(ana, Command::Resend { key: key.clone() });
            world.wait(ana, id).unwrap();
            world.until_status(ana, &key, Status::Acknowledged);
        }
        assert_eq!(world.texts(ana, 1), ["hello"]);
    }
}

#[test]
fn a_message_that_was_resent_and_had_arrived_is_two_whatever_a_page_has_meanwhile() {
    for (ahead, delay_ms) in (0..30_u8).map(|n| (n % 3, u64::from(n / 3))) {
        let (mut world, ana) = plain();
        world.backend.fates.push_back(Fate::LoseAnswer);
        let key = world.saved(ana, "r", "hello");
        world.until_status(ana, &key, Status::Failed);
        world.disks[0].delay_ms = delay_ms;
        for n in 0..ahead {
            world.send(ana, "r", &format!("m{n}"));
            world.backend.fates.push_back(Fate::Answer);
        }
        world.ask(ana, Command::Resend { key });
        world.backend.fates.push_back(Fate::AnswerBare);
        world.pass(10_000);
        // Where they stand the times tell, not the order of their arrival.
        let hellos = |texts: &[String]| texts.iter().filter(|text| *text == "hello").count();
        assert_eq!(hellos(&world.backend.texts("r")), 2, "{ahead}, {delay_ms}");
        let shown = world.texts(ana, 1);
        assert_eq!((hellos(&shown), shown.len()), (2, usize::from(ahead) + 2), "{ahead}, {delay_ms}");
    }
}

#[test]
fn own_copies_without_a_key_are_held_until_the_answer() {
    for fates in [
        vec![Fate::CopyFirst, Fate::CopyFirst],
        vec![Fate::CopyFirst, Fate::Answer],
        vec![Fate::AnswerBare, Fate::CopyFirst],
    ] {
        let (mut world, ana) = plain();
        world.backend.fates.extend(fates.clone());
        let first = world.saved(ana, "r", "same");
        let second = world.saved(ana, "r", "same");
        for key in [&first, &second] {
            world.until_status(ana, key, Status::Acknowledged);
        }
        world.pass(40_000);
        let keys: Vec<String> = world.rows(ana, 1).into_iter().map(|row| row.row_key).collect();
        assert_eq!(keys, [first, second], "{fates:?}");
    }
}

#[test]
fn an_own_message_of_another_device_is_shown() {
    let (mut world, ana) = plain();
    world.backend.fates.push_back(Fate::Withhold);
    world.saved(ana, "r", "mine");
    world.pass(500);
    world.post("r", "ana", "from my other device");
    world.pass(2000);
    assert_eq!(world.texts(ana, 1), ["mine"], "held while a send is unanswered");
    world.pass(20_000);
    world.pass(20_000);
    let mut texts = world.texts(ana, 1);
    texts.sort();
    assert_eq!(texts, ["from my other device", "mine"]);
}

#[test]
fn missed_messages_are_found_by_pages_from_the_newest() {
    let (mut world, ana) = plain();
    world.post("r", "bo", "before");
    world.pass(100);
    world.cut(ana);
    world.backend.down = true;
    world.pass(100);
    for n in 0..170 {
        world.now.wall_ms += 1;
        world.backend.post_silently(world.now.wall_ms, "r", "bo", &format!("b{n}"));
    }
    world.backend.down = false;
    world.until("caught up", |world| world.count(ana, |event| matches!(event, Event::Message { .. })) == 171);
    world.pass(2000);
    world.ask(ana, Command::LoadEarlier { view: 1, count: 150 });
    world.pass(100);
    assert_eq!(world.texts(ana, 1), world.backend.texts("r"));
}

#[test]
fn a_late_hello_a_stored_one_and_one_that_is_gone() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let hello = world.backend.hello.take();
    let ana = world.join("ana");
    world.pass(50);
    let key = world.saved(ana, "r", "first");
    world.connect(ana);
    world.pass(200);
    assert!(world.backend.texts("r").is_empty(), "the first send waits for a hello (D2)");
    let payload = json!({"capabilities": {"keys": true, "cursor": true}});
    let say = world.backend.tell("ana", "chatwire:hello", &payload);
    world.say(say);
    world.until_status(ana, &key, Status::Acknowledged);
    assert_eq!(world.rows(ana, 1).len(), 0);
    // Stored: the next start does not wait.
    world.restart(ana);
    world.pass(100);
    let told = |world: &World, expected| {
        world.count(
            ana,
            |event| matches!(event, Event::Guarantees { guarantees } if guarantees.delivery == expected),
        )
    };
    assert_eq!(told(&world, Delivery::ExactlyOnce), 1);
    world.go_live(ana);
    // Gone: after the wait the safe side holds.
    world.pass(1000);
    assert_eq!(told(&world, Delivery::OnceOrUnconfirmed), 1);
    world.backend.keys = false;
    world.backend.fates.push_back(Fate::LoseAnswer);
    let key = world.saved(ana, "r", "second");
    world.until_status(ana, &key, Status::Failed);
    assert!(hello.is_some());
}
