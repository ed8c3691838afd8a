//! `fetch`: against the test page's own server and blobs of the page.

use chatwire::proto::{HttpRequest, HttpResult, Input, Secret};
use chatwire::web::http::Http;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{js, sink};

fn get(url: String) -> HttpRequest {
    HttpRequest { method: "GET", url, token: None, body: None, timeout_ms: 5_000 }
}

async fn answer(request: HttpRequest) -> HttpResult {
    let (sink, mut said) = sink();
    Http::new(sink).start(3, request);
    match said.next().await {
        Input::Http { id: 3, result } => result,
        other => panic!("no answer to 3: {other:?}"),
    }
}

fn url(code: &str) -> String {
    js(code).as_string().unwrap()
}

#[wasm_bindgen_test]
async fn status_and_text_come_back() {
    let result =
        answer(get(url("URL.createObjectURL(new Blob(['{\"text\":\"h\\u00e9\\ud83d\\ude00\"}']))"))).await;
    let HttpResult::Answered { status, body } = result else { panic!("{result:?}") };
    assert_eq!((status, body.as_str()), (200, "{\"text\":\"hé😀\"}"));

    let result = answer(get(url("location.origin + '/nothing-here'"))).await;
    assert!(matches!(result, HttpResult::Answered { status: 404, .. }), "{result:?}");
}

#[wasm_bindgen_test]
async fn nobody_there_is_a_failure_without_the_url() {
    let result = answer(get("http://127.0.0.1:9/secret".into())).await;
    assert!(matches!(&result, HttpResult::Failed { reason } if reason == "TypeError"), "{result:?}");
}

#[wasm_bindgen_test]
async fn an_answer_over_the_bound_is_refused() {
    let result = answer(get(url("URL.createObjectURL(new Blob([new Uint8Array(9 << 20)]))"))).await;
    assert!(matches!(&result, HttpResult::Failed { reason } if reason.contains("8388608")), "{result:?}");
}

#[wasm_bindgen_test]
async fn an_answer_that_never_ends_is_timed_out_and_the_request_is_as_asked() {
    js("globalThis.realFetch = fetch;
        globalThis.fetch = (url, options) => { globalThis.fetched = { url, ...options };
            return Promise.resolve(new Response(new ReadableStream({}))) }; 0");
    let request = HttpRequest {
        method: "POST",
        url: "https://chat.example.com/api/messages".into(),
        token: Some(Secret("t0ken".into())),
        body: Some("{}".into()),
        timeout_ms: 50,
    };
    let result = answer(request).await;
    js("globalThis.fetch = realFetch; 0");
    assert!(matches!(&result, HttpResult::Failed { reason } if reason.contains("50 ms")), "{result:?}");
    assert_eq!(js("fetched.signal.aborted"), true);
    let sent =
        js("[fetched.method, fetched.url, fetched.headers.Authorization, fetched.headers['Content-Type'],
        fetched.body, fetched.credentials].join(' ')");
    let expected = "POST https://chat.example.com/api/messages Bearer t0ken application/json {} omit";
    assert_eq!(sent.as_string().unwrap(), expected);
}

#[wasm_bindgen_test]
async fn abort_all_ends_what_runs_with_one_answer() {
    let (sink, mut said) = sink();
    let http = Http::new(sink);
    http.start(4, get(url("URL.createObjectURL(new Blob(['x']))")));
    http.abort_all();
    let told = said.next().await;
    assert!(
        matches!(&told, Input::Http { id: 4, result: HttpResult::Failed { reason } } if reason == "AbortError"),
        "{told:?}"
    );
    assert!(said.rest(50).await.is_empty());
}
