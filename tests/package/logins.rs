//! Real logins into a system, with the simulator as Duo.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use duo_sim::{Options, Scenario, Simulator};
use login_sandbox::{Finished, Terminal};

use crate::root::Root;

/// What a login shows that came in.
const SHOW: &str = "echo in as $(id -un)";

/// A system with a simulated Duo, which its configuration names.
pub struct Site {
    pub root: Root,
    pub duo: Simulator,
}

impl Site {
    /// The package is installed, and its configuration has keys; nothing asks Duo yet.
    pub fn new() -> Self {
        Self::around(Root::installed())
    }

    /// Puts a simulator's keys into the configuration of a system.
    pub fn around(root: Root) -> Self {
        let scenario = "[users.alice]\npasscodes = [\"123456\", \"234567\", \"345678\"]";
        let scenario = Scenario::from_toml(scenario).unwrap();
        let duo = Simulator::start(scenario, Options::default()).unwrap();
        let site = Self { root, duo };
        site.configure("");
        site
    }

    /// Writes the configuration; `extra` goes to its end.
    pub fn configure(&self, extra: &str) {
        let ca_file = self.duo.ca_file().to_str().unwrap();
        let ca = "/etc/ssl/simulated-duo.pem";
        self.root.put(ca, 0o644, self.duo.ca_pem());
        let conf = self.duo.config().replace(ca_file, ca);
        let conf = format!("{conf}{extra}\n");
        self.root.put("/etc/duo/pam_duo.conf", 0o600, conf);
    }

    /// `pam-auth-update --enable duo`, as the README has it.
    pub fn enable(&self) {
        self.root.ok("pam-auth-update --enable duo");
    }

    /// sshd with the system's own configuration.
    pub fn sshd(&self) -> Sshd<'_> {
        Sshd::start(&self.root)
    }

    /// How often Duo was asked anything.
    pub fn asked(&self) -> usize {
        self.duo.requests().len()
    }

    /// alice runs a command with sudo, at a terminal.
    pub fn sudo(&self) -> Terminal {
        Terminal::start(&self.root.inside(&[
            "setpriv",
            "--reuid=alice",
            "--regid=alice",
            "--init-groups",
            "sudo",
            "-k",
            "sh",
            "-c",
            SHOW,
        ]))
    }

    /// The console's login, as getty starts it: first of its session, or Debian 13's is stopped.
    pub fn console(&self) -> Terminal {
        Terminal::start(
            &self
                .root
                .inside(&["setsid", "--ctty", "--wait", "login", "alice"]),
        )
    }
}

/// A sshd that runs in a system.
pub struct Sshd<'a> {
    root: &'a Root,
    process: Child,
    port: u16,
}

impl<'a> Sshd<'a> {
    fn start(root: &'a Root) -> Self {
        let key = root.directory.path().join("key");
        if !key.exists() {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(&key)
                .status();
            assert!(made.unwrap().success());
            let public = fs::read_to_string(key.with_extension("pub")).unwrap();
            root.put("/home/alice/.ssh/authorized_keys", 0o600, public);
            root.ok("chmod 700 /home/alice/.ssh; chown -R alice: /home/alice/.ssh");
        }
        for _ in 0..5 {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            drop(listener);
            root.ok("rm -f /run/test-sshd.pid");
            let number = port.to_string();
            let mut process = root
                .inside(&["/usr/sbin/sshd", "-D", "-p", &number])
                .args(["-o", "ListenAddress=127.0.0.1"])
                .args(["-o", "PidFile=/run/test-sshd.pid"])
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let end = Instant::now() + Duration::from_secs(10);
            while process.try_wait().unwrap().is_none() && Instant::now() < end {
                if root.holds("-s /run/test-sshd.pid") {
                    return Self {
                        root,
                        process,
                        port,
                    };
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        panic!("sshd does not listen");
    }

    /// The OpenSSH client, as alice, with her key.
    pub fn command(&self, command: &str, options: &[&str]) -> Command {
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", "/dev/null", "-i"])
            .arg(self.root.directory.path().join("key"));
        for option in options.iter().chain(&[
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "UserKnownHostsFile=/dev/null",
            "GlobalKnownHostsFile=/dev/null",
            "StrictHostKeyChecking=no",
            "NumberOfPasswordPrompts=3",
            "PasswordAuthentication=no",
            "ConnectTimeout=10",
        ]) {
            ssh.args(["-o", option]);
        }
        ssh.args(["-p", &self.port.to_string(), "alice@127.0.0.1", command]);
        ssh
    }

    /// A login with the key, if sshd wants one.
    pub fn with_key(&self) -> Terminal {
        Terminal::start(&self.command(SHOW, &[]))
    }

    /// A login without a key.
    pub fn without_key(&self) -> Terminal {
        Terminal::start(&self.command(SHOW, &["PubkeyAuthentication=no"]))
    }
}

impl Drop for Sshd<'_> {
    fn drop(&mut self) {
        // nsenter and sshd inside: the one in the system is found by its file.
        self.root.run("kill $(cat /run/test-sshd.pid)");
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Types the password when it is asked for.
#[track_caller]
pub fn password(terminal: &mut Terminal, password: &str) {
    terminal.expect("assword");
    terminal.expect(": ");
    terminal.line(password);
}

/// Types a passcode or an option at Duo's question.
#[track_caller]
pub fn duo(terminal: &mut Terminal, answer: &str) {
    terminal.expect("Passcode or option");
    terminal.expect(": ");
    terminal.line(answer);
}

/// The login has to come in, as `user`.
#[track_caller]
pub fn comes_in_as(mut terminal: Terminal, user: &str) -> Finished {
    terminal.expect(&format!("in as {user}"));
    let finished = terminal.finish();
    assert_eq!(finished.status, 0, "{}", finished.transcript);
    finished
}

/// The login has to fail.
#[track_caller]
pub fn stays_out(mut terminal: Terminal) -> String {
    let finished = terminal.finish();
    assert_ne!(finished.status, 0, "{}", finished.transcript);
    assert!(
        !finished.transcript.contains("in as"),
        "{}",
        finished.transcript
    );
    finished.transcript
}
