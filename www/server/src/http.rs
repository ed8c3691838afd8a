//! What the REST routes of all wires share: reading a body, knowing the caller, the answer to an unknown path.

use std::sync::Arc;

use axum::{
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{BytesRejection, FailedToBufferBody},
    },
    http::{header, request::Parts},
};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::{App, clock, error::ApiError, store::User};

/// A JSON body; a wrong one is a ValidationError, one that is too long TooLarge.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, app).await.map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                ApiError::too_large(
                    "body",
                    format!("a request has at most {} bytes", app.config.max_payload_bytes),
                )
            }
            _ => ApiError::validation("body", "the request broke off"),
        })?;
        // serde's words name the field and the line, not the content.
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| ApiError::validation("body", format!("not the JSON that is wanted: {error}")))
    }
}

/// The user whose token came with the request (`Authorization: Bearer TOKEN`).
pub(crate) struct Bearer(pub(crate) User);

impl FromRequestParts<Arc<App>> for Bearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        app.user_of_token(token_of(parts)?).map(|(user, _)| Self(user))
    }
}

/// The token of a request, unchecked.
pub(crate) fn token_of(parts: &Parts) -> Result<&str, ApiError> {
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) = header
        .and_then(|value| value.split_once(' '))
        .ok_or_else(|| ApiError::auth("no token: send Authorization: Bearer TOKEN"))?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim())
    } else {
        Err(ApiError::auth("unknown scheme: send Authorization: Bearer TOKEN"))
    }
}

impl App {
    /// The user of a good token, and when the token expires.
    pub(crate) fn user_of_token(&self, token: &str) -> Result<(User, i64), ApiError> {
        let claims = self.tokens.check(token, clock::now_ms())?;
        let user = self.known_user(&claims.sub)?;
        if self.faults.refuses_token(&user.id) {
            return Err(ApiError::auth("token refused by a test switch"));
        }
        Ok((user, claims.exp_ms))
    }

    /// A token may outlive the database it was made for.
    pub(crate) fn known_user(&self, id: &str) -> Result<User, ApiError> {
        self.directory.user(id).ok_or_else(|| ApiError::auth("invalid token: unknown user"))
    }
}

/// `limit` and `offset` of a list.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
pub(crate) struct Paging {
    pub(crate) limit: Option<i64>,
    pub(crate) offset: Option<i64>,
}

const MAX_LIMIT: i64 = 500;

impl Paging {
    /// 1 to 500.
    pub(crate) fn limit(self, default: i64) -> Result<i64, ApiError> {
        match self.limit.unwrap_or(default) {
            limit @ 1..=MAX_LIMIT => Ok(limit),
            other => Err(ApiError::validation("limit", format!("{other}: allowed are 1 to {MAX_LIMIT}"))),
        }
    }

    pub(crate) fn offset(self) -> Result<i64, ApiError> {
        match self.offset.unwrap_or(0) {
            offset @ 0.. => Ok(offset),
            other => Err(ApiError::validation("offset", format!("{other}: allowed are numbers from 0"))),
        }
    }
}

/// A query string; a wrong one is a ValidationError.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match axum::extract::Query::<T>::from_request_parts(parts, app).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(ApiError::validation("query", rejection.body_text())),
        }
    }
}
