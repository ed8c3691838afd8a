//! Every conversion between JavaScript values and the core's types.
//!
//! Law: bytes cross as one `Uint8Array`, events as one JSON string, and the few fields of an error one by one.
//! A message taken from an exception is its `name`: the text of others' exceptions may hold URLs, tokens, bodies. That
//! of a `ChatError` is written to be read.

use js_sys::{Array, Error, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::proto::config::AuthJudge;
#[cfg(feature = "socket-io")]
use crate::proto::config::Rewrite;
use crate::proto::text::concat;
use crate::proto::{ErrorCode, Failure, TokenReason};

/// What the application's side gives the core, as functions.
pub struct Hooks {
    on_batch: Function,
    get_token: Option<Function>,
    is_auth_error: Option<Function>,
    #[cfg(feature = "socket-io")]
    send: Option<Function>,
}

impl Hooks {
    /// Reads `{ onBatch, getToken, isAuthError, send }`; `getToken` may be missing where the token is a constant, the last two
    /// always.
    pub fn from_js(hooks: &JsValue) -> Result<Self, Failure> {
        let function = |name| get(hooks, name).dyn_into::<Function>().ok();
        let on_batch = function("onBatch").ok_or_else(|| {
            Failure::new(ErrorCode::Config, "hooks.onBatch is missing: a function that takes one JSON string")
        })?;
        Ok(Self {
            on_batch,
            get_token: function("getToken"),
            is_auth_error: function("isAuthError"),
            #[cfg(feature = "socket-io")]
            send: function("send"),
        })
    }

    /// The application's judgement of refusals. What it throws its side has reported: the core's own counts then.
    pub fn auth_judge(&self) -> Option<AuthJudge> {
        let judge = self.is_auth_error.clone()?;
        Some(AuthJudge(std::rc::Rc::new(move |code, message| {
            judge.call2(&JsValue::UNDEFINED, &code.into(), &message.into()).ok()?.as_bool()
        })))
    }

    /// The profile's own word on what goes out. What it throws its side has reported: nothing goes then.
    #[cfg(feature = "socket-io")]
    pub fn rewrite(&self) -> Option<Rewrite> {
        let send = self.send.clone()?;
        Some(Rewrite(std::rc::Rc::new(move |event, values| {
            send.call2(&JsValue::UNDEFINED, &event.into(), &values.into()).ok()?.as_string()
        })))
    }

    /// Hands over one batch. What it throws becomes an unhandled rejection: reported, and nobody's obstacle.
    pub fn deliver(&self, batch: &str) {
        if let Err(error) = self.on_batch.call1(&JsValue::UNDEFINED, &batch.into()) {
            let _reported = Promise::reject(&error);
        }
    }

    /// Asks for a token; what is not a promise counts as one that is kept.
    pub fn token(&self, reason: TokenReason) -> Result<Promise, String> {
        let get_token = self.get_token.as_ref().ok_or("neither token nor getToken is given")?;
        let reason = match reason {
            TokenReason::Connect => "connect",
            TokenReason::Refused => "refused",
            TokenReason::Expiring => "expiring",
        };
        match get_token.call1(&JsValue::UNDEFINED, &reason.into()) {
            Ok(value) => Ok(Promise::resolve(&value)),
            Err(error) => Err(token_refusal(&error)),
        }
    }
}

/// The options as JSON text, which the core reads as it reads frames: a second reader of values would cost 10 KB.
pub fn options_from_js(options: &JsValue) -> Result<String, Failure> {
    let text = js_sys::JSON::stringify(options).ok().and_then(|text| text.as_string());
    text.ok_or_else(|| Failure::new(ErrorCode::Config, "options must be a plain object that JSON can hold"))
}

/// A JavaScript `Error` with `code` and `retryable`.
pub fn failure_to_js(failure: &Failure) -> JsValue {
    let error = Error::new(&failure.message);
    set(&error, "code", &failure.code.name().into());
    set(&error, "retryable", &failure.retryable.into());
    error.into()
}

/// Why `getToken` gave no token: the message of a `ChatError`, of anything else the name.
pub fn token_refusal(error: &JsValue) -> String {
    let name = error_name(error);
    let told = if name == "ChatError" { get(error, "message").as_string() } else { None };
    told.unwrap_or_else(|| concat(&["it was rejected with ", &name]))
}

/// The `name` of an exception, such as `QuotaExceededError`.
pub fn error_name(error: &JsValue) -> String {
    get(error, "name").as_string().unwrap_or_else(|| "an exception".to_owned())
}

/// A property; undefined where there is none or `target` is no object.
pub fn get(target: &JsValue, name: &str) -> JsValue {
    Reflect::get(target, &name.into()).unwrap_or_default()
}

/// Sets a property of an object of our own making, which cannot fail.
pub fn set(target: &JsValue, name: &str, value: &JsValue) {
    let _ = Reflect::set(target, &name.into(), value);
}

/// A plain object.
pub fn object(fields: &[(&str, &JsValue)]) -> JsValue {
    let object = Object::new().into();
    for (name, value) in fields {
        set(&object, name, value);
    }
    object
}

/// A property of the global object, step by step: `["navigator", "locks"]`.
pub fn global(path: &[&str]) -> JsValue {
    path.iter().fold(js_sys::global().into(), |target, name| get(&target, name))
}

/// A list of strings.
pub fn strings<'a>(items: impl IntoIterator<Item = &'a str>) -> Array {
    items.into_iter().map(JsValue::from_str).collect()
}

/// 256 bits from the system (rule 13).
pub fn seed() -> Result<[u8; 32], Failure> {
    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(catch, js_namespace = crypto, js_name = getRandomValues)]
        fn get_random_values(array: &Uint8Array) -> Result<(), JsValue>;
    }
    let array = Uint8Array::new_with_length(32);
    get_random_values(&array)
        .map_err(|_| Failure::new(ErrorCode::Unsupported, "crypto.getRandomValues is missing"))?;
    let mut seed = [0; 32];
    array.copy_to(&mut seed);
    Ok(seed)
}
