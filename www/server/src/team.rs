//! The `team` wire: Socket.IO on `/team/socket.io`, REST under `/team/api` (WIRES.md T1 to T17, D1 to D6).

mod events;
mod form;
mod peer;
mod rest;
mod session;
mod socket;
mod view;

pub(crate) use rest::routes;
pub(crate) use socket::mount_sockets;
