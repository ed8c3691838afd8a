//! Consent as OAuth has it (A11): a page of ours asks, and sends the browser back to the `oauth-callback` page of the
//! application, with `state` and either `code` or `error=access_denied`.
//!
//! Law: a state is random, belongs to one user, is good once, for ten minutes, and until the user is asked anew. The
//! browser is sent to pages of origins that may connect, and there to one called `oauth-callback` alone.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{connect::Page, script::CALENDAR};
use crate::{
    App, chat, clock,
    error::ApiError,
    http::Params,
    ids, origins,
    realm::ASSISTANT_PREFIX,
    script::{self, Prompt},
};

pub(super) const PATH: &str = "/assistant/oauth";
pub(super) const CALLBACK_PATH: &str = "/assistant/oauth-callback";

const LIFE_MS: i64 = 600_000;
/// Requests that wait for an answer.
const MAX_WAITING: usize = 10_000;
const MAX_REDIRECT_BYTES: usize = 1000;

/// Who has been asked, by state.
#[derive(Default)]
pub(crate) struct Consents(Mutex<BTreeMap<String, Asked>>);

struct Asked {
    user_id: String,
    until_ms: i64,
}

impl Consents {
    /// Asks a user; gives the state.
    pub(super) fn begin(&self, user_id: &str, now_ms: i64) -> Result<String, ApiError> {
        let state = ids::hex(&ids::random::<16>()?);
        let mut asked = crate::lock(&self.0);
        asked.retain(|_, asked| asked.until_ms > now_ms && asked.user_id != user_id);
        if asked.len() >= MAX_WAITING {
            return Err(ApiError::server("too many requests for consent wait"));
        }
        let until_ms = now_ms.saturating_add(LIFE_MS);
        asked.insert(state.clone(), Asked { user_id: user_id.to_owned(), until_ms });
        Ok(state)
    }

    fn is_asked(&self, state: &str, now_ms: i64) -> bool {
        crate::lock(&self.0).get(state).is_some_and(|asked| asked.until_ms > now_ms)
    }

    /// The user who was asked; nobody the second time.
    fn end(&self, state: &str, now_ms: i64) -> Option<String> {
        let asked = crate::lock(&self.0).remove(state);
        asked.filter(|asked| asked.until_ms > now_ms).map(|asked| asked.user_id)
    }
}

/// `authUrl` for a page.
pub(super) fn url(app: &App, page: &Page, state: &str) -> String {
    let own = app.public_url();
    let redirect = match &page.origin {
        Some(origin) => format!("{origin}/oauth-callback"),
        // No browser that has pages: ours does.
        None => format!("{own}{CALLBACK_PATH}"),
    };
    format!("{own}{PATH}?state={state}&redirect_uri={}", encoded(&redirect))
}

/// For a parameter of a URL.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // A text takes everything.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// For text and attributes of HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[derive(Deserialize)]
pub(super) struct Request {
    state: String,
    redirect_uri: String,
}

/// The page that asks.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Params(request): Params<Request>,
) -> Response {
    if let Err(error) = check_redirect(&app, &headers, &request.redirect_uri) {
        return page(StatusCode::BAD_REQUEST, "This link is broken", &escaped(&error.message));
    }
    if !app.consents.is_asked(&request.state, clock::now_ms()) {
        return outdated();
    }
    let form = |answer: &str, label: &str| {
        let action = escaped(&format!(
            "{PATH}?state={}&redirect_uri={}&answer={answer}",
            encoded(&request.state),
            encoded(&request.redirect_uri)
        ));
        format!("<form method=\"post\" action=\"{action}\"><button>{label}</button></form>")
    };
    let body = format!(
        "The assistant wants to look into your calendar.{}{}",
        form("allow", "Allow"),
        form("deny", "Deny")
    );
    page(StatusCode::OK, "Calendar", &body)
}

#[derive(Deserialize)]
pub(super) struct Decision {
    state: String,
    redirect_uri: String,
    answer: String,
}

/// What was answered.
pub(super) async fn decide(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(decision): Query<Decision>,
) -> Response {
    match settle(&app, &headers, &decision).await {
        Ok(Some(location)) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Ok(None) => outdated(),
        Err(error) => error.into_response(),
    }
}

