//! What was found, as text and as JSON.

use std::fmt::{self, Write as _};

use duo_auth::clean;
use serde_json::{Value, json};

use super::ids::Id;
use super::stack::Place;
use super::walk::Step;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Somebody gets in without the second factor, or nobody gets in.
    Error,
    /// Meant so, perhaps; or it goes wrong on a bad day.
    Warning,
}

impl Severity {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Something to be put right.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// What kind it is.
    pub(crate) id: Id,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// Where it is.
    pub(crate) place: Place,
    /// What is wrong, and what comes of it.
    pub(crate) why: String,
    /// The line to write instead, or what to do where no line is enough.
    pub(crate) instead: String,
    /// The services that it touches.
    pub(crate) services: Vec<String>,
    /// A path to success that avoids Duo, or one that ends in refusal.
    pub(crate) path: Vec<Step>,
}

/// What becomes of logins through one service.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// Its name.
    pub(crate) name: String,
    /// Whether PAM can say yes although the second factor has failed or was not asked.
    pub(crate) skippable: bool,
    /// Whether PAM can say yes when the second factor approves.
    pub(crate) possible: bool,
    /// A path that avoids the second factor.
    pub(crate) path: Vec<Step>,
}

/// Everything that was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// To be put right.
    pub(crate) findings: Vec<Finding>,
    /// The services that ask Duo.
    pub(crate) services: Vec<Service>,
    /// Good to know, and nothing wrong.
    pub(crate) notes: Vec<String>,
    /// Whether sshd's stack asks for nothing but Duo.
    pub(crate) sshd_asks_duo_alone: bool,
}

impl Report {
    /// Adds a finding; one that is there already gets the other's services.
    pub(crate) fn add(&mut self, finding: Finding) {
        let same = |known: &&mut Finding| known.id == finding.id && known.place == finding.place;
        match self.findings.iter_mut().find(same) {
            None => self.findings.push(finding),
            Some(known) => {
                // Wrong for one service is wrong.
                known.severity = known.severity.min(finding.severity);
                for service in finding.services {
                    if !known.services.contains(&service) {
                        known.services.push(service);
                    }
                }
            }
        }
    }

    /// Adds a note, once.
    pub(crate) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// As JSON.
    pub(crate) fn to_json(&self) -> Value {
        let findings: Vec<Value> = self.findings.iter().map(finding_json).collect();
        let services = self.services.iter().map(|service| {
            json!({
                "name": clean(&service.name),
                "skippable": service.skippable,
                "possible": service.possible,
                "path": path_json(&service.path),
            })
        });
        json!({
            "findings": findings,
            "services": services.collect::<Vec<Value>>(),
            "notes": self.notes,
        })
    }

    /// As text, coloured where wanted.
    pub(crate) fn to_text(&self, colour: bool) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            finding_text(&mut text, finding, colour);
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        text.push_str(&self.summary());
        text
    }

    fn summary(&self) -> String {
        let names: Vec<String> = self.services.iter().map(|s| clean(&s.name)).collect();
        let asking = match names.len() {
            0 => "no service asks Duo".to_owned(),
            1 => format!("1 service asks Duo: {}", names.join(", ")),
            count => format!("{count} services ask Duo: {}", names.join(", ")),
        };
        match self.findings.len() {
            0 => format!("Nothing found; {asking}"),
            1 => format!("1 finding; {asking}"),
            count => format!("{count} findings; {asking}"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.to_text(false))
    }
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "id": finding.id.name(),
        "severity": finding.severity.word(),
        "file": clean(&finding.place.file),
        "line": finding.place.line,
        "why": clean(&finding.why),
        "instead": clean(&finding.instead),
        "services": finding.services.iter().map(|name| clean(name)).collect::<Vec<_>>(),
        "path": path_json(&finding.path),
    })
}

fn path_json(path: &[Step]) -> Vec<Value> {
    let steps = path.iter().map(|step| {
        json!({
            "file": clean(&step.place.file),
            "line": step.place.line,
            "module": clean(&step.module),
            "result": step.code.name(),
            "then": step.then,
        })
    });
    steps.collect()
}

fn finding_text(text: &mut String, finding: &Finding, colour: bool) {
    let word = finding.severity.word();
    let shown = match (colour, finding.severity) {
        (false, _) => word.to_owned(),
        (true, Severity::Error) => format!("\x1b[1;31m{word}\x1b[0m"),
        (true, Severity::Warning) => format!("\x1b[1;33m{word}\x1b[0m"),
    };
    let _ = writeln!(
        text,
        "{shown}: {}: {} [{}]",
        finding.place,
        clean(&finding.why),
        finding.id.name()
    );
    if !finding.services.is_empty() {
        let _ = writeln!(text, "  for:   {}", clean(&finding.services.join(", ")));
    }
    let place_width = finding
        .path
        .iter()
        .map(|step| step.place.to_string().len())
        .max();
    let module_width = finding.path.iter().map(|step| step.module.len()).max();
    for (index, step) in finding.path.iter().enumerate() {
        let head = if index == 0 { "path:" } else { "" };
        let _ = writeln!(
            text,
            "  {head:<6} {:<places$}  {:<modules$}  {} → {}",
            step.place.to_string(),
            clean(&step.module),
            step.code.name(),
            step.then,
            places = place_width.unwrap_or(0),
            modules = module_width.unwrap_or(0),
        );
    }
    let _ = writeln!(text, "  write: {}\n", clean(&finding.instead));
}
