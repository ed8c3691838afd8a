//! From the options of `createChat` (API.md) to [`Config`].

use xxhash_rust::xxh64::xxh64;

use super::reader::{MAX_SHOWN_CHARS, Reader, Refused};
use super::url::{Url, UrlError, checked_path};
use super::{Config, Endpoint, Heartbeat, Limits, OutboxLimits, PageFacts, ProfileName, Reconnect};
use crate::proto::profile::CapabilityPatch;
use crate::proto::wire::json::{self, Kind, RawValue, kind};
use crate::proto::wire::socket_io::check_namespace;
use crate::proto::{ErrorCode, Failure, Secret};

/// `getToken`, as a function, does not cross into the core: `hasGetToken` stands for it. `wasm` is read before there
/// is a core.
const OPTIONS: &[&str] = &[
    "url",
    "profile",
    "userId",
    "token",
    "hasGetToken",
    "endpoint",
    "capabilities",
    "tokenIn",
    "allowInsecure",
    "limits",
    "timezone",
    "reconnect",
    "heartbeat",
    "outbox",
    "storage",
    "logLevel",
    "wasm",
];

const MINUTE_MS: u32 = 60_000;
const DAY_MS: u32 = 24 * 60 * MINUTE_MS;

/// Longer than any user id, and short enough for a key of the store.
const MAX_USER_ID_CHARS: usize = 256;

const URL_ALLOWED: &str = "an absolute URL of the scheme wss, https, ws or http";
const PLAIN_ALLOWED: &str = "wss or https (ws and http on localhost only, or with allowInsecure: true)";

pub(super) fn parse(options: &str, page: PageFacts) -> Result<Config, Failure> {
    let refused = Refused::default();
    let read = read(options, page, &refused);
    // What was put aside came before what ended the reading.
    match refused.into_inner() {
        Some(failure) => Err(failure),
        None => read,
    }
}

fn read(options: &str, page: PageFacts, refused: &Refused) -> Result<Config, Failure> {
    let options = json::parse(options, 0)
        .map_err(|_| Failure::new(ErrorCode::Config, "options: not something that JSON can hold"))?;
    let root = Reader::root(options, OPTIONS, refused)?;
    let profile = profile(&root)?;
    let user_id = user_id(&root)?;
    let static_token = token(&root)?;
    root.choice("tokenIn", &["auth"])?;
    root.text("timezone", 64)?;
    root.choice("logLevel", &["silent", "error", "warn", "info", "debug", "trace"])?;
    let persistent = root.choice("storage", &["indexeddb", "memory"])? != Some("memory");
    let (endpoint, place) = endpoint(&root)?;
    Ok(Config {
        database: database_name(&place, profile, &user_id),
        endpoint,
        profile,
        user_id,
        static_token,
        capabilities: capabilities(&root)?,
        limits: limits(&root)?,
        reconnect: reconnect(&root)?,
        heartbeat: heartbeat(&root)?,
        outbox: outbox(&root)?,
        persistent,
        page,
    })
}

fn profile(root: &Reader<'_>) -> Result<ProfileName, Failure> {
    match root.choice("profile", &["team"])? {
        Some(_) => Ok(ProfileName::Team),
        None => Err(root.wrong_as("profile", "nothing", "\"team\"")),
    }
}

fn user_id(root: &Reader<'_>) -> Result<String, Failure> {
    match root.get("userId") {
        // Some backends number their users (C6): the store and the timeline know them as text.
        Some(number) if json::int(number).is_some() => Ok(number.get().to_owned()),
        Some(text) if kind(text) == Kind::String => {
            Ok(root.text("userId", MAX_USER_ID_CHARS)?.unwrap_or_default().into_owned())
        }
        Some(other) => Err(root.wrong("userId", other, "a text of 1 to 256 characters or a whole number")),
        None => Err(root.wrong_as("userId", "nothing", "a text of 1 to 256 characters or a whole number")),
    }
}

