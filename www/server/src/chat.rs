//! What one can do on this server, in the words of no wire in particular: a wire checks the form of a request, calls
//! this, and puts the answer into its own words.
//!
//! Law: the answer to the caller goes out before the events to the others, both after the commit, both in the order
//! of the commits.

mod conversations;

use std::sync::{Arc, Mutex};

pub(crate) use conversations::{add_participant, create_direct, create_group, remove_participant};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{
    App, clock,
    error::ApiError,
    faults::Answer,
    live::{ConnectionId, Event},
    presence,
    realm::is_bot,
    script,
    store::{self, Draft, Message, ReadUpTo, Sent, Status, StatusChange, UpTo, User},
    window::Window,
};

/// Who asks, over which connection.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) user_id: String,
    /// Hears nothing of its own doing.
    pub(crate) connection: Option<ConnectionId>,
}

/// A message that is to change.
pub(crate) struct Target {
    pub(crate) message_id: String,
    /// Where it must be, on a wire that says so by a topic.
    pub(crate) conversation_id: Option<String>,
}

impl Target {
    /// A message, wherever it is.
    pub(crate) fn anywhere(message_id: String) -> Self {
        Self { message_id, conversation_id: None }
    }

    fn check(&self, db: &Connection) -> Result<(), ApiError> {
        let Some(conversation_id) = &self.conversation_id else { return Ok(()) };
        store::find(db, conversation_id, &UpTo::Message(self.message_id.clone())).map(|_| ())
    }
}

/// Sends a message. `window` keeps the order of a connection that has several sends in flight.
pub(crate) fn send(
    app: &Arc<App>,
    caller: Caller,
    draft: Draft,
    window: Option<Arc<Mutex<Window>>>,
    answer: Answer<Sent>,
) {
    let slot = window.zip(draft.client_key.clone()).map(|(window, key)| Slot {
        window,
        conversation_id: draft.conversation_id.clone(),
        key,
    });
    let (job_app, job_slot, sender_id) = (app.clone(), slot.clone(), caller.user_id.clone());
    let work = move |db: &Connection| {
        if job_slot.as_ref().is_some_and(|slot| !slot.admits()) {
            return Err(ApiError::server("an earlier message of this conversation failed, send that first"));
        }
        let result = charge(&job_app, &sender_id)
            .and_then(|()| job_app.faults.before_store(&sender_id))
            .and_then(|()| store::insert(db, &sender_id, &draft));
        // At once: those behind it may be in the same transaction.
        note_failure(job_slot.as_ref(), &result);
        result
    };
    let done_app = app.clone();
    let done = move |result: Result<Sent, ApiError>| {
        // Again: the commit may have failed.
        note_failure(slot.as_ref(), &result);
        let news = result.as_ref().ok().filter(|sent| !sent.is_duplicate).cloned();
        if let Some(joined) = news.as_ref().and_then(|sent| sent.joined.as_ref()) {
            conversations::tell_of_joined(&done_app, joined);
        }
        done_app.faults.answer(&caller.user_id, result, answer);
        if let Some(sent) = news {
            tell_of_message(&done_app, &sent.message, caller.connection);
            script::hear(&done_app, &sent.message);
        }
    };
    app.store.write(work, done);
}

#[derive(Clone)]
struct Slot {
    window: Arc<Mutex<Window>>,
    conversation_id: String,
    key: String,
}

impl Slot {
    fn admits(&self) -> bool {
        crate::lock(&self.window).admit(&self.conversation_id, &self.key)
    }
}

fn note_failure(slot: Option<&Slot>, result: &Result<Sent, ApiError>) {
    if let (Err(error), Some(slot)) = (result, slot)
        && error.code.is_retryable()
    {
        crate::lock(&slot.window).fail(&slot.conversation_id, &slot.key);
    }
}

/// A script says something. No fault strikes it, and nothing is charged: who made it speak has paid.
pub(crate) fn say(
    app: &Arc<App>,
    bot: &'static str,
    draft: Draft,
) -> impl Future<Output = Result<Sent, ApiError>> + Send + use<> {
    let work = move |db: &Connection| store::insert(db, bot, &draft);
    write(app, work, |app, sent: &Sent| {
        if let Some(joined) = &sent.joined {
            conversations::tell_of_joined(app, joined);
        }
        tell_of_message(app, &sent.message, None);
    })
}

fn tell_of_message(app: &App, message: &Message, but: Option<ConnectionId>) {
    let Some(members) = app.directory.members(&message.conversation_id) else { return };
    let event = Event::Message { message: message.clone(), members: members.clone() };
    app.live.tell(members.iter().map(|member| member.user_id.as_str()), but, &event);
}

