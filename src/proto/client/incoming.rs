//! What the backend says on the socket.

use super::super::api::{Event, Now, Outcome, WireData};
use super::super::connection::{Delivered, RefusedBy};
use super::super::model::{ConnectionState, ConversationKind, Json, Phase, Status};
use super::super::profile::{Answer, CapabilityPatch, Incoming, ServerConversation, ServerMessage};
use super::super::timeline::{Change, Op};
use super::super::timer::Timer;
use super::super::wire;
use super::wire_send::{joined, owned};
use super::{AckFor, Client, HELLO_WAIT_MS, traits_of};
use crate::proto::mutant;
use crate::proto::wire::json::RawValue;

impl Client {
    pub(super) fn on_delivered(&mut self, now: Now, delivered: &Delivered<'_>) {
        match delivered {
            Delivered::Ack { id, status, args, attachments } => {
                self.on_ack(now, *id, status.as_deref(), args, attachments);
            }
            Delivered::Event { topic, name, args, ack_id, attachments } => {
                match self.profile.incoming(topic, name, args) {
                    // It is the application's to answer.
                    Incoming::Other => {
                        let json = joined(args).unwrap_or_else(Json::null);
                        let args = Box::new(WireData { json, attachments: owned(attachments) });
                        let (event, topic) = (name.clone().into_owned(), topic.clone().into_owned());
                        let ack_id = ack_id.map(|ack_id| self.ask(ack_id));
                        self.emit(Event::Wire { event, topic, args, ack_id });
                    }
                    incoming => {
                        self.on_incoming(now, incoming, args);
                        if let Some(ack_id) = ack_id {
                            self.connection.answer(*ack_id, &[], &[]);
                        }
                    }
                }
            }
            Delivered::Joined { topic, response } => {
                // What another user's topic says holds for them, not here (P6).
                let others = topic.strip_prefix("user:").is_some_and(|user| user != self.config.user_id);
                if let Some(response) = response.filter(|_| !others) {
                    let incoming = self.profile.joined(topic, response);
                    self.on_incoming(now, incoming, &[response]);
                }
            }
            Delivered::Presence(changes) => {
                for (user_id, online) in changes {
                    let told = Incoming::Presence { user_id: user_id.clone(), online: *online, at_ms: None };
                    self.on_incoming(now, told, &[]);
                }
            }
        }
    }

