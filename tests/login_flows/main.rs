//! What happens in a login, told as scripts: who is asked what, and what Duo is asked.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unreachable,
    clippy::disallowed_methods,
    unreachable_pub
)]

mod factors;
mod faults;
mod limit;
mod pushes;
mod script;
mod unsendable;
