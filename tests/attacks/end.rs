//! How a login ended, by a file that only whoever came in can have made, and by the module's log.

use login_sandbox::LogLine;

/// How a login ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// Whether somebody came in.
    pub inside: bool,
    /// How, in the module's words.
    pub how: String,
}

/// Parts of the log's line by which a kind of fault is known, the weightiest first.
const KINDS: [(&str, &str); 20] = [
    ("HTTP 429", "429"),
    ("SELinux or a local firewall", "not permitted"),
    ("what this machine lacks", "own machine"),
    ("this machine's own limit", "own machine"),
    ("too few file descriptors", "own machine"),
    ("too little memory", "own machine"),
    ("no free local port", "own machine"),
    ("no thread could be made", "own machine"),
    ("this process was stopped", "own machine"),
    ("a system call of the look-up failed", "own machine"),
    ("the thread that looks up names", "own machine"),
    ("Too many open files", "own machine"),
    ("Cannot allocate memory", "own machine"),
    ("Cannot assign requested address", "own machine"),
    ("Address already in use", "own machine"),
    ("out of memory", "own machine"),
    ("Couldn't connect", "the way to Duo"),
    ("Couldn't open", "configuration"),
    ("cafile", "configuration"),
    ("HTTP 503", "Duo's answer"),
];

fn kind(text: &str) -> &'static str {
    let found = KINDS.iter().find(|(part, _)| text.contains(part));
    found.map_or("another fault", |(_, kind)| kind)
}

impl End {
    /// By whether the mark of whoever is inside is there, and by the lines that the module logged.
    /// Of an application that is `privileged`, the line that says that somebody comes in is as good as
    /// the mark.
    pub fn of(marked: bool, lines: &[LogLine], application: &str, privileged: bool) -> Self {
        let line = |event: &str| lines.iter().find(|line| line.text.contains(event));
        let failsafe = line("Failsafe Duo login");
        if let Some(failsafe) = failsafe.filter(|_| marked || privileged) {
            let how = format!("Failsafe, {}", kind(&failsafe.text));
            return Self { inside: true, how };
        }
        let approved = line("Successful Duo login").is_some();
        let (inside, how) = match () {
            () if marked && approved => (true, "the factor".to_owned()),
            () if marked => (true, "unseen".to_owned()),
            () if line("Skipped Duo login").is_some() => (privileged, "skipped".to_owned()),
            () if failsafe.is_some() && line("Failsecure Duo login").is_none() => {
                (false, format!("{application} has no privileges"))
            }
            () if approved => (false, format!("{application} ends after the factor")),
            () => (false, kept_out(&line, application)),
        };
        Self { inside, how }
    }

    /// As the table has it.
    pub fn in_words(&self) -> String {
        let word = if self.inside { "in" } else { "out" };
        format!("{word}: {}", self.how)
    }
}

fn kept_out<'a>(line: &dyn Fn(&str) -> Option<&'a LogLine>, application: &str) -> String {
    if let Some(failsecure) = line("Failsecure Duo login") {
        return format!("Failsecure, {}", kind(&failsecure.text));
    }
    if let Some(aborted) = line("Aborted Duo login") {
        let how = if aborted.text.contains("conversation") {
            "the conversation fails"
        } else if aborted.text.contains("login_timeout") {
            "time is up"
        } else {
            "Duo denies"
        };
        return how.to_owned();
    }
    if line("Error in Duo login").is_some() {
        return "an error".to_owned();
    }
    if line("Failed Duo login").is_some() {
        return "Duo denies".to_owned();
    }
    format!("{application} ends")
}
