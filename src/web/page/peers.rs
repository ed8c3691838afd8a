//! The tabs of one database, as they hear each other on a `BroadcastChannel`: what has changed, what only the leader
//! knows, and where there are no Web Locks (plain origins, old browsers) who leads.
//!
//! Law: whoever wants to lead asks, and leads only if nobody answers; a leader answers every question and says when it
//! leads and when it goes. A tab that was answered follows, and asks again when the leader goes or after a while,
//! since it may have gone without a word. Should two lead all the same, the store stops the older one. Every post
//! names its protocol. What another version of the application posts is not read: it stands for a poke. But of the lead
//! all versions speak alike (ask, leads, takes, goes, runs, alive, yields), else two of them would rob each other by turns.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::select;
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

use crate::proto::{Changes, Errand, Input, Json, TabInput, Told};
use crate::web::db::packed;
use crate::web::timer::Delay;
use crate::web::{Sink, convert};

/// A leader answers within this, a busy one too.
const ANSWER_MS: u32 = 250;
/// A leader that has gone without a word is missed after this long.
const ASK_AGAIN_MS: u32 = 5_000;

/// The version of what is posted with it: a tab reads its own.
const PROTOCOL: u32 = 1;
const MAX_GENERATION: u64 = 1 << 53;
/// Events as JSON are posted at this length, whatever else is to come.
const POST_BYTES: usize = 1 << 18;

type OnMessage = Closure<dyn FnMut(MessageEvent)>;

pub(super) struct Peers {
    channel: Option<BroadcastChannel>,
    on_message: OnceCell<OnMessage>,
    /// Leads by the word of the others, without a lock.
    leads: Cell<bool>,
    answered: Cell<bool>,
    /// Counts the wishes to lead: an earlier one is not pursued any longer.
    wish: Cell<u32>,
    freed: RefCell<Option<oneshot::Sender<()>>>,
    /// Events to be told, as the inside of a JSON array, and by the leader of which generation.
    told: RefCell<(u64, String)>,
}

impl Peers {
    pub fn new(name: &str, sink: Sink) -> Rc<Self> {
        let peers = Rc::new(Self {
            channel: BroadcastChannel::new(name).ok(),
            on_message: OnceCell::new(),
            leads: Cell::new(false),
            answered: Cell::new(false),
            wish: Cell::new(0),
            freed: RefCell::default(),
            told: RefCell::default(),
        });
        if let Some(channel) = &peers.channel {
            let this = Rc::downgrade(&peers);
            let on_message = Closure::new(move |event: MessageEvent| {
                if let Some(peers) = this.upgrade() {
                    peers.on_message(&event.data(), &sink);
                }
            });
            channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
            // The first and only one.
            let _ = peers.on_message.set(on_message);
        }
        peers
    }

    fn on_message(&self, data: &JsValue, sink: &Sink) {
        let word = |name: &str| convert::get(data, name);
        let input = if word("ask") == 1 {
            if self.leads.get() {
                self.say("leads");
            }
            None
        } else if word("leads") == 1 {
            self.answered.set(true);
            None
        } else if word("takes") == 1 {
            self.answered.set(true);
            self.leads.take().then_some(TabInput::Deposed)
        } else if word("goes") == 1 {
            if let Some(freed) = self.freed.take() {
                // Nobody waits any longer where the wish was given up.
                let _ = freed.send(());
            }
            None
        } else if let Some(visible) = word("runs").as_bool() {
            Some(TabInput::Asked { visible })
        } else if word("alive") == 1 {
            Some(TabInput::Alive)
        } else if word("yields") == 1 {
            Some(TabInput::Yielded)
        } else if word("protocol") == PROTOCOL {
            versioned(data)
        } else {
            Some(TabInput::Poked)
        };
        if let Some(input) = input {
            sink(Input::Tab(input));
        }
    }

    pub fn say(&self, word: &str) {
        self.post(&[(word, &1.into())]);
    }

    /// What a transaction has changed; events that were gathered before go before it.
    pub fn change(&self, changes: &Changes) {
        self.tell();
        let (places, bytes) = packed::changes(changes);
        let bytes = js_sys::Uint8Array::from(bytes.as_slice());
        self.post(&[("changed", &places.into()), ("bytes", &bytes)]);
    }

    /// One event, to be told with the next post.
    pub fn gather(&self, generation: u64, event: &str) {
        let full = {
            let told = self.told.borrow();
            told.0 != generation || told.1.len() + event.len() > POST_BYTES
        };
        if full {
            self.tell();
        }
        let mut told = self.told.borrow_mut();
        let (of, events) = &mut *told;
        *of = generation;
        events.push(if events.is_empty() { '[' } else { ',' });
        events.push_str(event);
    }

