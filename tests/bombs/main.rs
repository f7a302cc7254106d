//! Whoever has a user's password cannot wear the user down, and leaves a trace.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub
)]

mod answers;
mod approval;
mod bed;
mod bombings;
mod limit;
mod log_order;
mod log_socket;
mod log_texts;
mod ssh;
mod stand_in;
mod state;
mod sudo;

#[allow(dead_code)]
#[path = "../end_to_end/host_program.rs"]
mod host_program;
#[allow(dead_code)] // each test program uses a part of it
#[path = "../end_to_end/test_bed.rs"]
mod test_bed;
