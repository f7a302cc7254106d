//! A network, a Duo and a login host of a worker's own.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use duo_sim::{Options, Scenario, Simulator};
use login_sandbox::{Finished, Terminal};
use nix::sched::{CloneFlags, unshare};

use crate::end::End;
use crate::test_bed::{CONF, TestBed, config};

/// `https_timeout` of every login, in seconds.
pub const HTTPS_TIMEOUT: u64 = 1;

/// Who is there, and what Duo says of them.
const SCENARIO: &str = r#"
[users.alice]
preauth = "deny"
[users.bob]
push = { answer = "approve", after_ms = 100 }
[users.carol]
push = { answer = "timeout" }
[users.bo]
preauth = "deny"
"#;
/// Their user ids.
pub const ALICE: u32 = 2001;
pub const BOB: u32 = 2002;
pub const CAROL: u32 = 2003;
pub const BO: u32 = 2004;

/// An application that asks for a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum App {
    Su,
    Sudo,
    Sshd,
}

impl App {
    pub fn name(self) -> &'static str {
        match self {
            Self::Su => "su",
            Self::Sudo => "sudo",
            Self::Sshd => "sshd",
        }
    }
}

/// Where the administrator says what about `failmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    Unset,
    Safe,
    Secure,
    Argument,
}

pub const SETTINGS: [Setting; 4] = [
    Setting::Unset,
    Setting::Safe,
    Setting::Secure,
    Setting::Argument,
];

impl Setting {
    fn line(self) -> &'static str {
        match self {
            Self::Unset | Self::Argument => "",
            Self::Safe => "failmode = safe\n",
            Self::Secure => "failmode = secure\n",
        }
    }

    fn argument(self) -> &'static str {
        match self {
            Self::Argument => " failmode=safe",
            _ => "",
        }
    }
}

/// A host with Duo beside it, in a network of their own.
pub struct Site {
    pub bed: TestBed,
}

