//! The line to write instead: tried on the stack before it is recommended.

use std::fmt::Write as _;

use crate::lint::pam::code::Code;
use crate::lint::pam::control::{Action, Control};
use crate::lint::pam::modules::{SecondFactor, base};
use crate::lint::pam::stack::{Entry, What};
use crate::lint::pam::walk::{Gap, walk};

/// What to write if no line can replace this one.
pub(crate) const LEAVE_OUT: &str = "(leave this line out)";

/// The line that closes `gap` and still lets in users whom Duo approves.
pub(crate) fn line(entries: &[Entry], service: &str, gap: Gap) -> String {
    let at = gap.at();
    let Some(entry) = entries.get(at) else {
        return LEAVE_OUT.to_owned();
    };
    let candidates = match gap {
        Gap::EndsBefore(_) => before_duo(entries, at),
        Gap::JumpsOver(_) => shorter_jump(entries, at).into_iter().collect(),
        Gap::FailureIgnored(_) => vec!["required".to_owned(), "requisite".to_owned()],
        Gap::Forgotten(_) => vec![entry.control().map_or_else(String::new, without_reset)],
    };
    let good = candidates
        .iter()
        .find(|control| closes(entries, service, at, control));
    match good {
        Some(control) => written(entry, control),
        None if entry.is_duo() => {
            let line = written(entry, "required");
            format!("{line}, with no module after it that lets users in by itself")
        }
        None => LEAVE_OUT.to_owned(),
    }
}

/// The line that lets in users whom Duo approves, in a stack where no module's success is used.
pub(crate) fn missing_success(entries: &[Entry], service: &str, duo: &Entry) -> String {
    let mut with_permit = entries.to_vec();
    with_permit.push(Entry {
        place: duo.place.clone(),
        level: 0,
        what: What::Module {
            control: Control::parse("required", false),
            module: "pam_permit.so".to_owned(),
            arguments: Vec::new(),
        },
    });
    let skips = walk(&with_permit, service, SecondFactor::Fails);
    let approved = walk(&with_permit, service, SecondFactor::Approves);
    if skips.ways_in.is_empty() && !approved.ways_in.is_empty() {
        "auth  required  pam_permit.so, as the last line".to_owned()
    } else {
        written(duo, "required")
    }
}

/// A line of an `auth` stack with another control.
pub(crate) fn written(entry: &Entry, control: &str) -> String {
    let module = entry.module().unwrap_or("MODULE");
    let mut line = format!("auth  {control}  {module}");
    for argument in entry.arguments() {
        line.push(' ');
        if argument.contains([' ', '\t', ']']) {
            let _ = write!(line, "[{}]", argument.replace(']', "\\]"));
        } else {
            line.push_str(argument);
        }
    }
    line
}

/// Whether `control`, at `at`, closes the gap there and still lets in users whom Duo approves.
fn closes(entries: &[Entry], service: &str, at: usize, control: &str) -> bool {
    let mut changed = entries.to_vec();
    let bracketed = control
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'));
    let parsed = Control::parse(bracketed.unwrap_or(control), bracketed.is_some());
    let Some(What::Module { control, .. }) = changed.get_mut(at).map(|entry| &mut entry.what)
    else {
        return false;
    };
    *control = parsed;
    let skips = walk(&changed, service, SecondFactor::Fails);
    let open = skips
        .ways_in
        .iter()
        .any(|(gap, _)| gap.is_some_and(|gap| gap.at() == at));
    let approved = walk(&changed, service, SecondFactor::Approves);
    !open && approved.asks_duo && !approved.ways_in.is_empty()
}

/// Controls for a module that ends the stack before Duo. If it is the only check, it has to succeed
/// (`requisite`). If there are alternatives, or a deny after it, it jumps to Duo, so that they stay
/// alternatives.
fn before_duo(entries: &[Entry], at: usize) -> Vec<String> {
    let jump = distance(entries, at)
        .filter(|steps| *steps > 0)
        .map(|steps| format!("[success={steps} default=ignore]"));
    let duo = entries.iter().position(Entry::is_duo);
    let mut others = entries
        .iter()
        .take(duo.unwrap_or(entries.len()))
        .enumerate();
    let alternative = |(index, entry): (usize, &Entry)| {
        let action = entry.control().map(|control| control.action(Code::SUCCESS));
        let leaves = matches!(action, Some(Action::Done | Action::Jump(_)));
        let denies = entry
            .module()
            .is_some_and(|module| base(module) == "pam_deny.so");
        index != at && (leaves || denies)
    };
    let requisite = Some("requisite".to_owned());
    let in_order = if others.any(alternative) {
        [jump, requisite]
    } else {
        [requisite, jump]
    };
    in_order.into_iter().flatten().collect()
}

/// How many steps there are between `at` and the next Duo line of the same level.
fn distance(entries: &[Entry], at: usize) -> Option<usize> {
    let level = entries.get(at)?.level;
    let mut steps = 0;
    for entry in entries.iter().skip(at + 1) {
        if entry.level < level {
            return None;
        }
        if entry.level == level {
            if entry.is_duo() {
                return Some(steps);
            }
            steps += 1;
        }
    }
    None
}

/// The same control, with jumps that lead to Duo at most.
fn shorter_jump(entries: &[Entry], at: usize) -> Option<String> {
    // A jump over no steps does not exist.
    let steps = distance(entries, at).filter(|steps| *steps > 0)?;
    let control = entries.get(at)?.control()?;
    let inner = control.text.strip_prefix('[')?.strip_suffix(']')?;
    let pairs = inner.split_whitespace().map(|pair| {
        let Some((name, jump)) = pair.split_once('=') else {
            return pair.to_owned();
        };
        match jump.parse::<usize>() {
            Ok(jump) if jump > steps => format!("{name}={steps}"),
            _ => pair.to_owned(),
        }
    });
    Some(format!("[{}]", pairs.collect::<Vec<_>>().join(" ")))
}

fn without_reset(control: &Control) -> String {
    control.text.replace("=reset", "=ignore")
}
