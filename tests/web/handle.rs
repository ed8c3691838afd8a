//! The class that JavaScript sees, over the real core, as the package uses it.

use std::rc::Rc;

use chatwire::web::handle::ChatCore;
use chatwire::web::timer::Delay;
use js_sys::Reflect;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{js, js_async, unique};

/// One core and what it told, under `chats[name]` of the page: `told` holds the batches, `events` what was in them.
struct Chat {
    core: Rc<ChatCore>,
    name: String,
}

impl Chat {
    fn open(name: &str, options: &str) -> Self {
        Self::try_open(name, options).unwrap_or_else(|error| panic!("{:?}", error))
    }

    fn try_open(name: &str, options: &str) -> Result<Self, JsValue> {
        let hooks = js(&format!(
            "globalThis.chats ??= {{}};
            chats['{name}'] = {{ told: [], events: [], asked: [], waiting: [],
                onBatch(json) {{
                    const batch = JSON.parse(json);
                    this.told.push({{ at: performance.now(), batch }});
                    this.events.push(...batch);
                    for (const wait of this.waiting.splice(0)) wait();
                    this.listener?.(batch);
                }},
                getToken(reason) {{ this.asked.push(reason); return Promise.reject(new TypeError('secret')) }},
                async find(test) {{
                    const end = performance.now() + 5000;
                    for (;;) {{
                        const found = this.events.find(test);
                        if (found) return found;
                        if (performance.now() > end) throw new Error('not told: ' + test + ' but ' + JSON.stringify(this.events));
                        await Promise.race([new Promise((next) => this.waiting.push(next)), new Promise((next) => setTimeout(next, 5000))]);
                    }}
                }} }};
            ({{ onBatch: (json) => chats['{name}'].onBatch(json), getToken: (reason) => chats['{name}'].getToken(reason) }})"
        ));
        let base = "url: 'http://localhost:9', profile: 'team', userId: 'ana', hasGetToken: true";
        let options = js(&format!("({{ {base}, {options} }})"));
        ChatCore::new(options, hooks).map(|core| Self { core: Rc::new(core), name: name.to_owned() })
    }

    fn command(&self, json: &str) -> u32 {
        self.core.command(json).unwrap_or_else(|error| panic!("{json}: {error:?}"))
    }

    /// Evaluates `code` with `chat` as this chat's record.
    async fn eval(&self, code: &str) -> JsValue {
        js_async(&format!("(async (chat) => ({code}))(chats['{}'])", self.name)).await
    }

    /// The value that this command ended with.
    async fn done(&self, json: &str) -> JsValue {
        let id = self.command(json);
        let told = self
            .eval(&format!("await chat.find((event) => event.id === {id} && event.type !== 'message')"))
            .await;
        assert_eq!(text(&told, "type"), "done", "{json}: {}", text(&told, "error"));
        get(&get(&told, "outcome"), "value")
    }
}

fn get(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &name.into()).unwrap_or_default()
}

fn text(value: &JsValue, name: &str) -> String {
    let value = get(value, name);
    value.as_string().unwrap_or_else(|| js_sys::JSON::stringify(&value).map(String::from).unwrap_or_default())
}

const MEMORY: &str = "storage: 'memory'";

#[wasm_bindgen_test]
fn wrong_options_throw_typed_errors() {
    let thrown = |options: &str, hooks: &str| {
        let error = ChatCore::new(js(options), js(hooks)).err().expect("it must throw");
        assert!(error.is_instance_of::<js_sys::Error>());
        assert_eq!(get(&error, "retryable"), false);
        (text(&error, "code"), text(&error, "message"))
    };
    let hooks = "({ onBatch() {}, getToken() {} })";
    let (code, message) = thrown("({ profile: 'team', userId: 'a', hasGetToken: true })", hooks);
    assert!(code == "config" && message.contains("url"), "{code}: {message}");
    let (code, message) =
        thrown("({ url: 'ftp://x', profile: 'team', userId: 'a', token: 's3cret' })", hooks);
    assert!(code == "config" && message.contains("url") && !message.contains("s3cret"), "{code}: {message}");
    assert_eq!(thrown("undefined", hooks).0, "config");
    assert_eq!(thrown("'text'", hooks).0, "config");
    let (code, message) =
        thrown("({ url: 'https://x.example', profile: 'team', userId: 'a', token: 's' })", "({})");
    assert!(code == "config" && message.contains("onBatch"), "{code}: {message}");
}

