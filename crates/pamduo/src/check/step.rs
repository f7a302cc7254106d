//! The steps of a check and what they find, as text and as JSON.

use std::time::{Duration, Instant};

use anstyle::Style;
use serde_json::{Value, json};

use super::logins::Obstacle;
use super::problem::Problem;
use crate::finding::{Finding, Place, Severity};
use crate::report::{GREEN, GREY, Output, RED, YELLOW, paint};

/// Width of what comes before a step's text: status, name and time.
const INDENT: usize = 29;

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// As it should.
    Ok,
    /// It works, with something to put right.
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

    fn style(self) -> Style {
        match self {
            Self::Ok => GREEN,
            Self::Warning => YELLOW,
            Self::Failed => RED,
            Self::Skipped => GREY,
        }
    }
}

/// One step of a check.
#[derive(Debug)]
pub(crate) struct Step {
    id: &'static str,
    detail: Vec<String>,
    findings: Vec<Finding>,
    waits_for: Option<&'static str>,
    obstacle: Option<Obstacle>,
    took: Duration,
}

impl Step {
    /// A step that was tried; `work` adds its details and findings.
    pub(crate) fn timed<T>(id: &'static str, work: impl FnOnce(&mut Self) -> T) -> (Self, T) {
        let mut step = Self {
            id,
            detail: Vec::new(),
            findings: Vec::new(),
            waits_for: None,
            obstacle: None,
            took: Duration::ZERO,
        };
        let start = Instant::now();
        let result = work(&mut step);
        step.took = start.elapsed();
        (step, result)
    }

    /// A step that cannot be tried because `waits_for` failed.
    pub(crate) fn skipped(id: &'static str, waits_for: &'static str) -> Self {
        let (mut step, ()) = Self::timed(id, |_| ());
        step.waits_for = Some(waits_for);
        step
    }

    /// Adds a detail.
    pub(crate) fn say(&mut self, text: impl Into<String>) {
        self.detail.push(text.into());
    }

    /// Adds a finding: what is wrong and what to do.
    pub(crate) fn find(
        &mut self,
        problem: Problem,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.findings.push(Finding {
            id: problem.id(),
            severity: problem.severity(),
            message: message.into(),
            fix: fix.into(),
            place: None,
        });
    }

    /// The same, in a file.
    pub(crate) fn find_at(
        &mut self,
        place: Place,
        problem: Problem,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.find(problem, message, fix);
        if let Some(last) = self.findings.last_mut() {
            last.place = Some(place);
        }
    }

    /// Logins meet this here, and ask nobody.
    pub(super) fn stops_logins(&mut self, obstacle: Obstacle) {
        self.obstacle = Some(obstacle);
    }

    /// What logins meet here.
    pub(super) fn obstacle(&self) -> Option<&Obstacle> {
        self.obstacle.as_ref()
    }

    /// How it went.
    pub(crate) fn status(&self) -> Status {
        if self.waits_for.is_some() {
            return Status::Skipped;
        }
        match self.findings.iter().map(|finding| finding.severity).min() {
            None => Status::Ok,
            Some(Severity::Error) => Status::Failed,
            Some(Severity::Warning) => Status::Warning,
        }
    }

    /// How many findings it has.
    pub(crate) fn findings(&self) -> usize {
        self.findings.len()
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let messages = self.findings.iter().map(|finding| &finding.message);
        let detail: Vec<&str> = self
            .detail
            .iter()
            .chain(messages)
            .map(String::as_str)
            .collect();
        json!({
            "id": self.id,
            "status": self.status().word(),
            "detail": detail.join("; "),
            "ms": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "waits_for": self.waits_for,
            "findings": self.findings.iter().map(Finding::json).collect::<Vec<_>>(),
        })
    }

    /// As lines of text for `output`, without secrets.
    pub(crate) fn lines(&self, output: &Output, colour: bool) -> Vec<String> {
        let mut texts: Vec<String> = self.detail.clone();
        for finding in &self.findings {
            let lines = finding.lines(&[], colour);
            texts.extend(lines.iter().map(|line| line.trim_start().to_owned()));
        }
        if let Some(step) = self.waits_for {
            texts.push(format!("waits for {step}"));
        }
        let mut prefix = self.prefix(colour);
        let mut lines = Vec::new();
        for text in texts {
            for line in output.wrap(&text, INDENT) {
                lines.push(format!("{prefix}{line}"));
                prefix = " ".repeat(INDENT);
            }
        }
        if lines.is_empty() {
            lines.push(prefix.trim_end().to_owned());
        }
        lines
    }

    /// Status, name and time.
    fn prefix(&self, colour: bool) -> String {
        let time = match self.waits_for {
            None => format!("{} ms", self.took.as_millis()),
            Some(_) => String::new(),
        };
        let status = self.status();
        // Padded first: colours take no room.
        let word = paint(colour, status.style(), &format!("{:<7}", status.word()));
        format!("{word} {:<10} {time:>8}  ", self.id)
    }
}
