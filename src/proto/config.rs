//! Options and every limit, read from what the application passed.
//!
//! Law: a wrong option is refused at construction with the field, the value and what is allowed; nothing is
//! silently corrected. Every queue, cache and window of the core has its limit here.

use super::api::Secret;
use super::model::Failure;
use super::profile::CapabilityPatch;
#[cfg(feature = "socket-io")]
use super::profile::Spec;

#[cfg(feature = "socket-io")]
mod declaration;
mod numbers;
mod parse;
mod reader;
mod url;

#[cfg(test)]
mod tests;
#[cfg(test)]
#[cfg(feature = "socket-io")]
mod tests_of_declarations;

/// What an application makes of an event that goes out: given its name and the JSON array of its values, a JSON array of
/// the name and the payload that go instead; empty: as it is; `None`: it must not go. Pure as far as the core knows.
#[cfg(feature = "socket-io")]
#[derive(Clone)]
pub struct Rewrite(pub std::rc::Rc<RewriteFn>);

#[cfg(feature = "socket-io")]
type RewriteFn = dyn Fn(&str, &str) -> Option<String>;

#[cfg(feature = "socket-io")]
impl core::fmt::Debug for Rewrite {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Rewrite")
    }
}

/// Whether what the backend refused CONNECT with, its code and its words, means the token (D6); `None`: the core's own
/// judgement. Pure as far as the core knows.
#[derive(Clone)]
pub struct AuthJudge(pub std::rc::Rc<AuthJudgeFn>);

type AuthJudgeFn = dyn Fn(Option<&str>, &str) -> Option<bool>;

impl core::fmt::Debug for AuthJudge {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("AuthJudge")
    }
}

/// Everything that can be set, with its default.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the backend is, in the parts that the core needs (D1).
    pub endpoint: Endpoint,
    pub profile: ProfileName,
    /// The vocabulary, where it is declared.
    #[cfg(feature = "socket-io")]
    pub spec: Option<Box<Spec>>,
    /// What the application makes of what such a profile says.
    #[cfg(feature = "socket-io")]
    pub rewrite: Option<Rewrite>,
    pub user_id: String,
    /// The user's time zone by its IANA name (A3); empty where nobody has said it.
    #[cfg(feature = "json")]
    pub timezone: String,
    /// A token that never changes; refused once is `authError` at once (D6). `None`: `getToken` is asked.
    pub static_token: Option<Secret>,
    pub auth_judge: Option<AuthJudge>,
    pub capabilities: CapabilityPatch,
    pub limits: Limits,
    pub reconnect: Reconnect,
    pub heartbeat: Heartbeat,
    pub outbox: OutboxLimits,
    pub pages: Pages,
    pub history: History,
    /// False for `storage: 'memory'`.
    pub persistent: bool,
    /// Whether the browser is asked to keep the store where the disk runs full.
    pub persist: bool,
    /// A hash of backend, profile and user (P7).
    pub database: String,
    /// What the page was like at construction.
    pub page: PageFacts,
}

/// Built-in vocabularies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileName {
    #[cfg(feature = "socket-io")]
    Team,
    /// By [`Config::spec`], on Socket.IO and on the other framings.
    #[cfg(feature = "socket-io")]
    Declared,
    #[cfg(feature = "several")]
    DeclaredOverPhoenix,
    #[cfg(feature = "several")]
    DeclaredOverJson,
    #[cfg(feature = "phoenix")]
    Phoenix,
    /// For deployments that run it so (P12).
    #[cfg(all(feature = "phoenix", feature = "socket-io"))]
    PhoenixOverSocketIo,
    #[cfg(feature = "json")]
    Assistant,
}

/// How frames are made of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    #[cfg(feature = "socket-io")]
    SocketIo,
    #[cfg(feature = "phoenix")]
    Phoenix,
    #[cfg(feature = "json")]
    Json,
}

