//! Seeds below 20,000 that break a promise today, and whose defect is not mended yet (docs/reliability.md lists them).
//!
//! Law: this list only shrinks, but where a checker is new. A seed that is not here and fails is a failure; so is one
//! that is here and passes.

pub const OPEN: &[(u64, &str)] = &[];
