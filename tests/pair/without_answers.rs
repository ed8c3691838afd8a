//! Backends that answer no send: it is done when its frame has left the socket (WIRES.md, the capability table).

use chatwire::proto::{Command, Delivery, ErrorCode, Event, Input, Outcome, SocketInput, Status};
use serde_json::json;

use super::backend::{Backend, Fate};
use super::world::World;

fn silent(echo: bool) -> (World, usize) {
    let mut backend = Backend::plain().room("r", &["ana", "bo"]);
    backend.echo = echo;
    let mut world = World::new(backend);
    let ana = world.join_with("ana", json!({"capabilities": {"answers": false}}));
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    (world, ana)
}

#[test]
fn a_send_is_done_when_its_frame_has_left_and_stays_sent() {
    let (mut world, ana) = silent(false);
    world.backend.fates.push_back(Fate::Ignore);
    let key = world.saved(ana, "r", "hello");
    let id = world.ask(ana, Command::Acknowledged { key: key.clone() });
    let Ok(Outcome::Message(message)) = world.wait(ana, id) else { panic!("acknowledged() resolves") };
    assert_eq!((message.status, message.id, message.durable), (Status::Sent, None, true));
    assert!(world.outbox(ana).is_empty(), "the row is in the history");
    world.pass(120_000);
    assert_eq!(world.status(ana, &key), Some(Status::Sent), "silence is no loss here");
    let guarantees = |event: &Event| matches!(event, Event::Guarantees { guarantees } if guarantees.delivery == Delivery::AtMostOnce);
    assert!(world.count(ana, guarantees) > 0);
    world.restart(ana);
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    world.pass(1000);
    let rows = world.rows(ana, 1);
    assert_eq!((rows.len(), rows[0].status, &rows[0].row_key), (1, Status::Sent, &key));
    assert_eq!(world.backend.texts("r").len(), 0, "and it is never sent again");
}

#[test]
fn its_copy_is_the_same_row_whenever_it_turns_up() {
    for echo in [true, false] {
        let (mut world, ana) = silent(echo);
        let keys = ["same", "same", "other"].map(|text| world.saved(ana, "r", text));
        world.pass(1000);
        let expected = if echo { Status::Acknowledged } else { Status::Sent };
        assert!(keys.iter().all(|key| world.status(ana, key) == Some(expected)), "echo: {echo}");
        // The catch-up of the next connection brings the copies.
        world.cut(ana);
        world.pass(20_000);
        let rows = world.rows(ana, 1);
        let shown: Vec<String> = rows.iter().map(|row| row.row_key.clone()).collect();
        assert_eq!(shown, keys, "echo: {echo}");
        assert!(rows.iter().all(|row| row.status == Status::Acknowledged && row.id.is_some()));
    }
}

#[test]
fn a_socket_that_ends_before_the_frame_has_left_leaves_it_unconfirmed() {
    let (mut world, ana) = silent(false);
    world.never_drains = true;
    world.backend.fates.extend([Fate::Withhold, Fate::Ignore]);
    let key = world.saved(ana, "r", "hello");
    let conn = world.backend.sessions.keys().next().map(|(_, conn)| *conn);
    world.cut(ana);
    world.until_status(ana, &key, Status::Failed);
    assert_eq!(
        world.outbox(ana)[0].failure.as_ref().map(|failure| failure.code),
        Some(ErrorCode::Unconfirmed)
    );
    let id = world.ask(ana, Command::Resend { key: key.clone() });
    world.wait(ana, id).unwrap();
    world.until_status(ana, &key, Status::Sent);
    world.pass(10_000);
    // What the buffer of an earlier socket says is nothing about this one's.
    world.input(ana, Input::Socket(SocketInput::Drained { conn: conn.unwrap() }));
    assert_eq!(world.outbox(ana).len(), 1);
}
