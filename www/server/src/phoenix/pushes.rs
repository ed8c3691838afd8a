//! What a client pushes on a topic it has joined (P7, D7).
//!
//! Law: pushes are handled in the order of their arrival, and writes go to the one writing thread in that order; the
//! answers come in the order in which the writes end. A push is answered in the encoding it came in. An event that no
//! channel here knows ends the channel, as an unmatched `handle_in` does.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    form,
    frame::{self, Frame, Payload},
    joining,
    peer::{PhoenixPeer, Place},
    view,
};
use crate::{
    chat::{self, Target},
    error::ApiError,
    faults::Answer,
    live::Peer,
    store::{Message, Sent},
};

/// One push on a conversation, with where its answer goes.
pub(super) struct Push {
    peer: Arc<PhoenixPeer>,
    place: Place,
    conversation_id: String,
    join_ref: Value,
}

impl Push {
    fn answer(&self, result: Result<Value, ApiError>) {
        let (status, response) = match result {
            Ok(response) => ("ok", response),
            Err(error) => ("error", on_this_wire(error).to_json()),
        };
        let response = if self.place.is_binary {
            Payload::Binary(Bytes::from(response.to_string()))
        } else {
            Payload::Json(response)
        };
        self.peer.reply(&self.place, status, &response);
    }

    fn message(&self, message: &Message) -> Value {
        json!({ "message": view::message(&self.peer.app, &self.peer.user.id, message) })
    }
}

/// The key has another name here.
fn on_this_wire(error: ApiError) -> ApiError {
    let field = error.field.map(|field| if field == "client_message_id" { "client_id" } else { field });
    ApiError { field, ..error }
}

/// A frame that is neither a join, a leave nor a heartbeat.
pub(super) fn handle(peer: &Arc<PhoenixPeer>, frame: Frame) {
    let topic = frame.topic.as_str().unwrap_or_default();
    let found = peer.channels().get(topic).map(|channel| {
        let refs = (channel.close_ref.clone(), channel.join_ref.clone());
        (channel.number, refs, channel.conversation_id.clone())
    });
    let Some((number, (joined_with, join_ref), conversation_id)) = found else {
        return joining::unmatched(peer, &frame);
    };
    if joined_with != frame.join_ref {
        // Of a channel that has ended: dropped without a word, as since 1.8.3.
        return;
    }
    let is_binary = matches!(frame.payload, Payload::Binary(_));
    let place = Place { topic: topic.to_owned(), number, reference: frame.reference, is_binary };
    let event = frame.event.as_str().unwrap_or_default();
    #[cfg(feature = "faults")]
    if super::switches::handle(peer, &place, conversation_id.as_deref(), event, &frame.payload) {
        return;
    }
    let handler = conversation_id.zip(handler(event));
    let Some((conversation_id, handler)) = handler else {
        tracing::debug!(event, "an unknown event ends its channel");
        return peer.end_channel(&place.topic, number, "phx_error");
    };
    let push = Push { peer: peer.clone(), place, conversation_id, join_ref };
    match form::object(frame.payload) {
        Ok(form) => handler(push, &form),
        Err(error) => push.answer(Err(error)),
    }
}

type Handler = fn(Push, &Value);

fn handler(event: &str) -> Option<Handler> {
    match event {
        "message:send" => Some(send),
        "message:read" => Some(read),
        "message:update" => Some(update),
        "message:delete" => Some(delete),
        "message:react" => Some(react),
        "typing" => Some(typing),
        _ => None,
    }
}

/// Whether a writer may queue more; one that overdoes it is cut.
fn may_write(push: &Push) -> bool {
    let is_overloaded = push.peer.app.store.is_overloaded();
    if is_overloaded {
        tracing::warn!(user_id = push.peer.user.id, "too many writes wait, a sender is cut");
        push.peer.cut();
    }
    !is_overloaded
}

fn send(push: Push, form: &Value) {
    if !may_write(&push) {
        return;
    }
    let peer = push.peer.clone();
    let draft = match form::draft(form, &push.conversation_id, peer.app.config.max_text_chars) {
        Ok(draft) => draft,
        Err(error) => return push.answer(Err(error)),
    };
    let place = &push.place;
    let mark = frame::reply_mark(&push.join_ref, &place.reference, &place.topic, place.is_binary);
    let reply = move |result: Result<Sent, ApiError>| {
        push.answer(result.map(|sent| {
            let mut response = push.message(&sent.message);
            if sent.is_duplicate
                && let Some(response) = response.as_object_mut()
            {
                response.insert("duplicate".into(), true.into());
            }
            response
        }));
    };
    let answer = Answer { reply: Box::new(reply), transport: Some(Arc::new(peer.link.clone())), mark };
    chat::send(&peer.app, peer.caller(), draft, Some(peer.window.clone()), answer);
}

fn read(push: Push, form: &Value) {
    if !may_write(&push) {
        return;
    }
    match form::up_to(form) {
        Ok(up_to) => {
            let (peer, conversation_id) = (push.peer.clone(), push.conversation_id.clone());
            chat::read_up_to(&peer.app, peer.caller(), conversation_id, up_to, move |result| {
                push.answer(result.map(|()| json!({})));
            });
        }
        Err(error) => push.answer(Err(error)),
    }
}

fn typing(push: Push, form: &Value) {
    let peer = &push.peer;
    let result = form::is_typing(form).and_then(|is_typing| {
        chat::typing(&peer.app, &peer.user.id, &push.conversation_id, is_typing)?;
        if let Some(channel) = peer.channels().current(&push.place.topic, push.place.number) {
            channel.is_typing = is_typing;
        }
        Ok(json!({}))
    });
    push.answer(result);
}

/// The message `id`, of the conversation of the topic.
fn target(push: &Push, form: &Value) -> Result<Target, ApiError> {
    let message_id = form::required(form, &["id"], "id")?.to_owned();
    Ok(Target { message_id, conversation_id: Some(push.conversation_id.clone()) })
}

fn update(push: Push, form: &Value) {
    let (app, user_id) = (push.peer.app.clone(), push.peer.user.id.clone());
    let target = target(&push, form);
    let wanted = target.and_then(|id| Ok((id, form::content(form, app.config.max_text_chars)?)));
    change(push, wanted, |(id, content)| chat::edit(&app, user_id, id, content));
}

fn delete(push: Push, form: &Value) {
    let (app, user_id) = (push.peer.app.clone(), push.peer.user.id.clone());
    let wanted = target(&push, form);
    change(push, wanted, |id| chat::erase(&app, user_id, id));
}

fn react(push: Push, form: &Value) {
    let (app, user_id) = (push.peer.app.clone(), push.peer.user.id.clone());
    let target = target(&push, form);
    let wanted = target.and_then(|id| form::reaction(form).map(|(emoji, is_added)| (id, emoji, is_added)));
    change(push, wanted, |(id, emoji, is_added)| chat::react(&app, user_id, id, emoji, is_added));
}

/// Queues a change now, so that it keeps its place among the writes, and answers when it is done.
fn change<T, F>(push: Push, wanted: Result<T, ApiError>, begin: impl FnOnce(T) -> F)
where
    F: Future<Output = Result<Message, ApiError>> + Send + 'static,
{
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(error) => return push.answer(Err(error)),
    };
    if !may_write(&push) {
        return;
    }
    let done = begin(wanted);
    tokio::spawn(async move {
        let result = done.await;
        push.answer(result.map(|message| push.message(&message)));
    });
}
