//! Photos of companions: a picture drawn from its name, so that none has to be kept.

use std::sync::Arc;

use axum::{
    Router,
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{App, error::ApiError, ids};

/// What is mounted under `/companion`.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/photos/{name}", get(photo))
}

/// The address of a new one.
pub(super) fn new_url(app: &App) -> Option<String> {
    let name = ids::hex(&ids::random::<4>().ok()?);
    Some(format!("{}/companion/photos/{name}.svg", app.public_url()))
}

async fn photo(Path(name): Path<String>) -> Result<Response, ApiError> {
    let seed = name
        .strip_suffix(".svg")
        .filter(|seed| seed.len() == 8)
        .and_then(|seed| u32::from_str_radix(seed, 16).ok())
        .ok_or_else(|| ApiError::not_found("no such photo"))?;
    let (sky, dress, height) = (seed % 360, seed / 360 % 360, 90 + seed / 129_600 % 40);
    let picture = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 320"><rect width="320" height="320" fill="hsl({sky} 70% 80%)"/><circle cx="160" cy="{height}" r="60" fill="hsl(28 60% 75%)"/><path d="M60 320a100 130 0 0 1 200 0z" fill="hsl({dress} 60% 50%)"/></svg>"#
    );
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, picture).into_response())
}
