//! What the login needs of the machine: users, groups, addresses, the log.

pub mod address;
pub mod log;
pub mod stall;
pub mod users;
