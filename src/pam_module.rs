//! The hooks: arguments and items in, a PAM code out. The only place that names PAM codes.

use std::ffi::CStr;

use pam::constants::{PAM_PROMPT_ECHO_ON, PAM_TEXT_INFO, PamFlag, PamResultCode};
use pam::conv::Conv;
use pam::items::{RHost, Service};
use pam::module::{PamHandle, PamHooks};

use crate::args::Arguments;
use crate::authenticate::authenticate;
use crate::identity::Items;
use crate::login::{Answer, Conversation, ConversationError};
use crate::menu::LONGEST_ANSWER;
use crate::outcome::{Outcome, Severity};
use crate::pam_handle;
use crate::secret::Secret;
use crate::system::log::Log;

/// The module.
pub struct PamDuo;

#[allow(unsafe_code, missing_docs, unreachable_pub)]
mod hooks {
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
        let items = Items {
            user,
            service: service.unwrap_or_default(),
            rhost: text_of(handle.get_item::<RHost>().ok().flatten().map(|h| *h)),
            ssh_connection: pam_handle::environment(handle, c"SSH_CONNECTION"),
        };
        // sshd may run the stack twice for one login, on the same handle.
        let approved_before = items.through_sshd()
            && arguments.bad.is_empty()
            && pam_handle::take_approval(handle, &items.user, &arguments.conf);
        let mut conversation = PamConversation {
            through_sshd: items.through_sshd(),
            conv: handle.get_item::<Conv>().ok().flatten(),
        };
        let outcome = if approved_before {
            Outcome::ApprovedBefore.logged(&items, &log)
        } else {
            authenticate(&arguments, &items, &log, &mut conversation)
        };
        if items.through_sshd() && matches!(outcome, Outcome::Approved(_)) {
            pam_handle::keep_approval(handle, &items.user, &arguments.conf);
        }
        code(&outcome)
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

/// A PAM item as text; bytes that are not UTF-8 are replaced.
fn text_of(item: Option<&CStr>) -> Option<String> {
    item.map(|text| text.to_string_lossy().into_owned())
}

/// The name of an outcome's PAM code, such as `PAM_SUCCESS`.
#[must_use]
pub fn code_name(outcome: &Outcome) -> String {
    format!("{:?}", code(outcome))
}

/// The PAM code of an outcome. Nothing that went wrong is ever `PAM_SUCCESS` or `PAM_IGNORE`.
fn code(outcome: &Outcome) -> PamResultCode {
    use crate::outcome::Fault;
    match outcome {
        Outcome::Approved(_)
        | Outcome::ApprovedBefore
        | Outcome::Skipped { .. }
        | Outcome::Failsafe(_)
        | Outcome::Bypassed { ignore: false } => PamResultCode::PAM_SUCCESS,
        Outcome::Bypassed { ignore: true } => PamResultCode::PAM_IGNORE,
        Outcome::Failsecure(Fault::Outage(_)) | Outcome::Error { .. } | Outcome::RefusedLate(_) => {
            PamResultCode::PAM_AUTHINFO_UNAVAIL
        }
        Outcome::Failsecure(Fault::Config(_))
        | Outcome::LookUpFailed { .. }
        | Outcome::BadArguments => PamResultCode::PAM_SERVICE_ERR,
        Outcome::Denied { .. } | Outcome::Refused(_) | Outcome::Stopped { .. } => {
            PamResultCode::PAM_PERM_DENIED
        }
        Outcome::OutOfTries => PamResultCode::PAM_MAXTRIES,
        Outcome::NoSuchUser => PamResultCode::PAM_USER_UNKNOWN,
        Outcome::ConversationFailed { .. } => PamResultCode::PAM_CONV_ERR,
        Outcome::TimedOut { .. } => PamResultCode::PAM_AUTH_ERR,
    }
}

/// [`Conversation`] by way of the host program.
struct PamConversation<'a> {
    conv: Option<Conv<'a>>,
    through_sshd: bool,
}

