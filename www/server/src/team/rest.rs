//! REST of the `team` wire (T6 to T13, D4). One thing is answered as `{conversation}` or `{message}`, a list as
//! `{conversations|messages, has_more}`.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{form, view};
use crate::{
    App, auth, chat,
    chat::{Caller, Target},
    error::{ApiError, Code},
    faults::Answer,
    http::{Bearer, Body, Paging, Params},
    listener::Link,
    store::{self, Conversation, Message, Range, Role, Status},
};

type Shared = State<Arc<App>>;
type Answered = Result<Json<Value>, ApiError>;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/conversations", get(conversations))
        .route("/conversations/direct", post(create_direct))
        .route("/conversations/group", post(create_group))
        .route("/conversations/{id}", get(conversation))
        .route("/conversations/{id}/participants", post(add_participant))
        .route("/conversations/{id}/participants/{user_id}", delete(remove_participant))
        .route("/messages", post(send))
        // T10 and T12 share a path: the id is a conversation's to GET, a message's otherwise.
        .route("/messages/{id}", get(messages).patch(edit).delete(erase))
        .route("/messages/{id}/status", post(mark))
        .route("/messages/{id}/reactions", post(add_reaction))
        .route("/messages/{id}/reactions/{emoji}", delete(remove_reaction))
        .route("/users", get(auth::users))
}

fn one_conversation(app: &App, viewer_id: &str, conversation: &Conversation) -> Json<Value> {
    Json(json!({ "conversation": view::conversation(app, viewer_id, conversation) }))
}

fn one_message(app: &App, viewer_id: &str, message: &Message) -> Json<Value> {
    Json(json!({ "message": view::message(app, viewer_id, message) }))
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
    let conversation = app.store.read(move |db| store::load_conversation(db, &id, &viewer)).await?;
    Ok(one_conversation(&app, &user.id, &conversation))
}

#[derive(Deserialize)]
struct Direct {
    user_id: String,
}

/// An existing one is a ConflictError that carries it.
async fn create_direct(
    State(app): Shared,
    Bearer(user): Bearer,
    Body(direct): Body<Direct>,
) -> Result<Response, ApiError> {
    let (conversation, is_new) = chat::create_direct(&app, user.id.clone(), direct.user_id).await?;
    let row = view::conversation(&app, &user.id, &conversation);
    if is_new {
        return Ok((StatusCode::CREATED, Json(json!({ "conversation": row }))).into_response());
    }
    let error = ApiError {
        conversation_id: Some(conversation.id),
        ..ApiError::new(Code::ConflictError, "these two have a direct conversation")
    };
    let body = json!({ "error": error.to_json(), "conversation": row });
    Ok((StatusCode::CONFLICT, Json(body)).into_response())
}

#[derive(Deserialize)]
struct Group {
    title: String,
    participant_ids: Vec<String>,
}

async fn create_group(
    State(app): Shared,
    Bearer(user): Bearer,
    Body(group): Body<Group>,
) -> Result<Response, ApiError> {
    let title = form::title(&group.title)?;
    let conversation = chat::create_group(&app, user.id.clone(), title, group.participant_ids).await?;
    Ok((StatusCode::CREATED, one_conversation(&app, &user.id, &conversation)).into_response())
}

#[derive(Deserialize)]
struct NewParticipant {
    user_id: String,
    role: Option<String>,
}

async fn add_participant(
    State(app): Shared,
    Bearer(user): Bearer,
    Path(id): Path<String>,
    Body(new): Body<NewParticipant>,
) -> Answered {
    let role = match &new.role {
        None => Role::Member,
        Some(name) => Role::parse(name)
            .ok_or_else(|| ApiError::validation("role", "allowed are admin, moderator and member"))?,
    };
    let conversation = chat::add_participant(&app, user.id.clone(), id, new.user_id, role).await?;
    Ok(one_conversation(&app, &user.id, &conversation))
}

/// Who leaves a group gets a last view of it.
async fn remove_participant(
    State(app): Shared,
    Bearer(user): Bearer,
    Path((id, user_id)): Path<(String, String)>,
) -> Answered {
    let conversation = chat::remove_participant(&app, user.id.clone(), id, user_id).await?;
    Ok(one_conversation(&app, &user.id, &conversation))
}

#[derive(Deserialize)]
struct History {
    limit: Option<i64>,
    offset: Option<i64>,
    after: Option<i64>,
}

const HISTORY_LIMIT: i64 = 50;

