//! One Phoenix socket of a user.
//!
//! Law: frames leave in the order in which they were decided, since each is queued under the lock of the channels that
//! it was decided by. A socket that takes no more is cut: a gap in a live connection goes unnoticed.

use std::{
    ops::{ControlFlow, Deref},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::extract::ws::Message;
use serde_json::{Value, json};

use super::{
    channels::{Channel, Channels, Route},
    frame::{self, Frame, Payload},
    joining, pushes, view,
};
use crate::{
    chat,
    live::{Event, Peer},
    presence,
    websocket::{Connection, End, Endpoint, close},
};

/// A connection and its channels.
pub(super) struct PhoenixPeer {
    connection: Connection,
    channels: Mutex<Channels>,
}

impl Deref for PhoenixPeer {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// Where the answer to a push goes.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) topic: String,
    pub(super) number: u64,
    pub(super) reference: Value,
    pub(super) is_binary: bool,
}

impl PhoenixPeer {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, channels: Mutex::default() }
    }

    pub(super) fn channels(&self) -> MutexGuard<'_, Channels> {
        crate::lock(&self.channels)
    }

    /// The connection counts as presence of its user.
    pub(super) fn appear(&self) {
        if let Some(id) = self.id() {
            chat::appear(&self.app, &self.user.id, id, true);
        }
    }

    /// Answers a push, unless its channel has ended: then there is no answer, ever.
    pub(super) fn reply(&self, place: &Place, status: &str, response: &Payload) {
        let mut channels = self.channels();
        let Some(channel) = channels.current(&place.topic, place.number) else { return };
        let topic = Value::String(place.topic.clone());
        match frame::reply(&channel.join_ref, &place.reference, &topic, status, response) {
            Some(frame) => self.send(frame),
            None => {
                drop(channels);
                self.end_channel(&place.topic, place.number, "phx_error");
            }
        }
    }

    /// A push of the server, to this socket alone.
    #[cfg(feature = "faults")]
    pub(super) fn push(&self, place: &Place, event: &str, payload: &Payload) {
        let mut channels = self.channels();
        let Some(channel) = channels.current(&place.topic, place.number) else { return };
        if let Some(frame) = frame::push(&channel.join_ref, &place.topic, event, payload) {
            self.send(frame);
        }
    }

    fn broadcast(&self, topic: &str, event: &str, payload: &Payload) {
        let Some(frame) = frame::broadcast(topic, event, payload) else { return };
        let mut channels = self.channels();
        match channels.route(topic, frame) {
            Route::Send(frame) => self.send(frame),
            Route::Done => {}
            Route::Full => self.cut(),
        }
    }

    /// Ends a channel with `phx_close` or `phx_error`.
    pub(super) fn end_channel(&self, topic: &str, number: u64, event: &'static str) {
        let mut channels = self.channels();
        let ended = channels.remove_if(topic, |channel| channel.number == number);
        if let Some(channel) = &ended {
            self.send(frame::end(&channel.close_ref, topic, event));
        }
        drop(channels);
        ended.into_iter().for_each(|channel| self.depart(channel));
    }

    /// What the others see of the end of a channel. Call it without the lock of the channels.
    pub(super) fn depart(&self, channel: Channel) {
        let Some(conversation_id) = channel.conversation_id else { return };
        if channel.is_typing {
            // Who has left the conversation meanwhile types no more anyway.
            let _ = chat::typing(&self.app, &self.user.id, &conversation_id, false);
        }
        if let Some(id) = self.id() {
            presence::go(&self.app, &conversation_id, &self.user.id, id);
        }
    }

    /// Tells the others of a conversation that this socket has come, and this socket who is there: its own coming
    /// first, then the state, as real servers do.
    pub(super) fn attend(&self, topic: &str, number: u64, conversation_id: &str) {
        let Some(id) = self.id() else { return };
        presence::come(&self.app, conversation_id, &self.user.id, id, |metas| {
            let state = Payload::Json(view::presences(metas));
            let mut channels = self.channels();
            let Some(channel) = channels.current(topic, number) else { return };
            if let Some(frame) = frame::push(&channel.join_ref, topic, "presence_state", &state) {
                self.send(frame);
            }
        });
        let is_current = self.channels().current(topic, number).is_some();
        if !is_current {
            // It ended in between, when there was no presence yet to take back.
            presence::go(&self.app, conversation_id, &self.user.id, id);
        }
    }
}

impl Endpoint for PhoenixPeer {
    async fn receive(self: &Arc<Self>, message: Message) -> ControlFlow<End> {
        let frame = match &message {
            Message::Text(text) => Frame::from_text(text.as_str()),
            Message::Binary(bytes) => Frame::from_binary(bytes),
            _ => return ControlFlow::Continue(()),
        };
        let Some(frame) = frame else { return ControlFlow::Break(End::With(close::FAILED)) };
        handle(self, frame).await;
        ControlFlow::Continue(())
    }

    /// All of its channels end.
    fn leave(&self) {
        let channels = self.channels().take_all();
        channels.into_iter().for_each(|channel| self.depart(channel));
    }
}

async fn handle(peer: &Arc<PhoenixPeer>, frame: Frame) {
    match (frame.topic.as_str(), frame.event.as_str()) {
        // Whatever its payload and its join_ref (X7).
        (Some("phoenix"), Some("heartbeat")) => {
            let frame = Frame { join_ref: Value::Null, ..frame };
            joining::answer(peer, &frame, "ok", &Payload::empty());
        }
        (_, Some("phx_join")) => joining::join(peer, &frame).await,
        (_, Some("phx_leave")) => joining::leave(peer, &frame),
        _ => pushes::handle(peer, frame),
    }
}

impl Peer for PhoenixPeer {
    fn deliver(&self, event: &Event) {
        if let Event::Conversation { view, .. } = event
            && view.members.iter().all(|member| member.user_id != self.user.id)
        {
            let topic = view::conversation_topic(&view.id);
            let number = self.channels().get(&topic).map(|channel| channel.number);
            number.into_iter().for_each(|number| self.end_channel(&topic, number, "phx_close"));
        }
        // Most sockets have joined few of the topics that their user hears of.
        let Some(topic) = view::topic(&self.user.id, event) else { return };
        if !self.channels().is_joined(&topic) {
            return;
        }
        if let Some((name, payload)) = view::event(&self.app, &self.user.id, event) {
            self.broadcast(&topic, name, &payload);
        }
    }

    fn cut(&self) {
        self.connection.cut();
    }
}

/// `{reason}`: how channels refuse, as against the errors of D3.
pub(super) fn reason(text: &str) -> Payload {
    Payload::Json(json!({ "reason": text }))
}