/// Where the browser goes; `None`: nobody is asked under this state.
async fn settle(
    app: &Arc<App>,
    headers: &HeaderMap,
    decision: &Decision,
) -> Result<Option<HeaderValue>, ApiError> {
    check_redirect(app, headers, &decision.redirect_uri)?;
    let is_allowed = match decision.answer.as_str() {
        "allow" => true,
        "deny" => false,
        _ => return Err(ApiError::validation("answer", "allowed are allow and deny")),
    };
    let Some(user_id) = app.consents.end(&decision.state, clock::now_ms()) else { return Ok(None) };
    let outcome = if is_allowed {
        chat::consent(app, user_id.clone(), CALENDAR).await?;
        let conversation_id = format!("{ASSISTANT_PREFIX}{user_id}");
        script::prompt(app, &conversation_id, Prompt::Consented { owner_id: user_id });
        format!("code={}", ids::hex(&ids::random::<16>()?))
    } else {
        "error=access_denied".to_owned()
    };
    let location = format!("{}?{outcome}&state={}", decision.redirect_uri, encoded(&decision.state));
    let location = HeaderValue::try_from(location);
    location.map(Some).map_err(|_| ApiError::validation("redirect_uri", "not an address"))
}

/// Whether the browser may be sent there.
fn check_redirect(app: &App, headers: &HeaderMap, redirect: &str) -> Result<(), ApiError> {
    let wrong = |message: &str| ApiError::validation("redirect_uri", message);
    let (scheme, rest) = redirect.split_once("://").ok_or_else(|| wrong("not an address"))?;
    let (authority, path) = rest.split_once('/').ok_or_else(|| wrong("not an address"))?;
    let is_written_well = matches!(scheme, "http" | "https")
        && redirect.len() <= MAX_REDIRECT_BYTES
        && redirect.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\@\"<>".contains(&byte));
    if !is_written_well {
        return Err(wrong("not an address of http or https without parameters"));
    }
    if !matches!(path.rsplit('/').next(), Some("oauth-callback" | "oauth-callback.html")) {
        return Err(wrong("allowed are pages called oauth-callback"));
    }
    let origin = format!("{scheme}://{authority}");
    let mut asking = HeaderMap::new();
    if let Some(host) = headers.get(header::HOST) {
        asking.insert(header::HOST, host.clone());
    }
    asking.insert(header::ORIGIN, HeaderValue::try_from(&origin).map_err(|_| wrong("not an address"))?);
    let is_own =
        app.public_url().strip_prefix(&origin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if is_own || origins::may_connect(&app.config.cors_origins, &asking) {
        Ok(())
    } else {
        Err(wrong("pages of this origin may not connect"))
    }
}

/// Where those without a page of their own come back to.
pub(super) async fn callback() -> Response {
    page(StatusCode::OK, "Done", "You can close this window.")
}

fn outdated() -> Response {
    page(
        StatusCode::GONE,
        "Too late",
        "This request has been answered, or is too old. Ask the assistant again.",
    )
}

/// `body` is HTML.
fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>body{{font:1rem system-ui;margin:2rem}}button{{font:inherit;margin-top:1rem}}</style>\
         <h1>{title}</h1><p>{body}</html>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, html).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_good_once_and_for_a_while() {
        let consents = Consents::default();
        let state = consents.begin("u_1", 1000).unwrap();
        assert!(consents.is_asked(&state, 1000));
        assert!(!consents.is_asked(&state, 1000 + LIFE_MS));
        assert_eq!(consents.end("none", 1000), None);
        assert_eq!(consents.end(&state, 1000).as_deref(), Some("u_1"));
        assert_eq!(consents.end(&state, 1000), None);
        let (first, second) = (consents.begin("u_1", 1000).unwrap(), consents.begin("u_1", 1000).unwrap());
        assert!(!consents.is_asked(&first, 1000) && consents.is_asked(&second, 1000), "the newest counts");
        let late = consents.begin("u_1", 1000).unwrap();
        assert_eq!(consents.end(&late, 1000 + LIFE_MS), None);
    }

    #[test]
    fn what_stands_in_urls_and_pages() {
        assert_eq!(encoded("http://a:1/b c"), "http%3A%2F%2Fa%3A1%2Fb%20c");
        assert_eq!(escaped("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
