//! What scenarios do and see: commands, their outcomes, windows, statuses.

use chatwire::proto::{
    Client, Command, CommandId, Event, Failure, Message, Outcome, Phase, SendCommand, Status, ViewId,
};
use serde_json::json;

use super::backend::{Backend, Say};
use super::world::World;

impl World {
    /// Ana online on a backend that gives everything, with a window open.
    pub fn one() -> (Self, usize) {
        let mut world = Self::new(Backend::full().room("r", &["ana", "bo"]));
        let ana = world.join("ana");
        world.open_view(ana, 1, "r");
        world.go_live(ana);
        world.pass(100);
        (world, ana)
    }

    /// Ana in two tabs of one store, the first of which leads, both with a window open.
    pub fn two(backend: Backend) -> (Self, usize, usize) {
        let mut world = Self::new(backend.room("r", &["ana", "bo"]));
        let leader = world.join("ana");
        world.go_live(leader);
        let follower = world.join_on("ana", json!({}), 0);
        world.pass(100);
        for node in [leader, follower] {
            world.open_view(node, 1, "r");
        }
        world.connect(follower);
        world.pass(100);
        (world, leader, follower)
    }

    pub fn command(&mut self, at: usize, command: Command) -> Result<CommandId, Failure> {
        let id = self.nodes[at].client.as_mut().unwrap().command(self.now, command);
        self.drain(at);
        id
    }

    /// A command that is accepted.
    pub fn ask(&mut self, at: usize, command: Command) -> CommandId {
        self.command(at, command).unwrap()
    }

    pub fn send(&mut self, at: usize, room: &str, text: &str) -> CommandId {
        self.ask(at, Command::Send(message(room, text)))
    }

    /// Sends and waits until it is durable: its key.
    pub fn saved(&mut self, at: usize, room: &str, text: &str) -> String {
        let id = self.send(at, room, text);
        self.until("the send resolves", |world| world.outcome(at, id).is_some());
        self.message(at, id).key.unwrap()
    }

    pub fn restart(&mut self, at: usize) {
        self.kill(at);
        self.start(at);
    }

    pub fn connect(&mut self, at: usize) {
        self.ask(at, Command::Connect {});
    }

    /// Connects and waits for the phase `live`.
    pub fn go_live(&mut self, at: usize) {
        self.connect(at);
        self.until("live", |world| world.nodes[at].checks.phase == Some(Phase::Live));
    }

    pub fn outcome(&self, at: usize, id: CommandId) -> Option<Result<Outcome, Failure>> {
        self.nodes[at].events.iter().find_map(|event| match event {
            Event::Done { id: done, outcome } if *done == id => Some(Ok(outcome.clone())),
            Event::Refused { id: refused, error } if *refused == id => Some(Err(error.clone())),
            _ => None,
        })
    }

    pub fn wait(&mut self, at: usize, id: CommandId) -> Result<Outcome, Failure> {
        self.until("the command ends", |world| world.outcome(at, id).is_some());
        self.outcome(at, id).unwrap()
    }

    pub fn message(&self, at: usize, id: CommandId) -> Message {
        match self.outcome(at, id) {
            Some(Ok(Outcome::Message(message))) => *message,
            other => panic!("no message: {other:?}"),
        }
    }

    pub fn open_view(&mut self, at: usize, view: ViewId, room: &str) {
        self.ask(at, Command::OpenTimeline { view, conversation_id: room.to_owned() });
    }

    pub fn rows(&self, at: usize, view: ViewId) -> Vec<Message> {
        self.nodes[at].checks.rows(view)
    }

    pub fn texts(&self, at: usize, view: ViewId) -> Vec<String> {
        self.rows(at, view).into_iter().map(|row| row.text).collect()
    }

    /// The last status told of a key.
    pub fn status(&self, at: usize, key: &str) -> Option<Status> {
        self.nodes[at].checks.statuses.get(key).copied()
    }

    pub fn until_status(&mut self, at: usize, key: &str, status: Status) {
        let what = format!("{key} is {status:?}");
        self.until(&what, |world| world.status(at, key) == Some(status));
    }

    /// Somebody else's message, told to whoever is connected.
    pub fn post(&mut self, room: &str, sender: &str, text: &str) {
        let say = self.backend.post(self.now.wall_ms, room, sender, text);
        self.say(say);
    }

    /// Queued and failed messages.
    pub fn outbox(&mut self, at: usize) -> Vec<Message> {
        let id = self.ask(at, Command::Outbox {});
        match self.wait(at, id) {
            Ok(Outcome::Messages(messages)) => messages,
            other => panic!("no messages: {other:?}"),
        }
    }

    /// What a window says that is wrong with its history.
    pub fn window_error(&self, at: usize, view: u32) -> Option<Failure> {
        let mut updates = self.nodes[at].events.iter().rev().filter_map(|event| match event {
            Event::View(update) if update.view == view => Some(update.error.clone()),
            _ => None,
        });
        updates.next().flatten()
    }

    pub fn count(&self, at: usize, wanted: impl Fn(&Event) -> bool) -> usize {
        self.nodes[at].events.iter().filter(|event| wanted(event)).count()
    }

    pub fn tail(&self) -> String {
        let mut out = String::new();
        for (at, node) in self.nodes.iter().enumerate() {
            let diagnostics = node.client.as_ref().map(Client::diagnostics);
            out += &format!("node {at} of {}: {diagnostics:?}\n", node.user);
            for event in node.events.iter().rev().take(25).rev() {
                let text = format!("{event:?}");
                out += &format!("  {}\n", text.chars().take(260).collect::<String>());
            }
        }
        out
    }

    /// Pings keep the link alive over long waits.
    pub fn ping(&mut self, at: usize) {
        if let Some(conn) = self.nodes[at].live_socket {
            self.say(vec![Say::Text((at, conn), "2".to_owned())]);
        }
    }

    /// Lets `ms` pass with the server's pings.
    pub fn pass_pinged(&mut self, ms: u64) {
        let end = self.now.mono_ms + ms;
        while self.now.mono_ms < end {
            self.pass(20_000.min(end - self.now.mono_ms));
            (0..self.nodes.len()).for_each(|at| self.ping(at));
        }
        self.pass(self.latency_ms);
    }

    /// The link of this client breaks now.
    pub fn cut(&mut self, at: usize) {
        if let Some(conn) = self.nodes[at].live_socket {
            self.drop_socket((at, conn), "cut");
        }
    }

    /// Every socket breaks; nobody gets in until `backend.down` is false.
    pub fn server_down(&mut self) {
        self.backend.down = true;
        (0..self.nodes.len()).for_each(|at| self.cut(at));
    }
}

pub fn message(room: &str, text: &str) -> SendCommand {
    SendCommand {
        conversation_id: room.to_owned(),
        text: text.to_owned(),
        kind: None,
        metadata: None,
        reply_to: None,
        ttl_ms: None,
        key: None,
    }
}
