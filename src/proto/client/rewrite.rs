//! What goes out of the profile, and what its own function makes of it (`defineProfile`'s `send`).
//!
//! Law: what the function refuses does not go out as it was declared. Events of the application's own (`chat.wire`) are
//! none of its business.

use super::super::api::Now;
use super::super::connection::Emitted;
use super::super::profile::Push;
use super::Client;
#[cfg(feature = "socket-io")]
use {
    super::super::model::{ErrorCode, Failure},
    super::super::text::concat,
    super::super::wire::json,
};

impl Client {
    /// Says it on the socket, if there is one.
    pub(super) fn put_on_wire(&mut self, now: Now, push: Push) -> Emitted {
        #[cfg(feature = "socket-io")]
        let push = match self.rewritten(push) {
            Ok(push) => push,
            Err(failure) => return Emitted::Refused(failure),
        };
        self.connection.emit(&push, now, &mut self.timers, &mut self.rng)
    }

    #[cfg(feature = "socket-io")]
    fn rewritten(&self, mut push: Push) -> Result<Push, Failure> {
        let Some(rewrite) = &self.config.rewrite else { return Ok(push) };
        let values = concat(&["[", &push.args.join(","), "]"]);
        let refused = || {
            let text = concat(&["profile.send did not say what to send instead of ", &push.event]);
            Failure::new(ErrorCode::Validation, text)
        };
        let said = (rewrite.0)(&push.event, &values).ok_or_else(refused)?;
        if said.is_empty() {
            return Ok(push);
        }
        let raw = json::parse(&said, 0).map_err(|_| refused())?;
        let parts = json::array(raw).unwrap_or_default();
        let [event, payload] = parts.as_slice() else { return Err(refused()) };
        let event = json::string(event).ok_or_else(refused)?.into_owned();
        // A list is several values, each in its place.
        let values = json::array(payload).unwrap_or_else(|| vec![*payload]);
        push.args = values.iter().map(|value| value.get().to_owned()).collect();
        push.event = event;
        Ok(push)
    }
}
