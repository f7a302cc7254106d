//! What is in the package, and what it needs.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::debs::{output, package};

/// The package's path, as text.
fn deb() -> String {
    package().to_str().unwrap().to_owned()
}

/// A field of the package's description.
fn field(name: &str) -> String {
    output("dpkg-deb", &["--field", &deb(), name])
        .trim_end()
        .to_owned()
}

/// The files, with mode and owner.
fn files() -> BTreeMap<String, String> {
    output("dpkg-deb", &["--contents", &deb()])
        .lines()
        .map(|line| {
            let parts: Vec<&str> = line.split_whitespace().collect();
            (parts[5].to_owned(), format!("{} {}", parts[0], parts[1]))
        })
        .collect()
}

/// The package's files, laid out in a folder.
fn unpacked() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    output("dpkg-deb", &["--extract", &deb(), path]);
    folder
}

fn multiarch() -> String {
    let architecture = field("Architecture");
    output(
        "dpkg-architecture",
        &[
            "--host-arch",
            &architecture,
            "--query",
            "DEB_HOST_MULTIARCH",
        ],
    )
    .trim()
    .to_owned()
}

#[test]
fn the_files_are_where_debian_expects_them() {
    let files = files();
    let module = format!("./usr/lib/{}/security/pam_duo.so", multiarch());
    let doc = "./usr/share/doc/libpam-duo-rs";
    for (path, mode) in [
        (module.as_str(), "-rw-r--r-- 0/0"),
        ("./usr/bin/pamduo", "-rwxr-xr-x 0/0"),
        ("./etc/duo/", "drwxr-xr-x 0/0"),
        ("./etc/duo/pam_duo.conf", "-rw------- 0/0"),
        ("./usr/share/pam-configs/duo", "-rw-r--r-- 0/0"),
        ("./usr/lib/tmpfiles.d/libpam-duo-rs.conf", "-rw-r--r-- 0/0"),
        ("./usr/share/man/man8/pam_duo.8.gz", "-rw-r--r-- 0/0"),
        ("./usr/share/man/man8/pamduo.8.gz", "-rw-r--r-- 0/0"),
        ("./usr/share/man/man5/pam_duo.conf.5.gz", "-rw-r--r-- 0/0"),
        (
            "./usr/share/bash-completion/completions/pamduo",
            "-rw-r--r-- 0/0",
        ),
        (
            "./usr/share/zsh/vendor-completions/_pamduo",
            "-rw-r--r-- 0/0",
        ),
        (
            "./usr/share/fish/vendor_completions.d/pamduo.fish",
            "-rw-r--r-- 0/0",
        ),
        (&format!("{doc}/copyright"), "-rw-r--r-- 0/0"),
        (&format!("{doc}/changelog.Debian.gz"), "-rw-r--r-- 0/0"),
        (&format!("{doc}/changelog.gz"), "-rw-r--r-- 0/0"),
        (&format!("{doc}/sbom.cdx.json"), "-rw-r--r-- 0/0"),
        (
            &format!("{doc}/examples/sshd-publickey.pam"),
            "-rw-r--r-- 0/0",
        ),
    ] {
        assert_eq!(
            files.get(path).map(String::as_str),
            Some(mode),
            "{path}: {files:#?}"
        );
    }
}

#[test]
fn it_stands_in_for_both_other_packages() {
    for name in ["Provides", "Conflicts", "Replaces"] {
        let value = field(name);
        assert!(
            value.contains("libpam-duo") && value.contains("duo-unix"),
            "{name}: {value}"
        );
    }
    let depends = field("Depends");
    for name in [
        "ca-certificates",
        "libc6 (>= 2.",
        "libpam0g (>= ",
        "libgcc-s1 (>= ",
    ] {
        assert!(depends.contains(name), "{name}: {depends}");
    }
    let version = field("Version");
    assert!(
        version.starts_with(concat!(env!("CARGO_PKG_VERSION"), "-")),
        "{version}"
    );
}

/// The newest `GLIBC_2.x` that a file asks for.
fn glibc(path: &str) -> u32 {
    let said = output("readelf", &["--wide", "--version-info", path]);
    let versions = said.split("Name: GLIBC_2.").skip(1);
    let minors = versions.map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().unwrap()
    });
    minors.max().unwrap()
}

#[test]
fn it_asks_for_no_newer_glibc_than_it_says_and_built_on_12_than_ubuntu_22_04_has() {
    let folder = unpacked();
    let path = |file: &str| folder.path().join(file).to_str().unwrap().to_owned();
    let module = path(&format!("usr/lib/{}/security/pam_duo.so", multiarch()));
    let newest = glibc(&module).max(glibc(&path("usr/bin/pamduo")));
    let depends = field("Depends");
    // One for each of the two files, if they differ.
    let said = depends.split("libc6 (>= 2.").skip(1);
    let said = said.map(|rest| rest.split(')').next().unwrap().parse::<u32>().unwrap());
    let said = said.max().unwrap();
    assert!(newest <= said, "GLIBC_2.{newest}: {depends}");
    // Debian 13's compiler may ask for its own.
    let builder = std::fs::read_to_string("/etc/os-release").unwrap();
    if builder.contains("VERSION_ID=\"12\"") {
        assert!(said <= 35, "{depends}");
    }
}

