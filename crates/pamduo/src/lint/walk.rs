//! Walks a stack as libpam does, along every path that the modules' answers allow.
//!
//! A path is known by where it is, by what was decided so far, and by what let it pass Duo; paths
//! that are the same in that are followed once. Linux-PAM's `_pam_dispatch` is what is followed:
//! jumps and the end of a substack count within one level, `reset` goes back to what was decided
//! when the substack began.

use std::collections::{HashSet, VecDeque};

use super::control::{Action, Code};
use super::modules::{self, Codes, DUO_FAILURES};
use super::stack::{Entry, Place, What};

/// Most states that are looked at.
const STATE_LIMIT: usize = 200_000;

/// What was decided so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Verdict {
    /// Nothing; a stack that ends so has failed.
    Open,
    /// Somebody said yes.
    Yes,
    /// An answer that is no success counts, though nothing was called a failure.
    Spoilt,
    /// Something failed.
    No,
}

/// How the Duo module answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecondFactor {
    /// In any of the ways in which it fails.
    Fails,
    /// With success.
    Approves,
    /// With `ignore`, as for users outside `groups` with `bypass = ignore`.
    Ignores,
}

/// What let a path pass the Duo module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Gap {
    /// This step ended the stack, or its substack, in front of Duo.
    EndsBefore(usize),
    /// This step jumped over Duo.
    JumpsOver(usize),
    /// Duo failed in this step, and that did not count.
    FailureIgnored(usize),
    /// This step made PAM forget that Duo had failed.
    Forgotten(usize),
}

impl Gap {
    /// Which step it is.
    pub(crate) fn at(self) -> usize {
        match self {
            Self::EndsBefore(at)
            | Self::JumpsOver(at)
            | Self::FailureIgnored(at)
            | Self::Forgotten(at) => at,
        }
    }
}

/// A module that was asked, for people.
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
    /// Whether nothing can be won any more from here on.
    pub(crate) refuses: bool,
}

/// What became of a walk.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// Paths to success, one for each gap that lets one pass Duo. With a second factor that does
    /// not fail there are no gaps, and one path at most.
    pub(crate) ways_in: Vec<(Option<Gap>, Vec<Step>)>,
    /// Whether any path asks Duo.
    pub(crate) asks_duo: bool,
    /// Of the paths that ended without success, the one on which most modules said yes.
    pub(crate) refused: Vec<Step>,
    /// Whether there were too many paths to look at all.
    pub(crate) cut_short: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    at: usize,
    verdict: Verdict,
    /// What was decided when each open substack began.
    outer: Vec<Verdict>,
    duo_failed: bool,
    gap: Option<Gap>,
}

struct Node {
    state: State,
    /// The node before, and the answer that led from there.
    from: Option<(usize, Code)>,
}

/// Walks `entries`, the stack of `service`.
pub(crate) fn walk(entries: &[Entry], service: &str, second: SecondFactor) -> Walk {
    Walker {
        entries,
        service,
        second,
        nodes: Vec::new(),
        seen: HashSet::new(),
        queue: VecDeque::new(),
        result: Walk::default(),
    }
    .run()
}

struct Walker<'a> {
    entries: &'a [Entry],
    service: &'a str,
    second: SecondFactor,
    nodes: Vec<Node>,
    seen: HashSet<State>,
    queue: VecDeque<usize>,
    result: Walk,
}

