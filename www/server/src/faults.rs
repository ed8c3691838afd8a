//! The seam of the test switches. Without the feature `faults` it is this file alone, and does nothing.

#[cfg(feature = "faults")]
mod armed;
#[cfg(feature = "faults")]
mod routes;

#[cfg(feature = "faults")]
pub(crate) use armed::Faults;
#[cfg(feature = "faults")]
pub(crate) use routes::routes;

use std::sync::Arc;

use crate::{error::ApiError, listener::Transport};

/// How the sender of a message is answered.
pub(crate) struct Answer<T> {
    pub(crate) reply: Box<dyn FnOnce(Result<T, ApiError>) + Send>,
    /// What carries the answer.
    #[cfg_attr(not(feature = "faults"), expect(dead_code, reason = "only a test switch cuts it here"))]
    pub(crate) transport: Option<Arc<dyn Transport>>,
    /// Bytes that only this answer has on its transport.
    #[cfg_attr(not(feature = "faults"), expect(dead_code, reason = "only a test switch waits for it"))]
    pub(crate) mark: Vec<u8>,
}

/// Nothing ever goes wrong on purpose.
#[cfg(not(feature = "faults"))]
pub(crate) struct Faults;

#[cfg(not(feature = "faults"))]
impl Faults {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn before_store(&self, _user_id: &str) -> Result<(), ApiError> {
        Ok(())
    }

    pub(crate) fn refuses_token(&self, _user_id: &str) -> bool {
        false
    }

    pub(crate) fn answer<T>(&self, _user_id: &str, result: Result<T, ApiError>, answer: Answer<T>) {
        (answer.reply)(result);
    }
}