/// Takes one of the user's writes.
fn charge(app: &App, user_id: &str) -> Result<(), ApiError> {
    crate::lock(&app.limiter).take(user_id, clock::now_ms()).map_err(ApiError::rate_limited)
}

/// Takes one of what is no message: it has a bucket of its own for each `what`, so that receipts for a page of history
/// do not use up the sends.
pub(crate) fn charge_for(what: &str, app: &App, user_id: &str) -> Result<(), ApiError> {
    if is_bot(user_id) {
        return Ok(());
    }
    charge(app, &format!("{what} {user_id}"))
}

/// Queues a write, and waits for its commit where it is awaited; `tell` runs after the commit, before this ends. What
/// is called first is written first, whoever awaits it and when.
fn write<T, F, D>(
    app: &Arc<App>,
    work: F,
    tell: D,
) -> impl Future<Output = Result<T, ApiError>> + Send + use<T, F, D>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, ApiError> + Send + 'static,
    D: FnOnce(&App, &T) + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let done_app = app.clone();
    app.store.write(work, move |result| {
        if let Ok(value) = &result {
            tell(&done_app, value);
        }
        // The caller may have gone; what is committed stays.
        let _ = sender.send(result);
    });
    async { receiver.await.unwrap_or_else(|_| Err(ApiError::server("the server is stopping"))) }
}

/// Logs in by name (D5).
pub(crate) async fn login(app: &Arc<App>, name: String) -> Result<User, ApiError> {
    charge_for("login", app, &name)?;
    write(app, move |db| store::login(db, &name), |app, user| app.directory.add_user(user)).await
}

/// A user lets the assistant into something.
pub(crate) async fn consent(app: &Arc<App>, user_id: String, what: &'static str) -> Result<(), ApiError> {
    charge(app, &user_id)?;
    write(app, move |db| store::consent(db, &user_id, what), |_, ()| {}).await
}

/// Marks a message and tells all participants, the reporting connection excepted. `reply` may be unheard.
pub(crate) fn mark(
    app: &Arc<App>,
    caller: Caller,
    message_id: String,
    status: Status,
    reply: impl FnOnce(Result<(), ApiError>) + Send + 'static,
) {
    if let Err(error) = charge_for("mark", app, &caller.user_id) {
        return reply(Err(error));
    }
    let user_id = caller.user_id.clone();
    let done_app = app.clone();
    app.store.write(
        move |db| store::mark(db, &user_id, &message_id, status),
        move |result: Result<Option<StatusChange>, ApiError>| {
            let (answer, change) = match result {
                Ok(change) => (Ok(()), change),
                Err(error) => (Err(error), None),
            };
            reply(answer);
            if let Some(change) = change {
                let event = Event::Status {
                    conversation_id: change.conversation_id.clone(),
                    message_id: change.message_id,
                    seq: change.seq,
                    user_id: caller.user_id,
                    status: change.status,
                    at_ms: clock::now_ms(),
                };
                tell_members(&done_app, &change.conversation_id, caller.connection, &event);
            }
        },
    );
}

/// Marks everything of the others up to a message as read, and tells all participants, the reporting connection
/// excepted.
pub(crate) fn read_up_to(
    app: &Arc<App>,
    caller: Caller,
    conversation_id: String,
    up_to: UpTo,
    reply: impl FnOnce(Result<(), ApiError>) + Send + 'static,
) {
    if let Err(error) = charge_for("mark", app, &caller.user_id) {
        return reply(Err(error));
    }
    let (user_id, place) = (caller.user_id.clone(), conversation_id.clone());
    let done_app = app.clone();
    app.store.write(
        move |db| store::read_up_to(db, &user_id, &place, &up_to),
        move |result: Result<Option<ReadUpTo>, ApiError>| {
            let (answer, read) = match result {
                Ok(read) => (Ok(()), read),
                Err(error) => (Err(error), None),
            };
            reply(answer);
            if let Some(read) = read {
                let at_ms = clock::now_ms();
                let event = Event::ReadUpTo { read, user_id: caller.user_id, at_ms };
                tell_members(&done_app, &conversation_id, caller.connection, &event);
            }
        },
    );
}

fn tell_members(app: &App, conversation_id: &str, but: Option<ConnectionId>, event: &Event) {
    let Some(members) = app.directory.members(conversation_id) else { return };
    app.live.tell(members.iter().map(|member| member.user_id.as_str()), but, event);
}

