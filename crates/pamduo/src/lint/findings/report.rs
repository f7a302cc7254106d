//! Everything that lint found, as text and as JSON.

use std::path::PathBuf;

use duo_auth::clean;
use serde_json::{Value, json};

use super::ids::Id;
use crate::finding::{Finding, Place, Severity};
use crate::lint::pam::walk::Step;

/// A finding, with what only lint knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// What is wrong.
    pub(crate) finding: Finding,
    /// The services that it affects.
    pub(crate) services: Vec<String>,
    /// A path to success that skips Duo, or one that ends in refusal.
    pub(crate) path: Vec<Step>,
}

impl Found {
    /// A finding at `place`, without services and path.
    pub(crate) fn new(
        (id, severity): (Id, Severity),
        place: &Place,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            finding: Finding {
                id: id.name(),
                severity,
                message: message.into(),
                fix: fix.into(),
                place: Some(place.clone()),
            },
            services: Vec::new(),
            path: Vec::new(),
        }
    }

    /// Whether both are of one kind and in one place.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.finding.id == other.finding.id && self.finding.place == other.finding.place
    }

    fn json(&self) -> Value {
        let mut value = self.finding.json();
        if let Some(fields) = value.as_object_mut() {
            let services: Vec<String> = self.services.iter().map(|name| clean(name)).collect();
            fields.insert("services".to_owned(), json!(services));
            fields.insert("path".to_owned(), path_json(&self.path));
        }
        value
    }

    fn lines(&self, colour: bool) -> Vec<String> {
        let mut details = Vec::new();
        if !self.services.is_empty() {
            details.push(format!("for: {}", clean(&self.services.join(", "))));
        }
        details.extend(path_lines(&self.path));
        self.finding.lines(&details, colour)
    }
}

/// What becomes of logins through one service.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// Its name.
    pub(crate) name: String,
    /// Whether PAM can let a user in when the second factor has failed or was not asked for.
    pub(crate) skippable: bool,
    /// Whether PAM can let a user in when the second factor approves.
    pub(crate) possible: bool,
    /// A path that skips the second factor.
    pub(crate) path: Vec<Step>,
}

/// Everything that was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// To be put right.
    pub(crate) findings: Vec<Found>,
    /// The services that ask Duo.
    pub(crate) services: Vec<Service>,
    /// Good to know, and not wrong.
    pub(crate) notes: Vec<String>,
    /// Whether sshd's stack asks for nothing but Duo.
    pub(crate) sshd_asks_duo_alone: bool,
    /// The configuration files that Duo's lines name.
    pub(crate) configurations: Vec<PathBuf>,
}

impl Report {
    /// Adds a finding; if the same is there already, its services are added to that.
    pub(crate) fn add(&mut self, found: Found) {
        match self.findings.iter_mut().find(|known| known.is_same(&found)) {
            None => self.findings.push(found),
            Some(known) => {
                // An error for one service is an error.
                known.finding.severity = known.finding.severity.min(found.finding.severity);
                for service in found.services {
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

    /// Errors first, then by place.
    pub(crate) fn sort(&mut self) {
        let key = |found: &Found| {
            let finding = &found.finding;
            (finding.severity, finding.place.clone(), finding.id)
        };
        self.findings.sort_by_cached_key(key);
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let services = self.services.iter().map(|service| {
            json!({
                "name": clean(&service.name),
                "skippable": service.skippable,
                "possible": service.possible,
                "path": path_json(&service.path),
            })
        });
        json!({
            "findings": self.findings.iter().map(Found::json).collect::<Vec<Value>>(),
            "services": services.collect::<Vec<Value>>(),
            "notes": self.notes,
        })
    }

    /// As text.
    pub(crate) fn text(&self, colour: bool) -> String {
        let mut lines = Vec::new();
        for found in &self.findings {
            lines.extend(found.lines(colour));
            lines.push(String::new());
        }
        lines.extend(self.notes.iter().map(|note| format!("note: {note}")));
        lines.push(self.summary());
        lines.join("\n")
    }

    fn summary(&self) -> String {
        let names: Vec<String> = self.services.iter().map(|s| clean(&s.name)).collect();
        let asking = match names.len() {
            0 => "no service asks Duo".to_owned(),
            1 => format!("1 service asks Duo: {}", names.join(", ")),
            count => format!("{count} services ask Duo: {}", names.join(", ")),
        };
        match self.findings.len() {
            0 => format!("No findings; {asking}"),
            1 => format!("1 finding; {asking}"),
            count => format!("{count} findings; {asking}"),
        }
    }
}

fn path_json(path: &[Step]) -> Value {
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

/// A path in columns: place, module, what it answers and what PAM does with that.
fn path_lines(path: &[Step]) -> Vec<String> {
    let place_width = path.iter().map(|step| step.place.to_string().len()).max();
    let module_width = path.iter().map(|step| step.module.len()).max();
    let lines = path.iter().enumerate().map(|(index, step)| {
        format!(
            "{:<5} {:<places$}  {:<modules$}  {} → {}",
            if index == 0 { "path:" } else { "" },
            step.place.to_string(),
            clean(&step.module),
            step.code.name(),
            step.then,
            places = place_width.unwrap_or(0),
            modules = module_width.unwrap_or(0),
        )
    });
    lines.collect()
}