async fn messages(
    State(app): Shared,
    Bearer(user): Bearer,
    Path(id): Path<String>,
    Params(query): Params<History>,
) -> Answered {
    let paging = Paging { limit: query.limit, offset: query.offset };
    let limit = paging.limit(HISTORY_LIMIT)?;
    let range = match query.after {
        None => Range::Newest { offset: paging.offset()?, limit },
        Some(seq @ 0..) => Range::After { seq, limit },
        Some(seq) => {
            return Err(ApiError::validation("after", format!("{seq}: allowed are numbers from 0")));
        }
    };
    let viewer = user.id.clone();
    let page = app.store.read(move |db| store::page(db, &id, &viewer, range)).await?;
    let rows: Vec<Value> = page.messages.iter().map(|one| view::message(&app, &user.id, one)).collect();
    Ok(Json(json!({ "messages": rows, "has_more": page.has_more })))
}

/// T11: `{message, duplicate?}`.
async fn send(
    State(app): Shared,
    Bearer(user): Bearer,
    Extension(ConnectInfo(link)): Extension<ConnectInfo<Link>>,
    Body(body): Body<Value>,
) -> Result<Response, ApiError> {
    let draft = form::draft(&body, app.config.max_text_chars)?;
    if app.store.is_overloaded() {
        return Err(ApiError::rate_limited(1000));
    }
    let (sender, receiver) = oneshot::channel();
    let reply = Box::new(move |result| {
        // The caller may have gone; what is committed stays.
        let _ = sender.send(result);
    });
    let caller = Caller { user_id: user.id.clone(), connection: None };
    let answer = Answer { reply, transport: Some(Arc::new(link)), mark: b"HTTP/1.1".to_vec() };
    chat::send(&app, caller, draft, None, answer);
    let stopping = || Err(ApiError::server("the server is stopping"));
    let sent = receiver.await.unwrap_or_else(|_| stopping())?;
    let mut body = json!({ "message": view::own_message(&app, &sent.message) });
    if !sent.is_duplicate {
        return Ok((StatusCode::CREATED, Json(body)).into_response());
    }
    if let Some(body) = body.as_object_mut() {
        body.insert("duplicate".into(), true.into());
    }
    Ok(Json(body).into_response())
}

async fn edit(
    State(app): Shared,
    Bearer(user): Bearer,
    Path(id): Path<String>,
    Body(body): Body<Value>,
) -> Answered {
    let content = form::content(&body, app.config.max_text_chars)?;
    let message = chat::edit(&app, user.id.clone(), Target::anywhere(id), content).await?;
    Ok(one_message(&app, &user.id, &message))
}

async fn erase(State(app): Shared, Bearer(user): Bearer, Path(id): Path<String>) -> Answered {
    let message = chat::erase(&app, user.id.clone(), Target::anywhere(id)).await?;
    Ok(one_message(&app, &user.id, &message))
}

/// T13: `{status: "delivered"|"read"}`.
async fn mark(
    State(app): Shared,
    Bearer(user): Bearer,
    Path(id): Path<String>,
    Body(body): Body<Value>,
) -> Answered {
    let status = match body.get("status").and_then(Value::as_str) {
        Some("delivered") => Status::Delivered,
        Some("read") => Status::Read,
        _ => return Err(ApiError::validation("status", "allowed are delivered and read")),
    };
    let (sender, receiver) = oneshot::channel();
    let caller = Caller { user_id: user.id, connection: None };
    chat::mark(&app, caller, id, status, move |result| {
        let _ = sender.send(result);
    });
    receiver.await.unwrap_or_else(|_| Err(ApiError::server("the server is stopping")))?;
    Ok(Json(json!({ "success": true })))
}

async fn add_reaction(
    State(app): Shared,
    Bearer(user): Bearer,
    Path(id): Path<String>,
    Body(body): Body<Value>,
) -> Answered {
    let emoji = form::emoji(form::required(&body, &["emoji"], "emoji")?)?;
    let message = chat::react(&app, user.id.clone(), Target::anywhere(id), emoji, true).await?;
    Ok(one_message(&app, &user.id, &message))
}

async fn remove_reaction(
    State(app): Shared,
    Bearer(user): Bearer,
    Path((id, emoji)): Path<(String, String)>,
) -> Answered {
    let emoji = form::emoji(&emoji)?;
    let message = chat::react(&app, user.id.clone(), Target::anywhere(id), emoji, false).await?;
    Ok(one_message(&app, &user.id, &message))
}