/// Where the token is presented on the socket (`tokenIn`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenIn {
    /// In CONNECT (E4).
    Auth,
    /// As a sub-protocol (X1, D9).
    Subprotocol,
    /// Before anything else is said (D9).
    FirstFrame,
    /// In the URL, where the application asks for that by name (X1, A2).
    Query,
}

/// Where to connect (D1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub framing: Framing,
    pub token_in: TokenIn,
    /// `wss://host/prefix/socket.io/?EIO=4&transport=websocket` (E1), `wss://host/prefix/websocket?vsn=2.0.0` (X12),
    /// `wss://host/prefix` without a query (A1).
    pub socket_url: String,
    /// The Socket.IO namespace, `/` by default; never taken from the URL's path.
    pub namespace: String,
    /// `https://host/prefix/api`, without a slash at the end.
    pub api_url: String,
}

/// Limits of single things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Characters of a message's text.
    pub max_text_length: u32,
    /// Bytes of a frame from the server.
    pub max_frame_bytes: u32,
    /// Conversations kept.
    pub max_conversations: u32,
    /// Rows of one window; `loadEarlier` beyond it is refused.
    pub max_window_rows: u32,
    /// Percent of the origin's storage from which on the oldest history is given up.
    pub max_storage_percent: u32,
    /// Sends a second, and how many may come at once (token bucket).
    pub sends_per_second: u32,
    pub send_burst: u32,
}

/// When to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconnect {
    pub base_delay_ms: u32,
    pub max_delay_ms: u32,
    pub jitter: Jitter,
    /// Attempts that fail in a row before `failed`; `None`: no limit.
    pub max_attempts: Option<u32>,
    /// Token, socket and handshake together.
    pub connect_timeout_ms: u32,
    /// Whether the server's DISCONNECT is answered by a reconnect (E8).
    pub after_server_disconnect: bool,
}

/// How delays are spread, so that a restarted server is not met by a herd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Anything up to the delay: where there are a base and a cap.
    Full,
    /// Within half of it, more or less: where a backend names its delays (C8, H3).
    Half,
}

/// When silence is death, where the framing does not say it itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    pub interval_ms: u32,
    pub timeout_ms: u32,
}

/// Limits of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxLimits {
    /// Messages queued or failed, in all.
    pub max_queued: u32,
    /// Answers of failure before `failed`; losses of the socket are not counted.
    pub max_attempts: u32,
    /// Sends in flight in one conversation where the backend keeps the order; else one.
    pub window: u32,
    pub ack_timeout_ms: u32,
}

/// Messages of one REST answer that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    /// From the newest, and before the oldest (T10).
    pub newest: u32,
    /// After a cursor.
    pub after: u32,
}

impl Default for Pages {
    fn default() -> Self {
        Self { newest: 50, after: 500 }
    }
}

/// How histories are cut into segments, and how much of them is in memory.
#[derive(Clone, Copy, Debug)]
pub struct History {
    /// Messages that have come and are not stored; beyond it the live stream is not taken in, and pulled later. A flood that a
    /// store of a few milliseconds a write keeps up with stays far below it.
    pub max_unsaved: u32,
    /// Rows of a full segment.
    pub segment_rows: u32,
    /// Segments in memory that no window shows; of them those that are full.
    pub max_loaded: u32,
    pub max_sealed: u32,
}

impl Default for History {
    fn default() -> Self {
        Self { max_unsaved: 4096, segment_rows: 100, max_loaded: 256, max_sealed: 32 }
    }
}

/// What the page says about itself at construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageFacts {
    /// `navigator.onLine`.
    pub online: bool,
    /// `document.visibilityState` is `visible`.
    pub visible: bool,
}

impl Config {
    /// Reads the options of `createChat` (API.md).
    ///
    /// # Errors
    /// Code `config`: names the field, the value (never a token) and what is allowed.
    pub fn parse(options: &str, page: PageFacts) -> Result<Self, Failure> {
        parse::parse(options, page)
    }
}