#[wasm_bindgen_test]
fn a_malformed_command_throws_validation() {
    let chat = Chat::open("malformed", MEMORY);
    let error = chat.core.command(r#"{"send":{"text":"secret"}}"#).expect_err("it must throw");
    assert_eq!((text(&error, "code").as_str(), get(&error, "retryable")), ("validation", false.into()));
    assert!(text(&error, "message").contains("`send`") && !text(&error, "message").contains("secret"));
}

#[wasm_bindgen_test]
async fn a_command_goes_round_in_memory_and_its_id_comes_first() {
    let chat = Chat::open("round", MEMORY);
    assert_eq!(chat.eval("chat.told.length").await, 0, "nothing is told before the constructor returned");
    let message = chat.done(r#"{"send":{"conversationId":"c1","text":"hello"}}"#).await;
    assert_eq!((text(&message, "text").as_str(), text(&message, "sender").as_str()), ("hello", "me"));
    assert_eq!(get(&message, "durable"), false, "memory is not durable");
    let rows = chat.done(r#"{"outbox":{}}"#).await;
    assert_eq!(get(&rows, "length"), 1);
    // Told in batches after the call that caused it, never within.
    let before = chat.eval("chat.told.length").await;
    chat.command(r#"{"outbox":{}}"#);
    assert_eq!(js(&format!("chats['{}'].told.length", chat.name)), before);
    assert!(chat.core.diagnostics().starts_with('{'));
}

#[wasm_bindgen_test]
async fn a_send_is_strictly_durable_and_is_there_after_a_restart() {
    let options = format!("userId: '{}'", unique("durable"));
    js("globalThis.seenStrict = [];
        globalThis.coreTransaction = IDBDatabase.prototype.transaction;
        IDBDatabase.prototype.transaction = function (...args) {
            const made = coreTransaction.apply(this, args);
            if (made.mode === 'readwrite' && made.objectStoreNames.contains('outbox')) seenStrict.push(made.durability);
            return made }; 0");
    let first = Chat::open("first", &options);
    let message = first.done(r#"{"send":{"conversationId":"c1","text":"kept"}}"#).await;
    js("IDBDatabase.prototype.transaction = coreTransaction; 0");
    assert_eq!(get(&message, "durable"), true);
    let seen = js("seenStrict.join()").as_string().unwrap();
    assert!(!seen.is_empty() && seen.split(',').all(|durability| durability == "strict"), "{seen}");

    drop(first);
    let second = Chat::open("second", &options);
    let rows = second.done(r#"{"outbox":{}}"#).await;
    assert_eq!(get(&rows, "length"), 1);
    let row = get(&rows, "0");
    assert_eq!((text(&row, "text"), get(&row, "key")), ("kept".to_owned(), get(&message, "key")));
}

#[wasm_bindgen_test]
async fn a_listener_may_give_commands_and_may_throw() {
    let chat = Chat::open("reentrant", MEMORY);
    let core = chat.core.clone();
    let command = Closure::<dyn FnMut(String) -> u32>::new(move |json: String| {
        core.command(&json).unwrap_or_else(|error| panic!("{error:?}"))
    });
    Reflect::set(&js("globalThis"), &"reentrantCommand".into(), command.as_ref()).unwrap();
    js("globalThis.rejected = [];
        addEventListener('unhandledrejection', (event) => { rejected.push(String(event.reason)); event.preventDefault() });
        const chat = chats.reentrant; chat.inner = [];
        chat.listener = (batch) => {
            if (chat.inner.length < 3 && batch.some((event) => event.type === 'done')) {
                chat.inner.push(reentrantCommand('{\"send\":{\"conversationId\":\"c1\",\"text\":\"within\"}}'));
                throw 'thrown by a listener';
            } }; 0");
    chat.done(r#"{"send":{"conversationId":"c1","text":"first"}}"#).await;
    chat.eval("await chat.find((event) => event.id === chat.inner[2] && event.type === 'done')").await;
    let rows = chat.done(r#"{"outbox":{}}"#).await;
    assert_eq!(get(&rows, "length"), 4);
    js("chats.reentrant.listener = undefined; 0");
    // Browsers report rejections in a task of their own, some time later.
    js_async("new Promise((next) => { const look = () => (rejected.length < 3 ? setTimeout(look) : next()); look() })")
        .await;
    assert_eq!(js("rejected.every((reason) => reason === 'thrown by a listener')"), true);
}

#[wasm_bindgen_test]
async fn what_is_not_the_end_of_a_command_comes_at_most_once_in_16_ms() {
    let chat = Chat::open("batches", MEMORY);
    // Once it wants a connection, each change of the page between offline and online is an event.
    chat.command(r#"{"connect":{}}"#);
    chat.eval("await chat.find((event) => event.type === 'connection')").await;
    js_async(
        "(async () => { chats.batches.told.length = 0;
            for (const end = performance.now() + 200; performance.now() < end;) {
                dispatchEvent(new Event('offline')); dispatchEvent(new Event('online'));
                await new Promise((next) => setTimeout(next)) } })()",
    )
    .await;
    Delay::new(50).await;
    let gaps = "chat.told.slice(1).map((told, i) => Math.floor(told.at) - Math.floor(chat.told[i].at))";
    let all = chat
        .eval(&format!("JSON.stringify([chat.told.length, chat.events.length, Math.min(...{gaps})])"))
        .await;
    let [batches, events, gap]: [f64; 3] = serde_json::from_str(&all.as_string().unwrap()).unwrap();
    assert!(batches >= 2.0 && events > batches, "{batches} batches of {events} events");
    assert!(gap >= 16.0, "two batches {gap} ms apart");
}

#[wasm_bindgen_test]
async fn a_token_that_cannot_be_had_is_told_without_what_the_application_threw() {
    let chat = Chat::open("token", MEMORY);
    chat.command(r#"{"connect":{}}"#);
    chat.eval("await chat.find((event) => JSON.stringify(event).includes('TypeError'))").await;
    assert_eq!(chat.eval("chat.asked[0]").await, "connect");
    assert_eq!(chat.eval("JSON.stringify(chat.events).includes('secret')").await, false);
}

#[wasm_bindgen_test]
async fn freed_it_leaves_nothing_behind() {
    let options = format!("userId: '{}'", unique("freed"));
    let locks = "navigator.locks.query().then((all) => [...all.held, ...all.pending].filter((lock) => lock.name.startsWith('chatwire:')).length)";
    let before = js_async(locks).await;
    let chat = Chat::open("freed", &options);
    chat.done(r#"{"outbox":{}}"#).await;
    assert_eq!(js_async(locks).await, before, "it is not to be connected");
    chat.command(r#"{"connect":{}}"#);
    chat.eval("await chat.find((event) => event.type === 'leader' && event.leader)").await;
    assert_eq!(js_async(locks).await.as_f64(), before.as_f64().map(|n| n + 1.0), "it holds its lock");
    js("chats.freed.told.length = 0");
    chat.command(r#"{"outbox":{}}"#);
    drop(chat);
    js("dispatchEvent(new Event('offline')); dispatchEvent(new Event('online'));");
    Delay::new(50).await;
    assert_eq!(js("chats.freed.told.length"), 0, "nothing is told any more");
    assert_eq!(js_async(locks).await, before, "the lock is free");
}

#[wasm_bindgen_test]
async fn it_may_be_freed_by_a_listener() {
    let chat = Chat::open("freed-within", MEMORY);
    chat.command(r#"{"outbox":{}}"#);
    let mut last = Some(chat.core);
    let free = Closure::<dyn FnMut()>::new(move || drop(last.take()));
    Reflect::set(&js("globalThis"), &"freeCore".into(), free.as_ref()).unwrap();
    js("chats['freed-within'].listener = () => freeCore(); 0");
    js_async("chats['freed-within'].find(() => true)").await;
    let told = js("chats['freed-within'].told.length");
    js("dispatchEvent(new Event('offline')); dispatchEvent(new Event('online'));");
    Delay::new(50).await;
    assert_eq!(js("chats['freed-within'].told.length"), told, "nothing is told any more");
}
