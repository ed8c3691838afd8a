//! The one class that JavaScript sees. The package `chatwire` wraps it; its types are in `js/`.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::convert::{self, Hooks};
use super::driver::Driver;
use super::{command, page};
use crate::proto::config::Config;

/// One chat client. Everything thrown is an `Error` with `code` and `retryable`.
#[wasm_bindgen]
pub struct ChatCore {
    driver: Rc<Driver>,
}

#[wasm_bindgen]
impl ChatCore {
    /// `options`: those of `createChat` that JSON can hold. `hooks`: `{ onBatch(json: string): void,
    /// getToken(reason: string): Promise<string>, isAuthError?(code: string | undefined, message: string): boolean,
    /// send?(event: string, values: string): string | undefined }`; `onBatch` is never called before this returns; within
    /// the last two every command is refused.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue, hooks: JsValue) -> Result<ChatCore, JsValue> {
        let open = || {
            let hooks = Hooks::from_js(&hooks)?;
            let mut config = Config::parse(&convert::options_from_js(&options)?, page::facts())?;
            config.auth_judge = hooks.auth_judge();
            #[cfg(feature = "socket-io")]
            {
                config.rewrite = hooks.rewrite();
            }
            Ok(ChatCore { driver: Driver::new(config, convert::seed()?, hooks) })
        };
        open().map_err(|failure| convert::failure_to_js(&failure))
    }

    /// One command as JSON (`{"send":{…}}`). Returns its id, which `Done` or `Refused` carries; never delivers a
    /// batch itself, so that the id is known first.
    pub fn command(&self, json: &str) -> Result<u32, JsValue> {
        let run = || self.driver.command(command::parse(json)?);
        run().map_err(|failure| convert::failure_to_js(&failure))
    }

    /// Whether somebody listens to `message`; until it is said, somebody does. Else text messages are shown and not told,
    /// but for what other tabs are told of.
    pub fn hear(&self, messages: bool) {
        self.driver.hear(messages);
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
