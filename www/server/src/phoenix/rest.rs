//! REST of the `phoenix` wire (P9). One conversation is answered as `{conversation}`, a list as `{conversations,
//! has_more}`, messages oldest first as `{messages, cursor, has_more}`.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{cursor, view};
use crate::{
    App, auth, chat,
    error::ApiError,
    form,
    http::{Bearer, Body, Paging, Params},
    store::{self, Range, UpTo},
};

type Shared = State<Arc<App>>;
type Answered = Result<Json<Value>, ApiError>;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/conversations", get(conversations).post(create))
        .route("/conversations/{id}", get(conversation))
        .route("/sync", get(sync))
        .route("/messages", get(messages))
        .route("/users", get(auth::users))
}

async fn conversations(State(app): Shared, Bearer(user): Bearer, Params(paging): Params<Paging>) -> Answered {
    let (limit, offset) = (paging.limit(500)?, paging.offset()?);
    let viewer = user.id.clone();
    let (list, has_more) = app.store.read(move |db| store::list_for(db, &viewer, limit, offset)).await?;
    let list: Vec<Value> = list.iter().map(|one| view::conversation(&app, &user.id, one)).collect();
    Ok(Json(json!({ "conversations": list, "has_more": has_more })))
}

async fn conversation(State(app): Shared, Bearer(user): Bearer, Path(id): Path<String>) -> Answered {
    let viewer = user.id.clone();
    let found = app.store.read(move |db| store::load_conversation(db, &id, &viewer)).await?;
    Ok(Json(json!({ "conversation": view::conversation(&app, &user.id, &found) })))
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum NewConversation {
    Direct { user_id: String },
    Group { title: String, participant_ids: Vec<String> },
}

/// 201; the direct one that these two have already is a 200.
async fn create(
    State(app): Shared,
    Bearer(user): Bearer,
    Body(wanted): Body<NewConversation>,
) -> Result<Response, ApiError> {
    let (conversation, is_new) = match wanted {
        NewConversation::Direct { user_id } => chat::create_direct(&app, user.id.clone(), user_id).await?,
        NewConversation::Group { title, participant_ids } => {
            let title = form::title(&title)?;
            (chat::create_group(&app, user.id.clone(), title, participant_ids).await?, true)
        }
    };
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let body = json!({ "conversation": view::conversation(&app, &user.id, &conversation) });
    Ok((status, Json(body)).into_response())
}

const PAGE_LIMIT: i64 = 100;

#[derive(Deserialize)]
struct Sync {
    conversation_id: String,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// What came after the cursor; without one, from the beginning.
async fn sync(State(app): Shared, Bearer(user): Bearer, Params(query): Params<Sync>) -> Answered {
    let limit = Paging { limit: query.limit, offset: None }.limit(PAGE_LIMIT)?;
    let seq = query.cursor.as_deref().map(cursor::parse).transpose()?.unwrap_or(0);
    let (id, viewer) = (query.conversation_id, user.id.clone());
    let range = Range::After { seq, limit };
    let page = app.store.read(move |db| store::page(db, &id, &viewer, range)).await?;
    let reached = page.messages.last().map_or(seq, |last| last.seq);
    Ok(page_of(&app, &user.id, &page, Some(reached)))
}

#[derive(Deserialize)]
struct Earlier {
    conversation_id: String,
    before: Option<String>,
    limit: Option<i64>,
}

/// What came before a message, told by its number, its id or a cursor; without one, the newest.
async fn messages(State(app): Shared, Bearer(user): Bearer, Params(query): Params<Earlier>) -> Answered {
    let limit = Paging { limit: query.limit, offset: None }.limit(PAGE_LIMIT)?;
    let (id, viewer) = (query.conversation_id, user.id.clone());
    let work = move |db: &rusqlite::Connection| {
        // First of all: whether there is a message of that id is no stranger's business.
        store::last_seq(db, &id, &viewer)?;
        let seq = match query.before.as_deref() {
            None => i64::MAX,
            Some(before) => match before.parse::<i64>() {
                Ok(seq) => seq,
                Err(_) if before.starts_with("c_") => cursor::parse(before)?,
                Err(_) => store::find(db, &id, &UpTo::Message(before.to_owned()))?.map_or(0, |(_, seq)| seq),
            },
        };
        store::page(db, &id, &viewer, Range::Before { seq, limit })
    };
    let page = app.store.read(work).await?;
    let reached = page.messages.last().map(|last| last.seq);
    Ok(page_of(&app, &user.id, &page, reached))
}

fn page_of(app: &App, viewer_id: &str, page: &store::Page, reached: Option<i64>) -> Json<Value> {
    let rows: Vec<Value> = page.messages.iter().map(|one| view::message(app, viewer_id, one)).collect();
    Json(json!({ "messages": rows, "cursor": reached.map(cursor::of), "has_more": page.has_more }))
}
