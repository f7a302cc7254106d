//! A simulator and a host that asks it.

use std::process::Command;

use duo_login::Starter;
use duo_sim::{Options, RecordedRequest, Scenario, Simulator};
use login_sandbox::{Finished, Host, HostBuilder, LogLine, Terminal};

/// The PAM stack of a service whose one factor is Duo.
pub const DUO_ONLY: &str = "auth required {module} conf=/etc/duo/pam_duo.conf\n\
    account required {module}\nsession required {module}\n";

/// Where the configuration is.
pub const CONF: &str = "/etc/duo/pam_duo.conf";

/// The simulator's CA, in the host.
pub const CA: &str = "/etc/duo/ca.pem";

/// Where pamtester's logins come from.
const FROM: &str = "203.0.113.5";

/// A configuration for `duo`, in the host.
pub fn config(duo: &Simulator) -> String {
    let ca_file = duo.ca_file().to_str().unwrap();
    // By name, as a real one is.
    duo.config()
        .replace(ca_file, CA)
        .replace("host = 127.0.0.1:", "host = localhost:")
}

/// A simulator and a host that asks it.
pub struct TestBed {
    pub duo: Simulator,
    pub host: Host,
}

impl TestBed {
    /// A simulator with `scenario` (TOML), and a host with its users; `extra` goes into the
    /// configuration.
    pub fn new(scenario: &str, extra: &str) -> Self {
        let users: &[&str] = &["alice"];
        Self::with(scenario, extra, |host| {
            users.iter().fold(host, |host, user| host.user(user))
        })
    }

    /// The same, with changes to the host.
    pub fn with(scenario: &str, extra: &str, change: impl Fn(HostBuilder) -> HostBuilder) -> Self {
        let scenario = Scenario::from_toml(scenario).unwrap();
        let duo = Simulator::start(scenario, Options::default()).unwrap();
        Self::over(duo, extra, change)
    }

    /// The same, with a simulator that runs already.
    pub fn over(duo: Simulator, extra: &str, change: impl Fn(HostBuilder) -> HostBuilder) -> Self {
        let conf = format!("{}{extra}\n", config(&duo));
        let host = HostBuilder::new()
            .pam("sshd", DUO_ONLY)
            .pam("duo", DUO_ONLY)
            .file(CA, 0o644, duo.ca_pem())
            .file(CONF, 0o600, &conf);
        let host = change(host).start();
        Self { duo, host }
    }

    /// ssh at a terminal.
    pub fn ssh(&self, user: &str, command: &str) -> Terminal {
        Terminal::start(&self.host.ssh(user, &[], command))
    }

    /// pamtester's authentication as `user` from 203.0.113.5 through the service `duo`; each answer
    /// is typed when the question has been asked.
    pub fn pamtester(&self, user: &str, answers: &[&str]) -> Finished {
        self.pamtester_as("duo", user, answers)
    }

    /// The same through another service.
    pub fn pamtester_as(&self, service: &str, user: &str, answers: &[&str]) -> Finished {
        self.pamtester_of(Starter::Root, service, user, answers)
    }

    /// The same in a program that root or a user has started.
    pub fn pamtester_of(
        &self,
        starter: Starter,
        service: &str,
        user: &str,
        answers: &[&str],
    ) -> Finished {
        let operations = &["authenticate"];
        let command = match starter {
            Starter::Root => self.host.pamtester(service, user, FROM, operations),
            Starter::User => self.host.pamtester_by_user(service, user, FROM, operations),
        };
        converse(&command, answers)
    }

    /// What Duo was asked, as `path` alone.
    pub fn paths(&self) -> Vec<String> {
        self.duo.requests().into_iter().map(|r| r.path).collect()
    }

    /// The first request to `path`.
    #[track_caller]
    pub fn request(&self, path: &str) -> RecordedRequest {
        let found = self.duo.requests().into_iter().find(|r| r.path == path);
        found.unwrap_or_else(|| panic!("Duo was never asked {path}"))
    }

    /// The module's line with `event`, which must be the only such one.
    #[track_caller]
    pub fn logged(&self, event: &str) -> LogLine {
        let line = self.host.wait_log(event);
        let all = self.host.duo_log();
        let same: Vec<&LogLine> = all.iter().filter(|l| l.text.contains(event)).collect();
        assert_eq!(same.len(), 1, "{event} in {all:#?}");
        line
    }
}

/// Runs `command` at a terminal and answers its questions.
pub fn converse(command: &Command, answers: &[&str]) -> Finished {
    let mut terminal = Terminal::start(command);
    for answer in answers {
        terminal.expect("asscode");
        terminal.expect(": ");
        terminal.line(answer);
    }
    terminal.finish()
}
