//! One login from end to end: arguments and PAM items in, an [`Outcome`] out, every log line on
//! the way. Names no PAM code.

use std::time::Duration;

use crate::args::Arguments;
use crate::config::file::{FileFault, read_trusted};
use crate::config::{Bypass, Config, ConfigFault, Failmode, Finding, read};
use crate::connect;
use crate::log::{Log, Severity};
use crate::login::{self, Channel, Conversation, Journal, LoginContext, Ports, Rules};
use crate::outcome::{Attempt, Fault, Outcome, Who};
use crate::pam_items::PamItems;
use crate::pushinfo::{self, Details};
use crate::stall::StallWatch;
use crate::who::address;
use crate::who::{Identity, identify};
use duo_auth::clean;
use duo_auth::clock::SystemClock;
use duo_auth::net::trust;

/// Runs a login and writes its log lines.
pub fn authenticate(
    arguments: &Arguments,
    items: &PamItems,
    log: &Log,
    conversation: &mut dyn Conversation,
) -> Outcome {
    let mut who = Who {
        user: items.user.clone(),
        from: items.rhost.clone(),
    };
    let outcome = decide(arguments, items, log, conversation, &mut who);
    write(&outcome, &who, log);
    outcome
}

fn write(outcome: &Outcome, who: &Who, log: &Log) {
    if let Some((severity, line)) = outcome.log_line(who) {
        log.line(severity, &line);
    }
}

impl Outcome {
    /// Writes the log line of an outcome that needed no login.
    pub fn logged(self, items: &PamItems, log: &Log) -> Self {
        let client = address::client(items.ssh_connection.as_deref(), items.rhost.as_deref());
        let known = items.rhost.clone().filter(|rhost| !rhost.is_empty());
        let who = Who {
            user: items.user.clone(),
            from: known.or_else(|| client.map(|address| address.to_string())),
        };
        write(&self, &who, log);
        self
    }
}

fn decide(
    arguments: &Arguments,
    items: &PamItems,
    log: &Log,
    conversation: &mut dyn Conversation,
    who: &mut Who,
) -> Outcome {
    if !arguments.bad.is_empty() {
        for bad in &arguments.bad {
            log.line(
                Severity::Error,
                &format!("Invalid pam_duo option: '{}'", clean(bad)),
            );
        }
        return Outcome::BadArguments;
    }
    let (config, failmode) = load(arguments, log);
    let config = match config {
        Ok(config) => config,
        Err(fault) => return config_fault(fault, failmode, arguments, log),
    };
    let (duo_name, note) = match identify(items, &config) {
        Err(error) => {
            return Outcome::LookUpFailed {
                detail: error.to_string(),
            };
        }
        Ok(Identity::Unknown) => return Outcome::NoSuchUser,
        Ok(Identity::Bypassed(user)) => {
            who.user = user.name;
            return Outcome::Bypassed {
                ignore: config.bypass == Bypass::Ignore,
            };
        }
        Ok(Identity::Asked {
            user,
            duo_name,
            note,
        }) => {
            who.user = user.name;
            (duo_name, note)
        }
    };
    if let Some(note) = note {
        log.line(Severity::Warning, &note);
    }
    let client = address::client(items.ssh_connection.as_deref(), items.rhost.as_deref());
    if who.from.as_deref().unwrap_or_default().is_empty() {
        who.from = client.map(|address| address.to_string());
    }
    let ipaddr = match client {
        None if config.fallback_local_ip => address::server(),
        known => known,
    };
    let mut request = LoginContext {
        username: duo_name,
        ipaddr: ipaddr.map(|address| address.to_string()),
        hostname: hostname(),
        push_kind: None,
        pushinfo: None,
    };
    if config.pushinfo {
        let command = pushinfo::command(items);
        let details = Details {
            server: request.hostname.as_deref(),
            service: &items.service,
            from: who.from.as_deref(),
            user: &who.user,
            command: command.as_deref(),
        };
        request.pushinfo = Some(details.encoded());
        request.push_kind = Some(pushinfo::kind(&items.service, items.through_sshd()));
    }
    let watch = StallWatch::start();
    let ended = ask_duo(&config, &request, items, log, conversation, who);
    match ended {
        Ok(outcome) => outcome,
        Err(Fault::Config(fault)) => config_fault(fault, failmode, arguments, log),
        Err(Fault::Outage(outage)) if watch.may_have_lost(tolerable_loss(config.https_timeout)) => {
            Outcome::Error {
                detail: format!("this process was stopped while Duo was asked ({outage})"),
            }
        }
        Err(fault) => fault.judge(failmode),
    }
}

