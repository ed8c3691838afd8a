//! What the page does, and what other tabs mean for this one.
//!
//! Law: the lock is held until `Release`; whoever loses it otherwise hears `Deposed`. Pokes are hints and may be
//! lost. All listeners go when this is dropped.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, EventTarget};

use super::{Sink, convert, spawn};
use crate::proto::config::PageFacts;
use crate::proto::{Errand, Input, PageInput, TabInput, TabOutput};

mod peers;

use crate::proto::text::concat;
use peers::Peers;

#[wasm_bindgen]
extern "C" {
    type PageEvent;
    #[wasm_bindgen(method, getter, js_name = type)]
    fn kind(this: &PageEvent) -> String;
    #[wasm_bindgen(method, getter)]
    fn persisted(this: &PageEvent) -> Option<bool>;

    type LockManager;
    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &JsValue,
        callback: &Closure<dyn FnMut(JsValue) -> JsValue>,
    ) -> Result<Promise, JsValue>;
}

/// Events of the global object, and of the document where there is one (a worker has none).
const GLOBAL_EVENTS: [&str; 4] = ["online", "offline", "pagehide", "pageshow"];
const DOCUMENT_EVENTS: [&str; 3] = ["visibilitychange", "freeze", "resume"];

/// The page and the tabs beside it.
pub struct Page {
    sink: Sink,
    listener: Closure<dyn FnMut(PageEvent)>,
    targets: Vec<(EventTarget, &'static str)>,
    /// None where only memory is left, by configuration or by the browser: there every tab is on its own.
    tabs: Option<Tabs>,
}

struct Tabs {
    name: String,
    peers: Rc<Peers>,
    claim: RefCell<Option<Rc<Claim>>>,
    /// The last claim that was given back: its lock is free once this has settled.
    leaving: RefCell<Option<Promise>>,
}

/// One wish for the lock: it waits, or holds until `let_go` is called.
struct Claim {
    hold: Promise,
    let_go: Function,
    waiting: AbortController,
    granted: Cell<bool>,
    /// What the browser was asked last.
    asked: RefCell<Option<Promise>>,
}

impl Page {
    /// Begins to listen. `database` names the lock and the channel; `None`: no other tab shares anything.
    pub fn new(sink: Sink, database: Option<&str>) -> Self {
        let events = sink.clone();
        let listener = Closure::new(move |event: PageEvent| {
            if let Some(input) = page_input(&event) {
                events(Input::Page(input));
            }
        });
        let mut targets = Vec::new();
        let mut listen = |target: JsValue, names: &[&'static str]| {
            // Not asked of its class: what plays a browser in Node (Vitest's jsdom) is no `EventTarget` by that.
            if convert::get(&target, "addEventListener").is_function() {
                let target: EventTarget = target.unchecked_into();
                for name in names {
                    let _ = target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
                    targets.push((target.clone(), *name));
                }
            }
        };
        listen(js_sys::global().into(), &GLOBAL_EVENTS);
        listen(convert::global(&["document"]), &DOCUMENT_EVENTS);
        let tabs = database.map(|database| {
            let name = concat(&["chatwire:", database]);
            Tabs {
                peers: Peers::new(&name, sink.clone()),
                name,
                claim: RefCell::default(),
                leaving: RefCell::default(),
            }
        });
        Self { sink, listener, targets, tabs }
    }

    /// The same page without the others; lock and channel go when this one is dropped.
    pub fn alone(&self) -> Self {
        Self::new(self.sink.clone(), None)
    }

