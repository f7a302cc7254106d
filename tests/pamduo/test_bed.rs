//! A simulator, a folder with a configuration, and the program.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use duo_sim::{Options, Scenario, Simulator};
use tempfile::TempDir;

/// How a run ended.
#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Both outputs.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// The program, with nothing of this process's environment.
pub fn pamduo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pamduo"));
    command.args(arguments);
    command
}

/// Runs `command` with `input` on standard input.
pub fn run(command: &mut Command, input: &str) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may not read at all.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Run {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A simulator and a folder with a configuration for it.
pub struct TestBed {
    pub duo: Simulator,
    pub folder: TempDir,
}

impl TestBed {
    /// A simulator with `scenario` (TOML), and a configuration for it, mode 0600.
    pub fn new(scenario: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            directory: Some(folder.path().to_owned()),
            ..Options::default()
        };
        let scenario = Scenario::from_toml(scenario).unwrap();
        let duo = Simulator::start(scenario, options).unwrap();
        let bed = Self { duo, folder };
        bed.write(&bed.sound());
        bed
    }

    /// A sound configuration.
    pub fn sound(&self) -> String {
        // By name, as a real one is.
        let conf = self
            .duo
            .config()
            .replace("host = 127.0.0.1:", "host = localhost:");
        // The command runs on this machine: logins of other tests must not be counted. In the place
        // of the section's line, which nobody needs, so that the others keep their numbers.
        assert!(conf.starts_with("[duo]\n"), "{conf}");
        conf.replacen("[duo]", "push_limit = no", 1)
    }

    /// The configuration's path.
    pub fn conf(&self) -> PathBuf {
        self.folder.path().join("pam_duo.conf")
    }

    /// Writes a configuration.
    pub fn write(&self, text: &str) {
        fs::write(self.conf(), text).unwrap();
        self.mode(0o600);
    }

    /// Adds lines to the configuration.
    pub fn add(&self, lines: &str) {
        self.write(&format!("{}{lines}\n", self.sound()));
    }

    /// Sets the configuration's mode.
    pub fn mode(&self, mode: u32) {
        fs::set_permissions(self.conf(), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A command line with this configuration.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = pamduo(&["--config"]);
        command.arg(self.conf()).args(arguments);
        command
    }

    /// The same in a mount namespace of its own, where the file `path` says `text`.
    pub fn command_with(&self, path: &str, text: &str, arguments: &[&str]) -> Command {
        let file = self.folder.path().join("mounted");
        fs::write(&file, text).unwrap();
        let inner = self.command(arguments);
        // In a chroot whose / is not a mount point, mounts can be made private only where the
        // namespace has its own /.
        let script = "{ mount --make-rprivate / 2>/dev/null ||
            nsenter --mount=/proc/self/ns/mnt mount --make-rprivate /; } &&
            mount --bind \"$1\" \"$2\" && shift 2 && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args([
            "--mount",
            "--propagation",
            "unchanged",
            "sh",
            "-c",
            script,
            "sh",
        ]);
        command.arg(&file).arg(path);
        command.arg(inner.get_program()).args(inner.get_args());
        command
    }

    /// Runs a command line with this configuration.
    pub fn run(&self, arguments: &[&str], input: &str) -> Run {
        run(&mut self.command(arguments), input)
    }
}

/// The mode of a file.
#[track_caller]
pub fn mode_of(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}