impl PamConversation<'_> {
    fn failed(&self, what: &str) -> ConversationError {
        let mut text = what.to_owned();
        if self.through_sshd {
            // sshd's password method answers questions by itself, or refuses them.
            text.push_str(
                "; if the user saw no question, sshd used its password method, which cannot ask: \
                 set KbdInteractiveAuthentication yes and PasswordAuthentication no in sshd_config",
            );
        }
        ConversationError(text)
    }
}

impl Conversation for PamConversation<'_> {
    fn ask(&mut self, text: &str) -> Result<Answer, ConversationError> {
        let Some(conv) = &self.conv else {
            return Err(self.failed("conversation failed: the program that asks has none"));
        };
        let reply = conv
            .send(PAM_PROMPT_ECHO_ON, text)
            .map_err(|code| self.failed(&format!("conversation failed or cancelled ({code:?})")))?;
        let Some(reply) = reply else {
            return Err(self.failed("conversation failed: no answer"));
        };
        Ok(match reply.as_str() {
            Ok(text) if text.len() <= LONGEST_ANSWER => Answer::Text(Secret::from(text)),
            _ => Answer::Unusable,
        })
    }

    fn inform(&mut self, text: &str) {
        if let Some(conv) = &self.conv {
            // Nobody may see it; what has to be seen is in a question.
            let _ = conv.send(PAM_TEXT_INFO, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::code;
    use crate::duo::api::Refusal;
    use crate::duo::client::DuoError;
    use crate::outcome::{Attempt, ConfigFault, Fault, Outcome};
    use pam::constants::PamResultCode as Pam;
    use std::time::Duration;

    #[test]
    fn every_outcome_has_the_code_of_the_contract() {
        let text = String::new;
        let outage = || Fault::Outage(DuoError::Status(503));
        let config = || Fault::Config(ConfigFault::MissingKeys);
        let refused = || DuoError::Refused {
            status: 400,
            refusal: Refusal::default(),
        };
        for (outcome, expected) in [
            (Outcome::Approved(Attempt::default()), Pam::PAM_SUCCESS),
            (Outcome::ApprovedBefore, Pam::PAM_SUCCESS),
            (Outcome::Skipped { message: text() }, Pam::PAM_SUCCESS),
            (Outcome::Bypassed { ignore: false }, Pam::PAM_SUCCESS),
            (Outcome::Bypassed { ignore: true }, Pam::PAM_IGNORE),
            (Outcome::Failsafe(outage()), Pam::PAM_SUCCESS),
            (Outcome::Failsafe(config()), Pam::PAM_SUCCESS),
            (Outcome::Failsecure(outage()), Pam::PAM_AUTHINFO_UNAVAIL),
            (Outcome::Failsecure(config()), Pam::PAM_SERVICE_ERR),
            (Outcome::Denied { message: text() }, Pam::PAM_PERM_DENIED),
            (Outcome::Refused(refused()), Pam::PAM_PERM_DENIED),
            (
                Outcome::Stopped {
                    attempt: Attempt::default(),
                    why: text(),
                },
                Pam::PAM_PERM_DENIED,
            ),
            (Outcome::OutOfTries, Pam::PAM_MAXTRIES),
            (
                Outcome::ConversationFailed { detail: text() },
                Pam::PAM_CONV_ERR,
            ),
            (
                Outcome::TimedOut {
                    limit: Duration::ZERO,
                },
                Pam::PAM_AUTH_ERR,
            ),
            (Outcome::Error { detail: text() }, Pam::PAM_AUTHINFO_UNAVAIL),
            (Outcome::RefusedLate(refused()), Pam::PAM_AUTHINFO_UNAVAIL),
            (
                Outcome::LookUpFailed { detail: text() },
                Pam::PAM_SERVICE_ERR,
            ),
            (Outcome::NoSuchUser, Pam::PAM_USER_UNKNOWN),
            (Outcome::BadArguments, Pam::PAM_SERVICE_ERR),
        ] {
            assert_eq!(code(&outcome), expected, "{outcome:?}");
        }
    }
}
