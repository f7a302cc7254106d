//! Where this verifier and `openssl verify` differ, and why that is right.

use rcgen::{
    CustomExtension, DnType, ExtendedKeyUsagePurpose as Purpose, KeyUsagePurpose as Usage,
};

use crate::Case;
use crate::certificate::{Certificate, ca, ca_with, server, server_of, server_with};

/// Cases that OpenSSL accepts.
pub fn stricter() -> Vec<Case> {
    let root = Certificate::root(ca("root"));
    let mut named = server_of(&[]);
    named
        .distinguished_name
        .push(DnType::CommonName, "duo.example");
    let itself = Certificate::root(ca_with("duo.example", |ca| {
        ca.subject_alt_names = server().subject_alt_names;
    }));
    let version_1 = root.sign(server()).of_version_1(Some(&root));
    vec![
        // RFC 9525: a server's name is in its subjectAltName.
        Case::new(
            "a name in the subject alone",
            &[&root],
            &[&root.sign(named)],
        ),
        // A CA's key has no place on a server that talks to strangers.
        Case::new("a CA's certificate as a server's", &[&itself], &[&itself]),
        // No names can be in it, and OpenSSL takes the subject's.
        Case::new("version 1", &[&root], &[&version_1]).at("server"),
    ]
}

/// Cases that OpenSSL refuses.
pub fn more_lenient() -> Vec<Case> {
    let root = Certificate::root(ca("root"));
    let between = root.sign(ca("between"));
    let any = Certificate::root(ca_with("root", |root| {
        root.extended_key_usages = vec![Purpose::Any];
    }));
    let critical = Certificate::root(ca_with("root", |root| {
        let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        unknown.set_criticality(true);
        root.custom_extensions = vec![unknown];
    }));
    let no_signature = server_with(|server| server.key_usages = vec![Usage::CrlSign]);
    vec![
        // What is in cafile is trusted because it is there, as curl has it; OpenSSL itself does so
        // with -partial_chain.
        Case::new(
            "an intermediate CA without its root",
            &[&between],
            &[&between.sign(server())],
        ),
        // RFC 5280, 4.2.1.12: any purpose is also that of a server.
        Case::new("a root for any purpose", &[&any], &[&any.sign(server())]),
        // RFC 5280, 6.2: what a root says beyond name and key may be ignored. That which would make
        // it no root for servers is not.
        Case::new(
            "a root with a critical extension",
            &[&critical],
            &[&critical.sign(server())],
        ),
        // TLS asks for a signature with the key, and gets one.
        Case::new(
            "a server's certificate with a keyUsage that TLS has no use for",
            &[&root],
            &[&root.sign(no_signature)],
        ),
    ]
}
