//! REST requests through `fetch`, with a time-out over the whole of it and a bound on the answer.

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal};

use super::{Sink, spawn};
use crate::proto::{HttpId, HttpRequest, HttpResult, Input};

/// No answer that the core understands is longer; a longer one is a mistake or an attack.
const MAX_ANSWER_BYTES: u32 = 8 << 20;

#[wasm_bindgen(module = "/src/web/fetch.js")]
extern "C" {
    fn request(
        method: &str,
        url: &str,
        token: Option<&str>,
        body: Option<&str>,
        timeout_ms: u32,
        max_bytes: u32,
        all: &AbortSignal,
    ) -> js_sys::Promise;
}

/// The requests under way.
pub struct Http {
    sink: Sink,
    /// None in a browser so old that nothing could be aborted.
    all: Option<AbortController>,
}

impl Http {
    pub fn new(sink: Sink) -> Self {
        Self { sink, all: AbortController::new().ok() }
    }

    /// Starts a request; it is answered exactly once.
    pub fn start(&self, id: HttpId, wanted: HttpRequest) {
        let sink = self.sink.clone();
        let Some(all) = &self.all else {
            let reason = "AbortController is missing".to_owned();
            return sink(Input::Http { id, result: HttpResult::Failed { reason } });
        };
        let token = wanted.token.as_ref().map(|token| token.0.as_str());
        let body = wanted.body.as_deref();
        let asked = request(
            wanted.method,
            &wanted.url,
            token,
            body,
            wanted.timeout_ms,
            MAX_ANSWER_BYTES,
            &all.signal(),
        );
        spawn(async move {
            let result = match JsFuture::from(asked).await {
                Ok(answer) => {
                    let answer: js_sys::Array = answer.unchecked_into();
                    HttpResult::Answered {
                        status: answer.get(0).as_f64().unwrap_or(0.0) as u16,
                        body: answer.get(1).as_string().unwrap_or_default(),
                    }
                }
                Err(reason) => HttpResult::Failed { reason: reason.as_string().unwrap_or_default() },
            };
            sink(Input::Http { id, result });
        });
    }

    /// Aborts everything: the instance ends.
    pub fn abort_all(&self) {
        if let Some(all) = &self.all {
            all.abort();
        }
    }
}
