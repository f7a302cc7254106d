//! Servers' own certificates.

use rcgen::{CustomExtension, ExtendedKeyUsagePurpose as Purpose, KeyUsagePurpose as Usage};

use crate::Case;
use crate::certificate::{Certificate, ca, from_to, server, server_of, server_with};

type Params = rcgen::CertificateParams;

fn signed(what: &'static str, params: Params) -> Case {
    let root = Certificate::root(ca("root"));
    Case::new(what, &[&root], &[&root.sign(params)])
}

fn changed(what: &'static str, change: impl FnOnce(&mut Params)) -> Case {
    signed(what, server_with(change))
}

fn named(what: &'static str, names: &[&str], server: &'static str) -> Case {
    signed(what, server_of(names)).at(server)
}

pub fn good() -> Vec<Case> {
    vec![
        named(
            "the second of two names",
            &["a.test", "duo.example"],
            "duo.example",
        ),
        named("a name in other letters", &["DUO.example"], "duo.EXAMPLE"),
        named("a wildcard", &["*.duo.example"], "api.duo.example"),
        named("an IPv4 address", &["192.0.2.1"], "192.0.2.1"),
        named("an IPv6 address", &["2001:db8::1"], "2001:db8::1"),
        changed("for servers and clients", |server| {
            server.extended_key_usages = vec![Purpose::ClientAuth, Purpose::ServerAuth];
        }),
        changed("for signatures", |server| {
            server.key_usages = vec![Usage::DigitalSignature];
        }),
        changed("an extension that is not critical", |server| {
            let unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
            server.custom_extensions = vec![unknown];
        }),
    ]
}

pub fn bad() -> Vec<Case> {
    let root = Certificate::root(ca("root"));
    vec![
        named("another name", &["duo.example"], "duo.test"),
        named(
            "a name that only begins alike",
            &["duo.example"],
            "duo.example.test",
        ),
        named(
            "a wildcard for two labels",
            &["*.example"],
            "api.duo.example",
        ),
        named("a wildcard for none", &["*.duo.example"], "duo.example"),
        named("another address", &["192.0.2.1"], "192.0.2.2"),
        changed("expired", |server| from_to(server, 2020, 2026)),
        changed("not valid yet", |server| from_to(server, 2027, 2040)),
        changed("for clients alone", |server| {
            server.extended_key_usages = vec![Purpose::ClientAuth];
        }),
        changed("a critical extension", |server| {
            let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
            unknown.set_criticality(true);
            server.custom_extensions = vec![unknown];
        }),
        Case::new(
            "a forged signature",
            &[&root],
            &[&root.sign(server()).forged()],
        ),
    ]
}
