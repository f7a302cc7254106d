//! What the command `openssl verify` says of a chain.

use std::fs;
use std::process::Command;

use crate::certificate::Certificate;
use crate::{Case, NOW};

/// Whether it accepts the chain, or its reason.
pub fn verify(case: &Case) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let sent: Vec<String> = case.sent.iter().map(Certificate::pem).collect();
    let mut command = Command::new("openssl");
    command
        .args([
            "verify",
            "-purpose",
            "sslserver",
            "-no-CApath",
            "-no-CAstore",
        ])
        .args(["-attime", &NOW.to_string()])
        .arg("-CAfile")
        .arg(file("trusted.pem", case.trusted_pem()))
        .arg(if case.server.starts_with(|c: char| c.is_ascii_digit()) {
            "-verify_ip"
        } else {
            "-verify_hostname"
        })
        .arg(case.server);
    if sent.len() > 1 {
        command
            .arg("-untrusted")
            .arg(file("untrusted.pem", sent[1..].concat()));
    }
    let output = command
        .arg(file("server.pem", sent[0].clone()))
        .output()
        .expect("the package openssl is installed");
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // Not a wrong option, say.
    assert!(
        said.contains("verification failed"),
        "{}: {said}",
        case.what
    );
    Err(said)
}
