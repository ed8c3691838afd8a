//! REST requests through `fetch`, with a time-out over the whole of it and a bound on the answer.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::{Either, select};
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, ReadableStreamDefaultReader, Response};

use super::timer::Delay;
use super::{Sink, convert};
use crate::proto::{HttpId, HttpRequest, HttpResult, Input};

/// No answer that the core understands is longer; a longer one is a mistake or an attack.
const MAX_ANSWER_BYTES: usize = 8 << 20;

#[wasm_bindgen]
extern "C" {
    fn fetch(url: &str, options: &JsValue) -> Promise;
}

/// The requests under way.
pub struct Http {
    sink: Sink,
    running: Rc<RefCell<Vec<(HttpId, AbortController)>>>,
}

impl Http {
    pub fn new(sink: Sink) -> Self {
        Self { sink, running: Rc::default() }
    }

    /// Starts a request; it is answered exactly once.
    pub fn start(&self, id: HttpId, request: HttpRequest) {
        let sink = self.sink.clone();
        let Ok(controller) = AbortController::new() else {
            sink(Input::Http { id, result: failed("AbortController is missing") });
            return;
        };
        self.running.borrow_mut().push((id, controller.clone()));
        let running = self.running.clone();
        spawn_local(async move {
            let work = Box::pin(answer(&request, &controller));
            let result = match select(work, Delay::new(request.timeout_ms)).await {
                Either::Left((Ok(result), _)) => result,
                Either::Left((Err(error), _)) => failed(&convert::error_name(&error)),
                Either::Right(_) => {
                    controller.abort();
                    failed(&format!("no answer within {} ms", request.timeout_ms))
                }
            };
            running.borrow_mut().retain(|(other, _)| *other != id);
            sink(Input::Http { id, result });
        });
    }

    /// Aborts everything: the instance ends.
    pub fn abort_all(&self) {
        let all = self.running.take();
        for (_, controller) in all {
            controller.abort();
        }
    }
}

fn failed(reason: &str) -> HttpResult {
    HttpResult::Failed { reason: reason.to_owned() }
}

async fn answer(request: &HttpRequest, controller: &AbortController) -> Result<HttpResult, JsValue> {
    let response: Response =
        JsFuture::from(fetch(&request.url, &options(request, controller))).await?.unchecked_into();
    let status = response.status();
    let mut body = Vec::new();
    if let Some(stream) = response.body() {
        let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
        loop {
            let part = JsFuture::from(reader.read()).await?;
            let Ok(chunk) = convert::get(&part, "value").dyn_into::<Uint8Array>() else { break };
            if body.len() + chunk.length() as usize > MAX_ANSWER_BYTES {
                controller.abort();
                return Ok(failed(&format!("the answer is longer than {MAX_ANSWER_BYTES} bytes")));
            }
            let start = body.len();
            body.resize(start + chunk.length() as usize, 0);
            if let Some(room) = body.get_mut(start..) {
                chunk.copy_to(room);
            }
        }
    }
    let body = String::from_utf8(body)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok(HttpResult::Answered { status, body })
}

/// The second argument of `fetch`. No cookies: the token is the only credential.
fn options(request: &HttpRequest, controller: &AbortController) -> JsValue {
    let headers = convert::object(&[("Accept", &"application/json".into())]);
    if let Some(token) = &request.token {
        convert::set(&headers, "Authorization", &format!("Bearer {}", token.0).into());
    }
    let options = convert::object(&[
        ("method", &request.method.into()),
        ("headers", &headers),
        ("credentials", &"omit".into()),
        ("cache", &"no-store".into()),
        ("signal", &controller.signal()),
    ]);
    if let Some(body) = &request.body {
        convert::set(&headers, "Content-Type", &"application/json".into());
        convert::set(&options, "body", &body.into());
    }
    options
}
