//! Whom a login is about, and the rules that the configuration gives it.

use std::time::Duration;

use duo_auth::{Place, Secret};

use super::screen::Channel;
use crate::config::MenuSource;

/// Who wants to log in, and from where.
#[derive(Clone, Debug, Default)]
pub struct LoginContext {
    /// Duo user name.
    pub username: String,
    /// The client's address, for Duo.
    pub ipaddr: Option<String>,
    /// This server's name, for Duo.
    pub hostname: Option<String>,
    /// The line above the push's details.
    pub push_kind: Option<String>,
    /// What the phone shows of the login, URL-encoded.
    pub pushinfo: Option<String>,
    /// `PAM_SERVICE`.
    pub service: String,
    /// `PAM_USER`, which the application may give to every question.
    pub pam_user: String,
    /// `PAM_AUTHTOK`: the password that was typed before, if the application has it.
    pub password: Option<Secret>,
}

impl LoginContext {
    pub(super) fn place(&self) -> Place<'_> {
        Place {
            ipaddr: self.ipaddr.as_deref(),
            hostname: self.hostname.as_deref(),
        }
    }
}

/// What the configuration says about the login itself.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How often a user may try.
    pub prompts: u8,
    /// Use the first usable factor without asking.
    pub autopush: bool,
    /// A verification code can be shown.
    pub verified_push: bool,
    /// Who builds the menu.
    pub menu: MenuSource,
    /// What the application does with messages.
    pub channel: Channel,
    /// For one request.
    pub https_timeout: Duration,
    /// For the whole login.
    pub login_timeout: Duration,
}
