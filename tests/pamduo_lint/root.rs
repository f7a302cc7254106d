//! A system in a folder, for lint to look at.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The configuration of the module.
pub const CONF: &str = "[duo]\nikey = DIXXXXXXXXXXXXXXXXXX\n\
    skey = deadbeefdeadbeefdeadbeefdeadbeefdeadbeef\nhost = api-xxxxxxxx.duosecurity.com\n";

/// The module's file.
pub const MODULE: &str = "/usr/lib/x86_64-linux-gnu/security/pam_duo.so";

/// The README's lines of `sshd_config`.
pub const SSHD_WITH_KEY: &str = "UsePAM yes\nKbdInteractiveAuthentication yes\n\
    PasswordAuthentication no\nAuthenticationMethods publickey,keyboard-interactive\n";

/// The README's lines of a stack with a password.
pub const PASSWORD_AND_DUO: &str = "auth  requisite  pam_unix.so\nauth  required   pam_duo.so\n";

/// A system in a folder.
pub struct Root {
    folder: TempDir,
}

impl Root {
    /// One with the module and its configuration, and nothing else.
    pub fn empty() -> Self {
        let root = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        root.write(MODULE, "a module");
        root.write("/etc/duo/pam_duo.conf", CONF);
        fs::create_dir_all(root.path("/etc/pam.d")).unwrap();
        root
    }

    /// Debian's own login set-up; `release` is 12 or 13.
    pub fn debian(release: u8) -> Self {
        let root = Self::empty();
        let defaults = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../../tests/pamduo_lint/debian-{release}/etc"));
        for folder in ["pam.d", "ssh"] {
            for entry in fs::read_dir(defaults.join(folder)).unwrap() {
                let from = entry.unwrap().path();
                let name = from.file_name().unwrap().to_str().unwrap().to_owned();
                let text = fs::read_to_string(&from).unwrap();
                root.write(&format!("/etc/{folder}/{name}"), &text);
            }
        }
        root
    }

    /// Debian's with what the README says for SSH with a key.
    pub fn with_recipe(release: u8) -> Self {
        let root = Self::debian(release);
        root.replace(
            "/etc/pam.d/sshd",
            "@include common-auth",
            "auth  required  pam_duo.so",
        );
        root.sshd(SSHD_WITH_KEY);
        root
    }

    /// Where a path of that system is.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.strip_prefix('/').unwrap())
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    }

    /// Writes the file that Debian's `sshd_config` includes first.
    pub fn sshd(&self, text: &str) {
        self.write("/etc/ssh/sshd_config.d/duo.conf", text);
    }

    /// Replaces a part of a file.
    #[track_caller]
    pub fn replace(&self, path: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(path)).unwrap();
        assert!(text.contains(old), "{path} has no {old:?}");
        self.write(path, &text.replacen(old, new, 1));
    }

    /// Puts the module into `common-auth`, as pam-auth-update does for an additional profile.
    pub fn enable_profile(&self) {
        self.replace(
            "/etc/pam.d/common-auth",
            "# and here are more per-package modules (the \"Additional\" block)\n",
            "# and here are more per-package modules (the \"Additional\" block)\n\
             auth\trequired\t\t\tpam_duo.so\n",
        );
    }

    /// Runs lint with more arguments.
    pub fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_pamduo"))
            .args(arguments)
            .arg("lint")
            .arg("--root")
            .arg(self.folder.path())
            .output()
            .unwrap()
    }

    /// What lint finds, as JSON.
    pub fn lint(&self) -> serde_json::Value {
        let output = self.run(&["--json"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = !report["findings"].as_array().unwrap().is_empty();
        assert_eq!(output.status.code(), Some(i32::from(found)), "{report:#}");
        report
    }

    /// The names of the findings.
    pub fn ids(&self) -> Vec<String> {
        let report = self.lint();
        let findings = report["findings"].as_array().unwrap();
        let ids = findings
            .iter()
            .map(|finding| finding["id"].as_str().unwrap().to_owned());
        ids.collect()
    }
}
