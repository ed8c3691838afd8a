//! Faults that have been armed and wait for their moment.

use std::{process, sync::Mutex, thread, time::Duration};

use serde::Deserialize;

use super::Answer;
use crate::error::{ApiError, Code};

/// `POST /test/faults`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    pub(crate) fault: Name,
    /// How often it strikes.
    #[serde(default = "one")]
    count: u32,
    /// How many chances it lets pass first.
    #[serde(default)]
    skip: u32,
    /// Id or name of the one user it is meant for; ids by the time it is armed.
    pub(crate) user: Option<String>,
    #[serde(default)]
    ms: u64,
    code: Option<String>,
    retry_after_ms: Option<u64>,
}

fn one() -> u32 {
    1
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Name {
    /// Store, never answer, cut the transport.
    LoseAck,
    /// Store, never answer, keep the transport.
    WithholdAck,
    /// Store, answer after `ms`.
    DelayAck,
    /// Abort the process with the message not committed.
    CrashBeforeStore,
    /// Abort with the message committed and no answer given.
    CrashAfterStore,
    /// Abort as soon as the answer has been handed to the system.
    CrashAfterAck,
    /// Refuse a CONNECT or a REST call with AuthError.
    RefuseToken,
    /// Refuse a send with `code`.
    FailSend,
    /// At once: all tokens issued so far are expired, sockets are cut.
    ExpireTokens,
    /// At once: sockets are cut.
    DropSockets,
}

impl Fault {
    /// What is wrong with it, if anything.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        match (&self.fault, &self.code) {
            (Name::FailSend, Some(code)) if Code::parse(code).is_none() => {
                Err(ApiError::validation("code", format!("{code:.32} is no code of WIRES.md D3")))
            }
            _ if self.count == 0 => Err(ApiError::validation("count", "allowed are numbers from 1")),
            _ => Ok(()),
        }
    }
}

/// The armed ones, in the order of arming.
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Nothing armed.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(crate) fn arm(&self, fault: Fault) {
        crate::lock(&self.0).push(fault);
    }

    pub(crate) fn reset(&self) {
        crate::lock(&self.0).clear();
    }

    /// Takes one strike of the first that fits.
    fn strike(&self, user_id: &str, names: &[Name]) -> Option<Fault> {
        let mut armed = crate::lock(&self.0);
        let fits = |fault: &Fault| {
            names.contains(&fault.fault) && fault.user.as_deref().is_none_or(|user| user == user_id)
        };
        let index = armed.iter().position(fits)?;
        let fault = armed.get_mut(index)?;
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        fault.count = fault.count.saturating_sub(1);
        let struck = fault.clone();
        if struck.count == 0 {
            armed.remove(index);
        }
        tracing::warn!(fault = ?struck.fault, user_id, "a test switch strikes");
        Some(struck)
    }

    pub(crate) fn before_store(&self, user_id: &str) -> Result<(), ApiError> {
        let Some(fault) = self.strike(user_id, &[Name::CrashBeforeStore, Name::FailSend]) else {
            return Ok(());
        };
        if fault.fault == Name::CrashBeforeStore {
            process::abort();
        }
        let code = fault.code.as_deref().and_then(Code::parse).unwrap_or(Code::ServerError);
        let error = ApiError::new(code, "a test switch failed this send");
        Err(ApiError { retry_after_ms: fault.retry_after_ms, ..error })
    }

    pub(crate) fn refuses_token(&self, user_id: &str) -> bool {
        self.strike(user_id, &[Name::RefuseToken]).is_some()
    }

    pub(crate) fn answer<T: Send + 'static>(
        &self,
        user_id: &str,
        result: Result<T, ApiError>,
        answer: Answer<T>,
    ) {
        const NAMES: [Name; 5] =
            [Name::LoseAck, Name::WithholdAck, Name::DelayAck, Name::CrashAfterStore, Name::CrashAfterAck];
        let fault = if result.is_ok() { self.strike(user_id, &NAMES) } else { None };
        let Some(fault) = fault else { return (answer.reply)(result) };
        match fault.fault {
            Name::CrashAfterStore => process::abort(),
            Name::LoseAck => {
                if let Some(transport) = answer.transport {
                    transport.cut();
                }
            }
            Name::CrashAfterAck => {
                if let Some(transport) = answer.transport {
                    transport.abort_after_writing(answer.mark);
                }
                (answer.reply)(result);
            }
            Name::DelayAck => {
                thread::spawn(move || {
                    thread::sleep(Duration::from_millis(fault.ms));
                    (answer.reply)(result);
                });
            }
            // Dropping the reply of an HTTP request would answer it: it is kept for ever.
            _ => std::mem::forget(answer.reply),
        }
    }
}
