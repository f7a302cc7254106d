//! `pamduo lint`: every finding by a broken set-up that triggers just that one, sound set-ups that
//! trigger none, and stacks on which lint and real PAM have to agree.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::semicolon_if_nothing_returned, // a table of closures
    clippy::format_push_string,
    unreachable_pub
)]

mod broken;
mod broken_sshd;
mod broken_stacks;
mod real_pam;
mod real_sshd;
mod root;
mod sound;
mod stacks;
mod text;
