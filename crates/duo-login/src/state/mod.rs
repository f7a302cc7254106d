//! What this host remembers between logins, as files in folders that only root can enter. Never
//! needed for a login to be right: where it cannot be had, logins go on without it.

pub mod boot_time;
pub mod folder;
pub mod push_limit;
pub mod refused_connection;
