//! A step of a path, for people.

use super::state::{State, Verdict};
use crate::finding::Place;
use crate::lint::pam::code::Code;
use crate::lint::pam::control::Action;
use crate::lint::pam::stack::Entry;

/// A module that was called, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Where it is written.
    pub(crate) place: Place,
    /// Its name.
    pub(crate) module: String,
    /// What it answered.
    pub(crate) code: Code,
    /// What PAM does with that.
    pub(crate) then: String,
    /// Whether the stack cannot succeed any more from here on.
    pub(crate) refuses: bool,
}

impl Step {
    /// The call of the module at `from`, which answered `code` and led to `to`; `None` at the head of a
    /// substack.
    pub(super) fn new(entries: &[Entry], from: &State, to: &State, code: Code) -> Option<Self> {
        let entry = entries.get(from.at)?;
        let control = entry.control()?;
        Some(Self {
            place: entry.place.clone(),
            module: entry.module().unwrap_or("(unusable line)").to_owned(),
            code,
            then: told(entries, from, to, control.action(code)),
            refuses: to.verdict != from.verdict
                && matches!(to.verdict, Verdict::No | Verdict::Spoilt),
        })
    }
}

/// What PAM does, in words.
fn told(entries: &[Entry], from: &State, to: &State, action: Action) -> String {
    let target = entries.get(to.at).map(|entry| &entry.place);
    let over = target.is_none();
    let landing = target.map_or_else(|| "the end".to_owned(), ToString::to_string);
    let ending = match (over, to.verdict) {
        (true, Verdict::Yes) => ": in",
        (true, _) => ": out",
        _ => "",
    };
    match action {
        Action::Ignore => format!("ignored{ending}"),
        Action::Reset => format!("reset: the result so far is discarded{ending}"),
        Action::Bad => format!("failure{ending}"),
        Action::Die if over => "die: out".to_owned(),
        Action::Die => format!("die: on to {landing}"),
        Action::Done if from.verdict == Verdict::No => "done, after a failure".to_owned(),
        Action::Done if over => format!("done{ending}"),
        Action::Done => format!("done: on to {landing}"),
        Action::Ok => format!("ok{ending}"),
        Action::Jump(_) if to.verdict != from.verdict => "jump beyond the end: failure".into(),
        Action::Jump(_) => format!("jump to {landing}{ending}"),
    }
}