/// A token's value never stands in a message.
fn token(root: &Reader<'_>) -> Result<Option<Secret>, Failure> {
    let asks = root.bool("hasGetToken") == Some(true);
    match root.get("token").map(|value| (value, root.string("token"))) {
        None if asks => Ok(None),
        None => Err(root.wrong_as("getToken", "nothing", "a function that gives a token, or token: a text")),
        Some(_) if asks => Err(root.wrong_as("token", "a token beside getToken", "one of them")),
        Some((_, Some(token))) if !token.is_empty() => Ok(Some(Secret(token.into_owned()))),
        Some((_, Some(_))) => Err(root.wrong_as("token", "an empty text", "a text that is not empty")),
        Some(_) => Err(root.wrong_as("token", "something else than a text", "a text that is not empty")),
    }
}

/// The endpoint, and what of it names the database: where the socket goes.
fn endpoint(root: &Reader<'_>) -> Result<(Endpoint, String), Failure> {
    let insecure = root.bool("allowInsecure") == Some(true);
    let Some(text) = root.string("url") else {
        let got = root.get("url").map_or("nothing", RawValue::get);
        return Err(root.wrong_as("url", got, URL_ALLOWED));
    };
    let base = read_url(root, "url", &text, insecure)?;

    let reader = root.object("endpoint", &["path", "namespace", "apiUrl"])?;
    let path = match reader.text("path", 1024)? {
        None => format!("{}/socket.io", base.path),
        Some(path) => match checked_path(&path) {
            Ok(path) => path.to_owned(),
            Err(_) => {
                let allowed = "a path from the root of the host that begins with a slash, without query";
                return Err(reader.wrong_as("path", "another text", allowed));
            }
        },
    };
    let namespace = reader.text("namespace", 256)?.unwrap_or("/".into());
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#');
    if check_namespace(&namespace).is_err() || namespace.contains(odd) {
        let allowed = "a text that begins with a slash, without comma, query or blank";
        return Err(reader.wrong_as("namespace", &quoted(&namespace), allowed));
    }
    let api_url = match reader.text("apiUrl", 2048)? {
        None => format!("{}{}/api", base.http_origin(), base.path),
        Some(path) if path.starts_with('/') && !path.starts_with("//") => match checked_path(&path) {
            Ok(path) => format!("{}{path}", base.http_origin()),
            Err(error) => return Err(url_refusal(&reader, "apiUrl", &path, error)),
        },
        Some(text) => {
            let api = read_url(&reader, "apiUrl", &text, insecure)?;
            format!("{}{}", api.http_origin(), api.path)
        }
    };
    let origin = base.socket_origin();
    let socket_url = format!("{origin}{path}/?EIO=4&transport=websocket");
    let place = format!("{origin}{path}\0{namespace}");
    Ok((Endpoint { socket_url, namespace: namespace.into_owned(), api_url }, place))
}

fn read_url(reader: &Reader<'_>, name: &str, text: &str, insecure: bool) -> Result<Url, Failure> {
    let url = Url::parse(text).map_err(|error| url_refusal(reader, name, text, error))?;
    if url.secure || url.local || insecure {
        Ok(url)
    } else {
        Err(reader.wrong_as(name, &quoted(text), PLAIN_ALLOWED))
    }
}

fn url_refusal(reader: &Reader<'_>, name: &str, text: &str, error: UrlError) -> Failure {
    match error {
        UrlError::Credentials => reader.wrong_as(name, "a URL with a user or password", "a URL without them"),
        UrlError::Query => reader.wrong_as(name, "a URL with a query or fragment", "a URL without them"),
        // Even an unreadable URL may hold a password or a token.
        _ if text.contains(['@', '?', '#']) => reader.wrong_as(name, "something that is no URL", URL_ALLOWED),
        UrlError::Scheme | UrlError::Host | UrlError::Path => {
            reader.wrong_as(name, &quoted(text), URL_ALLOWED)
        }
    }
}

/// A text as a refusal shows it.
fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(MAX_SHOWN_CHARS).collect();
    let cut = if shown.len() < text.len() { "…" } else { "" };
    format!("\"{shown}{cut}\"")
}

