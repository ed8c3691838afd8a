//! The page's events, the lock between tabs, and pokes.

use chatwire::proto::{Changes, Input, PageInput, RecordId, TabInput, TabOutput, Told};
use chatwire::web::page::Page;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Said, js, js_async, sink};

fn tab(database: &str) -> (Page, Said) {
    let (sink, said) = sink();
    (Page::new(sink, Some(database)), said)
}

async fn heard(said: &mut Said) -> TabInput {
    match said.next().await {
        Input::Tab(input) => input,
        other => panic!("nothing of tabs: {other:?}"),
    }
}

#[wasm_bindgen_test]
async fn one_tab_leads_the_next_follows_and_takes_over() {
    let ((first, mut first_said), (second, mut second_said)) = (tab("lead"), tab("lead"));
    first.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut first_said).await, TabInput::Leads);
    second.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut second_said).await, TabInput::Follows);
    first.execute(TabOutput::Release);
    assert_eq!(heard(&mut second_said).await, TabInput::Leads);
    // It may ask again, and a tab that is closed gives way without a word.
    first.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut first_said).await, TabInput::Follows);
    drop(second);
    assert_eq!(heard(&mut first_said).await, TabInput::Leads);
    assert!(second_said.rest(50).await.is_empty());
}

#[wasm_bindgen_test]
async fn one_that_asks_again_at_once_does_not_follow_itself() {
    let (page, mut said) = tab("again");
    for _ in 0..3 {
        page.execute(TabOutput::RequestLead);
        assert_eq!(heard(&mut said).await, TabInput::Leads);
        page.execute(TabOutput::Release);
    }
    page.execute(TabOutput::RequestLead);
    page.execute(TabOutput::Release);
    page.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut said).await, TabInput::Leads);
}

#[wasm_bindgen_test]
async fn a_stolen_lock_deposes() {
    let (page, mut said) = tab("stolen");
    page.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut said).await, TabInput::Leads);
    js_async("navigator.locks.request('chatwire:stolen', { steal: true }, () => {})").await;
    assert_eq!(heard(&mut said).await, TabInput::Deposed);
    page.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut said).await, TabInput::Leads);
}

#[wasm_bindgen_test]
async fn a_tab_that_follows_may_ask_the_leader_and_take_the_lead_from_it() {
    let ((first, mut first_said), (second, mut second_said)) = (tab("taken"), tab("taken"));
    first.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut first_said).await, TabInput::Leads);
    second.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut second_said).await, TabInput::Follows);
    second.execute(TabOutput::Ask { visible: true });
    assert_eq!(heard(&mut first_said).await, TabInput::Asked { visible: true });
    first.execute(TabOutput::Alive);
    assert_eq!(heard(&mut second_said).await, TabInput::Alive);
    first.execute(TabOutput::Yield);
    assert_eq!(heard(&mut second_said).await, TabInput::Yielded);
    second.execute(TabOutput::Steal);
    assert_eq!(heard(&mut first_said).await, TabInput::Deposed);
    assert_eq!(heard(&mut second_said).await, TabInput::Leads);
    first.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut first_said).await, TabInput::Follows);
    drop(second);
    assert_eq!(heard(&mut first_said).await, TabInput::Leads);
}

#[wasm_bindgen_test]
async fn without_locks_too_the_lead_is_taken_from_one_that_does_not_answer() {
    js("Object.defineProperty(navigator, 'locks', { configurable: true, value: undefined }); 0");
    let ((first, mut first_said), (second, mut second_said)) = (tab("robbed"), tab("robbed"));
    first.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut first_said).await, TabInput::Leads);
    second.execute(TabOutput::Steal);
    assert_eq!(heard(&mut second_said).await, TabInput::Leads);
    assert_eq!(heard(&mut first_said).await, TabInput::Deposed);
    first.execute(TabOutput::Release);
    first.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut first_said).await, TabInput::Follows);
    drop(first);
    drop(second);
    js("delete navigator.locks; 0");
}

