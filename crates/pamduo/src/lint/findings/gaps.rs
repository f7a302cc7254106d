//! Ways around Duo in a stack, and stacks without a way in.

use super::ids::Id;
use super::remedy;
use super::report::Found;
use crate::finding::Severity;
use crate::lint::pam::code::Code;
use crate::lint::pam::control::Action;
use crate::lint::pam::modules::{self, SecondFactor};
use crate::lint::pam::stack::{Entry, Stack};
use crate::lint::pam::walk::{Gap, Step, Walk};

/// A gap, with a path through it.
pub(super) fn skipped(entries: &[Entry], service: &str, gap: Gap, path: &[Step]) -> Option<Found> {
    let at = gap.at();
    let entry = entries.get(at)?;
    let module = modules::base(entry.module().unwrap_or("this line"));
    let condition = entry.module().is_some_and(modules::is_condition);
    let (id, severity, message) = match gap {
        Gap::EndsBefore(_) => (
            Id::SufficientBeforeDuo,
            Severity::Error,
            format!(
                "{module} ends the stack before pam_duo.so: users who pass it are never asked for Duo"
            ),
        ),
        Gap::JumpsOver(_) if condition => (
            Id::JumpPast,
            Severity::Warning,
            format!(
                "{module} jumps over pam_duo.so: the users that it matches are never asked for Duo"
            ),
        ),
        Gap::JumpsOver(_) => (
            Id::JumpPast,
            Severity::Error,
            format!(
                "{module} jumps over pam_duo.so: users who take the jump are never asked for Duo"
            ),
        ),
        Gap::Forgotten(_) => (
            Id::ResetAfterDuo,
            Severity::Error,
            format!("{module} resets the stack after pam_duo.so: PAM discards Duo's refusal"),
        ),
        Gap::FailureIgnored(_) => {
            let (id, message) = refusal_ignored(entry);
            (id, Severity::Error, message)
        }
    };
    let fix = remedy::line(entries, service, gap);
    Some(Found {
        path: path.to_vec(),
        ..Found::new((id, severity), &entry.place, message, fix)
    })
}

/// Why refusals of Duo's are ignored.
fn refusal_ignored(duo: &Entry) -> (Id, String) {
    let Some(control) = duo.control() else {
        return (Id::FailureIgnored, String::new());
    };
    let is_used = |code: &Code| {
        matches!(
            control.action(*code),
            Action::Bad | Action::Die | Action::Ok
        )
    };
    let refusals = SecondFactor::Fails.answers();
    let ignored: Vec<&str> = refusals
        .iter()
        .filter(|code| !is_used(code))
        .map(|code| code.name())
        .collect();
    if control.is("optional") {
        let message = "pam_duo.so is optional: the login goes on when Duo refuses";
        (Id::Optional, message.to_owned())
    } else if ignored.len() == refusals.len() {
        let message = "pam_duo.so's refusal is ignored here, and no deny comes after it";
        (Id::NoDenyAfterDuo, message.to_owned())
    } else {
        let codes = ignored.join(", ");
        let message =
            format!("some of Duo's refusals are ignored here ({codes}): the login goes on");
        (Id::FailureIgnored, message)
    }
}

/// Nobody gets in, even when Duo approves.
pub(super) fn no_way_in(stack: &Stack, service: &str, approved: &Walk) -> Option<Found> {
    let duo = stack.duo().next()?;
    let refusing = approved.refused.iter().find(|step| step.refuses);
    let place = refusing.map_or(&duo.place, |step| &step.place);
    let message = match refusing {
        Some(step) if step.code == Code::SUCCESS => {
            format!(
                "PAM treats the success of {} as a failure: nobody gets in",
                step.module
            )
        }
        Some(step) => format!(
            "{} refuses every login, even when Duo approves",
            step.module
        ),
        None => "no module's success is used: nobody gets in, even when Duo approves".to_owned(),
    };
    let culprit = stack.entries.iter().find(|entry| entry.place == *place);
    let fix = match (refusing, culprit) {
        (None, _) => remedy::missing_success(&stack.entries, service, duo),
        (_, Some(entry)) if entry.is_duo() => remedy::written(entry, "required"),
        _ => remedy::LEAVE_OUT.to_owned(),
    };
    Some(Found {
        path: approved.refused.clone(),
        ..Found::new((Id::NoWayIn, Severity::Error), place, message, fix)
    })
}
