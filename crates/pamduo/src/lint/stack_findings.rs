//! What a service's stack does to the second factor.

use std::path::Path;

use duo_auth::clean;
use duo_login::args::Arguments;

use super::control::{Action, Code};
use super::findings::{Finding, Report, Service, Severity};
use super::ids::Id;
use super::module_file;
use super::modules::{self, DUO_FAILURES};
use super::pam::Type;
use super::remedy;
use super::settings::Settings;
use super::stack::{self, Entry, Place, Stack, Trouble};
use super::tree::Tree;
use super::walk::{Gap, SecondFactor, Step, Walk, walk};

/// Judges every service of the system. Gives the line at which sshd's own stack asks Duo first.
pub(crate) fn judge(tree: &Tree, config: &Path, report: &mut Report) -> Option<Entry> {
    let mut sshd = None;
    let mut named = false;
    for name in stack::services(tree) {
        let stack = stack::load(tree, &name, Type::Auth);
        let duo = stack.duo().next().cloned();
        named |= wrong_types(tree, &name, duo.is_some(), report);
        let Some(duo) = duo else {
            continue;
        };
        named = true;
        judge_service(tree, &name, &stack, config, report);
        if name == "sshd" {
            sshd = Some(duo);
        }
    }
    if !named {
        report.add(Finding {
            id: Id::DuoInNoStack,
            severity: Severity::Error,
            place: Place {
                file: "/etc/pam.d".into(),
                line: None,
            },
            why: "no service asks Duo".to_owned(),
            instead: "auth  required  pam_duo.so, behind the password check".to_owned(),
            services: Vec::new(),
            path: Vec::new(),
        });
    }
    sshd
}

/// Duo listed where nothing is asked; whether it was.
fn wrong_types(tree: &Tree, service: &str, asked: bool, report: &mut Report) -> bool {
    let mut found = false;
    for kind in [Type::Account, Type::Password, Type::Session] {
        for entry in stack::load(tree, service, kind).duo() {
            found = true;
            let word = kind.word();
            // A password cannot be changed there: the module refuses that.
            let severe = !asked || kind == Type::Password;
            report.add(Finding {
                id: Id::WrongType,
                severity: if severe {
                    Severity::Error
                } else {
                    Severity::Warning
                },
                place: entry.place.clone(),
                why: format!("pam_duo.so is listed under {word}: Duo is asked under auth alone"),
                instead: if asked {
                    "(leave this line out)".to_owned()
                } else {
                    "auth  required  pam_duo.so".to_owned()
                },
                services: vec![service.to_owned()],
                path: Vec::new(),
            });
        }
    }
    found
}

fn judge_service(tree: &Tree, name: &str, stack: &Stack, config: &Path, report: &mut Report) {
    let entries = &stack.entries;
    let (skips, approved) = if stack.broken || stack.too_large {
        (Walk::default(), Walk::default())
    } else {
        (
            walk(entries, name, SecondFactor::Fails),
            walk(entries, name, SecondFactor::Approves),
        )
    };
    let possible = !approved.ways_in.is_empty() || approved.cut_short || stack.too_large;
    let mut found = Vec::new();
    found.extend(
        stack
            .troubles
            .iter()
            .map(|trouble| stumble(trouble, possible)),
    );
    for (gap, path) in &skips.ways_in {
        found.extend(gap.and_then(|gap| skipped(entries, name, gap, path)));
    }
    if !possible && stack.troubles.is_empty() {
        found.extend(no_way_in(stack, name, &approved));
    }
    found.extend(other_duos(stack).map(another_duo));
    found.extend(stack.duo().filter_map(|duo| module_file::judge(tree, duo)));
    found.extend(stack.duo().filter_map(bad_argument));
    if possible {
        found.extend(ignored_users(tree, name, stack, config));
    }
    let unknown = skips.cut_short || stack.too_large;
    if unknown {
        found.extend(stack.duo().next().map(too_many_paths));
    }
    for mut finding in found {
        finding.services = vec![name.to_owned()];
        report.add(finding);
    }
    root_alone(entries, name, report);
    duo_alone(stack, name, report);
    let shortest = skips
        .ways_in
        .iter()
        .map(|(_, path)| path)
        .min_by_key(|path| path.len());
    report.services.push(Service {
        name: name.to_owned(),
        skippable: shortest.is_some() || unknown,
        possible,
        path: shortest.cloned().unwrap_or_default(),
    });
}

