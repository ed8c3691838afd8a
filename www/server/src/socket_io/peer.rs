//! One Socket.IO connection of a user.
//!
//! Law: a connection hears every event from the moment its CONNECT is granted, `chatwire:hello` first. Events that
//! come before the socket can take them are held; one that can take no more is cut, since the client closes a gap
//! only after a reconnect.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, OnceLock},
};

use serde_json::Value;
use socketioxide::extract::SocketRef;
use tokio_util::sync::CancellationToken;

use super::{Vocabulary, session::Session};
use crate::{
    App, chat,
    chat::Caller,
    listener::Transport,
    live::{ConnectionId, Event, Peer},
    realm::Realm,
    store::User,
    window::Window,
};

/// Events held between the grant and the socket's readiness.
const MAX_HELD: usize = 4096;

pub(crate) struct SocketPeer {
    pub(crate) app: Arc<App>,
    pub(crate) vocabulary: &'static Vocabulary,
    pub(crate) user: User,
    session: Arc<Session>,
    pub(crate) window: Arc<Mutex<Window>>,
    pub(crate) ended: CancellationToken,
    socket: SocketRef,
    out: Mutex<Out>,
    id: OnceLock<ConnectionId>,
    typing_in: Mutex<BTreeSet<String>>,
}

enum Out {
    Held(Vec<(&'static str, Value)>),
    Open,
    Ended,
}

impl SocketPeer {
    /// Registers the connection.
    pub(super) fn start(
        app: &Arc<App>,
        vocabulary: &'static Vocabulary,
        user: User,
        session: Arc<Session>,
        socket: SocketRef,
    ) -> Arc<Self> {
        let peer = Arc::new(Self {
            app: app.clone(),
            vocabulary,
            user,
            session,
            window: Arc::default(),
            ended: CancellationToken::new(),
            socket,
            out: Mutex::new(Out::Held(Vec::new())),
            id: OnceLock::new(),
            typing_in: Mutex::default(),
        });
        let id = app.live.add(&peer.user.id, peer.clone());
        peer.id.get_or_init(|| id);
        peer
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller { user_id: self.user.id.clone(), connection: self.id.get().copied() }
    }

    /// What an answer to this connection travels on.
    pub(crate) fn transport(&self) -> Arc<dyn Transport> {
        self.session.clone()
    }

    /// The socket is connected: hello, then what was held (D2).
    pub(super) fn open(&self) {
        let hello = (!self.vocabulary.is_plain)
            .then(|| ("chatwire:hello", (self.vocabulary.hello)(&self.app, &self.user)));
        let mut out = crate::lock(&self.out);
        let Out::Held(held) = &mut *out else { return };
        let held = std::mem::take(held);
        let mut all = hello.into_iter().chain(held);
        let sent = all.all(|(name, payload)| self.socket.emit(name, &payload).is_ok());
        *out = if sent { Out::Open } else { Out::Ended };
        drop(out);
        if !sent {
            self.cut();
        }
    }

    pub(crate) fn emit(&self, name: &'static str, payload: Value) {
        let mut out = crate::lock(&self.out);
        let fits = match &mut *out {
            Out::Held(held) if held.len() < MAX_HELD => {
                held.push((name, payload));
                true
            }
            Out::Held(_) => false,
            Out::Open => self.socket.emit(name, &payload).is_ok(),
            Out::Ended => return,
        };
        if !fits {
            *out = Out::Ended;
            drop(out);
            tracing::info!(user_id = self.user.id, "a connection that takes no more is cut");
            self.cut();
        }
    }

    /// Remembers where the user types here, so that a lost connection ends it.
    pub(crate) fn note_typing(&self, conversation_id: &str, is_typing: bool) {
        let mut typing_in = crate::lock(&self.typing_in);
        if is_typing {
            typing_in.insert(conversation_id.to_owned());
        } else {
            typing_in.remove(conversation_id);
        }
    }

    pub(crate) fn set_presence(&self, is_online: bool) {
        if let Some(id) = self.id.get() {
            chat::set_presence(&self.app, &self.user.id, *id, is_online);
        }
    }

    /// Forgets the connection. Harmless when called again.
    pub(super) fn end(&self) {
        *crate::lock(&self.out) = Out::Ended;
        self.session.sessions.forget(&self.session.sid);
        for conversation_id in std::mem::take(&mut *crate::lock(&self.typing_in)) {
            // Who has left the conversation meanwhile types no more anyway.
            let _ = chat::typing(&self.app, &self.user.id, &conversation_id, false);
        }
        if let Some(id) = self.id.get() {
            chat::disconnected(&self.app, &self.user.id, *id);
        }
        self.ended.cancel();
    }
}

impl Peer for SocketPeer {
    fn realm(&self) -> Realm {
        self.vocabulary.realm
    }

    fn deliver(&self, event: &Event) {
        for (name, payload) in (self.vocabulary.events)(self, event) {
            self.emit(name, payload);
        }
    }

    fn cut(&self) {
        self.session.cut();
        self.ended.cancel();
    }
}
