//! One login from end to end: arguments and PAM items in, an [`Outcome`] out, every log line on
//! the way. Names no PAM code.

use duo_auth::clean;
use duo_auth::clock::SystemClock;
use duo_auth::net::trust;

use crate::args::Arguments;
use crate::config::{Bypass, Config, ConfigFault, StatusMode};
use crate::connect;
use crate::limiter::Limiter;
use crate::load::{Loaded, load};
use crate::log::{Log, Severity};
use crate::login::{self, Channel, Conversation, Ended, Journal, LoginContext, Ports, Rules};
use crate::messages;
use crate::outcome::{Attempt, Consent, Fault, Outcome, Verdict, Who};
use crate::pam_items::PamItems;
use crate::pushinfo::{self, Details};
use crate::starter::Starter;
use crate::state::refused_connection::RefusedConnection;
use crate::who::address;
use crate::who::{Identity, identify};

/// What a login is run with.
#[derive(Clone, Copy)]
pub struct Authentication<'a> {
    /// The module's arguments.
    pub arguments: &'a Arguments,
    /// What PAM says.
    pub items: &'a PamItems,
    /// Who started the application.
    pub starter: Starter,
    /// Where log lines go.
    pub log: &'a Log,
}

/// How a login ended, and what the user is still to be told.
struct Decision {
    outcome: Outcome,
    /// Told after the outcome is logged.
    parting: Vec<String>,
}

impl From<Outcome> for Decision {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            parting: Vec::new(),
        }
    }
}

