//! Tests of the record format and of the store in memory.

mod damage;
mod fixtures;
mod keys;
mod memory;
mod round_trips;
mod samples;