#[wasm_bindgen_test]
async fn what_one_tab_posts_the_other_hears() {
    let ((first, _), (_second, mut said)) = (tab("posts"), tab("posts"));
    let changes = Changes {
        generation: 7,
        stamp: u64::MAX / 3,
        puts: vec![
            (RecordId::history("h/r"), None, vec![1, 2, 3]),
            (RecordId::outbox(9), Some(u64::MAX / 3 - 1), vec![4]),
        ],
        deletes: vec![(RecordId::outbox(8), Some(5)), (RecordId::meta("x"), None)],
    };
    let told = |text: &str| Told(text.to_owned());
    first.execute(TabOutput::Tell { generation: 7, event: told("{\"a\":1}") });
    first.execute(TabOutput::Tell { generation: 7, event: told("{\"b\":2}") });
    first.execute(TabOutput::Changed(Box::new(changes.clone())));
    let events = told("[{\"a\":1},{\"b\":2}]");
    assert_eq!(heard(&mut said).await, TabInput::Told { generation: 7, events });
    assert_eq!(heard(&mut said).await, TabInput::Changed(Box::new(changes)));
    first.execute(TabOutput::Hello);
    assert_eq!(heard(&mut said).await, TabInput::Hello);
    let conversation_id = "r".to_owned();
    first.execute(TabOutput::Typing { conversation_id: conversation_id.clone(), typing: true });
    assert_eq!(heard(&mut said).await, TabInput::Typing { conversation_id, typing: true });
    // Another version of the application, and one that says nonsense.
    js("globalThis.alien = new BroadcastChannel('chatwire:posts'); 0");
    for post in [
        "{ protocol: 2, changed: 1 }",
        "{ protocol: 2, wiped: 1 }",
        "{ wiped: 1 }",
        "{ conversationId: 'r', readId: 'm' }",
        "null",
        "7",
        "{ protocol: 1, changed: '[1,2', bytes: new Uint8Array(1) }",
    ] {
        js(&["alien.postMessage(", post, "); 0"].concat());
        assert_eq!(heard(&mut said).await, TabInput::Poked);
    }
    for post in [
        "{ protocol: 1 }",
        "{ protocol: 1, told: 3 }",
        "{ protocol: 1, told: '[]', generation: 1e300 }",
        "{ protocol: 1, told: '[]', generation: 1.5 }",
        "{ protocol: 1, told: '[]', generation: -1 }",
        "{ protocol: 1, changed: '[]', bytes: 1 }",
    ] {
        js(&["alien.postMessage(", post, "); 0"].concat());
    }
    assert!(said.rest(50).await.is_empty());
    // Of the lead all versions speak alike.
    js("alien.postMessage({ protocol: 2, alive: 1 }); 0");
    assert_eq!(heard(&mut said).await, TabInput::Alive);
    js("alien.close(); 0");
}

#[wasm_bindgen_test]
async fn one_that_gives_up_while_it_waits_hears_nothing_more() {
    let ((first, mut first_said), (second, mut second_said)) = (tab("waits"), tab("waits"));
    first.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut first_said).await, TabInput::Leads);
    second.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut second_said).await, TabInput::Follows);
    second.execute(TabOutput::Release);
    first.execute(TabOutput::Release);
    assert!(second_said.rest(50).await.is_empty());
    let free = js_async(
        "navigator.locks.query().then((all) => [...all.held, ...all.pending].every((lock) => lock.name !== 'chatwire:waits'))",
    );
    assert_eq!(free.await, true);
}