#[test]
fn module_and_command_are_hardened() {
    let folder = unpacked();
    let module = format!("usr/lib/{}/security/pam_duo.so", multiarch());
    for file in [module.as_str(), "usr/bin/pamduo"] {
        let path = folder.path().join(file);
        let path = path.to_str().unwrap();
        let header = output("readelf", &["--wide", "--file-header", path]);
        assert!(
            header.contains("DYN ("),
            "{file} is not position-independent"
        );
        let segments = output("readelf", &["--wide", "--segments", path]);
        assert!(segments.contains("GNU_RELRO"), "{file}: {segments}");
        let stack = segments
            .lines()
            .find(|line| line.contains("GNU_STACK"))
            .unwrap();
        assert!(stack.contains(" RW "), "{file}: {stack}");
        let dynamic = output("readelf", &["--wide", "--dynamic", path]);
        assert!(
            dynamic.contains("BIND_NOW") && dynamic.contains(" NOW"),
            "{file}: {dynamic}"
        );
        assert!(
            !dynamic.contains("TEXTREL") && !dynamic.contains("RUNPATH"),
            "{file}: {dynamic}"
        );
        if file == "usr/bin/pamduo" {
            assert!(dynamic.contains("PIE"), "{dynamic}");
        } else {
            assert!(dynamic.contains("NODELETE"), "{dynamic}");
        }
    }
}

#[test]
fn no_path_of_the_builder_is_in_it() {
    let folder = unpacked();
    let home = std::env::var("HOME").unwrap();
    for path in [env!("CARGO_MANIFEST_DIR"), &format!("{home}/.cargo")] {
        let found = Command::new("grep")
            .args([
                "--recursive",
                "--files-with-matches",
                "--fixed-strings",
                path,
            ])
            .arg(folder.path())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout), "", "{path}");
    }
}

#[test]
fn the_list_of_components_is_cyclonedx_and_the_copyright_file_names_each() {
    let folder = unpacked();
    let doc = folder.path().join("usr/share/doc/libpam-duo-rs");
    let sbom = std::fs::read_to_string(doc.join("sbom.cdx.json")).unwrap();
    let sbom: Value = serde_json::from_str(&sbom).unwrap();
    assert_eq!(sbom["bomFormat"], "CycloneDX");
    assert_eq!(sbom["specVersion"], "1.5");
    assert!(
        sbom["serialNumber"]
            .as_str()
            .unwrap()
            .starts_with("urn:uuid:")
    );
    assert_eq!(sbom["metadata"]["component"]["name"], "pam_duo");
    let copyright = std::fs::read_to_string(doc.join("copyright")).unwrap();
    let components = sbom["components"].as_array().unwrap();
    assert!(components.len() > 20);
    for component in components {
        let name = component["name"].as_str().unwrap();
        let version = component["version"].as_str().unwrap();
        assert!(component["licenses"][0]["expression"].is_string(), "{name}");
        if name == "rust-std" {
            assert!(copyright.contains("Files: rust-standard-library/*\n"));
            continue;
        }
        assert!(
            copyright.contains(&format!("Files: {name}-{version}/*\n")),
            "{name}"
        );
        // The workspace's own have no archive.
        if matches!(name, "duo-auth" | "duo-login" | "pamduo") {
            continue;
        }
        // As Cargo.lock has it.
        assert_eq!(component["hashes"][0]["alg"], "SHA-256", "{name}");
    }
    for (name, there) in [
        ("ureq", true),
        ("clap", true),
        ("proptest", false),
        ("syn", false),
    ] {
        let found = components.iter().any(|component| component["name"] == name);
        assert_eq!(found, there, "{name}");
    }
    // Each licence that is named has its text.
    for line in copyright.lines() {
        let Some(licence) = line.strip_prefix("License: ") else {
            continue;
        };
        for name in licence
            .split([' ', ','])
            .filter(|word| !["", "or", "and"].contains(word))
        {
            assert!(
                copyright.contains(&format!("\nLicense: {name}\n ")),
                "{name}"
            );
        }
    }
}

#[test]
fn lintian_finds_no_error_and_no_warning() {
    let lintian = Command::new("lintian")
        .args([
            "--allow-root",
            "--fail-on",
            "error,warning",
            "--no-tag-display-limit",
            &deb(),
        ])
        .output()
        .unwrap();
    let said = crate::root::text(&lintian);
    assert!(lintian.status.success(), "{said}");
    // Nothing is hidden but what the overrides give a reason for.
    let overrides = include_str!("../../packaging/debian/lintian-overrides");
    let hidden = overrides
        .lines()
        .filter(|line| !line.starts_with('#'))
        .count();
    assert_eq!(hidden, 2, "{overrides}");
}

/// The working tree, somewhere else, built once more.
#[test]
fn a_second_build_elsewhere_is_the_same_byte_for_byte() {
    let workspace = env!("CARGO_MANIFEST_DIR");
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("another/place");
    let script = "mkdir -p \"$1/target\" && git -c safe.directory=\"$PWD\" ls-files -z --cached --others --exclude-standard |
        tar --create --null --files-from=- | tar --extract --directory \"$1\" &&
        cp -a .git \"$1/.git\" && cp -a target/tools \"$1/target/tools\" &&
        sh \"$1/packaging/deb.sh\"";
    let build = Command::new("sh")
        .args(["-euc", script, "sh"])
        .arg(&copy)
        .current_dir(workspace)
        .output()
        .unwrap();
    let said = crate::root::text(&build);
    assert!(build.status.success(), "{said}");
    let printed = String::from_utf8(build.stdout).unwrap();
    let second = copy.join(printed.lines().last().unwrap());
    let first = std::fs::read(package()).unwrap();
    assert!(
        first == std::fs::read(&second).unwrap(),
        "two builds differ: {said}"
    );
}
