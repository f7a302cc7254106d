//! What may be a root, and which root is chosen.

use rcgen::{
    ExtendedKeyUsagePurpose as Purpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose as Usage,
    NameConstraints, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
};

use crate::Case;
use crate::certificate::{Certificate, ca, ca_above, ca_with, from_to, server, server_with};

/// A root that signs the server's certificate itself.
fn direct(what: &'static str, root: &Certificate) -> Case {
    Case::new(what, &[root], &[&root.sign(server())])
}

pub fn good() -> Vec<Case> {
    let mut cases = vec![
        direct("a root", &Certificate::root(ca("root"))),
        direct(
            "a root of version 1",
            &Certificate::root(ca("old")).of_version_1(None),
        ),
        direct(
            "a root that may sign certificates",
            &Certificate::root(ca_with("root", |root| {
                root.key_usages = vec![Usage::CrlSign, Usage::KeyCertSign];
            })),
        ),
        direct(
            "a root without basicConstraints that may sign certificates",
            &Certificate::root(ca_with("root", |root| {
                root.is_ca = IsCa::NoCa;
                root.key_usages = vec![Usage::KeyCertSign];
            })),
        ),
        direct(
            "a root for servers among others",
            &Certificate::root(ca_with("root", |root| {
                root.extended_key_usages = vec![Purpose::ClientAuth, Purpose::ServerAuth];
            })),
        ),
        direct(
            "a root that allows no intermediate CA",
            &Certificate::root(ca_above("root", 0)),
        ),
        direct(
            "a root with times after 2049 and before 2000",
            &Certificate::root(ca_with("root", |root| from_to(root, 1999, 2060))),
        ),
        direct(
            "a root with a P-384 key",
            &Certificate::root_with(
                ca("root"),
                KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(),
            ),
        ),
        direct(
            "a root with an Ed25519 key",
            &Certificate::root_with(ca("root"), KeyPair::generate_for(&PKCS_ED25519).unwrap()),
        ),
        direct(
            "a root for this domain alone",
            &Certificate::root(ca_with("root", |root| constrain(root, "example"))),
        ),
    ];
    cases.extend(chosen());
    cases
}

/// The right one of several roots.
fn chosen() -> Vec<Case> {
    let root = Certificate::root(ca("root"));
    let server = root.sign(server());
    let expired = Certificate::root_with(
        ca_with("root", |root| from_to(root, 2010, 2020)),
        root.key(),
    );
    let replaced = Certificate::root(ca("root"));
    let other = Certificate::root(ca("other"));
    let itself = Certificate::root(crate::certificate::server());
    vec![
        Case::new(
            "a root that was renewed, after the expired one",
            &[&expired, &root],
            &[&server],
        ),
        Case::new(
            "a root that was renewed, before the expired one",
            &[&root, &expired],
            &[&server],
        ),
        Case::new(
            "two roots of one name with different keys",
            &[&replaced, &root, &other],
            &[&server],
        ),
        Case::new("a server's own certificate", &[&itself], &[&itself]),
    ]
}

fn constrain(root: &mut rcgen::CertificateParams, domain: &str) {
    root.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName(domain.to_owned())],
        excluded_subtrees: vec![],
    });
}

/// Roots that sign nothing: each is refused by a check of its own.
pub fn refused() -> Vec<Case> {
    let changed = |change: &dyn Fn(&mut rcgen::CertificateParams)| {
        Certificate::root(ca_with("root", |root| change(root)))
    };
    let below = |what, count, chain: &[&str]| {
        let root = Certificate::root(ca_above("root", count));
        let mut sent: Vec<Certificate> = Vec::new();
        for name in chain {
            sent.insert(0, sent.first().unwrap_or(&root).sign(ca(name)));
        }
        sent.insert(0, sent[0].sign(server()));
        Case::new(what, &[&root], &sent.iter().collect::<Vec<_>>())
    };
    vec![
        direct(
            "a root that has expired",
            &changed(&|root| from_to(root, 2010, 2026)),
        ),
        direct(
            "a root that is not valid yet",
            &changed(&|root| from_to(root, 2027, 2040)),
        ),
        direct(
            "a root that says it is not a CA",
            &changed(&|root| root.is_ca = IsCa::ExplicitNoCa),
        ),
        direct(
            "a root that does not say it is a CA",
            &changed(&|root| root.is_ca = IsCa::NoCa),
        ),
        direct(
            "a root that may not sign certificates",
            &changed(&|root| root.key_usages = vec![Usage::CrlSign, Usage::DigitalSignature]),
        ),
        direct(
            "a root for clients alone",
            &changed(&|root| root.extended_key_usages = vec![Purpose::ClientAuth]),
        ),
        sent_too(),
        below("a root that allows no intermediate CA", 0, &["a"]),
        below("a root that allows one intermediate CA", 1, &["a", "b"]),
    ]
}

/// An expired root that the server sends as well.
fn sent_too() -> Case {
    let root = Certificate::root(ca_with("root", |root| from_to(root, 2010, 2026)));
    let what = "a root that has expired, and is sent";
    Case::new(what, &[&root], &[&root.sign(server()), &root])
}

pub fn bad() -> Vec<Case> {
    let root = Certificate::root(ca("root"));
    let other = Certificate::root(ca("other"));
    let expired = |until| {
        Certificate::root_with(
            ca_with("root", |root| from_to(root, 2010, until)),
            root.key(),
        )
    };
    let namesake = Certificate::root(ca("root"));
    let itself = Certificate::root(server());
    let old = other.sign(ca("old")).of_version_1(Some(&other));
    let mut cases = refused();
    cases.extend([
        Case::new(
            "a root that is not known",
            &[&other],
            &[&root.sign(server())],
        ),
        Case::new(
            "a root that is known by its name alone",
            &[&namesake],
            &[&root.sign(server())],
        ),
        Case::new(
            "a root that the server sends and nobody knows",
            &[&other],
            &[&root.sign(server()), &root],
        ),
        Case::new(
            "two roots of one name that have both expired",
            &[&expired(2020), &expired(2025)],
            &[&root.sign(server())],
        ),
        Case::new(
            "a server's own certificate, which nobody knows",
            &[&root],
            &[&itself],
        ),
        Case::new(
            "version 1 signed by another",
            &[&old],
            &[&old.sign(server())],
        ),
        direct(
            "a root for another domain alone",
            &Certificate::root(ca_with("root", |root| constrain(root, "other.test"))),
        ),
    ]);
    cases
}

/// A server's certificate that has expired, of a root that was renewed.
pub fn expired_server() -> Case {
    let root = Certificate::root(ca("root"));
    let expired = Certificate::root_with(
        ca_with("root", |root| from_to(root, 2010, 2020)),
        root.key(),
    );
    let server = server_with(|server| from_to(server, 2020, 2026));
    Case::new(
        "an expired server",
        &[&expired, &root],
        &[&root.sign(server)],
    )
}

/// Two certificates of one key, one of which is not a CA's. Which of them OpenSSL tries is chance.
pub fn one_of_two() -> Case {
    let root = Certificate::root(ca("root"));
    let not_a_ca = Certificate::root_with(
        ca_with("root", |root| root.is_ca = IsCa::ExplicitNoCa),
        root.key(),
    );
    Case::new("one of two", &[&not_a_ca, &root], &[&root.sign(server())])
}
