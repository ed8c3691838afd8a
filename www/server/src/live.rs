//! Who is connected now, over whatever wire.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    directory::Members,
    presence::Meta,
    realm::Realm,
    store::{Conversation, Message, ReadUpTo, Status},
};

/// What happened, in the words of no wire in particular.
pub(crate) enum Event {
    Message {
        message: Message,
        members: Members,
    },
    MessageUpdated {
        message: Message,
        members: Members,
    },
    MessageDeleted {
        message: Message,
    },
    Status {
        conversation_id: String,
        message_id: String,
        seq: i64,
        user_id: String,
        status: Status,
        at_ms: i64,
    },
    /// Many messages read at once.
    ReadUpTo {
        read: ReadUpTo,
        user_id: String,
        at_ms: i64,
    },
    Reaction {
        conversation_id: String,
        message_id: String,
        user_id: String,
        emoji: String,
        is_added: bool,
    },
    Typing {
        conversation_id: String,
        user_id: String,
        username: Arc<str>,
        is_typing: bool,
        at_ms: i64,
    },
    /// What a companion was asked for.
    Photo {
        conversation_id: String,
        url: String,
    },
    Presence {
        user_id: String,
        is_online: bool,
        at_ms: i64,
    },
    /// One connection of a user has come to a conversation, or gone from it.
    Attendance {
        conversation_id: String,
        user_id: String,
        meta: Meta,
        has_come: bool,
    },
    /// The view of the user it is delivered to.
    Conversation {
        view: Conversation,
        /// To this user.
        is_new: bool,
    },
    /// What a test switch wants told on a topic of Phoenix.
    #[cfg(feature = "faults")]
    TestBroadcast {
        topic: String,
        payload: crate::phoenix::Payload,
    },
}

impl Event {
    /// Whose wires it is for.
    fn realm(&self) -> Realm {
        match self {
            Self::Message { message, .. }
            | Self::MessageUpdated { message, .. }
            | Self::MessageDeleted { message } => Realm::of(&message.conversation_id),
            Self::Status { conversation_id, .. }
            | Self::Reaction { conversation_id, .. }
            | Self::Typing { conversation_id, .. }
            | Self::Photo { conversation_id, .. }
            | Self::Attendance { conversation_id, .. } => Realm::of(conversation_id),
            Self::ReadUpTo { read, .. } => Realm::of(&read.conversation_id),
            Self::Conversation { view, .. } => Realm::of(&view.id),
            Self::Presence { .. } => Realm::People,
            #[cfg(feature = "faults")]
            Self::TestBroadcast { .. } => Realm::People,
        }
    }
}

/// One connection of a user. A wire implements this.
pub(crate) trait Peer: Send + Sync {
    /// The conversations that this wire knows; it hears of no others.
    fn realm(&self) -> Realm {
        Realm::People
    }

    /// Must not block; a peer that cannot take the event is cut, since a gap in a live connection goes unnoticed.
    fn deliver(&self, event: &Event);
    /// Ends the connection as a lost network would.
    fn cut(&self);
}

/// Identifies a connection while the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionId(u64);

struct Entry {
    id: ConnectionId,
    peer: Arc<dyn Peer>,
    is_online: bool,
}

/// All connections by user.
#[derive(Default)]
pub(crate) struct Live {
    users: RwLock<BTreeMap<String, Vec<Entry>>>,
    next: AtomicU64,
    #[cfg(feature = "faults")]
    counts: std::sync::Mutex<BTreeMap<String, Counts>>,
    #[cfg(feature = "faults")]
    spans: std::sync::Mutex<BTreeMap<String, Vec<Span>>>,
}

/// Connections of one user over time.
#[cfg(feature = "faults")]
#[derive(Debug, Clone, Default, serde::Serialize)]
pub(crate) struct Counts {
    pub(crate) live: usize,
    pub(crate) max_live: usize,
    pub(crate) opened: usize,
}

/// How long one connection was there.
#[cfg(feature = "faults")]
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Span {
    #[serde(skip)]
    id: u64,
    pub(crate) opened_ms: i64,
    pub(crate) closed_ms: Option<i64>,
}

impl Live {
    /// Adds a connection, not yet online.
    pub(crate) fn add(&self, user_id: &str, peer: Arc<dyn Peer>) -> ConnectionId {
        let id = ConnectionId(self.next.fetch_add(1, Ordering::Relaxed));
        let mut users = crate::write(&self.users);
        let entries = users.entry(user_id.to_owned()).or_default();
        entries.push(Entry { id, peer, is_online: false });
        #[cfg(feature = "faults")]
        {
            let mut counts = crate::lock(&self.counts);
            let count = counts.entry(user_id.to_owned()).or_default();
            count.opened += 1;
            count.live = entries.len();
            count.max_live = count.max_live.max(count.live);
            let span = Span { id: id.0, opened_ms: crate::clock::now_ms(), closed_ms: None };
            crate::lock(&self.spans).entry(user_id.to_owned()).or_default().push(span);
        }
        id
    }

