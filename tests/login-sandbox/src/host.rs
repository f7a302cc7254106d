//! A host that runs.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::set_up::{HostBuilder, Syslog, text, write};
use crate::syslog::{LogLine, Receiver};

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A private login host; ends when dropped, and everything in it.
pub struct Host {
    directory: TempDir,
    port: u16,
    log: Receiver,
    namespace: Child,
}

/// The module under test: where the variable `PAM_DUO_MODULE` says, else the release build.
///
/// # Panics
/// If it is not there.
#[must_use]
pub fn module_path() -> PathBuf {
    let path = match std::env::var_os("PAM_DUO_MODULE") {
        Some(path) => PathBuf::from(path),
        None => workspace().join("target/release/libpam_duo.so"),
    };
    assert!(
        path.is_file(),
        "{} is not there: build it with cargo build --release, as tests/run.sh does",
        path.display()
    );
    path
}

/// The system whose programs the hosts run, if not this one: where `PAM_DUO_ROOT` says.
pub(crate) fn root() -> Option<PathBuf> {
    std::env::var_os("PAM_DUO_ROOT").map(PathBuf::from)
}

fn workspace() -> PathBuf {
    let root = match std::env::var_os("PAM_DUO_WORKSPACE") {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."),
    };
    root.canonicalize().expect("the workspace")
}