    pub(super) fn on_incoming(&mut self, now: Now, incoming: Incoming, args: &[&RawValue]) {
        match incoming {
            Incoming::Hello { user_id: Some(user_id), .. } if user_id != self.config.user_id => {
                // The queue is that of `userId`: with this token it would go out as somebody else's.
                self.connection.refuse_user(now, &mut self.timers);
            }
            Incoming::Hello { capabilities, .. } => {
                self.awaits_hello = true;
                self.on_hello(now, capabilities);
            }
            Incoming::Message(message) => self.on_message(now, message),
            Incoming::Status { message_id, conversation_id, user_id, status, through } => {
                // One's own receipt from another device says nothing of one's own ladder, but of what is unread.
                let mine = user_id.as_deref() == Some(self.config.user_id.as_str());
                let change = match status {
                    Status::Read if mine => Change::Read { tell: false },
                    _ if mine => return,
                    status => Change::Status { status, user_id },
                };
                if let (Some(room), Change::Status { user_id: Some(user), .. }, true) =
                    (&conversation_id, &change, through)
                {
                    self.timelines.read_before(room, &message_id, user);
                }
                self.timelines.target(conversation_id.as_deref(), &message_id, change);
            }
            Incoming::Updated(message) => {
                let id = message.id.clone();
                let conversation_id = Some(message.conversation_id.clone()).filter(|id| !id.is_empty());
                self.timelines.target(conversation_id.as_deref(), &id, edit_of(*message));
            }
            Incoming::Deleted { message_id, conversation_id } => {
                self.timelines.target(conversation_id.as_deref(), &message_id, deleted_at(now));
            }
            Incoming::Reaction { message_id, emoji, user_id, added } => {
                self.timelines.target(None, &message_id, Change::Reaction { emoji, user_id, added });
            }
            // It is said again while somebody types.
            Incoming::Typing { typing: true, .. } if self.timelines.is_strained() => {}
            Incoming::Typing { conversation_id: Some(conversation_id), user_id, typing } => {
                let mine = user_id == self.config.user_id;
                if !mine && self.people.on_typing(now, &mut self.timers, &conversation_id, &user_id, typing) {
                    self.emit(Event::Typing { conversation_id, user_id, typing });
                }
            }
            // Without a conversation it belongs to the open one (T4).
            Incoming::Typing { conversation_id: None, user_id, typing } => {
                if let Some(conversation_id) = self.timelines.open_conversation() {
                    let told = Incoming::Typing { conversation_id: Some(conversation_id), user_id, typing };
                    self.on_incoming(now, told, args);
                }
            }
            Incoming::Presence { user_id, online, at_ms } if self.timelines.is_strained() => {
                self.people.put_off(user_id, online, at_ms);
            }
            Incoming::Presence { user_id, online, at_ms } => self.on_presence(user_id, online, at_ms),
            Incoming::Conversation(told) => self.on_conversation(*told),
            Incoming::Joined { conversation_id, last_seq } => self.on_joined(&conversation_id, last_seq),
            Incoming::Malformed(message) => self.tell_malformed(message, args),
            #[cfg(feature = "json")]
            answered => self.on_answered(now, answered),
            #[cfg(not(feature = "json"))]
            Incoming::Other => {}
        }
    }

    fn tell_malformed(&mut self, message: String, args: &[&RawValue]) {
        let excerpt = args.first().map_or_else(String::new, |arg| wire::excerpt(arg.get()));
        self.emit(Event::ProtocolError { message, excerpt });
    }

    fn on_conversation(&mut self, mut told: ServerConversation) {
        self.complete(&mut told);
        self.take_conversation(&told);
        let cursor = self.timelines.log(&told.id).and_then(|log| log.cursor());
        if self.capabilities.cursor && told.last_seq > cursor && told.last_seq != Some(0) {
            self.sync.pull(&told.id);
        }
    }

    fn on_presence(&mut self, user_id: String, online: bool, at_ms: Option<i64>) {
        if self.people.on_presence(&user_id, online) {
            let last_seen_ms = at_ms.filter(|_| !online);
            self.emit(Event::Presence { user_id, online, last_seen_ms });
        }
    }

    /// Messages came first: who has come and gone meanwhile.
    pub(super) fn tell_put_off(&mut self) {
        if self.timelines.unsaved() > 0 && !self.storage.writing && !self.has_dirty() {
            // All that is applied was known.
            self.timelines.recount();
        }
        if !self.timelines.is_strained() {
            while let Some((user_id, online, at_ms)) = self.people.take_put_off() {
                self.on_presence(user_id, online, at_ms);
            }
        }
    }

    /// More has come than the store has taken: before that nothing is asked of the server.
    pub(super) fn must_catch_up(&self) -> bool {
        self.timelines.is_flooded() && (self.storage.writing || self.has_dirty())
    }

    /// What a conversation told on the socket leaves to its reader: whose role is mine, what a direct one is called.
    fn complete(&self, told: &mut ServerConversation) {
        let me = &self.config.user_id;
        if let Some(mine) = told.members.iter().find(|member| member.user_id == *me) {
            told.my_role = mine.role;
        }
        if told.kind == ConversationKind::Direct
            && told.title.is_empty()
            && let Some(other) = told.members.iter().find(|member| member.user_id != *me)
        {
            told.title.clone_from(&other.name);
        }
    }

