//! The one class that JavaScript sees. The package `chatwire` wraps it; its types are in `js/`.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::convert::{self, Hooks};
use super::driver::Driver;
use super::page;
use crate::proto::config::Config;
use crate::proto::{Command, ErrorCode, Failure};

/// One chat client. Everything thrown is an `Error` with `code` and `retryable`.
#[wasm_bindgen]
pub struct ChatCore {
    driver: Rc<Driver>,
}

#[wasm_bindgen]
impl ChatCore {
    /// `options`: those of `createChat` that JSON can hold. `hooks`: `{ onBatch(json: string): void,
    /// getToken(reason: string): Promise<string> }`; `onBatch` is never called before this returns.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue, hooks: JsValue) -> Result<ChatCore, JsValue> {
        let open = || {
            let hooks = Hooks::from_js(&hooks)?;
            let config = Config::parse(&convert::options_from_js(options)?, page::facts())?;
            Ok(ChatCore { driver: Driver::new(config, convert::seed()?, hooks) })
        };
        open().map_err(|failure| convert::failure_to_js(&failure))
    }

    /// One command as JSON (`{"send":{…}}`). Returns its id, which `Done` or `Refused` carries; never delivers a
    /// batch itself, so that the id is known first.
    pub fn command(&self, json: &str) -> Result<u32, JsValue> {
        let run = || self.driver.command(parse(json)?);
        run().map_err(|failure| convert::failure_to_js(&failure))
    }

    /// JSON for a bug report, without tokens and message bodies.
    pub fn diagnostics(&self) -> String {
        self.driver.diagnostics()
    }

    /// Lets go of the socket, the lock, timers and listeners at once; `free()` does so too. For an orderly end send
    /// the command `close` and wait for its `Done` first.
    pub fn shut(&self) {
        self.driver.shut();
    }
}

impl Drop for ChatCore {
    fn drop(&mut self) {
        self.driver.shut();
    }
}

/// Names the command and the place; quotes the parser only where it repeats names, never values.
fn parse(json: &str) -> Result<Command, Failure> {
    serde_json::from_str(json).map_err(|error| {
        let name = json.split('"').nth(1).unwrap_or("without a name");
        let text = error.to_string();
        let known = ["missing field", "unknown variant", "duplicate field"];
        let what = match known.iter().any(|start| text.starts_with(start)) {
            true => text,
            false => format!("not of its shape at column {}", error.column()),
        };
        let name: String = name.chars().take(40).collect();
        Failure::new(ErrorCode::Validation, format!("command `{name}`: {what}"))
    })
}
