//! The configuration: text in, [`Config`] out, and what to tell the administrator about it.
//!
//! No input or output here; [`mod@file`] opens and judges the file.

pub mod file;
mod finding;
mod gecos;
mod groups;
mod host;
mod keys;
mod lines;
mod patterns;
mod read;
mod write;

use std::path::PathBuf;
use std::time::Duration;

pub use finding::Finding;
pub use gecos::{Gecos, GecosProblem};
pub use groups::{Groups, Miss};
pub use host::Host;
pub use read::{Reading, read};

use crate::duo::sign::{Keys, Signature};
use crate::secret::Secret;

/// Where the configuration is, unless `conf=` says otherwise.
pub const DEFAULT_PATH: &str = "/etc/duo/pam_duo.conf";

/// What to do with a login when Duo cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failmode {
    /// Let the user in.
    Safe,
    /// Keep the user out.
    Secure,
}

/// Who builds the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Menu {
    /// This module, from the devices that preauth lists.
    Devices,
    /// Duo, whose text is shown as it is.
    Server,
}

/// What users outside `groups` get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bypass {
    /// `PAM_SUCCESS`.
    Success,
    /// `PAM_IGNORE`.
    Ignore,
}

/// How progress reaches the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusMode {
    /// As fits the program that asks.
    Auto,
    /// Each line as it comes.
    Live,
    /// In the next prompt.
    Prompt,
    /// Not at all.
    Quiet,
}

/// A usable configuration: everything required is there.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // one for each switch of the file
pub struct Config {
    /// `ikey` and `skey`.
    pub keys: Keys,
    /// `host`.
    pub host: Host,
    /// `groups`: who has to use Duo.
    pub groups: Groups,
    /// `pushinfo`: whether the phone is told what is being approved.
    pub pushinfo: bool,
    /// `http_proxy`, as a URL.
    pub http_proxy: Option<Secret>,
    /// `autopush`: whether the first usable factor is used without asking.
    pub autopush: bool,
    /// `verified_push`: whether a verification code can be shown.
    pub verified_push: bool,
    /// `prompts`: how often a user may try, 1 to 3.
    pub prompts: u8,
    /// `fallback_local_ip`: whether this server's address stands in for an unknown client's.
    pub fallback_local_ip: bool,
    /// `https_timeout`: for one request.
    pub https_timeout: Duration,
    /// `cafile`: what to trust instead of the system's store.
    pub cafile: Option<PathBuf>,
    /// `send_gecos`: where the Duo user name comes from, if not from the Unix name.
    pub gecos: Option<Gecos>,
    /// `signature`.
    pub signature: Signature,
    /// `menu`.
    pub menu: Menu,
    /// `login_timeout`: for the whole login.
    pub login_timeout: Duration,
    /// `bypass`.
    pub bypass: Bypass,
    /// `status`.
    pub status: StatusMode,
}
