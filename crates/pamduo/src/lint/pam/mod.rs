//! PAM's side: the files of `/etc/pam.d`, the stacks that they make, and what libpam does with them.

pub(crate) mod code;
pub(crate) mod control;
mod file;
mod load;
pub(crate) mod modules;
pub(crate) mod services;
pub(crate) mod stack;
pub(crate) mod walk;

pub(crate) use file::Type;
pub(crate) use load::load;
