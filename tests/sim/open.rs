//! Seeds below 20,000 that break a promise today, and whose defect is not mended yet (docs/reliability.md lists them).
//!
//! Law: this list only shrinks. A seed that is not here and fails is a failure; so is one that is here and passes.

pub const OPEN: &[(u64, &str)] = &[
    (2119, "timelines converge"),
    (5112, "timelines converge"),
    (8583, "timelines converge"),
    (9896, "timelines converge"),
    (18456, "timelines converge"),
];
