//! Which pages may speak to the server.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, header, request::Parts};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::server::StartError;

/// What browsers are told.
pub(crate) fn cors(origins: &[String]) -> Result<CorsLayer, StartError> {
    let origin = if origins.is_empty() {
        AllowOrigin::predicate(|origin: &HeaderValue, _: &Parts| is_local(origin))
    } else if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::mirror_request()
    } else {
        let parse = |origin: &String| {
            let value = origin.parse::<HeaderValue>().ok().filter(|_| origin.contains("://"));
            value.ok_or_else(|| StartError::CorsOrigin(origin.clone()))
        };
        AllowOrigin::list(origins.iter().map(parse).collect::<Result<Vec<_>, _>>()?)
    };
    Ok(CorsLayer::new()
        .allow_origin(origin)
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .max_age(Duration::from_secs(600)))
}

/// Whether a page of this origin may open a WebSocket: browsers ask nobody before they do. The server's own pages may,
/// wherever it is reached.
pub(crate) fn may_connect(origins: &[String], headers: &HeaderMap) -> bool {
    // No browser: it has the token, or it has not.
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let text = origin.to_str().unwrap_or_default();
    let is_own = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .is_some_and(|host| text.split_once("://").is_some_and(|(_, authority)| authority == host));
    is_own
        || if origins.is_empty() {
            is_local(origin)
        } else {
            origins.iter().any(|allowed| allowed == "*" || allowed == text)
        }
}

/// `http` or `https`, any port.
fn is_local(origin: &HeaderValue) -> bool {
    let Some((scheme, rest)) = origin.to_str().ok().and_then(|origin| origin.split_once("://")) else {
        return false;
    };
    let host = match rest.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => rest,
    };
    matches!(scheme, "http" | "https") && matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_of_foreign_pages() {
        let asks = |origin: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("chat.lan:8787"));
            if !origin.is_empty() {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            headers
        };
        let allowed = ["https://example.org".to_owned()];
        for origin in ["", "http://chat.lan:8787", "https://example.org"] {
            assert!(may_connect(&allowed, &asks(origin)), "{origin}");
        }
        for origin in ["http://localhost:1", "https://example.org.evil", "null", "http://evil/chat.lan:8787"]
        {
            assert!(!may_connect(&allowed, &asks(origin)), "{origin}");
        }
        assert!(may_connect(&[], &asks("http://localhost:1")));
        assert!(!may_connect(&[], &asks("https://example.org")));
    }

    #[test]
    fn local_origins() {
        for origin in ["http://localhost:5173", "https://127.0.0.1", "http://[::1]:80", "http://localhost"] {
            assert!(is_local(&HeaderValue::from_static(origin)), "{origin}");
        }
        for origin in
            ["http://localhost.evil.org", "http://evil.org:80", "null", "ftp://localhost", "http://"]
        {
            assert!(!is_local(&HeaderValue::from_static(origin)), "{origin}");
        }
    }
}