/// A second factor that is the only one. sshd may have asked for a key before.
fn duo_alone(stack: &Stack, service: &str, report: &mut Report) {
    let others = stack.entries.iter().filter(|entry| !entry.is_duo());
    let mut modules = others.filter_map(Entry::module);
    if !modules.all(modules::asks_nothing) {
        return;
    }
    if service == "sshd" {
        report.sshd_asks_duo_alone = true;
    } else if let Some(duo) = stack.duo().next() {
        report.note(format!(
            "{}: Duo is all that {service} asks for: a passcode alone gets in",
            duo.place
        ));
    }
}

/// Root may skip Duo where it is no login at all.
fn root_alone(entries: &[Entry], service: &str, report: &mut Report) {
    let alone = |entry: &&Entry| {
        entry
            .module()
            .is_some_and(|module| modules::is_for_root_alone(module, service))
    };
    if let Some(entry) = entries.iter().find(alone) {
        report.note(format!(
            "{}: pam_rootok.so lets root, and nobody else, pass without Duo",
            entry.place
        ));
    }
}

fn finding(id: Id, severity: Severity, place: &Place, why: String) -> Finding {
    Finding {
        id,
        severity,
        place: place.clone(),
        why,
        instead: String::new(),
        services: Vec::new(),
        path: Vec::new(),
    }
}

/// An argument that the module does not know: it then refuses everyone.
fn bad_argument(duo: &Entry) -> Option<Finding> {
    let words = duo.arguments().iter().map(String::as_bytes);
    let parsed = Arguments::parse(words);
    let bad = parsed.bad.first()?;
    let known = |word: &&String| !parsed.bad.contains(word);
    let rest: Vec<&str> = duo
        .arguments()
        .iter()
        .filter(known)
        .map(String::as_str)
        .collect();
    let why = format!(
        "pam_duo.so knows no argument '{}', and refuses everyone: it takes conf=PATH, debug, trace \
         and failmode=safe or secure",
        clean(bad)
    );
    Some(Finding {
        instead: format!("auth  required  pam_duo.so  {}", rest.join("  "))
            .trim_end()
            .to_owned(),
        ..finding(Id::BadArgument, Severity::Error, &duo.place, why)
    })
}

/// Something in the files that PAM stumbles over.
fn stumble((place, trouble): &(Place, Trouble), possible: bool) -> Finding {
    let crash = matches!(trouble, Trouble::Loop { .. });
    let severity = if possible && !crash {
        Severity::Warning
    } else {
        Severity::Error
    };
    let outcome = if possible {
        "this part fails"
    } else {
        "nobody gets in"
    };
    let (id, why, instead) = match trouble {
        Trouble::MissingInclude { file } => (
            Id::IncludeMissing,
            format!("the included file '{file}' cannot be read: {outcome}"),
            "(the name of a file in /etc/pam.d that is there)".to_owned(),
        ),
        Trouble::Loop { file } => (
            Id::IncludeLoop,
            format!("'{file}' is included in circles or too deep: PAM crashes, or {outcome}"),
            "(leave this line out)".to_owned(),
        ),
        Trouble::UnusableLine { reason } => (
            Id::UnusableLine,
            format!("PAM cannot use this line, since {reason}: {outcome}"),
            "auth  required  MODULE  ARGUMENTS".to_owned(),
        ),
    };
    Finding {
        instead,
        ..finding(id, severity, place, why)
    }
}

/// A gap, with the path that leads through it.
fn skipped(entries: &[Entry], service: &str, gap: Gap, path: &[Step]) -> Option<Finding> {
    let at = gap.at();
    let entry = entries.get(at)?;
    let module = modules::base(entry.module().unwrap_or("this line"));
    let condition = entry.module().is_some_and(modules::is_condition);
    let (id, severity, why) = match gap {
        Gap::EndsBefore(_) => (
            Id::SufficientInFront,
            Severity::Error,
            format!(
                "{module} ends the stack in front of pam_duo.so: whoever passes it is never asked for Duo"
            ),
        ),
        Gap::JumpsOver(_) if condition => (
            Id::JumpPast,
            Severity::Warning,
            format!(
                "{module} jumps over pam_duo.so: the users whom it matches are never asked for Duo"
            ),
        ),
        Gap::JumpsOver(_) => (
            Id::JumpPast,
            Severity::Error,
            format!(
                "{module} jumps over pam_duo.so: whoever takes the jump is never asked for Duo"
            ),
        ),
        Gap::Forgotten(_) => (
            Id::ResetBehind,
            Severity::Error,
            format!(
                "{module} resets the stack behind pam_duo.so: PAM forgets that Duo has refused"
            ),
        ),
        Gap::FailureIgnored(_) => {
            let (id, why) = refusal_ignored(entry);
            (id, Severity::Error, why)
        }
    };
    Some(Finding {
        instead: remedy::line(entries, service, gap),
        path: path.to_vec(),
        ..finding(id, severity, &entry.place, why)
    })
}