    /// Forgets a connection; `true` when the user went offline by it.
    pub(crate) fn remove(&self, user_id: &str, id: ConnectionId) -> bool {
        let mut users = crate::write(&self.users);
        let Some(entries) = users.get_mut(user_id) else { return false };
        let was_online = entries.iter().any(|entry| entry.is_online);
        entries.retain(|entry| entry.id != id);
        let is_online = entries.iter().any(|entry| entry.is_online);
        #[cfg(feature = "faults")]
        if let Some(count) = crate::lock(&self.counts).get_mut(user_id) {
            count.live = entries.len();
        }
        #[cfg(feature = "faults")]
        self.close_span(user_id, id);
        if entries.is_empty() {
            users.remove(user_id);
        }
        was_online && !is_online
    }

    /// Says whether this connection counts as presence; `true` when that changed the user's presence.
    pub(crate) fn set_online(&self, user_id: &str, id: ConnectionId, is_online: bool) -> bool {
        let mut users = crate::write(&self.users);
        let Some(entries) = users.get_mut(user_id) else { return false };
        let was_online = entries.iter().any(|entry| entry.is_online);
        if let Some(entry) = entries.iter_mut().find(|entry| entry.id == id) {
            entry.is_online = is_online;
        }
        was_online != entries.iter().any(|entry| entry.is_online)
    }

    pub(crate) fn is_online(&self, user_id: &str) -> bool {
        crate::read(&self.users).get(user_id).is_some_and(|list| list.iter().any(|entry| entry.is_online))
    }

    /// Delivers to every connection of these users but one.
    pub(crate) fn tell<'a>(
        &self,
        users: impl IntoIterator<Item = &'a str>,
        but: Option<ConnectionId>,
        event: &Event,
    ) {
        for user in users {
            for (id, peer) in self.of(user) {
                if Some(id) != but && peer.realm() == event.realm() {
                    peer.deliver(event);
                }
            }
        }
    }

    /// Cuts the connections of one user, or all.
    pub(crate) fn cut(&self, user_id: Option<&str>) {
        let users: Vec<String> = crate::read(&self.users).keys().cloned().collect();
        for user in users.iter().filter(|user| user_id.is_none_or(|id| id == user.as_str())) {
            for (_, peer) in self.of(user) {
                peer.cut();
            }
        }
    }

    /// A copy, so that no lock is held while a peer works.
    fn of(&self, user_id: &str) -> Vec<(ConnectionId, Arc<dyn Peer>)> {
        let users = crate::read(&self.users);
        users.get(user_id).into_iter().flatten().map(|entry| (entry.id, entry.peer.clone())).collect()
    }

    #[cfg(feature = "faults")]
    pub(crate) fn counts(&self) -> BTreeMap<String, Counts> {
        crate::lock(&self.counts).clone()
    }

    /// Every connection of this user since the last reset, in the order of opening.
    #[cfg(feature = "faults")]
    pub(crate) fn spans(&self, user_id: &str) -> Vec<Span> {
        crate::lock(&self.spans).get(user_id).cloned().unwrap_or_default()
    }

    #[cfg(feature = "faults")]
    fn close_span(&self, user_id: &str, id: ConnectionId) {
        let mut spans = crate::lock(&self.spans);
        let open = spans.get_mut(user_id).into_iter().flatten().find(|span| span.id == id.0);
        if let Some(span) = open {
            span.closed_ms.get_or_insert_with(crate::clock::now_ms);
        }
    }

    /// Forgets what was, keeps what is.
    #[cfg(feature = "faults")]
    pub(crate) fn reset_counts(&self) {
        let mut counts = crate::lock(&self.counts);
        counts.retain(|_, count| count.live > 0);
        for count in counts.values_mut() {
            count.max_live = count.live;
            count.opened = 0;
        }
        for spans in crate::lock(&self.spans).values_mut() {
            spans.retain(|span| span.closed_ms.is_none());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Peer for Counter {
        fn deliver(&self, _: &Event) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn cut(&self) {}
    }

    #[test]
    fn presence_is_that_of_any_connection() {
        let live = Live::default();
        let (a, b) =
            (live.add("u", Arc::new(Counter::default())), live.add("u", Arc::new(Counter::default())));
        assert!(!live.is_online("u"));
        assert!(live.set_online("u", a, true));
        assert!(!live.set_online("u", b, true));
        assert!(!live.remove("u", a));
        assert!(live.set_online("u", b, false));
        assert!(!live.remove("u", b), "was offline already");
    }

    #[test]
    fn the_sending_connection_hears_nothing() {
        let live = Live::default();
        let (one, two) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
        let id = live.add("u", one.clone());
        live.add("u", two.clone());
        let event = Event::Presence { user_id: "v".into(), is_online: true, at_ms: 0 };
        live.tell(["u", "nobody"], Some(id), &event);
        assert_eq!((one.0.load(Ordering::Relaxed), two.0.load(Ordering::Relaxed)), (0, 1));
    }
}
