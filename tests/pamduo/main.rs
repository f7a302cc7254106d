//! The command `pamduo`, run as a program against the simulator, over real TLS, at a
//! pseudo-terminal where it matters.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    unreachable_pub
)]

mod check;
mod check_findings;
mod help;
mod limits;
mod login;
mod proxy;
mod readme;
mod redaction;
mod setup;
mod support;
mod test_bed;