/// Tells the other participants that this user types. Stored nowhere.
pub(crate) fn typing(
    app: &App,
    user_id: &str,
    conversation_id: &str,
    is_typing: bool,
) -> Result<(), ApiError> {
    charge_for("typing", app, user_id)?;
    let members = app
        .directory
        .members(conversation_id)
        .ok_or_else(|| ApiError::not_found(format!("no conversation {conversation_id:.64}")))?;
    if members.iter().all(|member| member.user_id != user_id) {
        return Err(ApiError::forbidden("not a participant of this conversation"));
    }
    let event = Event::Typing {
        conversation_id: conversation_id.to_owned(),
        user_id: user_id.to_owned(),
        username: app.directory.name(user_id).unwrap_or_default(),
        is_typing,
        at_ms: clock::now_ms(),
    };
    let others = members.iter().map(|member| member.user_id.as_str()).filter(|id| *id != user_id);
    app.live.tell(others, None, &event);
    Ok(())
}

/// This connection counts as presence, or no more: of the user, and in every conversation of the user.
pub(crate) fn set_presence(app: &App, user_id: &str, id: ConnectionId, is_online: bool) {
    presence::set_everywhere(app, user_id, id, is_online);
    appear(app, user_id, id, is_online);
}

/// The same for a connection that says itself in which conversations it is present.
pub(crate) fn appear(app: &App, user_id: &str, id: ConnectionId, is_online: bool) {
    if app.live.set_online(user_id, id, is_online) {
        tell_presence(app, user_id, is_online);
    }
}

/// Forgets a connection that has ended.
pub(crate) fn disconnected(app: &App, user_id: &str, id: ConnectionId) {
    presence::set_everywhere(app, user_id, id, false);
    if app.live.remove(user_id, id) {
        tell_presence(app, user_id, false);
    }
}

/// To everybody who shares a conversation with the user, and to the user's own devices.
fn tell_presence(app: &App, user_id: &str, is_online: bool) {
    let event = Event::Presence { user_id: user_id.to_owned(), is_online, at_ms: clock::now_ms() };
    let audience = app.directory.acquaintances(user_id);
    app.live.tell(audience.iter().map(String::as_str).chain([user_id]), None, &event);
}

/// Replaces the content of a message (T12). Queued in the call, as are the two below.
pub(crate) fn edit(
    app: &Arc<App>,
    user_id: String,
    target: Target,
    content: Vec<u8>,
) -> impl Future<Output = Result<Message, ApiError>> + Send + use<> {
    let job_app = app.clone();
    let work = move |db: &Connection| {
        charge(&job_app, &user_id)?;
        target.check(db)?;
        store::edit(db, &user_id, &target.message_id, &content)
    };
    write(app, work, |app, message: &Message| {
        let Some(members) = app.directory.members(&message.conversation_id) else { return };
        let event = Event::MessageUpdated { message: message.clone(), members };
        tell_members(app, &message.conversation_id, None, &event);
    })
}

/// Deletes a message (T12).
pub(crate) fn erase(
    app: &Arc<App>,
    user_id: String,
    target: Target,
) -> impl Future<Output = Result<Message, ApiError>> + Send + use<> {
    let job_app = app.clone();
    let work = move |db: &Connection| {
        charge(&job_app, &user_id)?;
        target.check(db)?;
        store::erase(db, &user_id, &target.message_id)
    };
    let done = write(app, work, |app, (message, is_news): &(Message, bool)| {
        if *is_news {
            let event = Event::MessageDeleted { message: message.clone() };
            tell_members(app, &message.conversation_id, None, &event);
        }
    });
    async { Ok(done.await?.0) }
}

/// Adds or removes a reaction (T13).
pub(crate) fn react(
    app: &Arc<App>,
    user_id: String,
    target: Target,
    emoji: String,
    is_added: bool,
) -> impl Future<Output = Result<Message, ApiError>> + Send + use<> {
    let (job_app, actor, symbol) = (app.clone(), user_id.clone(), emoji.clone());
    let work = move |db: &Connection| {
        charge(&job_app, &actor)?;
        target.check(db)?;
        store::react(db, &actor, &target.message_id, &symbol, is_added)
    };
    let done = write(app, work, move |app, (message, is_news): &(Message, bool)| {
        if *is_news {
            let event = Event::Reaction {
                conversation_id: message.conversation_id.clone(),
                message_id: message.id.clone(),
                user_id,
                emoji,
                is_added,
            };
            tell_members(app, &message.conversation_id, None, &event);
        }
    });
    async { Ok(done.await?.0) }
}