    fn on_message(&mut self, now: Now, message: Box<ServerMessage>) {
        let conversation_id = message.conversation_id.clone();
        if self.rooms.get(&conversation_id).is_none() {
            // Nobody has told of this conversation: it is shown, and listed anew for its title and members.
            self.rooms.meet(&conversation_id);
            self.follow(&conversation_id, false);
            self.sync.relist();
        }
        if self.people.on_typing(now, &mut self.timers, &conversation_id, &message.sender_id, false) {
            let (conversation_id, user_id) = (conversation_id.clone(), message.sender_id.clone());
            self.emit(Event::Typing { conversation_id, user_id, typing: false });
        }
        if message.sender_id == self.config.user_id {
            if message.key.is_none() {
                return self.outbox.on_copy_without_key(now, message);
            }
            if self.divert_own_copy(&message) {
                return;
            }
        }
        if mutant::is(39) && self.sync.is_under_way(&conversation_id) {
            return;
        }
        self.timelines.push(&conversation_id, Op::Live(message));
    }

    /// An own message's copy that is an answer by another way. `true`: the outbox has taken it.
    pub(super) fn divert_own_copy(&mut self, message: &ServerMessage) -> bool {
        if message.sender_id != self.config.user_id {
            return false;
        }
        match &message.key {
            Some(_) if mutant::is(4) => false,
            Some(key) => self.outbox.on_copy(key, message),
            None => self.outbox.on_old_copy_without_key(message),
        }
    }

    fn on_ack(&mut self, now: Now, id: u64, status: Option<&str>, args: &[&RawValue], attachments: &[&[u8]]) {
        match self.acks.remove(&id) {
            Some(AckFor::Row(row)) => {
                let Some(key) = self.outbox.row(row).map(|row| row.record.key.clone()) else { return };
                let answer = self.profile.answer(&key, status, args);
                if let Answer::Malformed(what) = &answer {
                    self.tell_malformed(what.clone(), args);
                }
                let refused = matches!(answer, Answer::AuthRefused(_));
                self.outbox.on_answer(now, &mut self.rng, row, answer);
                if refused {
                    let (timers, rng) = (&mut self.timers, &mut self.rng);
                    self.connection.refuse_token(RefusedBy::Socket, now, timers, rng);
                } else {
                    self.connection.mark_token_good();
                }
            }
            Some(AckFor::Wire { command, .. }) => {
                self.on_wire_answer(command, status, args, attachments);
            }
            // A late answer, or one to nothing: says nothing new (E7).
            None => {}
        }
    }

    /// Online: told that we are here, then wait for a hello (D2): it says what the backend gives and for whom it takes
    /// us, and comes right behind CONNECT. A backend that was declared and has once said none is not waited for again.
    pub(super) fn on_online(&mut self, now: Now) {
        self.push_maybe(now, self.profile.presence(true));
        for held in self.connection.take_early() {
            if let Some(delivered) = held.delivered() {
                self.on_delivered(now, &delivered);
            }
        }
        if self.connection.state() != ConnectionState::Online {
            return;
        }
        let waiters = core::mem::take(&mut self.connect_waiters);
        for id in waiters {
            self.done(id, Outcome::Nothing);
        }
        if self.greeted || !self.awaits_hello {
            self.on_ready(now);
        } else {
            self.timers.set(Timer::Hello, now.mono_ms + HELLO_WAIT_MS);
        }
    }

    fn on_hello(&mut self, now: Now, mut patch: CapabilityPatch) {
        // What was learned of it before holds until it says otherwise.
        if cfg!(feature = "json") {
            patch.answers = patch.answers.or(self.hello.answers.filter(|_| patch.keys == Some(true)));
        }
        self.greeted = true;
        self.timers.clear(Timer::Hello);
        self.capabilities_dirty |= self.take_hello(patch);
        if self.connection.state() == ConnectionState::Online {
            self.on_ready(now);
        }
    }

    /// No hello came: the backend gives what its profile's row says, whatever it gave another time.
    pub(super) fn on_no_hello(&mut self, now: Now) {
        self.awaits_hello = self.config.capabilities.keys.is_none();
        self.on_hello(now, CapabilityPatch::default());
    }