impl Host {
    pub(crate) fn start(builder: &HostBuilder) -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "a private login host needs root: run the tests as root or with sudo"
        );
        let directory = tempfile::Builder::new()
            .prefix("pam-duo-host-")
            .tempdir()
            .expect("a folder");
        builder.lay_out(directory.path());
        let socket = directory.path().join("log.sock");
        let mut log = match builder.syslog {
            Syslog::Normal | Syslog::Full => Receiver::listen(&socket),
            Syslog::Stream => Receiver::listen_for_streams(&socket),
            Syslog::Missing => Receiver::none(),
        };
        // Somebody else may take the port between here and there.
        for _ in 0..5 {
            let port = free_port();
            let mut namespace = start_sshd(directory.path(), port);
            if is_listening(&mut namespace, directory.path()) {
                // Not earlier: sshd itself waits for its log.
                if builder.syslog == Syslog::Full {
                    log.stall(&socket);
                }
                return Self {
                    directory,
                    port,
                    log,
                    namespace,
                };
            }
            let _ = namespace.kill();
            let _ = namespace.wait();
        }
        let said = fs::read_to_string(directory.path().join("sshd.err")).unwrap_or_default();
        panic!("sshd does not listen: {said}\n{:#?}", log.lines());
    }

    /// sshd's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A folder that is the same inside and outside.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file below the host's `/etc`.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, path: &str, mode: u32, content: &str) {
        let path = path.strip_prefix("/etc/").expect("files are below /etc");
        let path = self.directory().join("etc").join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        write(&path, mode, content);
    }

    /// The OpenSSH client, outside, with the key that every user accepts. Add options and a
    /// command; start it with [`crate::Terminal::start`] or by itself.
    #[must_use]
    pub fn ssh(&self, user: &str, options: &[&str], command: &str) -> Command {
        let mut ssh = self.openssh("ssh", "-p", options);
        ssh.arg("-l").arg(user).arg("127.0.0.1");
        if !command.is_empty() {
            ssh.arg(command);
        }
        ssh
    }

    /// `ssh`, `scp` or `sftp` with what is common to them; `port_option` is `-p` or `-P`.
    #[must_use]
    pub fn openssh(&self, program: &str, port_option: &str, options: &[&str]) -> Command {
        let mut ssh = Command::new(program);
        ssh.args(["-F", "/dev/null", "-i"])
            .arg(self.directory().join("client_key"));
        for option in options {
            ssh.args(["-o", option]);
        }
        for option in [
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "UserKnownHostsFile=/dev/null",
            "GlobalKnownHostsFile=/dev/null",
            "StrictHostKeyChecking=no",
            "NumberOfPasswordPrompts=1",
            // When a PAM module is out of tries, sshd sends an empty list of methods, and this client
            // would then ask for a password that cannot help.
            "PasswordAuthentication=no",
            "ConnectTimeout=10",
        ] {
            ssh.args(["-o", option]);
        }
        ssh.arg(port_option).arg(self.port.to_string());
        ssh
    }

    /// A program inside the host, as root.
    ///
    /// # Panics
    /// If the host is gone.
    #[must_use]
    pub fn inside(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args([
                "--target",
                &self.init().to_string(),
                "--mount",
                "--pid",
                "--root",
                "--wd",
                "--",
            ])
            .args(arguments);
        command
    }

    /// pamtester inside the host; `rhost` becomes `PAM_RHOST`.
    #[must_use]
    pub fn pamtester(
        &self,
        service: &str,
        user: &str,
        rhost: &str,
        operations: &[&str],
    ) -> Command {
        let rhost = format!("rhost={rhost}");
        let mut arguments = vec!["pamtester", "-I", &rhost, service, user];
        arguments.extend(operations);
        self.inside(&arguments)
    }

    /// The same, started by the user with id 2001: a copy of pamtester that is setuid root, as su
    /// and sudo are.
    ///
    /// # Panics
    /// If the copy cannot be made.
    #[must_use]
    pub fn pamtester_by_user(
        &self,
        service: &str,
        user: &str,
        rhost: &str,
        operations: &[&str],
    ) -> Command {
        let program = self.directory().join("pamtester");
        if !program.exists() {
            let original = root()
                .unwrap_or_else(|| "/".into())
                .join("usr/bin/pamtester");
            fs::copy(original, &program).expect("a copy of pamtester");
            let mode = fs::Permissions::from_mode(0o4755);
            fs::set_permissions(&program, mode).expect("its mode");
        }
        let program = text(&program);
        let rhost = format!("rhost={rhost}");
        let mut arguments = vec!["setpriv", "--reuid=2001", "--regid=2001", "--clear-groups"];
        arguments.extend([program.as_str(), "-I", &rhost, service, user]);
        arguments.extend(operations);
        self.inside(&arguments)
    }

    /// Where a path of the host is outside, as long as the host runs.
    ///
    /// # Panics
    /// If the host is gone.
    #[must_use]
    pub fn outside(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.init()))
    }

    /// The host's first process, as seen from outside.
    fn init(&self) -> u32 {
        let id = self.namespace.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.expect("the host runs");
        let first = children.split_whitespace().next();
        first.and_then(|id| id.parse().ok()).expect("the host runs")
    }

    /// Everything that the host's programs have written to syslog.
    #[must_use]
    pub fn log(&self) -> Vec<LogLine> {
        self.log.lines()
    }

    /// Forgets what was logged.
    pub fn clear_log(&self) {
        self.log.clear();
    }

    /// Closes the socket of syslog and makes a new one in its place, as a new start of syslog does.
    pub fn replace_log(&mut self) {
        let socket = self.directory.path().join("log.sock");
        self.log.replace(&socket);
    }

    /// The module's own lines so far.
    #[must_use]
    pub fn duo_log(&self) -> Vec<LogLine> {
        let mut lines = self.log();
        lines.retain(|line| line.text.starts_with("pam_duo("));
        lines
    }

    /// Waits for a line with `needle`.
    ///
    /// # Panics
    /// With the whole log, if it does not come in time.
    #[track_caller]
    #[allow(clippy::must_use_candidate)] // waiting may be all that is wanted
    pub fn wait_log(&self, needle: &str) -> LogLine {
        let end = Instant::now() + PATIENCE;
        loop {
            let lines = self.log();
            if let Some(line) = lines.iter().find(|line| line.text.contains(needle)) {
                return line.clone();
            }
            let all: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
            assert!(
                Instant::now() < end,
                "{needle:?} was never logged:\n{}",
                all.join("\n")
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// How many processes run in the host, sshd's listener included.
    ///
    /// # Panics
    /// If the host is gone.
    #[must_use]
    pub fn processes(&self) -> usize {
        let namespace = |id: &str| fs::read_link(format!("/proc/{id}/ns/pid")).ok();
        let ours = namespace(&self.init().to_string());
        let all = fs::read_dir("/proc").expect("/proc");
        all.flatten()
            .filter(|entry| {
                let id = entry.file_name().to_string_lossy().into_owned();
                id.bytes().all(|byte| byte.is_ascii_digit()) && namespace(&id) == ours
            })
            .count()
    }

    /// Waits until nothing but sshd's listener runs in the host.
    ///
    /// # Panics
    /// If something is left behind.
    #[track_caller]
    pub fn wait_quiet(&self) {
        let end = Instant::now() + PATIENCE;
        while self.processes() > 1 {
            assert!(
                Instant::now() < end,
                "{} processes are left in the host",
                self.processes() - 1
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // unshare --kill-child: the namespace and everything in it go with it.
        let _ = self.namespace.kill();
        let _ = self.namespace.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its number").port()
}

fn start_sshd(directory: &Path, port: u16) -> Child {
    let errors = fs::File::create(directory.join("sshd.err")).expect("a file");
    let mut command = Command::new("sh");
    command.arg(workspace().join("packaging/private-login.sh"));
    if let Some(root) = root() {
        command.arg("--root").arg(root);
    }
    command
        .arg(directory)
        .args(["/usr/sbin/sshd", "-D", "-p", &port.to_string(), "-f"])
        .arg(text(&directory.join("sshd_config")))
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
        .expect("sh")
}

/// Waits until sshd listens; false if it has ended.
fn is_listening(namespace: &mut Child, directory: &Path) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        // Not by connecting: sshd since 9.8 holds that against the client's address.
        if directory.join("sshd.pid").exists() {
            return true;
        }
        if namespace.try_wait().expect("its status").is_some() {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}
