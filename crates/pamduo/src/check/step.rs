//! The steps of a check and what they find, as text and as JSON.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::problem::Problem;
use crate::report::{Colour, paint, wrap};

/// Width of what stands in front of a step's text: status, name and time.
const INDENT: usize = 29;

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// As it should.
    Ok,
    /// It works, but something is to be mended.
    Warning,
    /// It does not work.
    Failed,
    /// Not tried.
    Skipped,
}

impl Status {
    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    fn colour(self) -> Colour {
        match self {
            Self::Ok => Colour::Green,
            Self::Warning => Colour::Yellow,
            Self::Failed => Colour::Red,
            Self::Skipped => Colour::Grey,
        }
    }
}

/// Something that is wrong.
#[derive(Debug)]
pub(crate) struct Found {
    problem: Problem,
    text: String,
    todo: String,
    line: Option<usize>,
}

/// One step of a check.
#[derive(Debug)]
pub(crate) struct Step {
    id: &'static str,
    detail: Vec<String>,
    found: Vec<Found>,
    waits_for: Option<&'static str>,
    took: Duration,
}

impl Step {
    /// A step that was tried; `work` says what there is to say.
    pub(crate) fn timed<T>(id: &'static str, work: impl FnOnce(&mut Self) -> T) -> (Self, T) {
        let mut step = Self {
            id,
            detail: Vec::new(),
            found: Vec::new(),
            waits_for: None,
            took: Duration::ZERO,
        };
        let start = Instant::now();
        let result = work(&mut step);
        step.took = start.elapsed();
        (step, result)
    }

    /// A step that cannot be tried before another one works.
    pub(crate) fn skipped(id: &'static str, waits_for: &'static str) -> Self {
        let (mut step, ()) = Self::timed(id, |_| ());
        step.waits_for = Some(waits_for);
        step
    }

    /// Says something that is no finding.
    pub(crate) fn say(&mut self, text: impl Into<String>) {
        self.detail.push(text.into());
    }

    /// Says what is wrong and what to do.
    pub(crate) fn find(
        &mut self,
        problem: Problem,
        text: impl Into<String>,
        todo: impl Into<String>,
    ) {
        self.find_at(None, problem, text, todo);
    }

    /// The same, in a line of the file.
    pub(crate) fn find_at(
        &mut self,
        line: Option<usize>,
        problem: Problem,
        text: impl Into<String>,
        todo: impl Into<String>,
    ) {
        self.found.push(Found {
            problem,
            text: text.into(),
            todo: todo.into(),
            line,
        });
    }

    /// How it went.
    pub(crate) fn status(&self) -> Status {
        if self.waits_for.is_some() {
            return Status::Skipped;
        }
        let failed = |found: &Found| found.problem.status() == Status::Failed;
        match self.found.as_slice() {
            [] => Status::Ok,
            found if found.iter().any(failed) => Status::Failed,
            _ => Status::Warning,
        }
    }

    /// How much is wrong.
    pub(crate) fn findings(&self) -> usize {
        self.found.len()
    }

    /// As JSON.
    pub(crate) fn value(&self) -> Value {
        let texts = self.found.iter().map(|found| found.text.clone());
        let detail: Vec<String> = self.detail.iter().cloned().chain(texts).collect();
        let findings: Vec<Value> = self
            .found
            .iter()
            .map(|found| {
                json!({
                    "id": found.problem.id(),
                    "status": found.problem.status().word(),
                    "text": found.text,
                    "todo": found.todo,
                    "line": found.line,
                })
            })
            .collect();
        json!({
            "id": self.id,
            "status": self.status().word(),
            "detail": detail.join("; "),
            "ms": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "todo": self.found.first().map(|found| found.todo.as_str()),
            "waits_for": self.waits_for,
            "findings": findings,
        })
    }

    /// As lines of text.
    pub(crate) fn lines(&self, colour: bool) -> Vec<String> {
        let mut texts: Vec<String> = self.detail.clone();
        for found in &self.found {
            texts.push(found.text.clone());
            texts.push(format!("To do: {}", found.todo));
        }
        if let Some(step) = self.waits_for {
            texts.push(format!("waits for {step}"));
        }
        let time = match self.waits_for {
            None => format!("{} ms", self.took.as_millis()),
            Some(_) => String::new(),
        };
        let status = self.status();
        // Padded first: the colour's own signs take no room.
        let mut word = format!("{:<7}", status.word());
        if colour {
            word = paint(status.colour(), &word);
        }
        let mut prefix = format!("{word} {:<10} {time:>8}  ", self.id);
        let mut lines = Vec::new();
        for text in texts {
            for line in wrap(&text, INDENT) {
                lines.push(format!("{prefix}{line}"));
                prefix = " ".repeat(INDENT);
            }
        }
        if lines.is_empty() {
            lines.push(prefix.trim_end().to_owned());
        }
        lines
    }
}
