//! One or more clients, a scripted backend (`team`, or `assistant`) and the link between them: what the core promises, scenario by
//! scenario, over simulated time.
#![cfg(not(target_arch = "wasm32"))]
// Clippy knows tests by `#[test]`, which most of this is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "pair/acts.rs"]
mod acts;
#[path = "pair/assistant.rs"]
mod assistant;
#[path = "pair/assistant_backend.rs"]
mod assistant_backend;
#[path = "pair/assistant_errors.rs"]
mod assistant_errors;
#[path = "pair/backend.rs"]
mod backend;
#[path = "pair/beside.rs"]
mod beside;
#[path = "shared/by_hand.rs"]
mod by_hand;
#[path = "pair/catching_up.rs"]
mod catching_up;
#[path = "pair/changes.rs"]
mod changes;
#[path = "pair/changing.rs"]
mod changing;
#[path = "pair/checks.rs"]
mod checks;
#[path = "pair/commands.rs"]
mod commands;
#[path = "pair/converge.rs"]
mod converge;
#[path = "pair/damage.rs"]
mod damage;
#[path = "pair/deeds.rs"]
mod deeds;
#[path = "pair/doubt.rs"]
mod doubt;
#[path = "pair/drafts.rs"]
mod drafts;
#[path = "pair/earlier.rs"]
mod earlier;
#[path = "pair/edits.rs"]
mod edits;
#[path = "pair/edits_fail.rs"]
mod edits_fail;
#[path = "pair/errands.rs"]
mod errands;
#[path = "pair/export.rs"]
mod export;
#[path = "pair/failures.rs"]
mod failures;
#[path = "pair/flood.rs"]
mod flood;
#[path = "shared/full_disk.rs"]
mod full_disk;
#[path = "pair/hearing.rs"]
mod hearing;
#[path = "pair/history.rs"]
mod history;
#[path = "pair/kills.rs"]
mod kills;
#[path = "pair/lead.rs"]
mod lead;
#[path = "pair/lease.rs"]
mod lease;
#[path = "pair/newer.rs"]
mod newer;
#[path = "pair/node.rs"]
mod node;
#[path = "pair/offsets.rs"]
mod offsets;
#[path = "pair/orphans.rs"]
mod orphans;
#[path = "pair/people.rs"]
mod people;
#[path = "pair/plain.rs"]
mod plain;
#[path = "pair/reading.rs"]
mod reading;
#[path = "pair/rest.rs"]
mod rest;
#[path = "pair/returning.rs"]
mod returning;
#[path = "pair/room.rs"]
mod room;
#[path = "pair/sending.rs"]
mod sending;
#[path = "pair/storage.rs"]
mod storage;
#[path = "pair/tabs.rs"]
mod tabs;
#[path = "shared/told.rs"]
mod told;
#[path = "pair/unclear.rs"]
mod unclear;
#[path = "pair/vain.rs"]
mod vain;
#[path = "pair/windows.rs"]
mod windows;
#[path = "pair/without_answers.rs"]
mod without_answers;
#[path = "pair/world.rs"]
mod world;
