//! Windows that move: what a command has asked for is shown when it is done.

use chatwire::proto::Command;

use super::backend::Backend;
use super::history::newcomer;
use super::world::World;

/// A start with so many rows in the store, of which the newest segments alone are in memory, and a window on them.
fn stored(rows: usize) -> World {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    world.go_live(ana);
    for n in 0..rows {
        world.post("r", "bo", &format!("b{n}"));
    }
    world.pass(1000);
    world.restart(ana);
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    world.pass(1000);
    world
}

/// A new device, to which the newest page alone has come.
fn new_device(rows: usize) -> World {
    let (mut world, ana) = newcomer(rows);
    world.go_live(ana);
    world.pass(1000);
    assert_eq!(world.texts(ana, 1).len(), 50);
    world
}

fn jump(world: &mut World, row: usize) {
    let row_key = "r:".to_owned() + &world.backend.rooms["r"].messages[row].id;
    done(world, Command::JumpTo { view: 1, row_key });
}

fn done(world: &mut World, command: Command) {
    let id = world.ask(0, command);
    world.wait(0, id).unwrap();
}

fn shown(world: &World) -> (String, String, usize) {
    let texts = world.texts(0, 1);
    (texts[0].clone(), texts[texts.len() - 1].clone(), texts.len())
}

fn from_to(from: usize, to: usize) -> (String, String, usize) {
    (format!("b{from}"), format!("b{to}"), to + 1 - from)
}

#[test]
fn a_jump_is_done_when_the_row_is_shown_with_what_is_around_it() {
    for row in [10, 99, 110, 150, 205, 240] {
        let mut world = stored(330);
        jump(&mut world, row);
        let from = (row + 1).saturating_sub(25);
        assert_eq!(shown(&world), from_to(from, row + 25), "row {row}");
    }
}

#[test]
fn later_rows_and_the_newest_are_shown_when_they_have_been_asked_for() {
    let mut world = stored(330);
    jump(&mut world, 60);
    done(&mut world, Command::LoadLater { view: 1, count: 50 });
    assert_eq!(shown(&world), from_to(36, 135));
    done(&mut world, Command::LoadEarlier { view: 1, count: 50 });
    assert_eq!(shown(&world), from_to(0, 135));
    done(&mut world, Command::ToNewest { view: 1 });
    assert_eq!(shown(&world), from_to(280, 329));
}

#[test]
fn a_window_that_stays_at_a_row_gets_what_comes_before_all_that_is_here() {
    let mut world = new_device(330);
    jump(&mut world, 290);
    // 11 of the 25 rows up to it are here: the others come at once.
    world.pass(1000);
    assert_eq!(shown(&world), from_to(266, 315));
    done(&mut world, Command::LoadEarlier { view: 1, count: 50 });
    assert_eq!(shown(&world), from_to(216, 315));
}

#[test]
fn what_a_window_wants_while_a_catch_up_runs_comes_behind_it() {
    for delay_ms in 0..40 {
        let mut world = new_device(330);
        world.backend.post_silently(world.now.wall_ms, "r", "bo", "missed");
        world.post("r", "bo", "late");
        world.pass(delay_ms);
        done(&mut world, Command::LoadEarlier { view: 1, count: 50 });
        let rows = shown(&world).2;
        assert!(rows >= 100, "{rows} rows, {delay_ms} ms behind the message");
    }
}

#[test]
fn where_the_numbers_before_are_of_no_row_a_window_asks_further() {
    let (mut world, ana) = newcomer(330);
    world.backend.rooms.get_mut("r").unwrap().messages.drain(30..270);
    world.go_live(ana);
    world.pass(1000);
    done(&mut world, Command::LoadEarlier { view: 1, count: 50 });
    world.pass(1000);
    assert_eq!(world.texts(ana, 1).len(), 90);
    assert_eq!(shown(&world).0, "b0");
}
