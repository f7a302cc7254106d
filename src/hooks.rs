//! The hooks: arguments and items in, a PAM code out.

use std::ffi::CStr;

use duo_auth::Secret;
use duo_login::PamItems;
use duo_login::args::Arguments;
use duo_login::authenticate::Authentication;
use duo_login::log::{Log, Severity};
use duo_login::outcome::Outcome;
use pam::constants::{PamFlag, PamResultCode};
use pam::conv::Conv;
use pam::items::{AuthTok, RHost, Service};
use pam::module::{PamHandle, PamHooks};

use crate::conversation::PamConversation;
use crate::ffi::starter::starter;
use crate::ffi::{approval, environment};
use crate::result_code::result_code;

/// The module.
pub(crate) struct PamDuo;

#[allow(unsafe_code, missing_docs, unreachable_pub)]
mod exported {
    use super::PamDuo;
    // The extern "C" functions that libpam calls. Each catches a panic and turns it into
    // PAM_ABORT.
    pam::pam_hooks!(PamDuo);
}

impl PamHooks for PamDuo {
    fn sm_authenticate(handle: &mut PamHandle, args: Vec<&CStr>, _flags: PamFlag) -> PamResultCode {
        let arguments = Arguments::parse(args.into_iter().map(CStr::to_bytes));
        let service = text_of(handle.get_item::<Service>().ok().flatten().map(|s| *s));
        let log = Log::new(
            &service.clone().unwrap_or_default(),
            arguments.debug,
            arguments.trace,
        );
        // Asks for the name if PAM does not know it yet; never changes it.
        let user = match handle.get_user(None) {
            Ok(user) => user,
            Err(code) => {
                log.line(Severity::Error, "Error in Duo login: PAM gave no user name");
                return code;
            }
        };
        let items = PamItems {
            user,
            service: service.unwrap_or_default(),
            rhost: text_of(handle.get_item::<RHost>().ok().flatten().map(|h| *h)),
            ssh_connection: environment::get(handle, c"SSH_CONNECTION"),
            password: password(handle),
        };
        // sshd may run the stack twice for one login, on the same handle.
        let approved_before = items.through_sshd()
            && arguments.bad.is_empty()
            && approval::take(handle, &items.user, &arguments.conf);
        let mut conversation = PamConversation::new(
            handle.get_item::<Conv>().ok().flatten(),
            items.through_sshd(),
        );
        let authentication = Authentication {
            arguments: &arguments,
            items: &items,
            starter: starter(),
            log: &log,
        };
        let outcome = if approved_before {
            authentication.approved_before()
        } else {
            authentication.run(&mut conversation)
        };
        if items.through_sshd() && matches!(outcome, Outcome::Approved(_)) {
            approval::keep(handle, &items.user, &arguments.conf);
        }
        result_code(outcome.pam_code())
    }

    /// Called after a success; there are no credentials to set.
    fn sm_setcred(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_SUCCESS
    }

    fn acct_mgmt(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_SUCCESS
    }

    fn sm_open_session(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_SUCCESS
    }

    fn sm_close_session(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_SUCCESS
    }

    /// Duo has no password to change.
    fn sm_chauthtok(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_SERVICE_ERR
    }
}

/// The password that another module has asked for. One that is not UTF-8 can be no passcode.
fn password(handle: &PamHandle) -> Option<Secret> {
    let password = handle.get_item::<AuthTok>().ok().flatten()?;
    let password = std::str::from_utf8(password.as_bytes()).ok()?;
    Some(Secret::from(password)).filter(|password| !password.expose().is_empty())
}

/// A PAM item as text; bytes that are not UTF-8 are replaced.
fn text_of(item: Option<&CStr>) -> Option<String> {
    item.map(|text| text.to_string_lossy().into_owned())
}
