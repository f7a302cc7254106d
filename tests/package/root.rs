//! A Debian of its own for each test, gone when dropped.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::debs::package;

/// Where the package's tests find the Debian they install into.
fn base() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = match std::env::var_os("PAM_DUO_PACKAGE_ROOT") {
        Some(path) => PathBuf::from(path),
        None => workspace.join("target/package-12"),
    };
    assert!(
        path.join("var/cache/libpam-duo/complete").is_file(),
        "{} is no root made by tests/package/make-root.sh; tests/run.sh makes it",
        path.display()
    );
    path
}

/// A fresh Debian that runs, with the user alice (password `pw-alice`), who may use sudo.
pub struct Root {
    pub directory: TempDir,
    namespace: Child,
}

impl Root {
    /// A fresh one, without the package.
    pub fn fresh() -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "a system of its own needs root: run the tests as root or with sudo"
        );
        let directory = tempfile::Builder::new()
            .prefix("pam-duo-root-")
            .tempdir()
            .unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/package/root.sh");
        let mut namespace = Command::new("sh")
            .arg(script)
            .arg(base())
            .arg(directory.path())
            .args(["sh", "-c", "echo ready; exec sleep infinity"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = namespace.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "the system did not start");
        let root = Self {
            directory,
            namespace,
        };
        root.put("/etc/hosts", 0o644, "127.0.0.1 localhost\n");
        root.ok(
            "useradd --create-home --shell /bin/sh --groups sudo alice && echo alice:pw-alice | chpasswd",
        );
        root
    }

    /// A fresh one, with the package installed.
    pub fn installed() -> Self {
        let root = Self::fresh();
        root.install(&package());
        root
    }

    /// The system's first process, as seen from outside.
    fn init(&self) -> u32 {
        let id = self.namespace.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        children.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// A program inside, as root.
    pub fn inside(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.init().to_string()])
            .args(["--mount", "--pid", "--root", "--wd", "--"])
            .args(["env", "-i", "HOME=/root", "TERM=xterm", "LC_ALL=C.UTF-8"])
            .arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .arg("DEBIAN_FRONTEND=noninteractive")
            .args(arguments);
        command
    }

    /// Runs a shell script inside, without a terminal.
    pub fn run(&self, script: &str) -> Output {
        self.inside(&["sh", "-c", script])
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The same, and what it wrote; it has to succeed.
    #[track_caller]
    pub fn ok(&self, script: &str) -> String {
        let output = self.run(script);
        let said = text(&output);
        assert!(output.status.success(), "{script}: {said}");
        said
    }

    /// The same; it has to fail.
    #[track_caller]
    pub fn fails(&self, script: &str) -> String {
        let output = self.run(script);
        let said = text(&output);
        assert!(!output.status.success(), "{script}: {said}");
        said
    }

    /// Whether a test of the shell's holds.
    pub fn holds(&self, test: &str) -> bool {
        self.run(&format!("[ {test} ]")).status.success()
    }

    /// Writes a file inside.
    pub fn put(&self, path: &str, mode: u32, content: impl AsRef<[u8]>) {
        let script = format!("mkdir -p $(dirname {path}) && cat >{path} && chmod {mode:o} {path}");
        let mut child = self
            .inside(&["sh", "-c", &script])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(content.as_ref()).unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success(), "{path}");
    }

    /// A file's text.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        self.ok(&format!("cat {path}"))
    }

    /// Puts a package on the disk inside; its path there.
    pub fn bring(&self, deb: &Path) -> String {
        let name = deb.file_name().unwrap().to_str().unwrap();
        let path = format!("/tmp/{name}");
        self.put(&path, 0o644, fs::read(deb).unwrap());
        path
    }

    /// Installs a package with apt; what was said.
    #[track_caller]
    pub fn install(&self, deb: &Path) -> String {
        let path = self.bring(deb);
        self.ok(&format!(
            "apt-get install -y {path} 2>&1; s=$?; rm {path}; exit $s"
        ))
    }

    /// Where the module is, by the name that the package gives it.
    pub fn module(&self) -> String {
        let files = self.ok("dpkg-query -L libpam-duo-rs");
        let module = files.lines().find(|file| file.ends_with("/pam_duo.so"));
        module.unwrap().to_owned()
    }

    /// Everything in the file system: name, kind, mode, owner, content. Left out is what dpkg, apt,
    /// debconf and the linker keep for themselves.
    pub fn snapshot(&self) -> BTreeSet<String> {
        const OWN: &[&str] = &[
            "/etc/.pwd.lock",
            "/etc/ld.so.cache",
            "/var/cache/apt",
            "/var/cache/debconf",
            "/var/cache/ldconfig",
            "/var/lib/apt",
            // The lists of packages and their files; what purge has to forget is looked at by itself.
            "/var/lib/dpkg/available",
            "/var/lib/dpkg/diversions-old",
            "/var/lib/dpkg/lock",
            "/var/lib/dpkg/status",
            "/var/lib/dpkg/triggers",
            "/var/log/apt",
            "/var/log/dpkg.log",
        ];
        let skip = "-path /proc -o -path /dev -o -path /run -o -path /sys -o -path /tmp";
        let listing = self.ok(&format!(
            "find / \\( {skip} \\) -prune -o -printf '%m %u:%g %y  %p %l\\n'; \
             find / \\( {skip} \\) -prune -o -type f -exec sha256sum {{}} +"
        ));
        let is_own = |line: &str| {
            let path = line.split_once("  ").map_or(line, |(_, path)| path);
            // Of a file, kind and mode are one line, and the content is another.
            OWN.iter().any(|own| path.starts_with(own))
        };
        listing
            .lines()
            .filter(|line| !is_own(line))
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        // unshare --kill-child: the namespace and everything in it go with it.
        let _ = self.namespace.kill();
        let _ = self.namespace.wait();
    }
}

/// Standard output and standard error.
pub fn text(output: &Output) -> String {
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    said
}

/// What is in one snapshot only.
pub fn difference(before: &BTreeSet<String>, after: &BTreeSet<String>) -> String {
    let gone = before.difference(after).map(|line| format!("- {line}"));
    let new = after.difference(before).map(|line| format!("+ {line}"));
    gone.chain(new).collect::<Vec<_>>().join("\n")
}
