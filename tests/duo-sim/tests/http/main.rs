//! The simulator over real HTTPS: what it refuses, how logins go, and how it misbehaves on request.

mod client;
mod faults;
mod logins;
mod refusals;
