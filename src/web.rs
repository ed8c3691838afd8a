//! The browser half: a thin shell that carries out what the core asks and tells it what happened.
//!
//! Law: no policy here. Each part executes one kind of output, says each answer exactly once, never panics, and
//! leaves nothing behind (listener, timer, lock, socket) when the handle is freed. Only [`driver`] touches the core.
//!
//! Public for the browser tests in `tests/web.rs`; an application sees nothing of it but [`handle::ChatCore`].

pub mod command;
pub mod convert;
pub mod db;
pub mod driver;
pub mod handle;
pub mod http;
pub mod page;
pub mod socket;
pub mod timer;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;

use crate::proto::Input;

/// Where a part says what happened. It may be called at any time, also while an output is being executed.
pub type Sink = Rc<dyn Fn(Input)>;

/// Runs a future in microtasks. In a box of one type: the executor is code of its own for each type that it is given.
fn spawn(work: impl Future<Output = ()> + 'static) {
    let work: Pin<Box<dyn Future<Output = ()>>> = Box::pin(work);
    spawn_local(work);
}