impl Site {
    /// Takes the calling thread, and everything that it starts, into a network of its own.
    pub fn start() -> Self {
        unshare(CloneFlags::CLONE_NEWNET).expect("a network of one's own");
        run("ip", &["link", "set", "lo", "up"]);
        let options = Options {
            listen: "127.0.0.1:443".parse().unwrap(),
            dns: Some("127.0.0.53:53".parse().unwrap()),
            ..Options::default()
        };
        let scenario = Scenario::from_toml(SCENARIO).unwrap();
        let duo = Simulator::start(scenario, options).unwrap();
        let name = nix::unistd::gethostname().unwrap();
        let name = name.to_string_lossy();
        let bed = TestBed::over(duo, "", |host| {
            host.user("alice")
                .user("bob")
                .user("carol")
                .user("bo")
                .file("/etc/resolv.conf", 0o644, "nameserver 127.0.0.53\n")
                // sudo looks up the machine's own name.
                .file("/etc/hosts", 0o644, &format!("127.0.0.1 localhost {name}\n"))
                .file("/etc/login.defs", 0o644, "FAIL_DELAY 0\n")
                .file(
                    "/etc/sudoers",
                    0o440,
                    "Defaults !lecture, timestamp_timeout=0, passwd_tries=1\nALL ALL=(ALL:ALL) ALL\n",
                )
        });
        let site = Self { bed };
        fs::copy(attacker(), site.tool()).expect("a copy of the attacker");
        for (path, owner, mode) in [(site.roots(), 0, 0o700), (site.users(), ALICE, 0o777)] {
            fs::create_dir(&path).unwrap();
            chown(&path, Some(owner), Some(owner)).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        site
    }

    /// The program that attacks, in the host.
    pub fn tool(&self) -> PathBuf {
        self.bed.host.directory().join("attacker")
    }

    /// Where root alone can leave a mark.
    fn roots(&self) -> PathBuf {
        self.bed.host.directory().join("roots")
    }

    /// A folder of the user's.
    pub fn users(&self) -> PathBuf {
        self.bed.host.directory().join("users")
    }

    fn marks(&self) -> [PathBuf; 2] {
        [self.roots().join("in"), self.users().join("in")]
    }

    /// What whoever is inside does. What su and sudo run is root's, or `$(id -u)` would not be 0.
    pub fn mark(&self, app: App) -> String {
        let [root, user] = self.marks();
        match app {
            App::Su | App::Sudo => format!(": > {}", root.display()),
            App::Sshd => format!(": > {}", user.display()),
        }
    }

    /// Writes the configuration with `extra`, and the PAM stacks. Forgets earlier logins.
    pub fn configure(&self, setting: Setting, extra: &str) {
        let conf = format!(
            "{}host = duo.test\nhttps_timeout = {HTTPS_TIMEOUT}\nlogin_timeout = 8\nautopush = yes\n\
             {extra}\n{}",
            config(&self.bed.duo),
            setting.line()
        );
        self.bed.host.write(CONF, 0o600, &conf);
        let module = self.bed.host.directory().join("pam_duo.so");
        for service in ["su", "sudo", "sshd"] {
            let module = module.display();
            let stack = format!(
                "auth required {module}{}\naccount required {module}\nsession required {module}\n",
                setting.argument()
            );
            self.bed
                .host
                .write(&format!("/etc/pam.d/{service}"), 0o644, &stack);
        }
        self.bed.duo.clear_faults();
        self.forget();
    }

    /// Forgets earlier logins.
    pub fn forget(&self) {
        self.bed.host.clear_log();
        self.bed.duo.clear();
        for mark in self.marks() {
            let _ = fs::remove_file(mark);
        }
    }

    /// A program inside the host as a user, with nothing of root's.
    pub fn by(&self, user_id: u32, words: &[String]) -> Command {
        let arguments = [as_user(user_id), words.to_vec()].concat();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.bed.host.inside(&arguments)
    }

    /// The words that ask `app` for what leaves the mark.
    pub fn asks(&self, app: App) -> Vec<String> {
        let mark = self.mark(app);
        let words: &[&str] = match app {
            App::Su => &["su", "root", "-c", &mark],
            App::Sudo => &["sudo", "sh", "-c", &mark],
            App::Sshd => panic!("sshd is asked by ssh"),
        };
        words.iter().map(|&word| word.to_owned()).collect()
    }

    /// The command of a login by alice, through the words of `before`; `@` is the attacking program.
    pub fn login(&self, app: App, before: &[String]) -> Command {
        self.login_by(ALICE, app, before)
    }

    /// The same by another user.
    pub fn login_by(&self, user_id: u32, app: App, before: &[String]) -> Command {
        if app == App::Sshd {
            let user = match user_id {
                BOB => "bob",
                CAROL => "carol",
                BO => "bo",
                _ => "alice",
            };
            return self.bed.host.ssh(user, &[], &self.mark(app));
        }
        let tool = self.tool().display().to_string();
        let mut words: Vec<String> = before
            .iter()
            .map(|word| match word.as_str() {
                "@" => tool.clone(),
                word => word.to_owned(),
            })
            .collect();
        words.extend(self.asks(app));
        self.by(user_id, &words)
    }

    /// How the login ended, once nothing of it is left.
    #[track_caller]
    pub fn end(&self, app: App, privileged: bool) -> End {
        self.bed.host.wait_quiet();
        // Lines come in the order in which they were sent, so that this one is the last.
        let socket = self.bed.host.directory().join("log.sock");
        let sender = UnixDatagram::unbound().unwrap();
        let last = b"<86>Nov 24 09:00:00 test: nothing is left";
        sender.send_to(last, socket).unwrap();
        self.bed.host.wait_log("nothing is left");
        let marked = self.marks().iter().any(|mark| mark.exists());
        End::of(marked, &self.bed.host.duo_log(), app.name(), privileged)
    }
}

/// The words before a program that is to run as a user, with nothing of root's.
pub fn as_user(user_id: u32) -> Vec<String> {
    vec![
        "setpriv".to_owned(),
        format!("--reuid={user_id}"),
        format!("--regid={user_id}"),
        "--clear-groups".to_owned(),
    ]
}

/// Runs a login to its end.
pub fn play(command: &Command) -> Finished {
    Terminal::start(command).finish()
}

/// Words from literals.
pub fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[track_caller]
pub fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status();
    let status = status.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(status.success(), "{program} {arguments:?}: {status}");
}

/// `attacker.c`, built once.
fn attacker() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let program = root.join("target/attacker");
        let source = root.join("tests/attacks/attacker.c");
        let (program_text, source) = (program.to_str().unwrap(), source.to_str().unwrap());
        run(
            "cc",
            &[
                "-O1",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-o",
                program_text,
                source,
            ],
        );
        program
    })
}
