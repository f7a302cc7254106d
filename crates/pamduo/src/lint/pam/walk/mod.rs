//! Walks a stack as libpam does, along every path that the modules' answers allow: a breadth-first
//! search over states (position, verdict, open substacks, gap), each of which is visited once. So the
//! path that is found is a shortest one.
//!
//! The rules are those of Linux-PAM's `_pam_dispatch`: jumps and the end of a substack stay within one
//! level, and `reset` restores the verdict with which the substack began.

mod state;
mod step;

use std::collections::{HashSet, VecDeque};

use self::state::{State, Verdict};
use super::code::Code;
use super::control::Action;
use super::modules::{self, Codes, SecondFactor};
use super::stack::{Entry, What};

pub(crate) use self::state::Gap;
pub(crate) use self::step::Step;

/// How many states are visited.
const STATE_LIMIT: usize = 200_000;

/// The result of a walk.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// A shortest path to success for each gap through which the second factor can be skipped. If it
    /// does not fail, there are no gaps, and one path at most.
    pub(crate) ways_in: Vec<(Option<Gap>, Vec<Step>)>,
    /// Whether any path calls the Duo module.
    pub(crate) asks_duo: bool,
    /// Of the paths that ended without success, the one with the most modules that answered success.
    pub(crate) refused: Vec<Step>,
    /// Whether there were too many states to visit all.
    pub(crate) cut_short: bool,
}

struct Node {
    state: State,
    /// The previous node, and the answer that led from there.
    from: Option<(usize, Code)>,
}

/// Walks `entries`, the stack of `service`.
pub(crate) fn walk(entries: &[Entry], service: &str, second: SecondFactor) -> Walk {
    Walker {
        entries,
        service,
        second,
        duo: second.answers(),
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
    /// What the Duo module may answer.
    duo: Codes,
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
            unavailable: false,
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

    /// Adds the next state for each kind of answer that `entry` may give.
    fn ask(&mut self, index: usize, mut state: State, entry: &Entry) {
        // A substack begins or ends where the level changes.
        state.outer.truncate(entry.level);
        if state.outer.len() < entry.level {
            state.outer.push(state.verdict);
        }
        let Some(control) = entry.control() else {
            state.at += 1;
            // Not an answer: the head of a substack calls no module.
            self.add(state, Some((index, Code::IGNORE)));
            return;
        };
        let duo = entry.is_duo();
        self.result.asks_duo |= duo;
        let mut kinds = Vec::new();
        for code in in_order(&self.answers(entry, &state)) {
            let unavailable = duo && code == Code::AUTHINFO_UNAVAIL;
            let kind = (control.action(code), code == Code::SUCCESS, unavailable);
            if !kinds.contains(&kind) {
                kinds.push(kind);
                let next = self.follow(state.clone(), entry, control.action(code), code);
                self.add(next, Some((index, code)));
            }
        }
    }

    fn answers(&self, entry: &Entry, state: &State) -> Codes {
        let What::Module {
            module, arguments, ..
        } = &entry.what
        else {
            return Codes::from([Code::PERM_DENIED]);
        };
        // The second factor fails, and so does the code in its place.
        if state.unavailable && modules::is_fallback(module, arguments) {
            return modules::refusals_of_fallback();
        }
        if !entry.is_duo() {
            return modules::answers(module, arguments, self.service);
        }
        self.duo.clone()
    }

    /// The state after `entry` has answered `code`.
    fn follow(&self, mut state: State, entry: &Entry, action: Action, code: Code) -> State {
        let at = state.at;
        let (next, verdict) = self.effect(&state, entry, action, code);
        if self.second == SecondFactor::Fails && state.gap.is_none() {
            let duo = entry.is_duo();
            let forgets = action == Action::Reset && state.duo_failed;
            let failed = verdict == Verdict::No || verdict == Verdict::Spoilt;
            let mut between = self.entries.iter().take(next).skip(at + 1);
            let skips_duo = between.any(Entry::is_duo);
            state.unavailable = duo && !failed && code == Code::AUTHINFO_UNAVAIL;
            state.gap = if duo && !failed {
                Some(Gap::FailureIgnored(at))
            } else if forgets {
                Some(Gap::Forgotten(at))
            } else if skips_duo && matches!(action, Action::Jump(_)) {
                Some(Gap::JumpsOver(at))
            } else if skips_duo {
                Some(Gap::EndsBefore(at))
            } else {
                None
            };
            state.duo_failed |= duo && failed;
        }
        state.at = next;
        state.verdict = verdict;
        state
    }

    /// The position and the verdict after an action.
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
                // After a failure, `done` does not end the stack.
                if action == Action::Done && verdict != Verdict::No {
                    (self.end_of_level(state.at, entry.level), verdict)
                } else {
                    (next, verdict)
                }
            }
            Action::Jump(count) => match self.jump(state.at, entry.level, count) {
                (target, true) => (target, before),
                // Beyond the end of the level: the stack has failed.
                (target, false) => (target, Verdict::No),
            },
        }
    }

    fn level(&self, at: usize) -> Option<usize> {
        self.entries.get(at).map(|entry| entry.level)
    }

    /// The first step after the level, or the end.
    fn end_of_level(&self, at: usize, level: usize) -> usize {
        let after = self.entries.iter().skip(at + 1);
        let inside = after.take_while(|entry| entry.level >= level).count();
        at + 1 + inside
    }

    /// Where a jump leads, and whether there were as many steps to skip.
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

    /// The modules that were called on the way to a node.
    fn path(&self, index: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut after = index;
        while let Some((before, code)) = self.nodes.get(after).and_then(|node| node.from) {
            steps.extend(
                self.nodes
                    .get(before)
                    .zip(self.nodes.get(after))
                    .and_then(|(from, to)| Step::new(self.entries, &from.state, &to.state, code)),
            );
            after = before;
        }
        steps.reverse();
        steps
    }
}

/// Success first, then the most common failures, so that the paths shown are those that people would
/// think of.
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