fn capabilities(root: &Reader<'_>) -> Result<CapabilityPatch, Failure> {
    let reader =
        root.object("capabilities", &["keys", "cursor", "orderedWindow", "receipts", "maxPayload"])?;
    Ok(CapabilityPatch {
        keys: reader.bool("keys"),
        cursor: reader.bool("cursor"),
        ordered_window: reader.bool("orderedWindow"),
        receipts: reader.bool("receipts"),
        max_payload: reader.number("maxPayload", 1, 1 << 40, ""),
    })
}

fn limits(root: &Reader<'_>) -> Result<Limits, Failure> {
    let names = [
        "maxTextLength",
        "maxFrameBytes",
        "maxConversations",
        "maxWindowRows",
        "sendsPerSecond",
        "sendBurst",
    ];
    let reader = root.object("limits", &names)?;
    Ok(Limits {
        max_text_length: reader.uint("maxTextLength", 1, 1_000_000, 10_000),
        max_frame_bytes: reader.uint("maxFrameBytes", 1_024, 256 << 20, 16 << 20),
        max_conversations: reader.uint("maxConversations", 1, 100_000, 5_000),
        max_window_rows: reader.uint("maxWindowRows", 50, 100_000, 2_000),
        sends_per_second: reader.uint("sendsPerSecond", 1, 10_000, 1_000),
        send_burst: reader.uint("sendBurst", 1, 10_000, 1_000),
    })
}

fn reconnect(root: &Reader<'_>) -> Result<Reconnect, Failure> {
    let names = ["baseDelayMs", "maxDelayMs", "maxAttempts", "connectTimeoutMs", "afterServerDisconnect"];
    let reader = root.object("reconnect", &names)?;
    let base_delay_ms = reader.uint("baseDelayMs", 1, 10 * MINUTE_MS, 1_000);
    let max_attempts = reader.number("maxAttempts", 1, 1_000, " or null");
    Ok(Reconnect {
        base_delay_ms,
        // A cap below the base would silently be another base.
        max_delay_ms: reader.uint("maxDelayMs", base_delay_ms, DAY_MS, 30_000.max(base_delay_ms)),
        max_attempts: max_attempts.and_then(|attempts| u32::try_from(attempts).ok()),
        connect_timeout_ms: reader.uint("connectTimeoutMs", 100, 10 * MINUTE_MS, 20_000),
        after_server_disconnect: reader.bool("afterServerDisconnect").unwrap_or(false),
    })
}

fn heartbeat(root: &Reader<'_>) -> Result<Heartbeat, Failure> {
    let reader = root.object("heartbeat", &["intervalMs", "timeoutMs"])?;
    Ok(Heartbeat {
        interval_ms: reader.uint("intervalMs", 1_000, DAY_MS, 30_000),
        timeout_ms: reader.uint("timeoutMs", 1_000, DAY_MS, 10_000),
    })
}

fn outbox(root: &Reader<'_>) -> Result<OutboxLimits, Failure> {
    let reader = root.object("outbox", &["maxQueued", "maxAttempts", "window", "ackTimeoutMs"])?;
    Ok(OutboxLimits {
        max_queued: reader.uint("maxQueued", 1, 100_000, 1_000),
        max_attempts: reader.uint("maxAttempts", 1, 100, 3),
        window: reader.uint("window", 1, 256, 8),
        ack_timeout_ms: reader.uint("ackTimeoutMs", 100, 10 * MINUTE_MS, 15_000),
    })
}

/// One database for each backend, profile and user (P7). 128 bits, so that nobody meets another's.
fn database_name(place: &str, profile: ProfileName, user_id: &str) -> String {
    let profile = match profile {
        ProfileName::Team => "team",
    };
    // No part can hold a NUL but the user id, which stands last.
    let identity = format!("{place}\0{profile}\0{user_id}");
    let half = |seed| xxh64(identity.as_bytes(), seed);
    format!("chatwire-{:016x}{:016x}", half(0), half(1))
}
