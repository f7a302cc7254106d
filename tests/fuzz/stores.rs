//! What must hold for any file of CA certificates.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use duo_auth::net::trust::{Roots, certificates, certificates_of};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// A file of CA certificates: what is found in it is what a plain reader finds, and nothing in it
/// hides a certificate that comes after it.
pub(crate) fn pem(data: &[u8]) {
    let found: Vec<Vec<u8>> = certificates(data).map(|der| der.to_vec()).collect();
    assert_eq!(found, certificates_in(data));
    // Nothing to trust is an error, not a verifier that trusts nothing.
    if let Ok(store) = Roots::new(data.to_vec()) {
        assert!(!found.is_empty(), "{store:?}");
    }
    let more = [data, b"\n", &as_pem(b"one more", 64)].concat();
    assert_eq!(
        certificates(&more).last().expect("one more").as_ref(),
        b"one more"
    );
}

/// Reads certificates one byte after the other.
fn certificates_in(text: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let (mut at, mut ended) = (0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        // Or right after an END.
        let is_line = at == ended || text.get(at - 1) == Some(&b'\n');
        let Some(rest) = rest.strip_prefix(BEGIN).filter(|_| is_line) else {
            at += 1;
            continue;
        };
        let Some((body, after)) = cut(rest, END) else {
            break;
        };
        let body = split(body, BEGIN).pop().unwrap_or_default();
        let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let joined: Vec<u8> = lines.flatten().copied().collect();
        found.extend(BASE64_STANDARD.decode(joined));
        ended = text.len() - after.len();
        at = ended;
    }
    found
}

/// What comes before and after the first mark.
fn cut<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(mark.len()).position(|window| window == mark)?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

fn split<'a>(data: &'a [u8], mark: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = data;
    while let Some((part, after)) = cut(rest, mark) {
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}

fn as_pem(der: &[u8], width: usize) -> Vec<u8> {
    let mut text = BEGIN.to_vec();
    for line in BASE64_STANDARD.encode(der).as_bytes().chunks(width) {
        text.push(b'\n');
        text.extend_from_slice(line);
    }
    [&text, &b"\n"[..], END, b"\n"].concat()
}

/// Choosing roots, of a store whose lines have a length, and whose certificates are apart by two
/// bytes: a root with a name is chosen by the name, and no other is; and what is accepted with the
/// roots chosen, webpki accepts with all of them.
pub(crate) fn roots(data: &[u8]) {
    let Some((width, data)) = data.split_first() else {
        return;
    };
    let ders: Vec<&[u8]> = split(data, b"\x1E\x1E");
    let width = usize::from(*width % 80) + 1;
    let text: Vec<u8> = ders.iter().flat_map(|der| as_pem(der, width)).collect();
    let mut store = RootCertStore::empty();
    for der in &ders {
        if store.add(CertificateDer::from(*der)).is_ok() {
            let name = store.roots.last().map(|root| root.subject.to_vec());
            chooses(&text, der, &name.expect("it was added"));
        }
    }
    if let (Some((server, sent)), false) = (ders.split_first(), store.is_empty()) {
        accepts_no_more(&text, store, server, sent);
    }
}

/// A root that can be used, and has the name.
fn chooses(text: &[u8], der: &[u8], name: &[u8]) {
    let chosen = |names: &[&[u8]]| certificates_of(text, names).any(|root| root.as_ref() == der);
    assert!(chosen(&[name]), "ruled out");
    assert!(chosen(&[b"another", name]), "ruled out among others");
    // The name is in the head: nothing of another name is parsed. It may be the issuer's too.
    let ends = der
        .windows(name.len().max(1))
        .rposition(|window| window == name)
        .is_some_and(|at| at + name.len() <= 700);
    if ends {
        assert!(!chosen(&[]), "chosen for nothing");
        assert!(!chosen(&[b"another"]), "chosen by another name");
    }
}

/// The first is the server's certificate, and the others are sent with it.
fn accepts_no_more(text: &[u8], store: RootCertStore, server: &[u8], sent: &[&[u8]]) {
    let own = Roots::new(text.to_vec()).expect("a root that can be used");
    let server = CertificateDer::from(server);
    let sent: Vec<CertificateDer<'_>> = sent.iter().map(|der| (*der).into()).collect();
    let name = ServerName::try_from("duo.example").expect("a name");
    // 2027-01-15.
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
    let verified = own.verify_server_cert(&server, &sent, &name, &[], now);
    let provider = rustls::crypto::ring::default_provider();
    let webpki = WebPkiServerVerifier::builder_with_provider(store.into(), provider.into())
        .build()
        .expect("a store that is not empty")
        .verify_server_cert(&server, &sent, &name, &[], now);
    match (verified, webpki) {
        (Ok(_), webpki) => assert!(webpki.is_ok(), "accepted: {webpki:?}"),
        (Err(refused), Ok(_)) => {
            let refused = refused.to_string();
            assert!(refused.contains("a CA certificate"), "{refused}");
        }
        (Err(_), Err(_)) => {}
    }
}
