//! From the options of `createChat` (API.md) to [`Config`].

use std::borrow::Cow;

use xxhash_rust::xxh64::xxh64;

use super::numbers::{heartbeat, limits, outbox, reconnect};
use super::reader::{Reader, Refused, shortened};
use super::url::{Url, UrlError, checked_path};
use super::{Config, Endpoint, Framing, PageFacts, ProfileName, TokenIn};
use crate::proto::profile::CapabilityPatch;
use crate::proto::text::{concat, holds, join};
#[cfg(feature = "several")]
use crate::proto::wire::json::Object;
use crate::proto::wire::json::{self, Kind, RawValue, kind};
use crate::proto::wire::socket_io::check_namespace;
use crate::proto::{ErrorCode, Failure, Secret};

/// As an application knows them. `getToken` and `isAuthError`, as functions, do not cross into the core: `hasGetToken` stands
/// for the first. `wasm` is read before there is a core.
const OPTIONS: &[&str] = &[
    "url",
    "profile",
    "framing",
    "userId",
    "getToken",
    "token",
    "isAuthError",
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
    "persist",
    "logLevel",
    "wasm",
];

/// Longer than any user id, and short enough for a key of the store.
const MAX_USER_ID_CHARS: usize = 256;

const URL_ALLOWED: &str = "an absolute URL of the scheme wss, https, ws or http";
const PLAIN_ALLOWED: &str = "wss or https (ws and http on localhost only, or with allowInsecure: true)";

pub(super) fn parse(options: &str, page: PageFacts) -> Result<Config, Failure> {
    let options = json::parse(options, 0)
        .map_err(|_| Failure::new(ErrorCode::Config, "options: not something that JSON can hold"))?;
    let refused = Refused::default();
    let config = read(&Reader::root(options, OPTIONS, &refused), page);
    match refused.into_inner() {
        Some(failure) => Err(failure),
        None => Ok(config),
    }
}

/// What stands for a refused option means nothing: the configuration is thrown away.
fn read(root: &Reader<'_>, page: PageFacts) -> Config {
    let (profile, name) = profile(root);
    #[cfg(feature = "socket-io")]
    let declaration = super::declaration::of(root, name);
    #[cfg(feature = "socket-io")]
    let (name, standard) = (&*declaration.name, &declaration.reconnect);
    #[cfg(not(feature = "socket-io"))]
    let standard = &super::numbers::RECONNECT;
    let user_id = user_id(root);
    let static_token = token(root);
    let _timezone = root.text("timezone", 64);
    root.choice("logLevel", &["silent", "error", "warn", "info", "debug", "trace"]);
    let persistent = root.choice("storage", &["indexeddb", "memory"]) != Some("memory");
    let (endpoint, place) = endpoint(root, profile);
    Config {
        database: database_name(&place, name, &user_id),
        endpoint,
        profile,
        #[cfg(feature = "socket-io")]
        spec: declaration.spec,
        #[cfg(feature = "socket-io")]
        rewrite: None,
        auth_judge: None,
        user_id,
        #[cfg(feature = "json")]
        timezone: _timezone.unwrap_or_default().into_owned(),
        static_token,
        capabilities: capabilities(root),
        limits: limits(root, profile.max_text_length()),
        pages: super::Pages::default(),
        history: super::History::default(),
        reconnect: reconnect(root, standard),
        heartbeat: heartbeat(root),
        outbox: outbox(root),
        persistent,
        persist: root.bool("persist").unwrap_or(true),
        page,
    }
}

/// The option's names: of all builds.
const NAMES: [&str; 5] = ["team", "companion", "channels", "phoenix", "assistant"];

/// The profiles of this build.
const PROFILES: &[(&str, ProfileName)] = &[
    #[cfg(feature = "socket-io")]
    ("team", ProfileName::Team),
    #[cfg(feature = "socket-io")]
    ("companion", ProfileName::Declared),
    #[cfg(feature = "socket-io")]
    ("channels", ProfileName::Declared),
    #[cfg(feature = "phoenix")]
    ("phoenix", ProfileName::Phoenix),
    #[cfg(feature = "json")]
    ("assistant", ProfileName::Assistant),
];

/// What a declared profile may be spoken in beside Socket.IO.
#[cfg(feature = "several")]
const OTHER_FRAMINGS: [(&str, ProfileName); 2] =
    [("phoenix", ProfileName::DeclaredOverPhoenix), ("json", ProfileName::DeclaredOverJson)];