#[wasm_bindgen_test]
async fn without_locks_one_tab_leads_the_next_follows_and_takes_over() {
    js("Object.defineProperty(navigator, 'locks', { configurable: true, value: undefined }); 0");
    let ((first, mut first_said), (second, mut second_said)) = (tab("plain"), tab("plain"));
    first.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut first_said).await, TabInput::Leads);
    second.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut second_said).await, TabInput::Follows);
    first.execute(TabOutput::Release);
    assert_eq!(heard(&mut second_said).await, TabInput::Leads);
    first.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut first_said).await, TabInput::Follows);
    let read = || ("r".to_owned(), "m1".to_owned());
    let (conversation_id, message_id) = read();
    first.execute(TabOutput::Read { conversation_id, message_id });
    let (conversation_id, message_id) = read();
    assert_eq!(heard(&mut second_said).await, TabInput::Read { conversation_id, message_id });
    let (conversation_id, segment) = ("r".to_owned(), u32::MAX);
    first.execute(TabOutput::Torn { conversation_id, segment });
    let conversation_id = "r".to_owned();
    assert_eq!(heard(&mut second_said).await, TabInput::Torn { conversation_id, segment });
    drop(second);
    assert_eq!(heard(&mut first_said).await, TabInput::Leads);
    drop(first);
    js("delete navigator.locks; 0");
}

#[wasm_bindgen_test]
async fn where_the_lock_cannot_be_asked_for_the_lead_is_sought_without_it() {
    js("navigator.locks.request = () => Promise.reject(new DOMException('no', 'InvalidStateError')); 0");
    let (page, mut said) = tab("refused");
    page.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut said).await, TabInput::Leads);
    js("delete navigator.locks.request; 0");
}

#[wasm_bindgen_test]
async fn without_locks_or_alone_a_tab_leads_by_itself() {
    js("Object.defineProperty(navigator, 'locks', { configurable: true, value: undefined }); 0");
    let (page, mut said) = tab("old");
    page.execute(TabOutput::RequestLead);
    js("delete navigator.locks; 0");
    assert_eq!(heard(&mut said).await, TabInput::Leads);

    let (sink, mut said) = sink();
    let alone = Page::new(sink, None);
    alone.execute(TabOutput::RequestLead);
    assert_eq!(heard(&mut said).await, TabInput::Leads);
    alone.execute(TabOutput::Poke);
    alone.execute(TabOutput::Release);
}

#[wasm_bindgen_test]
async fn a_poke_reaches_the_other_tabs_of_the_same_database() {
    let ((first, mut first_said), (_second, mut second_said)) = (tab("poke"), tab("poke"));
    let (_stranger, mut stranger_said) = tab("other");
    first.execute(TabOutput::Poke);
    assert_eq!(heard(&mut second_said).await, TabInput::Poked);
    first.execute(TabOutput::Wiped);
    assert_eq!(heard(&mut second_said).await, TabInput::Wiped);
    assert!(first_said.rest(50).await.is_empty() && stranger_said.rest(50).await.is_empty());
}

#[wasm_bindgen_test]
async fn the_pages_events_are_told_until_it_is_dropped() {
    let (sink, mut said) = sink();
    let page = Page::new(sink, None);
    let events = "dispatchEvent(new Event('offline')); dispatchEvent(new Event('online'));
        dispatchEvent(new PageTransitionEvent('pagehide', { persisted: false }));
        dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
        dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
        document.dispatchEvent(new Event('freeze')); document.dispatchEvent(new Event('resume'));
        Object.defineProperty(document, 'hidden', { configurable: true, value: true });
        document.dispatchEvent(new Event('visibilitychange'));
        delete document.hidden;
        document.dispatchEvent(new Event('visibilitychange')); 0";
    js(events);
    let told: Vec<PageInput> = said
        .rest(50)
        .await
        .into_iter()
        .map(|input| match input {
            Input::Page(input) => input,
            other => panic!("nothing of the page: {other:?}"),
        })
        .collect();
    use PageInput::{Frozen, Hidden, Offline, Online, Resumed, Visible};
    assert_eq!(told, [Offline, Online, Frozen, Resumed, Frozen, Resumed, Hidden, Visible]);
    drop(page);
    js(events);
    assert!(said.rest(50).await.is_empty());
}
