//! Accounts of the reference server (D5): a name is enough, it is a demo.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    App, chat, clock,
    error::ApiError,
    http::{Bearer, Body, Params, token_of},
    store::User,
};

const MAX_NAME_CHARS: usize = 64;
const MAX_FOUND: usize = 50;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/health", get(health))
        .route("/auth/login", post(login))
        .route("/auth/refresh", post(refresh))
        .route("/api/users", get(users))
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

async fn login(State(app): State<Arc<App>>, Body(login): Body<Login>) -> Result<Json<Value>, ApiError> {
    let name = login.name.trim();
    let length = name.chars().count();
    if length == 0 || length > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(ApiError::validation("name", format!("allowed are 1 to {MAX_NAME_CHARS} characters")));
    }
    let user = chat::login(&app, name.to_owned()).await?;
    answer(&app, &user)
}

async fn refresh(State(app): State<Arc<App>>, request: Request) -> Result<Json<Value>, ApiError> {
    let (parts, _) = request.into_parts();
    let claims = app.tokens.check_for_refresh(token_of(&parts)?, clock::now_ms())?;
    answer(&app, &app.known_user(&claims.sub)?)
}

/// `{token, user: {id, name, number}, expires_in}`, the last in seconds.
fn answer(app: &App, user: &User) -> Result<Json<Value>, ApiError> {
    let token = app.tokens.issue(&user.id, clock::now_ms())?;
    let ttl_ms = app.tokens.ttl_ms();
    let expires_in = if ttl_ms % 1000 == 0 { json!(ttl_ms / 1000) } else { json!(ttl_ms as f64 / 1000.0) };
    Ok(Json(json!({
        "token": token,
        "user": { "id": user.id, "name": user.name, "number": user.number },
        "expires_in": expires_in,
    })))
}

#[derive(Deserialize)]
pub(crate) struct UserQuery {
    #[serde(default)]
    q: String,
}

/// `{users: [{id, name, online}], has_more}`, by name.
pub(crate) async fn users(
    State(app): State<Arc<App>>,
    _caller: Bearer,
    Params(query): Params<UserQuery>,
) -> Json<Value> {
    let (found, has_more) = app.directory.find(query.q.trim(), MAX_FOUND);
    let users: Vec<Value> = found
        .into_iter()
        .map(|user| json!({ "online": app.live.is_online(&user.id), "id": user.id, "name": user.name }))
        .collect();
    Json(json!({ "users": users, "has_more": has_more }))
}
