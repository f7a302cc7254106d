//! sshd's side: its configuration, as sshd reads it.

mod config;
mod include;
mod line;

pub(crate) use config::{Directive, PATH, Sshd, View};
pub(crate) use line::seconds;
