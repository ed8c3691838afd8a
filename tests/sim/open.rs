//! Seeds below 20,000 that break a promise today, and whose defect is not mended yet (docs/reliability.md lists them).
//!
//! Law: this list only shrinks. A seed that is not here and fails is a failure; so is one that is here and passes.

pub const OPEN: &[(u64, &str)] = &[
    (1524, "each message is one row, in order"),
    (2119, "timelines converge"),
    (2487, "everything comes to rest"),
    (5090, "everything comes to rest"),
    (5112, "timelines converge"),
    (5523, "time to live is kept"),
    (7083, "cancelled is never sent"),
    (7587, "a status never goes back"),
    (7640, "everything comes to rest"),
    (8583, "timelines converge"),
    (9896, "timelines converge"),
    (10056, "a status never goes back"),
    (11097, "CONNECT comes first"),
    (11680, "CONNECT comes first"),
    (12204, "the log is in the order of the queue"),
    (12255, "cancelled is never sent"),
    (14357, "cancelled is never sent"),
    (14556, "everything comes to rest"),
    (14893, "a status never goes back"),
    (15898, "a status never goes back"),
    (17363, "everything comes to rest"),
    (17561, "each message has one fate"),
    (17686, "time to live is kept"),
    (18456, "timelines converge"),
    (19942, "a status never goes back"),
];