    pub fn execute(&self, output: TabOutput) {
        match (output, &self.tabs) {
            (TabOutput::RequestLead, Some(tabs)) => tabs.request_lead(&self.sink),
            (TabOutput::RequestLead, None) => (self.sink)(Input::Tab(TabInput::Leads)),
            (TabOutput::Steal, Some(tabs)) => tabs.take_lead(&self.sink),
            // Nobody can be asked: whoever holds the lock is taken to run.
            (TabOutput::Ask { .. }, Some(tabs)) if tabs.peers.is_deaf() => {
                (self.sink)(Input::Tab(TabInput::Alive));
            }
            (TabOutput::Ask { visible }, Some(tabs)) => tabs.peers.post(&[("runs", &visible.into())]),
            (TabOutput::Alive, Some(tabs)) => tabs.peers.say("alive"),
            (TabOutput::Yield, Some(tabs)) => tabs.peers.say("yields"),
            (TabOutput::Release, Some(tabs)) => tabs.release(),
            (TabOutput::Poke, Some(tabs)) => tabs.peers.say("poke"),
            (TabOutput::Wiped, Some(tabs)) => tabs.peers.say("wiped"),
            (TabOutput::Read { conversation_id, message_id }, Some(tabs)) => {
                let (conversation_id, message_id) = (conversation_id.into(), message_id.into());
                tabs.peers.post(&[("conversationId", &conversation_id), ("readId", &message_id)]);
            }
            (TabOutput::Torn { conversation_id, segment }, Some(tabs)) => {
                tabs.peers.post(&[("conversationId", &conversation_id.into()), ("torn", &segment.into())]);
            }
            (TabOutput::Earlier { conversation_id, wish }, Some(tabs)) => {
                tabs.peers.post(&[("conversationId", &conversation_id.into()), ("earlier", &wish.into())]);
            }
            (TabOutput::Fetched { conversation_id, wish }, Some(tabs)) => {
                tabs.peers.post(&[("conversationId", &conversation_id.into()), ("fetched", &wish.into())]);
            }
            (TabOutput::Shows { conversation_id }, Some(tabs)) => {
                tabs.peers.post(&[("conversationId", &conversation_id.into()), ("shows", &1.into())]);
            }
            (TabOutput::Changed(changes), Some(tabs)) => tabs.peers.change(&changes),
            (TabOutput::Hello, Some(tabs)) => tabs.peers.post(&[("hello", &1.into())]),
            (TabOutput::Typing { conversation_id, typing }, Some(tabs)) => {
                let conversation_id = conversation_id.into();
                tabs.peers.post(&[("conversationId", &conversation_id), ("typing", &typing.into())]);
            }
            (TabOutput::Errand(errand), Some(tabs)) => {
                let Errand { from, id, event, topic, payload, ack, timeout_ms } = *errand;
                tabs.peers.post(&[
                    ("errand", &id.into()),
                    ("from", &from.into()),
                    ("event", &event.into()),
                    ("topic", &topic.into()),
                    ("payload", &payload.text().into()),
                    ("ack", &ack.into()),
                    ("timeoutMs", &timeout_ms.into()),
                ]);
            }
            (TabOutput::ErrandDone { to, id, event }, Some(tabs)) => {
                tabs.peers.post(&[
                    ("errandDone", &id.into()),
                    ("to", &to.into()),
                    ("became", &event.0.into()),
                ]);
            }
            (TabOutput::Tell { generation, event }, Some(tabs)) => tabs.peers.gather(generation, &event.0),
            (TabOutput::Alone, Some(_)) | (_, None) => {}
        }
    }

    /// Posts what has been gathered for the other tabs.
    pub fn tell(&self) {
        if let Some(tabs) = &self.tabs {
            tabs.peers.tell();
        }
    }
}

/// What the page is at construction; a worker is online and visible unless it says otherwise.
pub fn facts() -> PageFacts {
    PageFacts {
        online: convert::global(&["navigator", "onLine"]) != false,
        visible: convert::global(&["document", "hidden"]) != true,
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        for (target, name) in &self.targets {
            let _ = target.remove_event_listener_with_callback(name, self.listener.as_ref().unchecked_ref());
        }
        if let Some(tabs) = &self.tabs {
            tabs.release();
        }
    }
}

fn page_input(event: &PageEvent) -> Option<PageInput> {
    match event.kind().as_str() {
        "online" => Some(PageInput::Online),
        "offline" => Some(PageInput::Offline),
        "visibilitychange" if convert::global(&["document", "hidden"]) == true => Some(PageInput::Hidden),
        "visibilitychange" => Some(PageInput::Visible),
        "freeze" => Some(PageInput::Frozen),
        "resume" => Some(PageInput::Resumed),
        // Persisted: into the back/forward cache and out of it. Otherwise the page ends, or begins.
        "pagehide" if event.persisted() == Some(true) => Some(PageInput::Frozen),
        "pageshow" if event.persisted() == Some(true) => Some(PageInput::Resumed),
        _ => None,
    }
}

impl Tabs {
    fn request_lead(&self, sink: &Sink) {
        self.claim_lead(sink, false);
    }