    /// Posts the events gathered.
    pub fn tell(&self) {
        let (generation, mut events) = self.told.take();
        if !events.is_empty() {
            events.push(']');
            self.post(&[("told", &events.into()), ("generation", &(generation as f64).into())]);
        }
    }

    pub fn post(&self, fields: &[(&str, &JsValue)]) {
        if let Some(channel) = &self.channel {
            let post = convert::object(fields);
            convert::set(&post, "protocol", &PROTOCOL.into());
            let _ = channel.post_message(&post);
        }
    }

    /// Asks until this tab leads, or gives up.
    pub async fn seek_lead(self: Rc<Self>, sink: Sink) {
        let wish = self.wish.get();
        let mut follows = false;
        while self.channel.is_some() {
            self.answered.set(false);
            let (sender, freed) = oneshot::channel();
            self.freed.replace(Some(sender));
            self.say("ask");
            Delay::new(spread(ANSWER_MS)).await;
            if self.wish.get() != wish {
                return;
            }
            if !self.answered.get() {
                break;
            }
            if !core::mem::replace(&mut follows, true) {
                sink(Input::Tab(TabInput::Follows));
            }
            select(freed, Delay::new(spread(ASK_AGAIN_MS))).await;
            if self.wish.get() != wish {
                return;
            }
        }
        self.leads.set(true);
        self.say("leads");
        sink(Input::Tab(TabInput::Leads));
    }

    /// Nobody else is heard.
    pub fn is_deaf(&self) -> bool {
        self.channel.is_none()
    }

    /// Leads, whoever did before.
    pub fn take_lead(&self, sink: &Sink) {
        self.leads.set(true);
        self.say("takes");
        sink(Input::Tab(TabInput::Leads));
    }

    /// Gives the lead back, or the wish for it.
    pub fn release(&self) {
        self.wish.set(self.wish.get().wrapping_add(1));
        self.freed.take();
        if self.leads.take() {
            self.say("goes");
        }
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            channel.set_onmessage(None);
            channel.close();
        }
    }
}

/// Up to a quarter of a second more, so that two tabs that ask at once are not answered by silence at once.
fn spread(at_least_ms: u32) -> u32 {
    let random = convert::seed().ok().and_then(|seed| seed.first().copied());
    at_least_ms + u32::from(random.unwrap_or(0))
}

/// A post of this protocol, if it has the shape of one.
fn versioned(data: &JsValue) -> Option<TabInput> {
    let word = |name: &str| convert::get(data, name);
    let text = |name: &str| word(name).as_string();
    let count = |name: &str| word(name).as_f64().map(|number| number as u32);
    if word("poke") == 1 {
        return Some(TabInput::Poked);
    }
    if word("wiped") == 1 {
        return Some(TabInput::Wiped);
    }
    if word("hello") == 1 {
        return Some(TabInput::Hello);
    }
    if let Some(events) = text("told") {
        let number = word("generation").as_f64()?;
        let generation = number as u64;
        // One that JavaScript cannot count to is nobody's.
        let counted = generation < MAX_GENERATION && generation as f64 == number;
        return counted.then_some(TabInput::Told { generation, events: Told(events) });
    }
    if let Some(places) = text("changed") {
        let bytes = word("bytes").dyn_into::<js_sys::Uint8Array>().ok()?;
        // What cannot be read is read in the store.
        let changes = packed::read_changes(&places, &bytes.to_vec()).map(Box::new);
        return Some(changes.map_or(TabInput::Poked, TabInput::Changed));
    }
    if let Some(id) = count("errand") {
        return Some(TabInput::Errand(Box::new(Errand {
            from: text("from")?,
            id,
            event: text("event")?,
            topic: text("topic")?,
            payload: Json::parse(&text("payload")?)?,
            ack: word("ack") == true,
            timeout_ms: count("timeoutMs"),
        })));
    }
    if let Some(id) = count("errandDone") {
        return Some(TabInput::ErrandDone { to: text("to")?, id, event: Told(text("became")?) });
    }
    let conversation_id = text("conversationId")?;
    if let Some(message_id) = text("readId") {
        return Some(TabInput::Read { conversation_id, message_id });
    }
    if let Some(segment) = count("torn") {
        return Some(TabInput::Torn { conversation_id, segment });
    }
    if let Some(wish) = count("earlier") {
        return Some(TabInput::Earlier { conversation_id, wish });
    }
    if let Some(wish) = count("fetched") {
        return Some(TabInput::Fetched { conversation_id, wish });
    }
    if word("shows").as_f64().is_some() {
        return Some(TabInput::Shows { conversation_id });
    }
    let typing = word("typing").as_bool()?;
    Some(TabInput::Typing { conversation_id, typing })
}
