//! The pure half: one mutation, then drain.
//!
//! A shell calls [`Client::command`], [`Client::handle_input`] or [`Client::handle_timeout`] with the time it has
//! just read, then takes outputs with [`Client::poll_output`] until there are none, and sets one timer to
//! [`Client::poll_timeout`]. Commands may be refused, inputs may not: what the world does wrong becomes an event.

mod api;
#[cfg(test)]
mod bindings_test;
mod client;
mod drafts;
mod lead;
mod model;
pub mod mutant;
mod people;
mod place;
pub(crate) mod queue;
mod rng;
mod rooms;
mod sorted;
mod sync;
#[cfg(debug_assertions)]
mod table;
pub(crate) mod text;
mod timer;
mod to_json;
mod wall_time;

pub use api::*;
pub use client::{Client, everything};
pub use model::*;

pub mod config;
pub mod connection;
mod outbox;
pub mod profile;
pub mod store;
mod timeline;
pub mod wire;
