//! What `sshd_config` does to the second factor.

use super::Settings;
use super::ids::Id;
use super::remedy::LEAVE_OUT;
use super::report::{Found, Report};
use super::{keyword, methods};
use crate::finding::Severity;
use crate::lint::sshd::{Sshd, View, seconds};
use crate::lint::tree::Tree;

/// sshd's own default of `LoginGraceTime`, in seconds.
const GRACE_TIME: u64 = 120;

/// What a login needs besides the time that the module may take, in seconds.
const MARGIN: u64 = 20;

/// Least useful `MaxAuthTries`: sshd counts each refused key, and disconnects when it reaches this
/// number. With 1, the first refused key ends the connection.
const FEWEST_TRIES: u64 = 2;

/// Judges sshd's configuration, if there is one, on a system where sshd's stack asks Duo.
pub(crate) fn judge(tree: &Tree, settings: Settings, report: &mut Report) {
    let Some(sshd) = Sshd::read(tree) else {
        return;
    };
    let mut global = Vec::new();
    for view in sshd.views() {
        if report.sshd_asks_duo_alone {
            report.notes.extend(methods::duo_alone(view));
        }
        for found in judge_view(view, settings) {
            let place = found.finding.place.as_ref();
            if view.is_global() {
                global.push(found);
            } else if place.is_some_and(|place| view.owns(place))
                && !global.iter().any(|known: &Found| known.is_same(&found))
            {
                report.add(for_some(found, view.criteria()));
            }
        }
    }
    for found in global {
        report.add(found);
    }
}

/// The same finding, for the connections that a `Match` block matches.
fn for_some(mut found: Found, criteria: &str) -> Found {
    let message = &mut found.finding.message;
    *message = format!("for Match {criteria}: {message}");
    found
}

fn judge_view(view: View<'_>, settings: Settings) -> Vec<Found> {
    let mut found = Vec::new();
    if view.is_on("usepam", false) {
        found.extend(methods::judge(view, settings.autopush));
    } else {
        found.push(keyword::at(
            view,
            "usepam",
            (Id::UsePamNo, Severity::Error),
            "sshd does not use PAM, and so never asks Duo",
            "UsePAM yes",
        ));
    }
    found.extend(empty_passwords(view));
    found.extend(grace_time(view, settings.login_timeout));
    found.extend(tries(view));
    found.extend(login_duo(view));
    found
}

fn empty_passwords(view: View<'_>) -> Option<Found> {
    view.is_on("permitemptypasswords", false).then(|| {
        keyword::at(
            view,
            "permitemptypasswords",
            (Id::PermitEmptyPasswords, Severity::Error),
            "accounts without a password get in without a first factor",
            "PermitEmptyPasswords no",
        )
    })
}

/// `timeout`: the module's `login_timeout`, in seconds.
fn grace_time(view: View<'_>, timeout: u64) -> Option<Found> {
    let value = view.value("logingracetime");
    let grace = value.map_or(Some(GRACE_TIME), seconds)?;
    // 0 means no limit.
    if grace == 0 || grace > timeout {
        return None;
    }
    Some(keyword::at(
        view,
        "logingracetime",
        (Id::LoginGraceTime, Severity::Error),
        &format!(
            "sshd disconnects after {grace} s, and a login may take {timeout} s (login_timeout)"
        ),
        &format!("LoginGraceTime {}", timeout.saturating_add(MARGIN)),
    ))
}

fn tries(view: View<'_>) -> Option<Found> {
    let tries: u64 = view.value("maxauthtries")?.parse().ok()?;
    if tries >= FEWEST_TRIES {
        return None;
    }
    let (severity, message) = if tries == 0 {
        (
            Severity::Error,
            "sshd disconnects at the first attempt: nobody gets in",
        )
    } else {
        (
            Severity::Warning,
            "sshd disconnects at the first refused key, even if the client has the right one as well",
        )
    };
    Some(keyword::at(
        view,
        "maxauthtries",
        (Id::MaxAuthTries, severity),
        message,
        "MaxAuthTries 6",
    ))
}

fn login_duo(view: View<'_>) -> Option<Found> {
    let line = view.line("forcecommand")?;
    let called = line.arguments.iter().any(|word| word.contains("login_duo"));
    called.then(|| {
        keyword::at(
            view,
            "forcecommand",
            (Id::LoginDuo, Severity::Warning),
            "login_duo asks Duo again, after PAM has",
            LEAVE_OUT,
        )
    })
}
