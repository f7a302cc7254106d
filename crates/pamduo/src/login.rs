//! `pamduo login`: a whole login as sshd would do it, with the real phone and without PAM.

use std::io::{self, BufRead as _, ErrorKind, Read as _};
use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;

use duo_auth::Secret;
use duo_auth::clean;
use duo_login::args;
use duo_login::authenticate::Authentication;
use duo_login::config::file::{FileFault, read_trusted};
use duo_login::config::read;
use duo_login::log::Log;
use duo_login::login::{Answer, Conversation, ConversationError};
use duo_login::menu::LONGEST_ANSWER;
use duo_login::who::users;
use duo_login::{PamItems, Starter};
use duo_login::{log::Severity, outcome::Outcome};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::report::{GREEN, Output, RED};

/// Arguments of `pamduo login`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// User of this machine
    user: String,
    /// Address that the login comes from, for Duo's policy
    #[arg(long, value_name = "IP")]
    from: Option<IpAddr>,
}

const EXAMPLES: &str = "\
The user's phone rings as in a real login. Nothing is written to the log, and
PAM is not used. Exit status 1 if the user would stay out.

Examples:
  pamduo login alice
  pamduo login alice --from 203.0.113.5";

/// Runs it; 0 if the user would get in, 1 if not.
pub(crate) fn run(arguments: &Arguments, config: &Path, output: &Output) -> ExitCode {
    if let Err(FileFault::Io(error)) = read_trusted(config) {
        if error.kind() == ErrorKind::PermissionDenied {
            output.error(&format!(
                "{} can be read by root alone: run pamduo as root",
                config.display()
            ));
            return ExitCode::FAILURE;
        }
    }
    let module = args::Arguments {
        conf: config.to_owned(),
        debug: false,
        trace: false,
        failmode: None,
        bad: Vec::new(),
    };
    let items = PamItems {
        user: arguments.user.clone(),
        service: "sshd".to_owned(),
        rhost: arguments.from.map(|address| address.to_string()),
        ssh_connection: None,
        password: None,
    };
    let log = Log::kept(&items.service);
    let authentication = Authentication {
        arguments: &module,
        items: &items,
        // As sshd, which this stands in for.
        starter: Starter::Root,
        log: &log,
    };
    let outcome = authentication.run(&mut Console { output });
    tell(&outcome, &arguments.user, config, &log, output);
    if gets_in(&outcome) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Whether PAM would go on.
fn gets_in(outcome: &Outcome) -> bool {
    outcome.pam_code().lets_in()
}

fn tell(outcome: &Outcome, user: &str, config: &Path, log: &Log, output: &Output) {
    let notes = notes(outcome, user, config);
    let lines = log.lines();
    if output.json {
        let lines: Vec<Value> = lines
            .iter()
            .map(|(severity, line)| json!({"severity": word(*severity), "line": line}))
            .collect();
        output.value(json!({
            "user": user,
            "gets_in": gets_in(outcome),
            "second_factor": matches!(outcome, Outcome::Approved(_) | Outcome::ApprovedBefore),
            "pam_code": outcome.pam_code().name(),
            "notes": notes,
            "log": lines,
        }));
        return;
    }
    let (style, verdict) = match outcome {
        Outcome::Failsafe(_) => (RED, "gets in without a second factor"),
        _ if gets_in(outcome) => (GREEN, "gets in"),
        _ => (RED, "stays out"),
    };
    output.line("");
    let verdict = output.paint(style, verdict);
    output.line(&format!("Result:   '{}' {verdict}", clean(user)));
    for note in notes {
        for line in output.wrap(&note, 10) {
            output.line(&format!("          {line}"));
        }
    }
    output.line(&format!("PAM code: {}", outcome.pam_code().name()));
    for (severity, line) in lines {
        output.line(&format!("Log line: [{}] {line}", word(severity)));
    }
}

/// What the log does not say.
fn notes(outcome: &Outcome, user: &str, config: &Path) -> Vec<String> {
    match outcome {
        Outcome::Bypassed { ignore } => {
            let mut notes = vec!["Duo is not asked: the user is outside groups.".to_owned()];
            notes.extend(misses(user, config));
            if *ignore {
                notes.push("With bypass = ignore the next lines of the PAM stack decide.".into());
            }
            notes
        }
        Outcome::NoSuchUser => vec!["This machine has no such user.".to_owned()],
        Outcome::Failsafe(_) => vec![
            "Duo could not be asked, and failmode lets the user in: run pamduo check.".to_owned(),
            "sudo and su, which users start, may end otherwise: it says that, too.".to_owned(),
        ],
        Outcome::Failsecure { .. } => {
            vec!["Duo could not be asked: run pamduo check.".to_owned()]
        }
        Outcome::OutOfTries => vec!["All tries were used up.".to_owned()],
        _ => Vec::new(),
    }
}

/// Which patterns exclude the user.
fn misses(user: &str, config: &Path) -> Vec<String> {
    let Ok(file) = read_trusted(config) else {
        return Vec::new();
    };
    let Ok(config) = read(&file.text).config else {
        return Vec::new();
    };
    let Ok(Some(user)) = users::by_name(user) else {
        return Vec::new();
    };
    let groups = users::groups_of(&user).unwrap_or_default();
    let misses = config.groups.misses(&groups);
    misses
        .iter()
        .map(|miss| format!("groups: {}", clean(&miss.to_string())))
        .collect()
}

/// A severity's word.
fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
        Severity::Debug => "debug",
    }
}

/// [`Conversation`] by standard error and standard input, so that standard output holds the result
/// alone.
struct Console<'a> {
    output: &'a Output,
}

impl Conversation for Console<'_> {
    fn ask(&mut self, text: &str) -> Result<Answer, ConversationError> {
        self.output.prompt(text);
        let none = || ConversationError("conversation failed or cancelled".to_owned());
        // Longer lines are not answers.
        let longest = u64::try_from(LONGEST_ANSWER).unwrap_or(u64::MAX) + 2;
        let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_ANSWER + 2));
        let mut input = io::stdin().lock();
        input
            .by_ref()
            .take(longest)
            .read_until(b'\n', &mut line)
            .map_err(|_| none())?;
        if line.is_empty() {
            return Err(none());
        }
        if !line.ends_with(b"\n") && line.len() > LONGEST_ANSWER {
            // Otherwise the rest of the line would be the next answer.
            skip_line(&mut input);
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        Ok(match std::str::from_utf8(text) {
            Ok(text) if text.len() <= LONGEST_ANSWER => Answer::Text(Secret::from(text)),
            _ => Answer::Unusable,
        })
    }

    fn inform(&mut self, text: &str) {
        self.output.note(text);
    }
}

/// Reads to the end of the line.
fn skip_line(input: &mut io::StdinLock<'_>) {
    loop {
        let (length, over) = match input.fill_buf() {
            Ok(buffer) => match buffer.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            },
            Err(_) => return,
        };
        input.consume(length);
        if over {
            return;
        }
    }
}