/// How long this process may not have run while Duo was asked, if a time-out is to be trusted: a
/// busy machine's hiccups, and never so much that Duo had no time to answer.
fn tolerable_loss(https_timeout: Duration) -> Duration {
    (https_timeout / 4).max(Duration::from_millis(500))
}

/// Reads and judges the configuration. The argument's `failmode` overrides the file's, and a
/// file that cannot be trusted says nothing.
fn load(arguments: &Arguments, log: &Log) -> (Result<Config, ConfigFault>, Option<Failmode>) {
    let path = arguments.conf.display();
    let file = match read_trusted(&arguments.conf) {
        Ok(file) => file,
        Err(fault) => {
            let reason = match &fault {
                FileFault::Io(error) => plain(error),
                FileFault::WritableByOthers(_) | FileFault::ForeignOwner(_) => {
                    format!("not trusted: {path} must be readable only by user 'root': {fault}")
                }
                other => other.to_string(),
            };
            let path = arguments.conf.clone();
            return (Err(ConfigFault::File { path, reason }), arguments.failmode);
        }
    };
    if file.readable_by_others {
        log.line(
            Severity::Error,
            &format!("{path} must be readable only by user 'root'"),
        );
    }
    let reading = read(&file.text);
    for finding in &reading.findings {
        let severity = match finding {
            Finding::NotUnderstood { .. } | Finding::BadValue { .. } => Severity::Error,
            Finding::WithoutEffect { .. } => Severity::Info,
            _ => Severity::Warning,
        };
        log.line(severity, &finding.describe(&path));
    }
    (reading.config, arguments.failmode.or(reading.failmode))
}

/// An I/O error without Rust's "(os error 2)".
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// Says what is wrong in a line of its own, then lets `failmode` judge.
fn config_fault(
    fault: ConfigFault,
    failmode: Option<Failmode>,
    arguments: &Arguments,
    log: &Log,
) -> Outcome {
    let line = match &fault {
        ConfigFault::MissingKeys | ConfigFault::BadHost(_) | ConfigFault::NoVerify => {
            format!("{fault} in {}", arguments.conf.display())
        }
        ConfigFault::File { .. } | ConfigFault::Trust(_) => fault.to_string(),
    };
    log.line(Severity::Error, &line);
    Fault::Config(fault).judge(failmode)
}

/// Writes failed attempts to the log.
struct LogJournal<'a> {
    log: &'a Log,
    who: &'a Who,
}

impl Journal for LogJournal<'_> {
    fn failed(&mut self, attempt: &Attempt, why: &str) {
        let (severity, line) = self.who.failed_attempt(attempt, why);
        self.log.line(severity, &line);
    }
}

fn ask_duo(
    config: &Config,
    request: &LoginContext,
    items: &PamItems,
    log: &Log,
    conversation: &mut dyn Conversation,
    who: &Who,
) -> login::Ended {
    let clock = SystemClock::start();
    if let Some(cafile) = config.cafile.as_deref() {
        if trust::may_be_changed_by_others(cafile) {
            let path = cafile.display();
            log.line(
                Severity::Error,
                &format!(
                    "{path} must be writable only by user 'root': who writes it can pose as Duo"
                ),
            );
        }
    }
    let trace = |text: String| log.trace(&text);
    let mut duo = connect::client(config, &clock, &trace)
        .map_err(|error| ConfigFault::Trust(error.to_string()))?;
    let rules = Rules {
        prompts: config.prompts,
        autopush: config.autopush,
        verified_push: config.verified_push,
        menu: config.menu,
        channel: Channel::new(config.status, items.through_sshd()),
        https_timeout: config.https_timeout,
        login_timeout: config.login_timeout,
    };
    login::run(
        request,
        &rules,
        Ports {
            duo: &mut duo,
            conversation,
            clock: &clock,
            journal: &mut LogJournal { log, who },
        },
    )
}

/// This server's name, for Duo.
fn hostname() -> Option<String> {
    let name = nix::unistd::gethostname().ok()?;
    Some(name.to_string_lossy().into_owned()).filter(|name| !name.is_empty())
}
