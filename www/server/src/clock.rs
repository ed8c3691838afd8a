//! Wall time in milliseconds since 1970: the only clock of the server.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// ISO 8601 in UTC with milliseconds: `2026-01-31T12:00:00.000Z`.
pub(crate) fn iso(at_ms: i64) -> String {
    let since = Duration::from_millis(u64::try_from(at_ms).unwrap_or(0));
    humantime::format_rfc3339_millis(UNIX_EPOCH + since).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_kept() {
        assert_eq!(iso(1_000_000_000_123), "2001-09-09T01:46:40.123Z");
        assert_eq!(iso(-5), "1970-01-01T00:00:00.000Z");
    }
}
