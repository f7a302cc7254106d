//! The codes that a module can answer, by the names that control fields use.

use duo_login::outcome::PamCode;

/// A module's return code; its number is libpam's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Code(u8);

/// The names of the codes in control fields, in the order of their numbers (`_pam_tokens.h` of
/// Linux-PAM).
pub(super) const NAMES: [&str; 32] = [
    "success",
    "open_err",
    "symbol_err",
    "service_err",
    "system_err",
    "buf_err",
    "perm_denied",
    "auth_err",
    "cred_insufficient",
    "authinfo_unavail",
    "user_unknown",
    "maxtries",
    "new_authtok_reqd",
    "acct_expired",
    "session_err",
    "cred_unavail",
    "cred_expired",
    "cred_err",
    "no_module_data",
    "conv_err",
    "authtok_err",
    "authtok_recover_err",
    "authtok_lock_busy",
    "authtok_disable_aging",
    "try_again",
    "ignore",
    "abort",
    "authtok_expired",
    "module_unknown",
    "bad_item",
    "conv_again",
    "incomplete",
];

impl Code {
    pub(crate) const SUCCESS: Self = Self(0);
    pub(crate) const SERVICE_ERR: Self = Self(3);
    pub(crate) const PERM_DENIED: Self = Self(6);
    pub(crate) const AUTH_ERR: Self = Self(7);
    pub(crate) const AUTHINFO_UNAVAIL: Self = Self(9);
    pub(crate) const USER_UNKNOWN: Self = Self(10);
    pub(crate) const MAXTRIES: Self = Self(11);
    pub(crate) const CONV_ERR: Self = Self(19);
    pub(crate) const IGNORE: Self = Self(25);
    pub(crate) const ABORT: Self = Self(26);

    /// Every code that a module may answer; `incomplete` and `conv_again` are for applications
    /// whose conversation is driven by events.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..30).map(Self)
    }

    /// The code called `name`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let at = NAMES.iter().position(|known| *known == name)?;
        u8::try_from(at).ok().map(Self)
    }

    /// Its number in libpam.
    pub(super) fn number(self) -> u8 {
        self.0
    }

    /// Its name in a control field.
    pub(crate) fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("?")
    }
}

impl From<PamCode> for Code {
    /// By name: `PAM_AUTH_ERR` is `auth_err`. The tests convert every code.
    fn from(code: PamCode) -> Self {
        let name = code.name().to_ascii_lowercase();
        let name = name.strip_prefix("pam_").unwrap_or(&name);
        Self::named(name).unwrap_or(Self::ABORT)
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, PamCode};

    #[test]
    fn every_code_of_the_module_has_its_name_in_control_fields() {
        for code in PamCode::ALL {
            let name = Code::from(*code).name();
            assert_eq!(format!("PAM_{}", name.to_ascii_uppercase()), code.name());
        }
    }
}
