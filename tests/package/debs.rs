//! The package under test, and others that tests make of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// The package: where `PAM_DUO_PACKAGE` says, else what `packaging/deb.sh` has made.
pub fn package() -> PathBuf {
    if let Some(path) = std::env::var_os("PAM_DUO_PACKAGE") {
        return PathBuf::from(path);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/debian");
    let architecture = output("dpkg", &["--print-architecture"]);
    let end = format!("_{}.deb", architecture.trim());
    let found = fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = found
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(&end))
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| {
        panic!(
            "{}: no package; sh packaging/deb.sh builds it",
            folder.display()
        )
    })
}

/// Runs a program that has to succeed, for its standard output.
#[track_caller]
pub fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        crate::root::text(&output)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A package that has been made, in a folder of its own.
pub struct Deb {
    folder: TempDir,
    name: String,
}

impl Deb {
    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    fn build(folder: TempDir, name: &str) -> Self {
        let deb = Self {
            folder,
            name: format!("{name}.deb"),
        };
        let tree = deb.folder.path().join("tree");
        output(
            "dpkg-deb",
            &[
                "--root-owner-group",
                "--build",
                tree.to_str().unwrap(),
                deb.path().to_str().unwrap(),
            ],
        );
        deb
    }
}

/// The package as an older version, or a newer one, whose configuration has `conf` as its last line.
pub fn version(version: &str, conf: &str) -> Deb {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    output(
        "dpkg-deb",
        &[
            "--raw-extract",
            package().to_str().unwrap(),
            tree.to_str().unwrap(),
        ],
    );
    let control = tree.join("DEBIAN/control");
    let fields = fs::read_to_string(&control).unwrap();
    let changed: Vec<String> = fields
        .lines()
        .map(|line| {
            if line.starts_with("Version: ") {
                format!("Version: {version}")
            } else {
                line.to_owned()
            }
        })
        .collect();
    fs::write(&control, changed.join("\n") + "\n").unwrap();
    let configuration = tree.join("etc/duo/pam_duo.conf");
    let text = fs::read_to_string(&configuration).unwrap();
    fs::write(&configuration, format!("{text}{conf}\n")).unwrap();
    let _ = fs::remove_file(tree.join("DEBIAN/md5sums"));
    Deb::build(folder, &format!("libpam-duo-rs_{version}"))
}

/// A package that looks as Duo's own `duo-unix` does: its module, and its configuration as a conffile.
pub fn duo_unix(conf: &str) -> Deb {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    for folder in ["DEBIAN", "etc/duo", "lib64/security"] {
        fs::create_dir_all(tree.join(folder)).unwrap();
    }
    fs::write(tree.join("lib64/security/pam_duo.so"), "no module\n").unwrap();
    fs::write(tree.join("etc/duo/pam_duo.conf"), conf).unwrap();
    fs::write(tree.join("DEBIAN/conffiles"), "/etc/duo/pam_duo.conf\n").unwrap();
    fs::write(
        tree.join("DEBIAN/control"),
        "Package: duo-unix\nVersion: 2.0.4-0\nArchitecture: all\n\
         Maintainer: Nobody <nobody@example.org>\nDescription: what a test needs of duo-unix\n",
    )
    .unwrap();
    Deb::build(folder, "duo-unix_2.0.4-0")
}
