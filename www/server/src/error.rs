//! One error for all wires (WIRES.md D3): as the body of an HTTP answer and as `error` of an ack.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json};

/// The codes of T15 and D3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Code {
    ValidationError,
    AuthError,
    ForbiddenError,
    NotFoundError,
    ConflictError,
    TooLarge,
    RateLimited,
    ServerError,
}

impl Code {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::ValidationError => "ValidationError",
            Self::AuthError => "AuthError",
            Self::ForbiddenError => "ForbiddenError",
            Self::NotFoundError => "NotFoundError",
            Self::ConflictError => "ConflictError",
            Self::TooLarge => "TooLarge",
            Self::RateLimited => "RateLimited",
            Self::ServerError => "ServerError",
        }
    }

    /// The code of that name.
    #[cfg(feature = "faults")]
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [
            Self::ValidationError,
            Self::AuthError,
            Self::ForbiddenError,
            Self::NotFoundError,
            Self::ConflictError,
            Self::TooLarge,
            Self::RateLimited,
            Self::ServerError,
        ]
        .into_iter()
        .find(|code| code.name() == name)
    }

    fn status(self) -> StatusCode {
        match self {
            Self::ValidationError => StatusCode::BAD_REQUEST,
            Self::AuthError => StatusCode::UNAUTHORIZED,
            Self::ForbiddenError => StatusCode::FORBIDDEN,
            Self::NotFoundError => StatusCode::NOT_FOUND,
            Self::ConflictError => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::ServerError)
    }
}

/// A refusal that a client may read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {message}", code.name())]
pub struct ApiError {
    pub code: Code,
    pub message: String,
    pub field: Option<&'static str>,
    pub retry_after_ms: Option<u64>,
    /// ConflictError of T6: the conversation that exists already.
    pub conversation_id: Option<String>,
}

impl ApiError {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, retry_after_ms: None, conversation_id: None }
    }

    pub(crate) fn validation(field: &'static str, message: impl Into<String>) -> Self {
        Self { field: Some(field), ..Self::new(Code::ValidationError, message) }
    }

    pub(crate) fn too_large(field: &'static str, message: impl Into<String>) -> Self {
        Self { field: Some(field), ..Self::new(Code::TooLarge, message) }
    }

    pub(crate) fn auth(message: impl Into<String>) -> Self {
        Self::new(Code::AuthError, message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Code::ForbiddenError, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFoundError, message)
    }

    pub(crate) fn server(message: impl Into<String>) -> Self {
        Self::new(Code::ServerError, message)
    }

    pub(crate) fn rate_limited(retry_after_ms: u64) -> Self {
        Self {
            retry_after_ms: Some(retry_after_ms),
            ..Self::new(Code::RateLimited, format!("too many requests, try again in {retry_after_ms} ms"))
        }
    }

    /// `{code, message, field?, retry_after_ms?, conversation_id?}`
    pub(crate) fn to_json(&self) -> Value {
        let mut value = json!({ "code": self.code.name(), "message": self.message });
        if let Some(object) = value.as_object_mut() {
            if let Some(field) = self.field {
                object.insert("field".into(), field.into());
            }
            if let Some(retry_after_ms) = self.retry_after_ms {
                object.insert("retry_after_ms".into(), retry_after_ms.into());
            }
            if let Some(id) = &self.conversation_id {
                object.insert("conversation_id".into(), id.clone().into());
            }
        }
        value
    }
}

impl From<rusqlite::Error> for ApiError {
    /// The database's own words go to the log, not to the client.
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "database");
        Self::server("the database refused the request")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.code.status(), Json(json!({ "error": self.to_json() }))).into_response()
    }
}
