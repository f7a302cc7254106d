//! What a host is made of.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::host::{Host, module_path, root};

/// Which syslog the host has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Syslog {
    /// One that works.
    #[default]
    Normal,
    /// None.
    Missing,
    /// One whose queue is full and that nobody reads.
    Full,
    /// One that works and is a stream, as syslog-ng's `unix-stream`.
    Stream,
}

struct UserSpec {
    name: String,
    gecos: String,
    password: String,
}

/// Describes a host.
#[derive(Default)]
pub struct HostBuilder {
    users: Vec<UserSpec>,
    groups: Vec<(String, Vec<String>)>,
    services: Vec<(String, String)>,
    files: Vec<(String, u32, String)>,
    sshd: String,
    pub(crate) syslog: Syslog,
}

/// A PAM stack for services that a test says nothing about.
const PERMIT: &str =
    "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n";

impl HostBuilder {
    /// A host with nobody but root.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a user with the password `pw-NAME`.
    #[must_use]
    pub fn user(self, name: &str) -> Self {
        self.user_with_gecos(name, "")
    }

    /// Adds a user with a GECOS field.
    #[must_use]
    pub fn user_with_gecos(mut self, name: &str, gecos: &str) -> Self {
        self.users.push(UserSpec {
            name: name.to_owned(),
            gecos: gecos.to_owned(),
            password: format!("pw-{name}"),
        });
        self
    }

    /// Adds a user with another password.
    #[must_use]
    pub fn user_with_password(mut self, name: &str, password: &str) -> Self {
        self.users.push(UserSpec {
            name: name.to_owned(),
            gecos: String::new(),
            password: password.to_owned(),
        });
        self
    }

    /// Adds a group.
    #[must_use]
    pub fn group(mut self, name: &str, members: &[&str]) -> Self {
        let members = members.iter().map(|&member| member.to_owned()).collect();
        self.groups.push((name.to_owned(), members));
        self
    }

    /// Adds a PAM stack; `{module}` stands for the module's path.
    #[must_use]
    pub fn pam(mut self, service: &str, stack: &str) -> Self {
        self.services.push((service.to_owned(), stack.to_owned()));
        self
    }

    /// Adds a file below `/etc`.
    #[must_use]
    pub fn file(mut self, path: &str, mode: u32, text: &str) -> Self {
        self.files.push((path.to_owned(), mode, text.to_owned()));
        self
    }

    /// Adds lines in front of those of `sshd_config`; the first value of a keyword counts.
    #[must_use]
    pub fn sshd(mut self, lines: &str) -> Self {
        self.sshd.push_str(lines);
        self.sshd.push('\n');
        self
    }

    /// Chooses the syslog.
    #[must_use]
    pub fn syslog(mut self, syslog: Syslog) -> Self {
        self.syslog = syslog;
        self
    }

    /// Starts the host.
    ///
    /// # Panics
    /// If this is not root, or something that the host needs is missing.
    #[must_use]
    pub fn start(self) -> Host {
        Host::start(&self)
    }

