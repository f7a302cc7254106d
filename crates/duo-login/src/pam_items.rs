//! What PAM says about a login.

use duo_auth::Secret;

/// What PAM says about a login.
#[derive(Clone, Debug, Default)]
pub struct PamItems {
    /// `PAM_USER`.
    pub user: String,
    /// `PAM_SERVICE`.
    pub service: String,
    /// `PAM_RHOST`.
    pub rhost: Option<String>,
    /// `SSH_CONNECTION` of the PAM environment, which sshd sets since 8.0.
    pub ssh_connection: Option<String>,
    /// `PAM_AUTHTOK`: the password that was typed for another module, if it is there.
    pub password: Option<Secret>,
}

impl PamItems {
    /// Whether the login comes through sshd: by the name of the service, which is configurable
    /// since 9.8, or by what sshd puts into the PAM environment.
    #[must_use]
    pub fn through_sshd(&self) -> bool {
        self.service == "sshd" || self.ssh_connection.is_some()
    }

    /// Whether it is su, whose `PAM_USER` is the user to become.
    #[must_use]
    pub(crate) fn is_su(&self) -> bool {
        matches!(self.service.as_str(), "su" | "su-l")
    }
}
