//! Which connections of whom are present in a conversation, connection by connection. (`live` knows who is online at
//! all.)
//!
//! Law: what is told of a conversation's presence is told under the lock of what is known of it. So a newcomer's list
//! and the comings and goings after it have no gap, and a going never comes before its coming.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    App, clock,
    live::{ConnectionId, Event},
};

/// One connection of a user in a conversation.
#[derive(Debug, Clone)]
pub(crate) struct Meta {
    connection: ConnectionId,
    /// Tells this presence from every other, for as long as the process lives.
    pub(crate) phx_ref: String,
    pub(crate) online_at_ms: i64,
}

/// By user.
pub(crate) type Metas = BTreeMap<String, Vec<Meta>>;

#[derive(Default)]
pub(crate) struct Presence {
    inner: Mutex<Inner>,
    next: AtomicU64,
}

#[derive(Default)]
struct Inner {
    /// Connections that have come to a conversation, by its id.
    conversations: BTreeMap<String, Metas>,
    /// Connections that are present in all conversations of their user.
    everywhere: Metas,
}

impl Presence {
    fn meta(&self, connection: ConnectionId) -> Meta {
        let online_at_ms = clock::now_ms();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Meta { connection, phx_ref: format!("{online_at_ms:x}-{number:x}"), online_at_ms }
    }
}

/// A connection comes to a conversation. All who are there are told, it too; then `welcome` gets everybody.
pub(crate) fn come(
    app: &App,
    conversation_id: &str,
    user_id: &str,
    connection: ConnectionId,
    welcome: impl FnOnce(&Metas),
) {
    let meta = app.presence.meta(connection);
    let mut inner = crate::lock(&app.presence.inner);
    let here = inner.conversations.entry(conversation_id.to_owned()).or_default();
    here.entry(user_id.to_owned()).or_default().push(meta.clone());
    tell(app, conversation_id, user_id, meta, true);
    let mut all = inner.conversations.get(conversation_id).cloned().unwrap_or_default();
    for member in app.directory.members(conversation_id).iter().flat_map(|members| members.iter()) {
        if let Some(metas) = inner.everywhere.get(&member.user_id) {
            all.entry(member.user_id.clone()).or_default().extend(metas.iter().cloned());
        }
    }
    welcome(&all);
}

/// A connection goes from a conversation. Harmless where it was not.
pub(crate) fn go(app: &App, conversation_id: &str, user_id: &str, connection: ConnectionId) {
    let mut inner = crate::lock(&app.presence.inner);
    let Some(here) = inner.conversations.get_mut(conversation_id) else { return };
    let gone = take(here, user_id, connection);
    if here.is_empty() {
        inner.conversations.remove(conversation_id);
    }
    if let Some(meta) = gone {
        tell(app, conversation_id, user_id, meta, false);
    }
}

/// A connection that knows no topics counts in all conversations of its user, or no more.
pub(crate) fn set_everywhere(app: &App, user_id: &str, connection: ConnectionId, is_present: bool) {
    let mut inner = crate::lock(&app.presence.inner);
    let is_known = inner
        .everywhere
        .get(user_id)
        .is_some_and(|metas| metas.iter().any(|meta| meta.connection == connection));
    let meta = match (is_present, is_known) {
        (true, false) => {
            let meta = app.presence.meta(connection);
            inner.everywhere.entry(user_id.to_owned()).or_default().push(meta.clone());
            Some(meta)
        }
        (false, true) => take(&mut inner.everywhere, user_id, connection),
        _ => None,
    };
    let Some(meta) = meta else { return };
    for id in app.directory.conversations(user_id) {
        if inner.conversations.contains_key(&id) {
            tell(app, &id, user_id, meta.clone(), is_present);
        }
    }
}

fn take(metas: &mut Metas, user_id: &str, connection: ConnectionId) -> Option<Meta> {
    let own = metas.get_mut(user_id)?;
    let index = own.iter().position(|meta| meta.connection == connection)?;
    let meta = own.remove(index);
    if own.is_empty() {
        metas.remove(user_id);
    }
    Some(meta)
}

fn tell(app: &App, conversation_id: &str, user_id: &str, meta: Meta, has_come: bool) {
    let Some(members) = app.directory.members(conversation_id) else { return };
    let event = Event::Attendance {
        conversation_id: conversation_id.to_owned(),
        user_id: user_id.to_owned(),
        meta,
        has_come,
    };
    app.live.tell(members.iter().map(|member| member.user_id.as_str()), None, &event);
}