impl Authentication<'_> {
    /// Runs the login and writes its log lines. The outcome is logged before the user is told: who
    /// ends the application while it tells must not go unseen.
    pub fn run(self, conversation: &mut dyn Conversation) -> Outcome {
        let mut who = Who {
            user: self.items.user.clone(),
            from: self.items.rhost.clone(),
        };
        let connection = RefusedConnection::of(self.items);
        let Decision { outcome, parting } = if connection.was_refused() {
            who = self.who();
            Outcome::RefusedBefore.into()
        } else {
            self.decide(conversation, &mut who)
        };
        self.write(&outcome, &who);
        if matches!(outcome, Outcome::Failsecure { .. }) {
            connection.remember();
        }
        for text in &parting {
            conversation.inform(text);
        }
        outcome
    }

    /// The user approved a moment ago, on the same PAM handle: no login, but its log line.
    pub fn approved_before(self) -> Outcome {
        self.write(&Outcome::ApprovedBefore, &self.who());
        Outcome::ApprovedBefore
    }

    /// Whom PAM says that the login is about.
    fn who(self) -> Who {
        let items = self.items;
        let client = address::client(items.ssh_connection.as_deref(), items.rhost.as_deref());
        let known = items.rhost.clone().filter(|rhost| !rhost.is_empty());
        Who {
            user: items.user.clone(),
            from: known.or_else(|| client.map(|address| address.to_string())),
        }
    }

    fn write(self, outcome: &Outcome, who: &Who) {
        if let Some(line) = outcome.log_line(who) {
            self.log.write(&line);
        }
    }

    fn decide(self, conversation: &mut dyn Conversation, who: &mut Who) -> Decision {
        let arguments = self.arguments;
        if !arguments.bad.is_empty() {
            for bad in &arguments.bad {
                let line = format!("Invalid pam_duo option: '{}'", clean(bad));
                self.log.line(Severity::Error, &line);
            }
            return Outcome::BadArguments.into();
        }
        let Loaded { config, failmode } = load(arguments, self.log);
        let consent = Consent {
            file: failmode,
            argument: arguments.failmode,
            starter: self.starter,
        };
        let config = match config {
            Ok(config) => config,
            Err(fault) => return self.judge(fault, consent, StatusMode::Auto),
        };
        self.log.set_style(config.log);
        let (duo_name, note) = match identify(self.items, &config) {
            Err(error) => {
                let detail = error.to_string();
                return Outcome::LookUpFailed { detail }.into();
            }
            Ok(Identity::Unknown) => return Outcome::NoSuchUser.into(),
            Ok(Identity::Bypassed(user)) => {
                who.user = user.name;
                let ignore = config.bypass == Bypass::Ignore;
                return Outcome::Bypassed { ignore }.into();
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
            self.log.line(Severity::Warning, &note);
        }
        let context = self.context(&config, duo_name, who);
        match self.ask_duo(&config, &context, conversation, who) {
            Ok(Ended { result, parting }) => match result {
                Ok(outcome) => Decision { outcome, parting },
                Err(fault) => self.judge(fault, consent, config.status),
            },
            Err(fault) => self.judge(fault, consent, config.status),
        }
    }

    /// Says what is wrong with the configuration in a line of its own, then judges the fault, and
    /// tells the user whom it keeps out.
    fn judge(self, fault: Fault, consent: Consent, status: StatusMode) -> Decision {
        if let Fault::Config(fault) = &fault {
            let line = match fault {
                ConfigFault::MissingKeys
                | ConfigFault::BadHost(_)
                | ConfigFault::BadProxy(_)
                | ConfigFault::NoVerify => {
                    format!("{fault} in {}", self.arguments.conf.display())
                }
                ConfigFault::File { .. } | ConfigFault::Trust(_) => fault.to_string(),
            };
            self.log.line(Severity::Error, &line);
        }
        match fault.judge(consent) {
            Verdict::LetIn => Outcome::Failsafe(fault).into(),
            Verdict::KeepOut(reason) => {
                let text = if fault.is_configuration() {
                    messages::FAILED
                } else {
                    messages::UNREACHABLE
                };
                let told = (status != StatusMode::Quiet).then(|| text.to_owned());
                Decision {
                    outcome: Outcome::Failsecure {
                        fault,
                        reason: reason.in_words(&clean(&self.items.service)),
                    },
                    parting: told.into_iter().collect(),
                }
            }
        }
    }

    /// What Duo is told of the login; completes `who`.
    fn context(self, config: &Config, username: String, who: &mut Who) -> LoginContext {
        let items = self.items;
        let client = address::client(items.ssh_connection.as_deref(), items.rhost.as_deref());
        if who.from.as_deref().unwrap_or_default().is_empty() {
            who.from = client.map(|address| address.to_string());
        }
        let ipaddr = match client {
            None if config.fallback_local_ip => address::server(),
            known => known,
        };
        let hostname = hostname();
        let (mut push_kind, mut pushinfo) = (None, None);
        if config.pushinfo {
            let command = pushinfo::command(items);
            let details = Details {
                server: hostname.as_deref(),
                service: &items.service,
                from: who.from.as_deref(),
                user: &who.user,
                command: command.as_deref(),
            };
            pushinfo = Some(details.encoded());
            push_kind = Some(pushinfo::kind(&items.service, items.through_sshd()));
        }
        LoginContext {
            username,
            ipaddr: ipaddr.map(|address| address.to_string()),
            hostname,
            push_kind,
            pushinfo,
            service: clean(&items.service),
            pam_user: items.user.clone(),
            password: items.password.clone(),
        }
    }

    fn ask_duo(
        self,
        config: &Config,
        context: &LoginContext,
        conversation: &mut dyn Conversation,
        who: &Who,
    ) -> Result<Ended, Fault> {
        let log = self.log;
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
        let mut duo = connect::client(config, &clock, &trace).map_err(|error| {
            if error.is_resource_exhaustion() {
                Fault::ResourceExhaustion(error.to_string())
            } else {
                Fault::Config(ConfigFault::Trust(error.to_string()))
            }
        })?;
        let rules = Rules {
            prompts: config.prompts,
            autopush: config.autopush,
            verified_push: config.verified_push,
            menu: config.menu,
            channel: Channel::new(config.status, self.items.through_sshd()),
            https_timeout: config.https_timeout,
            login_timeout: config.login_timeout,
        };
        let ports = Ports {
            duo: &mut duo,
            conversation,
            clock: &clock,
            journal: &mut LogJournal { log, who },
            limit: &mut Limiter::new(config.push_limit, &context.username, log, who),
        };
        Ok(login::run(context, &rules, ports))
    }
}

/// Writes failed attempts to the log.
struct LogJournal<'a> {
    log: &'a Log,
    who: &'a Who,
}

impl Journal for LogJournal<'_> {
    fn sent(&mut self, attempt: &Attempt) {
        self.log.write(&self.who.request_sent(attempt));
    }

    fn failed(&mut self, attempt: &Attempt, why: &str) {
        self.log.write(&self.who.failed_attempt(attempt, why));
    }
}

/// This server's name, for Duo.
fn hostname() -> Option<String> {
    let name = nix::unistd::gethostname().ok()?;
    Some(name.to_string_lossy().into_owned()).filter(|name| !name.is_empty())
}
