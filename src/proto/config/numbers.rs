//! Options that are numbers: limits, delays, sizes.

use super::reader::Reader;
use super::{Heartbeat, Jitter, Limits, OutboxLimits, Reconnect};

const MINUTE_MS: u32 = 60_000;
const DAY_MS: u32 = 24 * 60 * MINUTE_MS;

pub(super) fn limits(root: &Reader<'_>, max_text_length: u32) -> Limits {
    let names = [
        "maxTextLength",
        "maxFrameBytes",
        "maxConversations",
        "maxWindowRows",
        "maxStoragePercent",
        "sendsPerSecond",
        "sendBurst",
    ];
    let reader = root.object("limits", &names);
    Limits {
        max_text_length: reader.uint("maxTextLength", 1, 1_000_000, max_text_length),
        max_frame_bytes: reader.uint("maxFrameBytes", 1_024, 256 << 20, 16 << 20),
        max_conversations: reader.uint("maxConversations", 1, 100_000, 5_000),
        max_window_rows: reader.uint("maxWindowRows", 50, 100_000, 2_000),
        max_storage_percent: reader.uint("maxStoragePercent", 1, 100, 80),
        sends_per_second: reader.uint("sendsPerSecond", 1, 10_000, 1_000),
        send_burst: reader.uint("sendBurst", 1, 10_000, 1_000),
    }
}

/// What holds where neither the application nor the profile says anything.
pub(super) const RECONNECT: Reconnect = Reconnect {
    base_delay_ms: 1_000,
    max_delay_ms: 30_000,
    jitter: Jitter::Full,
    max_attempts: None,
    connect_timeout_ms: 20_000,
    after_server_disconnect: false,
};

/// The application's word, and the profile's where it says nothing.
pub(super) fn reconnect(root: &Reader<'_>, standard: &Reconnect) -> Reconnect {
    let names =
        ["baseDelayMs", "maxDelayMs", "jitter", "maxAttempts", "connectTimeoutMs", "afterServerDisconnect"];
    let reader = root.object("reconnect", &names);
    let base_delay_ms = reader.uint("baseDelayMs", 1, 10 * MINUTE_MS, standard.base_delay_ms);
    let max_attempts = reader.number("maxAttempts", 1, 1_000, " or null");
    let max_attempts = max_attempts.and_then(|attempts| u32::try_from(attempts).ok());
    let standard_attempts = standard.max_attempts.filter(|_| !reader.is_null("maxAttempts"));
    let max_delay_ms = standard.max_delay_ms.max(base_delay_ms);
    Reconnect {
        base_delay_ms,
        // A cap below the base would silently be another base.
        max_delay_ms: reader.uint("maxDelayMs", base_delay_ms, DAY_MS, max_delay_ms),
        jitter: match reader.choice("jitter", &["full", "half"]) {
            Some("full") => Jitter::Full,
            Some(_) => Jitter::Half,
            None => standard.jitter,
        },
        max_attempts: max_attempts.or(standard_attempts),
        connect_timeout_ms: reader.uint("connectTimeoutMs", 100, 10 * MINUTE_MS, standard.connect_timeout_ms),
        after_server_disconnect: reader
            .bool("afterServerDisconnect")
            .unwrap_or(standard.after_server_disconnect),
    }
}

pub(super) fn heartbeat(root: &Reader<'_>) -> Heartbeat {
    let reader = root.object("heartbeat", &["intervalMs", "timeoutMs"]);
    Heartbeat {
        interval_ms: reader.uint("intervalMs", 1_000, DAY_MS, 30_000),
        timeout_ms: reader.uint("timeoutMs", 1_000, DAY_MS, 10_000),
    }
}

pub(super) fn outbox(root: &Reader<'_>) -> OutboxLimits {
    let reader = root.object("outbox", &["maxQueued", "maxAttempts", "window", "ackTimeoutMs"]);
    OutboxLimits {
        max_queued: reader.uint("maxQueued", 1, 100_000, 1_000),
        max_attempts: reader.uint("maxAttempts", 1, 100, 3),
        window: reader.uint("window", 1, 256, 8),
        ack_timeout_ms: reader.uint("ackTimeoutMs", 100, 10 * MINUTE_MS, 15_000),
    }
}
