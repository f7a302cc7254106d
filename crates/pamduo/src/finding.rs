//! What `pamduo check` and `pamduo lint` find: one shape, on screen and in JSON.

use std::fmt;
use std::path::Path;
use std::rc::Rc;

use anstyle::Style;
use duo_auth::clean;
use serde_json::{Value, json};

use crate::report::{RED, YELLOW, paint};

/// How bad a finding is. The worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Somebody gets in without the second factor, or nobody gets in.
    Error,
    /// It works, but may not be meant so, or may fail under other conditions.
    Warning,
}

impl Severity {
    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Error => RED.bold(),
            Self::Warning => YELLOW.bold(),
        }
    }
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The file's path, on the system that is examined.
    pub(crate) file: Rc<str>,
    /// From 1; none where the file as a whole is meant.
    pub(crate) line: Option<usize>,
}

impl Place {
    /// A line of the file at `path`, from 1.
    pub(crate) fn line(path: &Path, line: usize) -> Self {
        Self {
            line: Some(line),
            ..Self::whole(path)
        }
    }

    /// The file at `path` as a whole.
    pub(crate) fn whole(path: &Path) -> Self {
        Self {
            file: path.to_string_lossy().into(),
            line: None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = clean(&self.file);
        match self.line {
            Some(line) => write!(to, "{file}:{line}"),
            None => write!(to, "{file}"),
        }
    }
}

/// Something to be put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What kind it is. Stable: scripts match it.
    pub(crate) id: &'static str,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What is wrong, and its consequence.
    pub(crate) message: String,
    /// What to do, or the line to write instead.
    pub(crate) fix: String,
    /// Where it is, if it is in a file.
    pub(crate) place: Option<Place>,
}

impl Finding {
    /// As JSON: an object with `id`, `severity`, `message`, `fix` and `where`, which has `file` and
    /// `line`, or is null.
    pub(crate) fn json(&self) -> Value {
        let place = self
            .place
            .as_ref()
            .map(|place| json!({"file": clean(&place.file), "line": place.line}));
        json!({
            "id": self.id,
            "severity": self.severity.word(),
            "message": clean(&self.message),
            "fix": clean(&self.fix),
            "where": place,
        })
    }

    /// On screen: `SEVERITY: WHERE: MESSAGE [ID]`, then `details`, then `fix: FIX`. WHERE is left
    /// out if the message names the file.
    pub(crate) fn lines(&self, details: &[String], colour: bool) -> Vec<String> {
        let severity = paint(colour, self.severity.style(), self.severity.word());
        let message = clean(&self.message);
        let place = match &self.place {
            Some(place) if !message.contains(&clean(&place.file)) => format!("{place}: "),
            _ => String::new(),
        };
        let mut lines = vec![format!("{severity}: {place}{message} [{}]", self.id)];
        lines.extend(details.iter().map(|line| format!("  {line}")));
        lines.push(format!("  fix: {}", clean(&self.fix)));
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Finding, Place, Severity};
    use serde_json::json;

    fn finding(place: Option<Place>) -> Finding {
        Finding {
            id: "a.b",
            severity: Severity::Warning,
            message: "odd \u{1b}[2J text".to_owned(),
            fix: "mend it".to_owned(),
            place,
        }
    }

    #[test]
    fn json_has_five_fields_and_where_is_null_without_a_place() {
        let with_place = |place| {
            json!({
                "id": "a.b", "severity": "warning", "message": "odd ?[2J text", "fix": "mend it",
                "where": place,
            })
        };
        assert_eq!(finding(None).json(), with_place(json!(null)));
        let file = Path::new("/f");
        for (place, line) in [(Place::whole(file), None), (Place::line(file, 3), Some(3))] {
            let expected = with_place(json!({"file": "/f", "line": line}));
            assert_eq!(finding(Some(place)).json(), expected);
        }
    }

    #[test]
    fn on_screen_it_has_its_place_unless_the_message_names_the_file() {
        for (place, expected) in [
            (None, "warning: odd ?[2J text [a.b]"),
            (
                Some(Place::line(Path::new("/f"), 3)),
                "warning: /f:3: odd ?[2J text [a.b]",
            ),
            (
                Some(Place::whole(Path::new("/f"))),
                "warning: /f: odd ?[2J text [a.b]",
            ),
            (
                Some(Place::line(Path::new("text"), 3)),
                "warning: odd ?[2J text [a.b]",
            ),
        ] {
            let lines = finding(place).lines(&["for: x".to_owned()], false);
            assert_eq!(lines, [expected, "  for: x", "  fix: mend it"]);
        }
    }
}