    /// Takes the lock from its holder, whose own request then ends as stolen.
    fn take_lead(&self, sink: &Sink) {
        self.claim_lead(sink, true);
    }

    fn claim_lead(&self, sink: &Sink, steals: bool) {
        self.release();
        let locks = convert::global(&["navigator", "locks"]);
        let peers = self.peers.clone();
        if peers.is_deaf() {
            sink(Input::Tab(TabInput::Deaf));
        }
        // Old browsers and plain origins have no Web Locks.
        let (false, Some(claim)) = (locks.is_undefined(), Claim::new()) else {
            return match steals {
                true => peers.take_lead(sink),
                false => spawn(peers.seek_lead(sink.clone())),
            };
        };
        let claim = Rc::new(claim);
        self.claim.replace(Some(claim.clone()));
        let (leaving, name, sink) = (self.leaving.borrow().clone(), self.name.clone(), sink.clone());
        spawn(async move {
            // Else this tab would be told to follow itself.
            if let Some(leaving) = leaving {
                let _ = JsFuture::from(leaving).await;
            }
            claim.run(locks.unchecked_into(), name, peers, sink, steals).await;
        });
    }

    fn release(&self) {
        if let Some(claim) = self.claim.take() {
            claim.waiting.abort();
            let _ = claim.let_go.call0(&JsValue::UNDEFINED);
            if let Some(asked) = claim.asked.take() {
                self.leaving.replace(Some(asked));
            }
        }
        self.peers.release();
    }
}

impl Claim {
    fn new() -> Option<Self> {
        let mut let_go = None;
        let hold = Promise::new(&mut |resolve, _| let_go = Some(resolve));
        let waiting = AbortController::new().ok()?;
        Some(Self { hold, let_go: let_go?, waiting, granted: Cell::default(), asked: RefCell::default() })
    }

    fn released(&self) -> bool {
        self.waiting.signal().aborted()
    }

    /// Asks without waiting first, so that a tab learns at once that another leads; then waits in the queue.
    /// `steals`: takes it from whoever holds it.
    async fn run(
        self: Rc<Self>,
        locks: LockManager,
        name: String,
        peers: Rc<Peers>,
        sink: Sink,
        steals: bool,
    ) {
        let say = |input| {
            if !self.released() {
                sink(Input::Tab(input));
            }
        };
        let (claim, granted) = (self.clone(), sink.clone());
        let callback: Closure<dyn FnMut(JsValue) -> JsValue> = Closure::new(move |lock: JsValue| {
            if lock.is_null() || claim.released() {
                return JsValue::NULL;
            }
            claim.granted.set(true);
            granted(Input::Tab(TabInput::Leads));
            claim.hold.clone().into()
        });
        let now = convert::object(&[(if steals { "steal" } else { "ifAvailable" }, &true.into())]);
        if self.released() {
            return;
        }
        let mut settled = self.ask(&locks, &name, &now, &callback).await;
        if matches!(&settled, Ok(value) if value.is_null()) && !self.released() {
            say(TabInput::Follows);
            let later = convert::object(&[("signal", &self.waiting.signal())]);
            settled = self.ask(&locks, &name, &later, &callback).await;
        }
        match settled {
            // Released by this tab.
            Ok(_) => {}
            // Stolen by another tab.
            Err(_) if self.granted.get() => say(TabInput::Deposed),
            // Locks are refused, for good (a sandboxed frame) or this time: whoever never led cannot be deposed.
            Err(_) => {
                if !self.released() {
                    peers.seek_lead(sink.clone()).await;
                }
            }
        }
    }

    async fn ask(
        &self,
        locks: &LockManager,
        name: &str,
        options: &JsValue,
        callback: &Closure<dyn FnMut(JsValue) -> JsValue>,
    ) -> Result<JsValue, JsValue> {
        let asked = locks.request(name, options, callback)?;
        self.asked.replace(Some(asked.clone()));
        JsFuture::from(asked).await
    }
}
