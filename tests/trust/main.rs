//! Which servers' certificates are accepted: as `openssl verify -purpose sslserver` does, but for a
//! few cases that are listed with their reasons.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub
)]

mod certificate;
mod differing;
mod intermediates;
mod openssl;
mod roots;
mod servers;

use std::time::Duration;

use certificate::Certificate;
use duo_auth::net::trust::Roots;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

/// When the chains are verified, in Unix seconds: 2026-07-01.
const NOW: u64 = 1_782_864_000;

/// A server's chain, and what is trusted.
struct Case {
    what: &'static str,
    /// What is in the file of CA certificates.
    trusted: Vec<Certificate>,
    /// The server's certificate, and what it sends with it.
    sent: Vec<Certificate>,
    /// The server's name or address.
    server: &'static str,
}

impl Case {
    fn new(what: &'static str, trusted: &[&Certificate], sent: &[&Certificate]) -> Self {
        let all = |certificates: &[&Certificate]| certificates.iter().copied().cloned().collect();
        Self {
            what,
            trusted: all(trusted),
            sent: all(sent),
            server: "duo.example",
        }
    }

    fn at(mut self, server: &'static str) -> Self {
        self.server = server;
        self
    }

    fn trusted_pem(&self) -> String {
        self.trusted.iter().map(Certificate::pem).collect()
    }

    /// What this verifier says.
    fn verify(&self) -> Result<(), String> {
        let roots = Roots::new(self.trusted_pem().into_bytes()).unwrap();
        let sent: Vec<CertificateDer<'_>> =
            self.sent.iter().map(|one| one.der.clone().into()).collect();
        let server = ServerName::try_from(self.server).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
        roots
            .verify_server_cert(&sent[0], &sent[1..], &server, &[], now)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }
}

/// Both verifiers on each case; what differs from what is expected.
fn differences(cases: &[Case], expected: (bool, bool)) -> Vec<String> {
    let mut found = Vec::new();
    for case in cases {
        let (own, openssl) = (case.verify(), openssl::verify(case));
        if (own.is_ok(), openssl.is_ok()) != expected {
            found.push(format!(
                "{}: this verifier {own:?}, openssl {openssl:?}",
                case.what
            ));
        }
    }
    found
}

fn all(cases: [Vec<Case>; 3]) -> Vec<Case> {
    let cases: Vec<Case> = cases.into_iter().flatten().collect();
    assert!(cases.len() >= 15, "{} cases", cases.len());
    cases
}

#[test]
fn chains_that_openssl_accepts_are_accepted() {
    let cases = all([roots::good(), intermediates::good(), servers::good()]);
    let found = differences(&cases, (true, true));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn chains_that_openssl_refuses_are_refused() {
    let cases = all([roots::bad(), intermediates::bad(), servers::bad()]);
    let found = differences(&cases, (false, false));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn where_this_verifier_is_stricter_than_openssl_it_is_known_why() {
    let found = differences(&differing::stricter(), (false, true));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn where_this_verifier_accepts_more_than_openssl_it_is_known_why() {
    let found = differences(&differing::more_lenient(), (true, false));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_root_that_is_refused_is_refused_in_words() {
    let words: Vec<String> = roots::refused()
        .iter()
        .map(|case| case.verify().unwrap_err())
        .collect();
    let said = |reason: &str| {
        format!(
            "invalid peer certificate: Other(OtherError(a CA certificate that the server's chain \
             needs {reason}))"
        )
    };
    assert_eq!(
        words,
        [
            said("has expired"),
            said("is not valid yet"),
            said("is not a CA's (basicConstraints)"),
            said("is not a CA's (basicConstraints)"),
            said("may not sign certificates (keyUsage)"),
            said("is not for servers (extendedKeyUsage)"),
            said("has expired"),
            said("does not allow so many intermediate CAs (pathLenConstraint)"),
            said("does not allow so many intermediate CAs (pathLenConstraint)"),
        ]
    );
}

/// With a root that was renewed, say: the expired one is not what is wrong.
#[test]
fn what_is_wrong_with_the_server_s_own_certificate_is_said_first() {
    let said = roots::expired_server().verify().unwrap_err();
    assert!(said.contains("certificate expired"), "{said}");
}

#[test]
fn where_one_certificate_of_a_key_is_refused_the_other_is_used() {
    assert_eq!(roots::one_of_two().verify(), Ok(()));
}
