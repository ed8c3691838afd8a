//! `/test/...`: only in builds with the feature `faults`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::armed::{Fault, Name};
use crate::{App, clock, error::ApiError, http::Body, live::Counts, store};

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/test/faults", post(arm))
        .route("/test/reset", post(reset))
        .route("/test/log", get(log))
        .route("/test/sockets", get(sockets))
        .route("/test/connections", get(connections))
}

async fn arm(State(app): State<Arc<App>>, Body(mut fault): Body<Fault>) -> Result<Json<Value>, ApiError> {
    fault.check()?;
    if let Some(user) = &fault.user {
        fault.user = Some(user_id(&app, user)?);
    }
    match fault.fault {
        Name::ExpireTokens => {
            app.tokens.expire_all(clock::now_ms());
            app.live.cut(None);
        }
        Name::DropSockets => app.live.cut(fault.user.as_deref()),
        _ => app.faults.arm(fault),
    }
    Ok(Json(json!({ "success": true })))
}

fn user_id(app: &App, user: &str) -> Result<String, ApiError> {
    if app.directory.name(user).is_some() {
        return Ok(user.to_owned());
    }
    let (found, _) = app.directory.find(user, usize::MAX);
    let found = found.into_iter().find(|candidate| candidate.name == user);
    found.map(|user| user.id).ok_or_else(|| ApiError::not_found(format!("no user {user:.64}")))
}

/// Disarms everything and starts the counts anew; messages and accounts stay.
async fn reset(State(app): State<Arc<App>>) -> Json<Value> {
    app.faults.reset();
    app.live.reset_counts();
    Json(json!({ "success": true }))
}

#[derive(Deserialize)]
struct LogQuery {
    conversation: Option<String>,
}

async fn log(
    State(app): State<Arc<App>>,
    Query(query): Query<LogQuery>,
) -> Result<Json<Vec<store::LogRow>>, ApiError> {
    let rows = app.store.read(move |db| store::log(db, query.conversation.as_deref())).await?;
    Ok(Json(rows))
}

/// `{sockets: {userId: {name, live, max_live, opened}}, live}`
async fn sockets(State(app): State<Arc<App>>) -> Json<Value> {
    let counts: BTreeMap<String, Counts> = app.live.counts();
    let live: usize = counts.values().map(|count| count.live).sum();
    let users: BTreeMap<String, Value> = counts
        .into_iter()
        .map(|(id, count)| {
            let value = json!({
                "name": app.directory.name(&id).as_deref(),
                "live": count.live,
                "max_live": count.max_live,
                "opened": count.opened,
            });
            (id, value)
        })
        .collect();
    Json(json!({ "sockets": users, "live": live }))
}

#[derive(Deserialize)]
struct ConnectionsQuery {
    user: String,
}

/// `{now_ms, connections: [{opened_ms, closed_ms}]}`
async fn connections(
    State(app): State<Arc<App>>,
    Query(query): Query<ConnectionsQuery>,
) -> Result<Json<Value>, ApiError> {
    let spans = app.live.spans(&user_id(&app, &query.user)?);
    Ok(Json(json!({ "now_ms": clock::now_ms(), "connections": spans })))
}