    /// `true`: it is another than before.
    pub(super) fn take_hello(&mut self, patch: CapabilityPatch) -> bool {
        let news = patch != self.hello;
        if news {
            self.set_hello(patch);
            let guarantees = self.guarantees();
            self.emit(Event::Guarantees { guarantees });
        }
        news
    }

    pub(super) fn set_hello(&mut self, patch: CapabilityPatch) {
        self.capabilities = self.profile.capabilities();
        self.capabilities.apply(&patch);
        self.capabilities.apply(&self.config.capabilities);
        self.hello = patch;
        self.outbox.set_traits(traits_of(&self.capabilities));
        self.connection.set_max_payload(self.capabilities.max_payload);
    }

    fn on_ready(&mut self, now: Now) {
        if self.ready {
            self.relist_after_rejoin();
            // A hello that came late: what was looked for by pages is looked for after the cursor.
            if self.sync.set_cursor(self.capabilities.cursor) {
                self.sync.start(self.capabilities.cursor, &mut self.timers);
            }
            return;
        }
        self.ready = true;
        self.follow_all();
        self.join_wire_topics();
        self.sync.start(self.capabilities.cursor, &mut self.timers);
        self.outbox.open(now);
        self.flush_reads(now);
    }

    /// The socket is gone: nothing of it is awaited any longer.
    pub(super) fn on_lost(&mut self) {
        self.ready = false;
        self.greeted = false;
        self.telling = false;
        self.timers.clear(Timer::Hello);
        self.sync.stop(&mut self.timers);
        self.timelines.on_lost();
        self.http.remove_where(&|_, asked| matches!(asked.job, super::rest::HttpJob::Sync { .. }));
        let by_us = self.frozen || self.connection.state() == ConnectionState::Closed;
        self.outbox.on_lost(by_us);
        self.outbox.settle_all_held();
        for (_, waiting) in core::mem::take(&mut self.acks) {
            if let AckFor::Wire { command, held, .. } = *waiting {
                self.lose_wire(command, held.as_deref());
            }
        }
        self.questions.clear();
        self.forget_people();
        self.set_phase(Phase::Restored);
    }

    pub(super) fn forget_people(&mut self) {
        let (typing, online) = self.people.on_lost(&mut self.timers);
        for (conversation_id, user_id) in typing {
            self.emit(Event::Typing { conversation_id, user_id, typing: false });
        }
        for user_id in online {
            self.emit(Event::Presence { user_id, online: false, last_seen_ms: None });
        }
    }

    pub(super) fn set_phase(&mut self, phase: Phase) {
        if self.timelines.phase() != phase {
            self.timelines.set_phase(phase);
            if phase != Phase::Live {
                self.stop_waiting_for_leader();
            }
            self.rooms.touch_all();
            self.emit(Event::Phase { phase });
        }
    }

    pub(super) fn on_people_timers(&mut self, now: Now) {
        if self.timers.take_due(Timer::TypingStop, now.mono_ms)
            && let Some(conversation_id) = self.people.on_stop_timer(now, &mut self.timers)
        {
            self.push_typing(now, conversation_id, false);
        }
        if self.timers.take_due(Timer::TypingExpiry, now.mono_ms) {
            for (conversation_id, user_id) in self.people.on_expiry_timer(now, &mut self.timers) {
                self.emit(Event::Typing { conversation_id, user_id, typing: false });
            }
        }
    }
}

fn deleted_at(now: Now) -> Change {
    Change::Deleted { at_ms: i64::try_from(now.wall_ms).unwrap_or(i64::MAX) }
}

/// What a copy of an edited message says of it, which may be gone by then.
pub(super) fn edit_of(copy: ServerMessage) -> Change {
    match copy.deleted_at_ms {
        Some(at_ms) => Change::Deleted { at_ms },
        None => Change::Edited { text: copy.text, at_ms: copy.edited_at_ms },
    }
}
