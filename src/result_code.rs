//! From the login's PAM codes to libpam's.

use duo_login::outcome::PamCode;
use pam::constants::PamResultCode;

/// What libpam is told. Exhaustive: a new code has to be given its number here.
pub(crate) fn result_code(code: PamCode) -> PamResultCode {
    match code {
        PamCode::Success => PamResultCode::PAM_SUCCESS,
        PamCode::Ignore => PamResultCode::PAM_IGNORE,
        PamCode::AuthinfoUnavail => PamResultCode::PAM_AUTHINFO_UNAVAIL,
        PamCode::ServiceErr => PamResultCode::PAM_SERVICE_ERR,
        PamCode::PermDenied => PamResultCode::PAM_PERM_DENIED,
        PamCode::Maxtries => PamResultCode::PAM_MAXTRIES,
        PamCode::UserUnknown => PamResultCode::PAM_USER_UNKNOWN,
        PamCode::ConvErr => PamResultCode::PAM_CONV_ERR,
        PamCode::AuthErr => PamResultCode::PAM_AUTH_ERR,
        PamCode::Abort => PamResultCode::PAM_ABORT,
    }
}

#[cfg(test)]
mod tests {
    use super::result_code;
    use duo_login::outcome::PamCode;

    #[test]
    fn every_code_has_the_number_of_its_own_name() {
        for code in PamCode::ALL {
            assert_eq!(format!("{:?}", result_code(*code)), code.name());
        }
    }
}
