//! The upgrade (X1): who may open a socket. Every refusal is a 403 before it; a browser sees 1006 for all.

use std::sync::Arc;

use axum::{
    extract::{
        ConnectInfo, Query, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, HeaderValue, Uri},
    response::{IntoResponse, Response},
};
use base64::Engine as _;
use serde::Deserialize;

use super::peer::PhoenixPeer;
use crate::{
    App,
    error::ApiError,
    form::BASE64,
    listener::Link,
    origins,
    websocket::{self, Caller},
};

const SUBPROTOCOL: &str = "phoenix";

/// In spite of its name, what follows is standard base64: so real servers read it.
const TOKEN_PREFIX: &str = "base64url.bearer.phx.";

#[derive(Deserialize)]
struct Parameters {
    vsn: Option<String>,
    token: Option<String>,
}

/// `GET /phoenix/websocket`
pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    ConnectInfo(link): ConnectInfo<Link>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let mut upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    if !origins::may_connect(&app.config.cors_origins, &headers) {
        return ApiError::forbidden("pages of this origin may not connect").into_response();
    }
    let asked: Vec<HeaderValue> = upgrade.requested_protocols().cloned().collect();
    let asked: Vec<&str> = asked.iter().filter_map(|protocol| protocol.to_str().ok()).collect();
    let granted = Query::<Parameters>::try_from_uri(&uri)
        .map_err(|_| ApiError::forbidden("a parameter of the URL cannot be read"))
        .and_then(|Query(parameters)| {
            check_version(parameters.vsn.as_deref())?;
            // Whatever is wrong with a token, a socket is refused with 403.
            app.user_of_token(&token(&asked, parameters.token)?)
                .map_err(|error| ApiError::forbidden(error.message))
        });
    let (user, exp_ms) = match granted {
        Ok(granted) => granted,
        Err(error) => {
            tracing::info!(%error, "a socket is refused");
            return error.into_response();
        }
    };
    if asked.contains(&SUBPROTOCOL) {
        upgrade.set_selected_protocol(HeaderValue::from_static(SUBPROTOCOL));
    }
    let limit = app.config.max_payload_bytes;
    upgrade.max_message_size(limit).max_frame_size(limit).on_upgrade(move |socket| {
        websocket::serve(socket, app, Caller { user, link, exp_ms }, PhoenixPeer::new)
    })
}

/// `~> 2.0.0`, in full: `2.0` is not enough, and no version at all is the old serializer.
fn check_version(version: Option<&str>) -> Result<(), ApiError> {
    let patch = version.and_then(|version| version.strip_prefix("2.0."));
    match patch.map(str::as_bytes) {
        Some(b"0") => Ok(()),
        Some([b'1'..=b'9', rest @ ..]) if rest.iter().all(u8::is_ascii_digit) => Ok(()),
        _ => Err(ApiError::forbidden("allowed are versions 2.0.x of the serializer: vsn=2.0.0")),
    }
}

/// From the sub-protocols, as clients of 1.8 do, or from the URL.
fn token(subprotocols: &[&str], parameter: Option<String>) -> Result<String, ApiError> {
    let sealed = subprotocols.iter().find_map(|protocol| protocol.strip_prefix(TOKEN_PREFIX));
    if let Some(sealed) = sealed {
        let token = BASE64.decode(sealed).ok().and_then(|token| String::from_utf8(token).ok());
        return token
            .ok_or_else(|| ApiError::forbidden("the token of the sub-protocols is not standard base64"));
    }
    if !subprotocols.is_empty() && !subprotocols.contains(&SUBPROTOCOL) {
        return Err(ApiError::forbidden("none of the sub-protocols is known: phoenix"));
    }
    parameter
        .ok_or_else(|| ApiError::forbidden("no token: neither a sub-protocol nor a parameter of the URL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The scenarios `connect-vsn-*` of the recording.
    #[test]
    fn versions() {
        for good in ["2.0.0", "2.0.5", "2.0.10"] {
            assert!(check_version(Some(good)).is_ok(), "{good}");
        }
        for bad in ["2", "2.0", "2.0.", "2.1.0", "3.0.0", "", "1.0.0-rc.1", "2.0.0-rc.1", "2.0.01", "2.0.x"] {
            assert!(check_version(Some(bad)).is_err(), "{bad}");
        }
        assert!(check_version(None).is_err());
    }

    /// The scenarios `p18-connect-subprotocol-*` of the recording.
    #[test]
    fn tokens() {
        let parameter = || Some("url".to_owned());
        let good = "base64url.bearer.phx.Z29vZA";
        assert_eq!(token(&["phoenix", good], None).unwrap(), "good");
        assert_eq!(token(&["phoenix", "base64url.bearer.phx.Z29vZA=="], parameter()).unwrap(), "good");
        assert_eq!(token(&[good], None).unwrap(), "good");
        assert_eq!(token(&["phoenix", "base64url.bearer.phx.Pz8/Pj4+"], None).unwrap(), "???>>>");
        assert_eq!(token(&["phoenix"], parameter()).unwrap(), "url");
        assert_eq!(token(&[], parameter()).unwrap(), "url");
        for (subprotocols, parameter) in [
            (vec![], None),
            (vec!["phoenix"], None),
            (vec!["other"], parameter()),
            (vec!["phoenix", "base64url.bearer.phx.Pz8_Pj4-"], None),
            (vec!["phoenix", "base64url.bearer.phx.!"], parameter()),
        ] {
            assert!(token(&subprotocols, parameter).is_err(), "{subprotocols:?}");
        }
    }
}