fn profile(root: &Reader<'_>) -> (ProfileName, &'static str) {
    let given = root.get("profile");
    let is_named = given.and_then(json::string).is_some_and(|name| NAMES.contains(&&*name));
    let is_described = given.is_some_and(|given| kind(given) == Kind::Object);
    if !is_named && !is_described {
        let allowed = concat(&["\"", &join(&NAMES, "\" or \""), "\", or what defineProfile() gives"]);
        root.wrong_as("profile", &given.map_or("nothing".into(), |given| shortened(given.get())), &allowed);
    }
    #[cfg(feature = "several")]
    if let Some(over) = given.and_then(Object::read).and_then(|given| given.str("framing"))
        && let Some((_, profile)) = OTHER_FRAMINGS.iter().find(|(name, _)| *name == over)
    {
        return (*profile, "");
    }
    #[cfg(feature = "socket-io")]
    if is_described {
        return (ProfileName::Declared, "");
    }
    let chosen = if is_named { root.choice("profile", &NAMES) } else { None };
    for (name, profile) in PROFILES {
        if chosen == Some(name) {
            return (framed(root, *profile), name);
        }
    }
    if let Some(name) = chosen {
        root.wrong_as("wasm", "one without this profile", &concat(&["the one of the package for ", name]));
    }
    let [(name, profile), ..] = PROFILES else { unreachable!("a build without a framing") };
    (*profile, name)
}

/// The profile in the framing that was chosen: `phoenix` is spoken over Socket.IO too (P12).
fn framed(root: &Reader<'_>, profile: ProfileName) -> ProfileName {
    let own = profile.framing().name();
    #[cfg(all(feature = "phoenix", feature = "socket-io"))]
    if profile == ProfileName::Phoenix {
        return match root.choice("framing", &[own, "socket.io"]) {
            Some("socket.io") => ProfileName::PhoenixOverSocketIo,
            _ => profile,
        };
    }
    root.choice("framing", &[own]);
    profile
}

impl ProfileName {
    fn framing(self) -> Framing {
        match self {
            #[cfg(feature = "socket-io")]
            Self::Team | Self::Declared => Framing::SocketIo,
            #[cfg(feature = "phoenix")]
            Self::Phoenix => Framing::Phoenix,
            #[cfg(all(feature = "phoenix", feature = "socket-io"))]
            Self::PhoenixOverSocketIo => Framing::SocketIo,
            #[cfg(feature = "several")]
            Self::DeclaredOverPhoenix => Framing::Phoenix,
            #[cfg(feature = "several")]
            Self::DeclaredOverJson => Framing::Json,
            #[cfg(feature = "json")]
            Self::Assistant => Framing::Json,
        }
    }
}

impl ProfileName {
    /// Unless the application says something else (API.md, A13).
    fn max_text_length(self) -> u32 {
        #[cfg(feature = "json")]
        if self == Self::Assistant {
            return 500;
        }
        10_000
    }
}

impl Framing {
    fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "socket-io")]
            Self::SocketIo => "socket.io",
            #[cfg(feature = "phoenix")]
            Self::Phoenix => "phoenix",
            #[cfg(feature = "json")]
            Self::Json => "json",
        }
    }

    /// Behind the base (D1), and behind the endpoint's path.
    fn path_and_query(self) -> (&'static str, &'static str) {
        match self {
            #[cfg(feature = "socket-io")]
            Self::SocketIo => ("/socket.io", "/?EIO=4&transport=websocket"),
            #[cfg(feature = "phoenix")]
            Self::Phoenix => ("/websocket", "?vsn=2.0.0"),
            // The query is written with each address (A1).
            #[cfg(feature = "json")]
            Self::Json => ("", ""),
        }
    }
}

fn token_in(root: &Reader<'_>, framing: Framing) -> TokenIn {
    match framing {
        #[cfg(feature = "socket-io")]
        Framing::SocketIo => {
            root.choice("tokenIn", &["auth"]);
            TokenIn::Auth
        }
        #[cfg(feature = "phoenix")]
        Framing::Phoenix => match root.choice("tokenIn", &["subprotocol", "query"]) {
            Some("query") => TokenIn::Query,
            _ => TokenIn::Subprotocol,
        },
        #[cfg(feature = "json")]
        Framing::Json => match root.choice("tokenIn", &["subprotocol", "firstFrame", "query"]) {
            Some("firstFrame") => TokenIn::FirstFrame,
            Some("query") => TokenIn::Query,
            _ => TokenIn::Subprotocol,
        },
    }
}

fn user_id(root: &Reader<'_>) -> String {
    const ALLOWED: &str = "a text of 1 to 256 characters, none a control character, or a whole number";
    match root.get("userId") {
        // Some backends number their users (C6): the store and the timeline know them as text.
        Some(number) if json::int(number).is_some() => return number.get().to_owned(),
        Some(text) if kind(text) == Kind::String => {
            let id = root.text("userId", MAX_USER_ID_CHARS).unwrap_or_default();
            if !id.contains(char::is_control) {
                return id.into_owned();
            }
            root.wrong("userId", text, ALLOWED);
        }
        Some(other) => root.wrong("userId", other, ALLOWED),
        None => root.wrong_as("userId", "nothing", ALLOWED),
    }
    String::new()
}

/// A token's value never stands in a message.
fn token(root: &Reader<'_>) -> Option<Secret> {
    const TOKEN_ALLOWED: &str = "a text that is not empty, without control characters or line breaks";
    let asks = root.bool("hasGetToken") == Some(true);
    let given = root.get("token");
    let token = root.string("token").filter(|token| !token.is_empty() && !token.contains(char::is_control));
    match (given, token) {
        (None, _) if asks => {}
        (None, _) => root.wrong_as("getToken", "nothing", "a function that gives a token, or token: a text"),
        (Some(_), _) if asks => root.wrong_as("token", "a token beside getToken", "one of them"),
        (Some(_), Some(token)) => return Some(Secret(token.into_owned())),
        (Some(value), None) if kind(value) == Kind::String => {
            root.wrong_as("token", "a text that is empty or holds a control character", TOKEN_ALLOWED);
        }
        (Some(_), None) => root.wrong_as("token", "something else than a text", TOKEN_ALLOWED),
    }
    None
}

