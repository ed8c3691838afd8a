//! When a token says itself that it ends: a JWT (RFC 7519) names it in `exp`.
//!
//! Law: that is a hint and no more. What cannot be read, or ends too soon to be worth a question, is used until it is
//! refused; whether it is good only the server knows.

use super::Connection;
use crate::proto::text::cut;
use crate::proto::timer::{Timer, Timers};
use crate::proto::wire::base64;
use crate::proto::wire::json::{self, Object};
use crate::proto::{Now, TokenReason};

/// Another token is asked for so long before the end of one, or in the last tenth of a shorter life.
const AHEAD_MS: u64 = 60_000;
/// Of a token with less ahead of it none is asked for: whoever gives the same one again is not asked without end.
const MIN_LIFE_MS: u64 = 10_000;

impl Connection {
    /// Sets the timer for the token that is in use, while online.
    pub(super) fn watch_token(&mut self, now: Now, timers: &mut Timers) {
        let token = self.token.as_ref().filter(|_| self.static_token.is_none());
        let life_ms = token.and_then(|token| life_ms(&token.0, now.wall_ms)).filter(|ms| *ms >= MIN_LIFE_MS);
        let at = life_ms.map(|ms| now.mono_ms.saturating_add(ms - AHEAD_MS.min(ms / 10)));
        timers.update(Timer::Renewal, at);
    }

    /// The token ends soon: it is good until another one is here.
    pub(super) fn on_token_ending(&mut self, now: Now, timers: &mut Timers) {
        if self.asking.is_none() && self.token.is_some() {
            self.ask_token(TokenReason::Expiring, now, timers);
        }
    }
}

/// How long the token will be good, by its own word. A device's clock may be wrong: where the token says when it was made, it
/// is no longer good than that, and where the clock takes it for over already, that alone counts.
fn life_ms(token: &str, wall_ms: u64) -> Option<u64> {
    let payload = cut(cut(token, b'.')?.1, b'.')?.0;
    let standard = payload.bytes().map(|byte| match byte {
        b'-' => '+',
        b'_' => '/',
        other => char::from(other),
    });
    let claims = String::from_utf8(base64::decode(&standard.collect::<String>())?).ok()?;
    let claims = Object::read(json::parse(&claims, 0).ok()?)?;
    let ends_ms = claims.u64("exp")?.saturating_mul(1000);
    let whole = claims.u64("iat").map(|made| ends_ms.saturating_sub(made.saturating_mul(1000)));
    let left = ends_ms.checked_sub(wall_ms);
    match (left, whole) {
        (Some(left), Some(whole)) => Some(left.min(whole)),
        (left, whole) => left.or(whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL_MS: u64 = 1_800_000_000_000;

    fn jwt(claims: &str) -> String {
        let text = base64::encode(claims.as_bytes()).replace('+', "-").replace('/', "_").replace('=', "");
        format!("e30.{text}.c2ln")
    }

    #[test]
    fn a_life_is_read_from_the_claims() {
        for (claims, life) in [
            (r#"{"exp":1800000600}"#, Some(600_000)),
            (r#"{"exp":1800000600,"iat":1800000000}"#, Some(600_000)),
            // A clock that is slow, fast, and faster than the token is long.
            (r#"{"exp":1800003600,"iat":1800003000}"#, Some(600_000)),
            (r#"{"exp":1800000100,"iat":1799999500}"#, Some(100_000)),
            (r#"{"exp":1799999900,"iat":1799999300}"#, Some(600_000)),
            (r#"{"exp":1799999900}"#, None),
            (r#"{"exp":"soon"}"#, None),
            (r#"{"exp":18446744073709551615}"#, Some(u64::MAX - WALL_MS)),
            (r#"{"sub":"ana ÿ?>~"}"#, None),
            ("[]", None),
            ("{", None),
        ] {
            assert_eq!(life_ms(&jwt(claims), WALL_MS), life, "{claims}");
        }
        for token in ["", "opaque", "a.b", "a.b.c", "..", "a.!.c"] {
            assert_eq!(life_ms(token, WALL_MS), None, "{token}");
        }
    }
}