/// Why a refusal of Duo's does not count.
fn refusal_ignored(duo: &Entry) -> (Id, String) {
    let Some(control) = duo.control() else {
        return (Id::FailureIgnored, String::new());
    };
    let counts = |code: &Code| {
        matches!(
            control.action(*code),
            Action::Bad | Action::Die | Action::Ok
        )
    };
    let ignored: Vec<&str> = DUO_FAILURES
        .iter()
        .filter(|code| !counts(code))
        .map(|code| code.name())
        .collect();
    if control.is("optional") {
        let why = "pam_duo.so is optional: the login goes on when Duo refuses";
        (Id::Optional, why.to_owned())
    } else if ignored.len() == DUO_FAILURES.len() {
        let why = "no deny stands behind pam_duo.so, whose refusal is ignored here";
        (Id::NoDenyBehind, why.to_owned())
    } else {
        let codes = ignored.join(", ");
        let why = format!("some refusals of Duo's do not count here ({codes}): the login goes on");
        (Id::FailureIgnored, why)
    }
}

/// Nobody gets in, whatever Duo says.
fn no_way_in(stack: &Stack, service: &str, approved: &Walk) -> Option<Finding> {
    let duo = stack.duo().next()?;
    let refusing = approved.refused.iter().find(|step| step.refuses);
    let place = refusing.map_or(&duo.place, |step| &step.place);
    let why = match refusing {
        Some(step) if step.code == Code::SUCCESS => {
            format!(
                "PAM takes the success of {} for a failure: nobody gets in",
                step.module
            )
        }
        Some(step) => format!(
            "{} refuses every login, also when Duo approves",
            step.module
        ),
        None => "no module's success counts: nobody gets in, also when Duo approves".to_owned(),
    };
    let culprit = stack.entries.iter().find(|entry| entry.place == *place);
    let instead = match (refusing, culprit) {
        (None, _) => remedy::missing_yes(&stack.entries, service, duo),
        (_, Some(entry)) if entry.is_duo() => remedy::written(entry, "required"),
        _ => "(leave this line out)".to_owned(),
    };
    Some(Finding {
        instead,
        path: approved.refused.clone(),
        ..finding(Id::NoWayIn, Severity::Error, place, why)
    })
}

/// Duo lines besides the first one; a line that comes again by an include is no other one.
fn other_duos(stack: &Stack) -> impl Iterator<Item = &Entry> {
    let first = stack.duo().next().map(|entry| &entry.place);
    stack.duo().filter(move |entry| Some(&entry.place) != first)
}

fn another_duo(entry: &Entry) -> Finding {
    let why = "another Duo module is in the same stack: users are asked twice, or by the wrong one";
    Finding {
        instead: "(leave this line out)".to_owned(),
        ..finding(
            Id::AnotherDuoModule,
            Severity::Warning,
            &entry.place,
            why.to_owned(),
        )
    }
}

/// `bypass = ignore` where nothing else says yes.
fn ignored_users(tree: &Tree, service: &str, stack: &Stack, config: &Path) -> Option<Finding> {
    let duo = stack.duo().next()?;
    let ignores = stack
        .duo()
        .all(|duo| Settings::read(tree, duo, config).ignores);
    if !ignores
        || !walk(&stack.entries, service, SecondFactor::Ignores)
            .ways_in
            .is_empty()
    {
        return None;
    }
    let why = "with bypass = ignore, users outside groups cannot get in: no other module says yes";
    Some(Finding {
        instead: "bypass = success (in the module's configuration)".to_owned(),
        ..finding(
            Id::BypassLocksOut,
            Severity::Error,
            &duo.place,
            why.to_owned(),
        )
    })
}

fn too_many_paths(duo: &Entry) -> Finding {
    let why = "this stack has too many paths to look at all of them: it counts as skippable";
    Finding {
        instead: "(fewer lines with jumps)".to_owned(),
        ..finding(
            Id::TooManyPaths,
            Severity::Error,
            &duo.place,
            why.to_owned(),
        )
    }
}