/// The endpoint, and what of it names the database: where the socket goes.
fn endpoint(root: &Reader<'_>, profile: ProfileName) -> (Endpoint, String) {
    let framing = profile.framing();
    let (standard, query) = framing.path_and_query();
    let insecure = root.bool("allowInsecure") == Some(true);
    let text = root.string("url").unwrap_or_else(|| {
        root.wrong_as("url", root.get("url").map_or("nothing", RawValue::get), URL_ALLOWED);
        Cow::Borrowed("")
    });
    let base = read_url(root, "url", &text, insecure);

    let reader = root.object("endpoint", &["path", "namespace", "apiUrl"]);
    let path = match reader.text("path", 1024) {
        None => concat(&[&base.path, standard]),
        Some(path) => checked_path(&path).map(str::to_owned).unwrap_or_else(|_| {
            let allowed = "a path from the root of the host that begins with a slash, without query";
            reader.wrong_as("path", "another text", allowed);
            String::new()
        }),
    };
    let namespace = reader.text("namespace", 256).unwrap_or("/".into());
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#');
    if check_namespace(&namespace).is_err() || namespace.chars().any(odd) {
        let allowed = "a text that begins with a slash, without comma, query or blank";
        reader.wrong_as("namespace", &quoted(&namespace), allowed);
    }
    let api_url = match reader.text("apiUrl", 2048) {
        None => concat(&[base.origin("http").as_str(), &base.path, "/api"]),
        Some(path) if path.starts_with('/') && !path.starts_with("//") => match checked_path(&path) {
            Ok(path) => concat(&[base.origin("http").as_str(), path]),
            Err(error) => {
                refuse_url(&reader, "apiUrl", &path, error);
                String::new()
            }
        },
        Some(text) => {
            let api = read_url(&reader, "apiUrl", &text, insecure);
            concat(&[api.origin("http").as_str(), &api.path])
        }
    };
    let origin = base.origin("ws");
    let socket_url = concat(&[&origin, &path, query]);
    let place = concat(&[&origin, path.as_str(), "\0", &namespace]);
    let token_in = token_in(root, framing);
    (Endpoint { framing, token_in, socket_url, namespace: namespace.into_owned(), api_url }, place)
}

/// Without a host where it is refused.
fn read_url(reader: &Reader<'_>, name: &str, text: &str, insecure: bool) -> Url {
    match Url::parse(text) {
        Ok(url) => {
            if !url.secure && !url.local && !insecure {
                reader.wrong_as(name, &quoted(text), PLAIN_ALLOWED);
            }
            url
        }
        Err(error) => {
            refuse_url(reader, name, text, error);
            Url { secure: true, authority: String::new(), path: String::new(), local: false }
        }
    }
}

fn refuse_url(reader: &Reader<'_>, name: &str, text: &str, error: UrlError) {
    match error {
        UrlError::Credentials => reader.wrong_as(name, "a URL with a user or password", "a URL without them"),
        UrlError::Query => reader.wrong_as(name, "a URL with a query or fragment", "a URL without them"),
        // Even an unreadable URL may hold a password or a token.
        _ if holds(text, b"@?#") => reader.wrong_as(name, "something that is no URL", URL_ALLOWED),
        UrlError::Scheme | UrlError::Host | UrlError::Path => {
            reader.wrong_as(name, &quoted(text), URL_ALLOWED);
        }
    }
}

/// A text as a refusal shows it.
fn quoted(text: &str) -> String {
    concat(&["\"", &shortened(text), "\""])
}

pub(super) fn capabilities(root: &Reader<'_>) -> CapabilityPatch {
    let names = ["keys", "answers", "cursor", "orderedWindow", "receipts", "maxPayload"];
    let reader = root.object("capabilities", &names);
    CapabilityPatch {
        keys: reader.bool("keys"),
        answers: reader.bool("answers"),
        cursor: reader.bool("cursor"),
        ordered_window: reader.bool("orderedWindow"),
        receipts: reader.bool("receipts"),
        max_payload: reader.number("maxPayload", 1, 1 << 40, ""),
    }
}

/// One database for each backend, profile and user (P7). 128 bits, so that nobody meets another's.
fn database_name(place: &str, profile: &str, user_id: &str) -> String {
    // No part can hold a NUL but the user id, which stands last.
    let identity = concat(&[place, "\0", profile, "\0", user_id]);
    let half = |seed| xxh64(identity.as_bytes(), seed);
    let mut name = String::from("chatwire-");
    for half in [half(0), half(1)] {
        for place in (0..16).rev() {
            let digit = (half >> (4 * place)) as u32 & 15;
            name.push(char::from_digit(digit, 16).unwrap_or('0'));
        }
    }
    name
}
