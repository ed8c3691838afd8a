//! When a token says itself that it ends: a JWT (RFC 7519) names it in `exp`.
//!
//! Law: that is a hint and no more. What cannot be read, or ends too soon to be worth a question, is used until it is
//! refused; whether it is good only the server knows. Where there is no REST nobody uses a token while the socket lives.

use super::Connection;
use crate::proto::text::cut;
use crate::proto::timer::{Timer, Timers};
use crate::proto::wire::base64;
use crate::proto::wire::json::{self, Object};
use crate::proto::{Now, TokenReason};

/// Another token is asked for so long before the end of one, or in the last tenth of a shorter life.
const AHEAD_MS: u64 = 60_000;
/// Before the end of a token with less ahead of it none is asked for.
const MIN_LIFE_MS: u64 = 10_000;

impl Connection {
    /// Sets the timer for the token that is in use, while online; `fresh`: it was made just now.
    pub(super) fn watch_token(&mut self, fresh: bool, now: Now, timers: &mut Timers) {
        let token = self.token.as_ref().filter(|_| self.renews_ahead && self.static_token.is_none());
        let life_ms = token.and_then(|token| life_ms(&token.0, fresh, now.wall_ms));
        let life_ms = life_ms.filter(|ms| *ms >= MIN_LIFE_MS);
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

/// How long the token will be good, by its own word. A device's clock may be wrong: what a token says of its whole life, where it
/// says when it was made, is that of a fresh one, and more than any other has; it alone counts where the clock takes it for over.
fn life_ms(token: &str, fresh: bool, wall_ms: u64) -> Option<u64> {
    let payload = cut(cut(token, b'.')?.1, b'.')?.0;
    let standard = payload.bytes().map(|byte| match byte {
        b'-' => '+',
        b'_' => '/',
        other => char::from(other),
    });
    let claims = String::from_utf8(base64::decode(&standard.collect::<String>())?).ok()?;
    let claims = Object::read(json::parse(&claims, 0).ok()?)?;
    let ends_ms = seconds(&claims, "exp")?.saturating_mul(1000);
    let whole = seconds(&claims, "iat").map(|made| ends_ms.saturating_sub(made.saturating_mul(1000)));
    let left = ends_ms.checked_sub(wall_ms);
    match (left, whole) {
        (Some(left), Some(whole)) if !fresh => Some(left.min(whole)),
        (left, whole) => whole.or(left),
    }
}

/// A NumericDate may have a fraction.
fn seconds(claims: &Object<'_>, name: &str) -> Option<u64> {
    let text = claims.get(name)?.get();
    json::digits(cut(text, b'.').map_or(text, |(whole, _)| whole))
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
            (r#"{"exp":1800000600.75,"iat":1799999900.5}"#, Some(600_000)),
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
            assert_eq!(life_ms(&jwt(claims), false, WALL_MS), life, "{claims}");
        }
        let of_ten_minutes = jwt(r#"{"exp":1800000100,"iat":1799999500}"#);
        assert_eq!(life_ms(&of_ten_minutes, true, WALL_MS), Some(600_000), "the clock is fast");
        for token in ["", "opaque", "a.b", "a.b.c", "..", "a.!.c"] {
            assert_eq!(life_ms(token, false, WALL_MS), None, "{token}");
        }
    }
}
