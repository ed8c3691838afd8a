//! Seeds below 20,000 that break a promise today, and whose defect is not mended yet (docs/reliability.md lists them).
//!
//! Law: this list only shrinks, but where a checker is new: these came with the one that compares the tabs of a disk. A
//! seed that is not here and fails is a failure; so is one that is here and passes.

pub const OPEN: &[(u64, &str)] = &[(7455, "tabs show the same"), (13791, "tabs show the same")];
