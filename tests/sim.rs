//! The simulator: one seed decides everything, and whatever goes wrong can be seen again.
//!
//! `cargo test` runs some schedules; `npm run sim` is the tool (docs/reliability.md).
#![cfg(not(target_arch = "wasm32"))]
// Clippy knows tests by `#[test]`, which most of this is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sim/acts.rs"]
mod acts;
#[path = "sim/befall.rs"]
mod befall;
#[path = "shared/by_hand.rs"]
mod by_hand;
#[path = "sim/change_requests.rs"]
mod change_requests;
#[path = "sim/changes.rs"]
mod changes;
#[path = "sim/checks.rs"]
mod checks;
#[path = "sim/command_line.rs"]
mod command_line;
#[path = "sim/deeds.rs"]
mod deeds;
#[path = "sim/device.rs"]
mod device;
#[path = "sim/dice.rs"]
mod dice;
#[path = "sim/disk.rs"]
mod disk;
#[path = "sim/disk_checks.rs"]
mod disk_checks;
#[path = "sim/eyes.rs"]
mod eyes;
#[path = "sim/faults.rs"]
mod faults;
#[path = "sim/finale.rs"]
mod finale;
#[path = "shared/full_disk.rs"]
mod full_disk;
#[path = "sim/ledger.rs"]
mod ledger;
#[path = "sim/link.rs"]
mod link;
#[path = "sim/lock.rs"]
mod lock;
#[path = "sim/log_checks.rs"]
mod log_checks;
#[path = "sim/mutants.rs"]
mod mutants;
#[path = "sim/open.rs"]
mod open;
#[path = "sim/pace_checks.rs"]
mod pace_checks;
#[path = "sim/plan.rs"]
mod plan;
#[path = "sim/regressions.rs"]
mod regressions;
#[path = "sim/rest.rs"]
mod rest;
#[path = "sim/room.rs"]
mod room;
#[path = "sim/row_checks.rs"]
mod row_checks;
#[path = "sim/runner.rs"]
mod runner;
#[path = "sim/server.rs"]
mod server;
#[path = "sim/sizes.rs"]
mod sizes;
#[path = "sim/stored.rs"]
mod stored;
#[path = "sim/story.rs"]
mod story;
#[path = "sim/tabs_checks.rs"]
mod tabs_checks;
#[path = "sim/text.rs"]
mod text;
#[path = "shared/told.rs"]
mod told;
#[path = "sim/wider.rs"]
mod wider;
#[path = "sim/window_checks.rs"]
mod window_checks;
#[path = "sim/wire_checks.rs"]
mod wire_checks;
#[path = "sim/world.rs"]
mod world;

fn main() -> std::process::ExitCode {
    // A panic of the core is a violation like any other, and its text stands in the story.
    std::panic::set_hook(Box::new(|_| {}));
    command_line::main()
}
