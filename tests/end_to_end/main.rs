//! The built module at work: a real sshd with the real OpenSSH client at a pseudo-terminal, a real
//! syslog socket, pamtester, and the simulator as Duo.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub
)]

mod codes;
mod cost;
mod deadlines;
mod drop_in;
mod ends_once;
mod fault_table;
mod host_program;
mod host_safety;
mod idle;
mod log_lines;
mod methods;
mod network;
mod proxy;
mod recipes;
mod requests;
mod ssh_logins;
mod sudo_and_su;
mod test_bed;
mod time;
mod verified_push;
