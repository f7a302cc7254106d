//! Versions of everything that takes part in a login.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use duo_auth::clean;

/// Time limit for another program.
const LIMIT: Duration = Duration::from_secs(10);
/// Limit for another program's output, in bytes.
const LONGEST: usize = 1024 * 1024;

/// Where distributions keep PAM modules.
const MODULE_FOLDERS: [&str; 4] = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];

/// The section.
pub(super) fn text() -> String {
    let mut text = format!("pamduo {}\n", env!("CARGO_PKG_VERSION"));
    let modules = modules();
    if modules.is_empty() {
        text.push_str("module: none found\n");
    }
    for module in modules {
        let _ = writeln!(text, "module: {module}");
    }
    let first = |output: Option<String>| {
        let output = output.unwrap_or_default();
        let line = output.lines().find(|line| line.contains("OpenSSH"));
        clean(line.unwrap_or("not known"))
            .chars()
            .take(100)
            .collect::<String>()
    };
    let _ = writeln!(text, "sshd: {}", first(run("/usr/sbin/sshd", &["-V"])));
    let packages = ["libpam0g", "libpam0t64", "libpam-duo-rs", "openssh-server"];
    for package in packages {
        let format = "-f=${Package} ${Version} ${db:Status-Status}";
        let line = run("/usr/bin/dpkg-query", &["-W", format, package]);
        if let Some(line) = line.filter(|line| line.ends_with(" installed")) {
            let _ = writeln!(text, "package: {}", clean(&line));
        }
    }
    for package in ["pam", "openssh-server"] {
        let line = run("/usr/bin/rpm", &["-q", package]);
        if let Some(line) = line.filter(|line| !line.contains("not installed")) {
            let _ = writeln!(text, "package: {}", clean(line.trim()));
        }
    }
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    for line in release.lines() {
        if line.starts_with("NAME=") || line.starts_with("VERSION=") {
            let _ = writeln!(text, "system: {}", clean(line));
        }
    }
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let _ = writeln!(text, "kernel: {}", clean(kernel.trim()));
    text
}

/// Every module file, with its size, owner and mode.
fn modules() -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = Vec::new();
    for folder in MODULE_FOLDERS {
        let subfolders = fs::read_dir(folder).into_iter().flatten().flatten();
        let folders = subfolders
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_none())
            .chain([folder.into()]);
        for folder in folders {
            let path = folder.join("security/pam_duo.so");
            let Ok(status) = fs::metadata(&path) else {
                continue;
            };
            // /lib is often a link to /usr/lib.
            let identity = (status.dev(), status.ino());
            if seen.contains(&identity) {
                continue;
            }
            seen.push(identity);
            found.push(format!(
                "{} ({} bytes, owner {}, mode {:04o})",
                path.display(),
                status.len(),
                status.uid(),
                status.mode() & 0o7777
            ));
        }
    }
    found
}

/// What another program writes to standard output and standard error; `None` if it does not exist or
/// takes too long.
pub(super) fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new()
        .spawn(move || {
            // The receiver is gone if the time is up.
            let _ = sender.send(command.output());
        })
        .ok()?;
    let output = receiver.recv_timeout(LIMIT).ok()?.ok()?;
    let mut bytes = output.stdout;
    bytes.extend_from_slice(&output.stderr);
    bytes.truncate(LONGEST);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
