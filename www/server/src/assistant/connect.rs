//! The upgrade, and the token by whichever of three ways (A1, A2, D9).

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        ConnectInfo, Query, State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{peer::AssistantPeer, view};
use crate::{
    App,
    error::ApiError,
    form::BASE64_URL,
    listener::Link,
    origins,
    store::User,
    websocket::{self, Caller, close},
};

const SUBPROTOCOL: &str = "chatwire";
const TOKEN_PREFIX: &str = "bearer.";

/// How long a socket may stay open without a token.
const AUTH_TIMEOUT: Duration = Duration::from_secs(10);

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// `GET /assistant/ws`
pub(super) async fn ours(
    State(app): State<Arc<App>>,
    ConnectInfo(link): ConnectInfo<Link>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    serve(app, link, &uri, &headers, upgrade, false)
}

/// `GET /plain/assistant/ws`
pub(super) async fn plain(
    State(app): State<Arc<App>>,
    ConnectInfo(link): ConnectInfo<Link>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    serve(app, link, &uri, &headers, upgrade, true)
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "userId")]
    user_id: Option<String>,
    token: Option<String>,
}

/// A page that has opened a socket, and how it wants to be spoken to.
#[derive(Clone)]
pub(super) struct Page {
    /// `None`: it has no pages.
    pub(super) origin: Option<String>,
    pub(super) is_plain: bool,
}

fn serve(
    app: Arc<App>,
    link: Link,
    uri: &Uri,
    headers: &HeaderMap,
    upgrade: Upgrade,
    is_plain: bool,
) -> Response {
    let mut upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    if !origins::may_connect(&app.config.cors_origins, headers) {
        return ApiError::forbidden("pages of this origin may not connect").into_response();
    }
    let asked: Vec<HeaderValue> = upgrade.requested_protocols().cloned().collect();
    let asked: Vec<&str> = asked.iter().filter_map(|protocol| protocol.to_str().ok()).collect();
    let (user_id, granted) = match granted(&app, uri, &asked) {
        Ok(granted) => granted,
        Err(error) => {
            tracing::info!(%error, "a socket is refused");
            return error.into_response();
        }
    };
    if asked.contains(&SUBPROTOCOL) {
        upgrade.set_selected_protocol(HeaderValue::from_static(SUBPROTOCOL));
    }
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    // A page without an address, such as a file, has none to come back to.
    let origin = origin.filter(|origin| origin.contains("://")).map(str::to_owned);
    let page = Page { origin, is_plain };
    let limit = app.config.max_payload_bytes;
    upgrade.max_message_size(limit).max_frame_size(limit).on_upgrade(move |mut socket| async move {
        let granted = match granted {
            Some(granted) => Some(granted),
            None => by_first_frame(&app, &mut socket, &user_id).await,
        };
        if let Some((user, exp_ms)) = granted {
            let open = |connection| AssistantPeer::open(connection, page);
            websocket::serve(socket, app, Caller { user, link, exp_ms }, open).await;
        }
    })
}

type Granted = (User, i64);

/// The user named by the URL, and the token's, if it has come already.
fn granted(app: &App, uri: &Uri, subprotocols: &[&str]) -> Result<(String, Option<Granted>), ApiError> {
    let Query(parameters) = Query::<Parameters>::try_from_uri(uri)
        .map_err(|_| ApiError::validation("query", "a parameter of the URL cannot be read"))?;
    let user_id = parameters.user_id.filter(|id| !id.is_empty());
    let user_id = user_id.ok_or_else(|| ApiError::validation("userId", "the id of the user is wanted"))?;
    let token = match subprotocol_token(subprotocols)? {
        Some(token) => Some(token),
        None => parameters.token,
    };
    let granted = token.map(|token| check(app, &token, &user_id)).transpose()?;
    Ok((user_id, granted))
}

fn subprotocol_token(subprotocols: &[&str]) -> Result<Option<String>, ApiError> {
    let sealed = subprotocols.iter().find_map(|protocol| protocol.strip_prefix(TOKEN_PREFIX));
    let Some(sealed) = sealed else { return Ok(None) };
    let token = BASE64_URL.decode(sealed).ok().and_then(|token| String::from_utf8(token).ok());
    token.map(Some).ok_or_else(|| ApiError::auth("the token of the sub-protocols is not base64url"))
}

fn check(app: &App, token: &str, user_id: &str) -> Result<Granted, ApiError> {
    let (user, exp_ms) = app.user_of_token(token)?;
    if user.id != user_id {
        return Err(ApiError::auth("userId is not the token's user"));
    }
    Ok((user, exp_ms))
}

/// The token of an `auth` frame.
pub(super) fn frame_token(frame: &Value) -> Option<&str> {
    frame.get("payload")?.get("token")?.as_str()
}

/// D9: the first frame is `{"type":"auth","payload":{"token"}}`; any other, or none in time, ends the socket.
async fn by_first_frame(app: &App, socket: &mut WebSocket, user_id: &str) -> Option<Granted> {
    let first = async {
        loop {
            match socket.recv().await?.ok()? {
                Message::Text(text) => return Some(text),
                Message::Ping(_) | Message::Pong(_) => {}
                _ => return None,
            }
        }
    };
    let first = tokio::time::timeout(AUTH_TIMEOUT, first).await.ok().flatten();
    let frame =
        first.and_then(|text| serde_json::from_str::<Value>(text.as_str()).ok()).unwrap_or(Value::Null);
    let is_auth = frame.get("type").and_then(Value::as_str) == Some("auth");
    let token = frame_token(&frame).filter(|_| is_auth);
    let granted = token
        .ok_or_else(|| ApiError::auth("no token: the first frame carries it"))
        .and_then(|token| check(app, token, user_id));
    match granted {
        Ok(granted) => {
            let frame = json!({ "type": "auth_ok" });
            socket.send(Message::Text(frame.to_string().into())).await.ok()?;
            Some(granted)
        }
        Err(error) => {
            tracing::info!(%error, "a socket is refused");
            let frame = view::auth_error(&error);
            socket.send(Message::Text(frame.to_string().into())).await.ok()?;
            let close = CloseFrame { code: close::REFUSED, reason: "auth".into() };
            // Nobody is left to be told.
            let _ = socket.send(Message::Close(Some(close))).await;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d9_tokens_of_subprotocols() {
        assert_eq!(subprotocol_token(&["chatwire", "bearer.Pz8_Pj4-"]).unwrap().as_deref(), Some("???>>>"));
        assert_eq!(subprotocol_token(&["chatwire", "bearer.Z29vZA=="]).unwrap().as_deref(), Some("good"));
        assert_eq!(subprotocol_token(&["chatwire"]).unwrap(), None);
        for bad in ["bearer.!", "bearer.Pz8/Pj4+", "bearer._w"] {
            assert!(subprotocol_token(&["chatwire", bad]).is_err(), "{bad}");
        }
    }
}
