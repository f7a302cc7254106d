//! Intermediate CAs, and those that two roots have signed.

use rcgen::{CustomExtension, ExtendedKeyUsagePurpose as Purpose, IsCa, KeyUsagePurpose as Usage};

use crate::Case;
use crate::certificate::{Certificate, ca, ca_above, ca_with, from_to, server};

pub fn good() -> Vec<Case> {
    let root = Certificate::root(ca("root"));
    let upper = root.sign(ca("upper"));
    let lower = upper.sign(ca("lower"));
    let leaf = lower.sign(server());
    let stranger = Certificate::root(ca("stranger"));
    let limited = Certificate::root(ca_above("root", 1));
    let below = limited.sign(ca_above("below", 0));
    // The root's new key, signed with its old one.
    let tight = Certificate::root(ca_above("root", 0));
    let renewed = tight.sign(ca("root"));
    let mut cases = vec![
        Case::new(
            "one intermediate CA",
            &[&root],
            &[&upper.sign(server()), &upper],
        ),
        Case::new("two intermediate CAs", &[&root], &[&leaf, &lower, &upper]),
        Case::new(
            "two intermediate CAs in the wrong order",
            &[&root],
            &[&leaf, &upper, &lower],
        ),
        Case::new(
            "the root is sent as well",
            &[&root],
            &[&leaf, &lower, &upper, &root],
        ),
        Case::new(
            "a certificate is sent that has nothing to do with it",
            &[&root],
            &[&leaf, &stranger, &lower, &upper],
        ),
        Case::new(
            "as many intermediate CAs as are allowed",
            &[&limited],
            &[&below.sign(server()), &below],
        ),
        Case::new(
            "a change of the root's key makes no path longer",
            &[&tight],
            &[&renewed.sign(server()), &renewed],
        ),
    ];
    cases.extend(cross_signed());
    cases
}

/// A new root that an old one has signed too.
fn cross_signed() -> Vec<Case> {
    let old = Certificate::root(ca("old"));
    let expired =
        Certificate::root_with(ca_with("old", |root| from_to(root, 2010, 2020)), old.key());
    let new = Certificate::root(ca("new"));
    let crossed = old.sign_with(ca("new"), new.key());
    let crossed_once = old.sign_with(ca_with("new", |root| from_to(root, 2010, 2020)), new.key());
    let between = new.sign(ca("between"));
    let leaf = between.sign(server());
    let mut cases = Vec::new();
    let mut add = |what, trusted: &[&Certificate], crossed| {
        cases.push(Case::new(what, trusted, &[&leaf, &between, crossed]));
    };
    add("cross-signed, the old root is known", &[&old], &crossed);
    add("cross-signed, the new root is known", &[&new], &crossed);
    add("cross-signed, both are known", &[&old, &new], &crossed);
    add(
        "cross-signed, the old root has expired",
        &[&expired, &new],
        &crossed,
    );
    add(
        "cross-signed, what the old root signed has expired",
        &[&old, &new],
        &crossed_once,
    );
    cases
}

pub fn bad() -> Vec<Case> {
    let root = Certificate::root(ca("root"));
    let upper = root.sign(ca("upper"));
    let through = |what, change: &dyn Fn(&mut rcgen::CertificateParams)| {
        let between = root.sign(ca_with("between", |between| change(between)));
        Case::new(what, &[&root], &[&between.sign(server()), &between])
    };
    let limited = root.sign(ca_above("limited", 0));
    let below = limited.sign(ca("below"));
    let version_1 = root.sign(ca("between")).of_version_1(Some(&root));
    vec![
        through("an intermediate CA that has expired", &|between| {
            from_to(between, 2010, 2026);
        }),
        through("an intermediate CA that is not valid yet", &|between| {
            from_to(between, 2027, 2040);
        }),
        through("an intermediate that says it is not a CA", &|between| {
            between.is_ca = IsCa::ExplicitNoCa;
        }),
        through("an intermediate that does not say it is a CA", &|between| {
            between.is_ca = IsCa::NoCa;
        }),
        through(
            "an intermediate CA that may not sign certificates",
            &|between| {
                between.key_usages = vec![Usage::CrlSign, Usage::DigitalSignature];
            },
        ),
        through("an intermediate CA for clients alone", &|between| {
            between.extended_key_usages = vec![Purpose::ClientAuth];
        }),
        through("an intermediate CA with a critical extension", &|between| {
            let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
            unknown.set_criticality(true);
            between.custom_extensions = vec![unknown];
        }),
        through(
            "an intermediate without basicConstraints that may sign certificates",
            &|between| {
                between.is_ca = IsCa::NoCa;
                between.key_usages = vec![Usage::KeyCertSign];
            },
        ),
        Case::new(
            "more intermediate CAs than one of them allows",
            &[&root],
            &[&below.sign(server()), &below, &limited],
        ),
        Case::new(
            "an intermediate CA of version 1",
            &[&root],
            &[&version_1.sign(server()), &version_1],
        ),
        Case::new(
            "an intermediate CA is not sent",
            &[&root],
            &[&upper.sign(server())],
        ),
        Case::new(
            "an intermediate CA with a forged signature",
            &[&root],
            &[&upper.sign(server()), &upper.clone().forged()],
        ),
    ]
}
