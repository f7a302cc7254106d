//! What users do to get past Duo, against the real su, sudo and sshd: none of it may let in unless the
//! PAM line itself says `failmode=safe`. The tables are `docs/attacks.md`.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub
)]

mod attack;
mod cgroup;
mod duo;
mod end;
mod freeze;
mod limits;
mod not_attacks;
mod page;
mod people;
mod ports;
mod resolver;
mod site;
mod surroundings;
#[path = "../end_to_end/test_bed.rs"]
#[allow(dead_code)] // what the other tests need of it
mod test_bed;
mod timing;