impl Walker<'_> {
    fn run(mut self) -> Walk {
        let start = State {
            at: 0,
            verdict: Verdict::Open,
            outer: Vec::new(),
            duo_failed: false,
            gap: None,
        };
        self.add(start, None);
        while let Some(index) = self.queue.pop_front() {
            let Some(state) = self.nodes.get(index).map(|node| node.state.clone()) else {
                continue;
            };
            let entries = self.entries;
            match entries.get(state.at) {
                None => self.end(index, &state),
                Some(entry) => self.ask(index, state, entry),
            }
        }
        self.result
    }

    fn add(&mut self, state: State, from: Option<(usize, Code)>) {
        if self.nodes.len() >= STATE_LIMIT {
            self.result.cut_short = true;
            return;
        }
        if self.seen.insert(state.clone()) {
            self.queue.push_back(self.nodes.len());
            self.nodes.push(Node { state, from });
        }
    }

    /// The stack is over.
    fn end(&mut self, index: usize, state: &State) {
        if state.verdict != Verdict::Yes {
            let path = self.path(index);
            if self.result.refused.is_empty() || approvals(&path) > approvals(&self.result.refused)
            {
                self.result.refused = path;
            }
            return;
        }
        let known = self.result.ways_in.iter().any(|(gap, _)| *gap == state.gap);
        if !known {
            let path = self.path(index);
            self.result.ways_in.push((state.gap, path));
        }
    }

    /// Follows each kind of answer that `entry` may give.
    fn ask(&mut self, index: usize, mut state: State, entry: &Entry) {
        // A substack begins or ends where the level changes.
        state.outer.truncate(entry.level);
        if state.outer.len() < entry.level {
            state.outer.push(state.verdict);
        }
        let Some(control) = entry.control() else {
            state.at += 1;
            // Not an answer: the head of a substack is passed in silence.
            self.add(state, Some((index, Code::IGNORE)));
            return;
        };
        let duo = entry.is_duo();
        self.result.asks_duo |= duo;
        let mut kinds = Vec::new();
        for code in in_order(&self.answers(entry)) {
            let kind = (control.action(code), code == Code::SUCCESS);
            if !kinds.contains(&kind) {
                kinds.push(kind);
                let next = self.follow(state.clone(), entry, control.action(code), code);
                self.add(next, Some((index, code)));
            }
        }
    }

    fn answers(&self, entry: &Entry) -> Codes {
        let What::Module {
            module, arguments, ..
        } = &entry.what
        else {
            return Codes::from([Code::PERM_DENIED]);
        };
        if !entry.is_duo() {
            return modules::answers(module, arguments, self.service);
        }
        match self.second {
            SecondFactor::Fails => Codes::from(DUO_FAILURES),
            SecondFactor::Approves => Codes::from([Code::SUCCESS]),
            SecondFactor::Ignores => Codes::from([Code::IGNORE]),
        }
    }

    /// Where a path is after `entry` has answered `code`.
    fn follow(&self, mut state: State, entry: &Entry, action: Action, code: Code) -> State {
        let at = state.at;
        let (next, verdict) = self.effect(&state, entry, action, code);
        if self.second == SecondFactor::Fails && state.gap.is_none() {
            let duo = entry.is_duo();
            let forgets = action == Action::Reset && state.duo_failed;
            let counted = verdict == Verdict::No || verdict == Verdict::Spoilt;
            let between = self.entries.iter().take(next).skip(at + 1);
            let passes_over = between.filter(|entry| entry.is_duo()).count() > 0;
            state.gap = if duo && !counted {
                Some(Gap::FailureIgnored(at))
            } else if forgets {
                Some(Gap::Forgotten(at))
            } else if passes_over && matches!(action, Action::Jump(_)) {
                Some(Gap::JumpsOver(at))
            } else if passes_over {
                Some(Gap::EndsBefore(at))
            } else {
                None
            };
            state.duo_failed |= duo && counted;
        }
        state.at = next;
        state.verdict = verdict;
        state
    }

    /// The next step, and what is decided then.
    fn effect(&self, state: &State, entry: &Entry, action: Action, code: Code) -> (usize, Verdict) {
        let next = state.at + 1;
        let before = state.verdict;
        match action {
            Action::Ignore => (next, before),
            Action::Reset => (next, state.outer.last().copied().unwrap_or(Verdict::Open)),
            Action::Bad => (next, Verdict::No),
            Action::Die => (self.end_of_level(state.at, entry.level), Verdict::No),
            Action::Ok | Action::Done => {
                let verdict = match before {
                    Verdict::Open | Verdict::Yes if code == Code::SUCCESS => Verdict::Yes,
                    Verdict::Open | Verdict::Yes => Verdict::Spoilt,
                    other => other,
                };
                // After a failure, `done` ends nothing.
                if action == Action::Done && verdict != Verdict::No {
                    (self.end_of_level(state.at, entry.level), verdict)
                } else {
                    (next, verdict)
                }
            }
            Action::Jump(count) => match self.jump(state.at, entry.level, count) {
                (target, true) => (target, before),
                // It leads nowhere: the stack has failed.
                (target, false) => (target, Verdict::No),
            },
        }
    }

    fn level(&self, at: usize) -> Option<usize> {
        self.entries.get(at).map(|entry| entry.level)
    }

    /// The first step behind the substack, or the end.
    fn end_of_level(&self, at: usize, level: usize) -> usize {
        let behind = self.entries.iter().skip(at + 1);
        let inside = behind.take_while(|entry| entry.level >= level).count();
        at + 1 + inside
    }

    /// Where a jump leads, and whether there were as many steps to pass over.
    fn jump(&self, at: usize, level: usize, count: usize) -> (usize, bool) {
        let mut next = at + 1;
        for _ in 0..count {
            if self.level(next).is_none_or(|inner| inner < level) {
                return (next, false);
            }
            next += 1;
            while self.level(next).is_some_and(|inner| inner > level) {
                next += 1;
            }
        }
        (next, true)
    }

    /// The modules that were asked on the way to a node.
    fn path(&self, index: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut after = index;
        while let Some((before, code)) = self.nodes.get(after).and_then(|node| node.from) {
            steps.extend(self.step(before, after, code));
            after = before;
        }
        steps.reverse();
        steps
    }

    fn step(&self, before: usize, after: usize, code: Code) -> Option<Step> {
        let from = &self.nodes.get(before)?.state;
        let to = &self.nodes.get(after)?.state;
        let entry = self.entries.get(from.at)?;
        let control = entry.control()?;
        Some(Step {
            place: entry.place.clone(),
            module: entry.module().unwrap_or("(unusable line)").to_owned(),
            code,
            then: self.told(from, to, control.action(code)),
            refuses: to.verdict != from.verdict
                && matches!(to.verdict, Verdict::No | Verdict::Spoilt),
        })
    }

    /// What PAM does, in words.
    fn told(&self, from: &State, to: &State, action: Action) -> String {
        let target = self.entries.get(to.at).map(|entry| &entry.place);
        let over = target.is_none();
        let landing = target.map_or_else(|| "the end".to_owned(), ToString::to_string);
        let ending = match (over, to.verdict) {
            (true, Verdict::Yes) => ": in",
            (true, _) => ": out",
            _ => "",
        };
        match action {
            Action::Ignore => format!("ignored{ending}"),
            Action::Reset => format!("reset: what was decided is forgotten{ending}"),
            Action::Bad => format!("failure{ending}"),
            Action::Die if over => "die: out".to_owned(),
            Action::Die => format!("die: on to {landing}"),
            Action::Done if from.verdict == Verdict::No => "done, after a failure".to_owned(),
            Action::Done if over => format!("done{ending}"),
            Action::Done => format!("done: on to {landing}"),
            Action::Ok => format!("ok{ending}"),
            Action::Jump(_) if to.verdict != from.verdict => {
                "jump that leads nowhere: failure".into()
            }
            Action::Jump(_) => format!("jump to {landing}{ending}"),
        }
    }
}

/// Success first, and then the plain ways of failing, so that the paths shown are those that
/// people think of.
fn in_order(codes: &Codes) -> Vec<Code> {
    let first = [
        Code::SUCCESS,
        Code::AUTH_ERR,
        Code::PERM_DENIED,
        Code::IGNORE,
    ];
    let mut ordered: Vec<Code> = first
        .into_iter()
        .filter(|code| codes.contains(code))
        .collect();
    ordered.extend(codes.iter().filter(|code| !first.contains(code)));
    ordered
}

fn approvals(path: &[Step]) -> usize {
    path.iter()
        .filter(|step| step.code == Code::SUCCESS)
        .count()
}
