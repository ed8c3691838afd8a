//! Conversations and their members.

use std::sync::Arc;

use rusqlite::Connection;

use super::{charge, write};
use crate::{
    App,
    error::ApiError,
    live::Event,
    store::{self, Conversation, Joined, Role},
};

/// A conversation of two; `false`: they have one already (T6).
pub(crate) async fn create_direct(
    app: &Arc<App>,
    user_id: String,
    other_id: String,
) -> Result<(Conversation, bool), ApiError> {
    charge(app, &user_id)?;
    let viewer = user_id.clone();
    let work = move |db: &Connection| {
        let (id, is_new) = store::create_direct(db, &user_id, &other_id)?;
        Ok((store::views(db, &id, None)?, is_new))
    };
    let (views, is_new) = write(app, work, |app, (views, is_new): &(Views, bool)| {
        if *is_new {
            tell_views(app, views, |_| true);
        }
    })
    .await?;
    Ok((view_of(views, &viewer)?, is_new))
}

/// A group (T7).
pub(crate) async fn create_group(
    app: &Arc<App>,
    user_id: String,
    title: String,
    participant_ids: Vec<String>,
) -> Result<Conversation, ApiError> {
    charge(app, &user_id)?;
    let viewer = user_id.clone();
    let work = move |db: &Connection| {
        let id = store::create_group(db, &user_id, &title, &participant_ids)?;
        store::views(db, &id, None)
    };
    view_of(write(app, work, |app, views| tell_views(app, views, |_| true)).await?, &viewer)
}

/// Adds a member (T9).
pub(crate) async fn add_participant(
    app: &Arc<App>,
    actor_id: String,
    conversation_id: String,
    user_id: String,
    role: Role,
) -> Result<Conversation, ApiError> {
    charge(app, &actor_id)?;
    let (viewer, added) = (actor_id.clone(), user_id.clone());
    let work = move |db: &Connection| {
        store::add_participant(db, &conversation_id, &actor_id, &user_id, role)?;
        store::views(db, &conversation_id, None)
    };
    view_of(write(app, work, move |app, views| tell_views(app, views, |id| id == added)).await?, &viewer)
}

/// Removes a member (T9).
pub(crate) async fn remove_participant(
    app: &Arc<App>,
    actor_id: String,
    conversation_id: String,
    user_id: String,
) -> Result<Conversation, ApiError> {
    charge(app, &actor_id)?;
    let viewer = actor_id.clone();
    let work = move |db: &Connection| {
        store::remove_participant(db, &conversation_id, &actor_id, &user_id)?;
        store::views(db, &conversation_id, Some(&user_id))
    };
    view_of(write(app, work, |app, views| tell_views(app, views, |_| false)).await?, &viewer)
}

type Views = Vec<(String, Conversation)>;

/// `is_new` says for which users the conversation is new.
fn tell_views(app: &App, views: &Views, is_new: impl Fn(&str) -> bool) {
    if let Some((_, view)) = views.first() {
        app.directory.set_members(&view.id, view.members.clone());
    }
    for (user_id, view) in views {
        let event = Event::Conversation { view: view.clone(), is_new: is_new(user_id) };
        app.live.tell([user_id.as_str()], None, &event);
    }
}

/// A message has brought somebody.
pub(super) fn tell_of_joined(app: &App, joined: &Joined) {
    tell_views(app, &joined.views, |id| id == joined.user_id);
}

fn view_of(views: Views, user_id: &str) -> Result<Conversation, ApiError> {
    let own = views.into_iter().find(|(id, _)| id == user_id);
    own.map(|(_, view)| view).ok_or_else(|| ApiError::forbidden("not a participant of this conversation"))
}
