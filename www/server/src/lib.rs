//! The reference backend of chatwire: accounts, the wires `team` (WIRES.md T1 to T17, D1 to D6), `phoenix` (P1 to P10,
//! X1 to X12, D7), `companion` (C1 to C8, D8), `channels` (H1 to H7) and `assistant` (A1 to A14, D9), one SQLite file.
//!
//! Rooms: a wire reads requests and writes answers in its own words, on the engine of `socket_io` or of `websocket`;
//! `chat` is what one can do; `store` is the database with its one writing thread; `directory`, `live` and `presence`
//! know who must hear of what, `realm` which wires know a conversation; `script` runs the partners that are no people;
//! `faults` is the seam of the test switches. Another wire is another module beside `team`: README.md.

mod assistant;
mod auth;
mod channels;
mod chat;
mod clock;
mod companion;
mod config;
mod directory;
mod error;
mod faults;
mod form;
mod http;
mod ids;
mod limits;
mod listener;
mod live;
mod origins;
mod phoenix;
mod presence;
mod realm;
mod script;
mod server;
mod socket_io;
mod store;
mod team;
mod tokens;
mod websocket;
mod window;

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use config::{Config, Invocation, USAGE, from_args};
pub use error::{ApiError, Code};
pub use server::{Running, StartError, start};
pub use store::OpenError;

use directory::Directory;
use faults::Faults;
use limits::Limiter;
use live::Live;
use presence::Presence;
use script::Scripts;
use store::Store;
use tokens::Tokens;

/// What all requests share.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    pub(crate) live: Live,
    pub(crate) presence: Presence,
    pub(crate) websockets: websocket::Sockets,
    pub(crate) scripts: Scripts,
    pub(crate) consents: assistant::Consents,
    pub(crate) limiter: Mutex<Limiter>,
    pub(crate) tokens: Tokens,
    pub(crate) faults: Faults,
}

impl App {
    /// How browsers reach this server, without a slash at the end.
    pub(crate) fn public_url(&self) -> &str {
        self.config.public_url.as_deref().unwrap_or_default()
    }
}

/// A thread that failed while it held a lock left nothing half done here: the data is taken as it is.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
