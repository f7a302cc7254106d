//! What is wrong with the second factor on this system, and what to write instead.

mod gaps;
pub(crate) mod ids;
mod keyword;
mod methods;
mod mistakes;
mod module_file;
mod remedy;
mod report;
mod safe_argument;
pub(super) mod services;
mod settings;
pub(super) mod sshd;

pub(crate) use report::Report;
pub(super) use settings::Settings;
