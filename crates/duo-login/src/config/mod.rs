//! The configuration: text in, [`Config`] out, and what to tell the administrator about it.
//!
//! No input or output here; [`mod@file`] opens and judges the file.

mod fault;
pub mod file;
mod finding;
mod gecos;
mod groups;
mod keys;
mod lines;
mod patterns;
mod read;
mod values;
mod words;
mod write;

use std::path::PathBuf;
use std::time::Duration;

pub use fault::ConfigFault;
pub use finding::Finding;
pub use gecos::{Gecos, GecosProblem};
pub use groups::{Groups, Miss};
pub use keys::{KEYS, Key, Section, Shown};
pub use read::{Reading, read};
pub use words::{Bypass, Failmode, LogStyle, MenuSource, StatusMode};

use duo_auth::net::ProxyAddress;
use duo_auth::sign::Application;

/// Where the configuration is, unless `conf=` says otherwise.
pub const DEFAULT_PATH: &str = "/etc/duo/pam_duo.conf";

/// A usable configuration: everything required is there.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // one for each switch of the file
pub struct Config {
    /// `ikey`, `skey`, `host` and `signature`.
    pub application: Application,
    /// `groups`: who has to use Duo.
    pub groups: Groups,
    /// `pushinfo`: whether the phone is told what is being approved.
    pub pushinfo: bool,
    /// `http_proxy`.
    pub http_proxy: Option<ProxyAddress>,
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
    /// `menu`.
    pub menu: MenuSource,
    /// `login_timeout`: for the whole login.
    pub login_timeout: Duration,
    /// `bypass`.
    pub bypass: Bypass,
    /// `status`.
    pub status: StatusMode,
    /// `push_limit`: pushes and calls of one user that nobody approved, within ten minutes; `None`
    /// switches the limit off.
    pub push_limit: Option<u8>,
    /// `log`.
    pub log: LogStyle,
}