    /// Lays out DIR: a private `/etc`, homes, keys.
    pub(crate) fn lay_out(&self, directory: &Path) {
        // Others have to get to their homes in it.
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).expect("its mode");
        let original = root().unwrap_or_else(|| "/".into()).join("etc");
        run(
            "cp",
            &["-a", &text(&original), &text(&directory.join("etc"))],
        );
        // A copy, which the programs of another system find as well.
        let module = directory.join("pam_duo.so");
        fs::copy(module_path(), &module).expect("a copy of the module");
        let etc = directory.join("etc");
        self.write_users(directory, &etc);
        let _ = fs::remove_file(etc.join("nsswitch.conf"));
        write(
            &etc.join("nsswitch.conf"),
            0o644,
            "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
        );
        let _ = fs::remove_file(etc.join("hosts"));
        let hosts = "127.0.0.1 localhost\n::1 localhost\n";
        write(&etc.join("hosts"), 0o644, hosts);
        let services = etc.join("pam.d");
        let _ = fs::remove_dir_all(&services);
        fs::create_dir_all(&services).expect("pam.d");
        write(
            &services.join("other"),
            0o644,
            "auth required pam_deny.so\naccount required pam_deny.so\nsession required pam_deny.so\npassword required pam_deny.so\n",
        );
        write(&services.join("sshd"), 0o644, PERMIT);
        for (service, stack) in &self.services {
            let stack = stack.replace("{module}", &text(&module));
            write(&services.join(service), 0o644, &stack);
        }
        let _ = fs::remove_dir_all(etc.join("duo"));
        for (path, mode, content) in &self.files {
            let path = path.strip_prefix("/etc/").expect("files are below /etc");
            let path = etc.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            let _ = fs::remove_file(&path);
            write(&path, *mode, content);
        }
        let key = directory.join("host_key");
        run(
            "ssh-keygen",
            &["-q", "-t", "ed25519", "-N", "", "-f", &text(&key)],
        );
        let config = format!(
            "{}HostKey {}\nListenAddress 127.0.0.1\nPidFile {}\nUsePAM yes\n\
             AuthenticationMethods publickey,keyboard-interactive\nKbdInteractiveAuthentication yes\n\
             PasswordAuthentication no\nPermitRootLogin no\nLogLevel VERBOSE\nPrintMotd no\n\
             PrintLastLog no\nUseDNS no\nSubsystem sftp internal-sftp\n",
            self.sshd,
            text(&key),
            text(&directory.join("sshd.pid"))
        );
        write(&directory.join("sshd_config"), 0o600, &config);
    }

    fn write_users(&self, directory: &Path, etc: &Path) {
        let key = directory.join("client_key");
        run(
            "ssh-keygen",
            &["-q", "-t", "ed25519", "-N", "", "-f", &text(&key)],
        );
        let public = fs::read_to_string(key.with_extension("pub")).expect("the public key");
        let mut passwd = "root:x:0:0:root:/root:/bin/sh\n\
            sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n\
            nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
            .to_owned();
        let mut group = "root:x:0:\ntty:x:5:\nshadow:x:42:\nnogroup:x:65534:\n".to_owned();
        let mut shadow =
            "root:*:19000:0:99999:7:::\nsshd:*:19000::::::\nnobody:*:19000::::::\n".to_owned();
        for (uid, user) in (2001..).zip(&self.users) {
            let name = &user.name;
            let home = directory.join("home").join(name);
            let ssh = home.join(".ssh");
            fs::create_dir_all(&ssh).expect("a home");
            write(&ssh.join("authorized_keys"), 0o600, &public);
            fs::set_permissions(&ssh, fs::Permissions::from_mode(0o700)).expect("its mode");
            run("chown", &["-R", &format!("{uid}:{uid}"), &text(&home)]);
            let _ = writeln!(
                passwd,
                "{name}:x:{uid}:{uid}:{}:{}:/bin/sh",
                user.gecos,
                text(&home)
            );
            let _ = writeln!(group, "{name}:x:{uid}:");
            let _ = writeln!(shadow, "{name}:{}:19000:0:99999:7:::", hash(&user.password));
        }
        for (gid, (name, members)) in (3001..).zip(&self.groups) {
            let _ = writeln!(group, "{name}:x:{gid}:{}", members.join(","));
        }
        for (name, mode, content) in [
            ("passwd", 0o644, passwd),
            ("group", 0o644, group),
            ("shadow", 0o600, shadow),
        ] {
            let _ = fs::remove_file(etc.join(name));
            write(&etc.join(name), mode, &content);
        }
        // The machine's own would not fit.
        let _ = fs::remove_file(etc.join("gshadow"));
        let _ = symlink("/proc/self/mounts", etc.join("mtab"));
    }
}

/// A password's hash, as `shadow` holds it.
fn hash(password: &str) -> String {
    let output = Command::new("openssl")
        .args(["passwd", "-6", password])
        .output()
        .expect("openssl");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}

pub(crate) fn write(path: &Path, mode: u32, content: &str) {
    fs::write(path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .status()
        .unwrap_or_else(|error| {
            panic!("{program} cannot be run ({error}); tests/run.sh installs it")
        });
    assert!(status.success(), "{program} {arguments:?}: {status}");
}
