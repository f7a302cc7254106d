//! Certificates in a PEM file (RFC 7468). The TLS library's own reader takes care to give nothing
//! away about what it reads, at thirty times the cost; certificates are public.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use memchr::memmem::Finder;
use rustls::pki_types::CertificateDer;

use super::authority::Fields;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// How much is decoded to find out whose certificate it is, in characters of base64. Names seldom
/// need half of it.
const HEAD: usize = 1024;

/// One certificate, still encoded.
#[derive(Clone, Copy)]
pub(super) struct Encoded<'a>(&'a [u8]);

impl Encoded<'_> {
    /// The whole certificate; `None` if it is not base64.
    pub(super) fn decode(self) -> Option<CertificateDer<'static>> {
        let text = without_lines(self.0, usize::MAX);
        BASE64_STANDARD.decode(text).ok().map(CertificateDer::from)
    }

    /// Whether the subject, without its outer tag, may be `name`. Only the head is decoded; where
    /// that does not tell, it may.
    pub(super) fn may_be_of(self, names: &[&[u8]]) -> bool {
        let mut text = without_lines(self.0, HEAD);
        // Whole groups of four, without the padding that ends a short one.
        text.truncate(text.len() / 4 * 4);
        let Ok(head) = BASE64_STANDARD.decode(text) else {
            return true;
        };
        Fields::read(&head).is_none_or(|fields| names.contains(&fields.subject))
    }
}

/// The certificates in `text`. What is between them is ignored.
pub(super) fn certificates(text: &[u8]) -> impl Iterator<Item = Encoded<'_>> {
    let (begin, end) = (Finder::new(BEGIN), Finder::new(END));
    let mut rest = text;
    std::iter::from_fn(move || {
        // BEGIN counts only at the start of a line, not after a "#", say; or right after an END, in
        // files that were joined.
        let mut is_joined = true;
        let body = loop {
            let (before, body) = cut(rest, &begin)?;
            if before.last().map_or(is_joined, |last| *last == b'\n') {
                break body;
            }
            is_joined = false;
            rest = body;
        };
        let (mut body, after) = cut(body, &end)?;
        rest = after;
        // Another beginning before the end: the first one was cut off.
        while let Some((_, again)) = cut(body, &begin) {
            body = again;
        }
        Some(Encoded(body))
    })
}

/// What comes before and after the first mark.
fn cut<'a>(text: &'a [u8], mark: &Finder<'_>) -> Option<(&'a [u8], &'a [u8])> {
    let at = mark.find(text)?;
    Some((text.get(..at)?, text.get(at + mark.needle().len()..)?))
}

/// The text without the ends of its lines, up to the line that reaches `length`.
fn without_lines(text: &[u8], length: usize) -> Vec<u8> {
    let mut joined = Vec::with_capacity(text.len().min(length.saturating_add(80)));
    let mut rest = text;
    while !rest.is_empty() && joined.len() < length {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        joined.extend_from_slice(line.trim_ascii());
        rest = after.get(1..).unwrap_or_default();
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::{Fields, certificates};

    fn subject(head: &[u8]) -> Option<&[u8]> {
        Fields::read(head).map(|fields| fields.subject)
    }

    fn all(text: &str) -> Vec<Vec<u8>> {
        let found = certificates(text.as_bytes());
        found.filter_map(|c| Some(c.decode()?.to_vec())).collect()
    }

    #[test]
    fn every_certificate_is_found_and_the_rest_is_passed_over() {
        let text = "# a comment\r\n-----BEGIN CERTIFICATE-----\r\nYWJj\r\nZGVm\r\n\
            -----END CERTIFICATE-----\r\nmore\n-----BEGIN CERTIFICATE-----\n not base64!\n\
            -----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nYWJj\n-----END PRIVATE KEY-----\n\
            -----BEGIN CERTIFICATE-----\nWVla\n-----END CERTIFICATE-----";
        assert_eq!(all(text), [b"abcdef".to_vec(), b"YYZ".to_vec()]);
    }

    #[test]
    fn a_certificate_that_is_cut_off_does_not_take_the_next_with_it() {
        let text = "-----BEGIN CERTIFICATE-----\nYWJj\n-----BEGIN CERTIFICATE-----\nZGVm\n\
            -----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nYWJj";
        assert_eq!(all(text), [b"def".to_vec()]);
        assert!(all("").is_empty());
        assert!(all("-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----").is_empty());
    }

    /// With the system's own store: nothing that the head says differs from what the whole says.
    #[test]
    fn the_head_names_the_subject_of_every_root_of_this_system() {
        let store = std::fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap();
        let mut names = Vec::new();
        for encoded in certificates(&store) {
            let whole = encoded.decode().unwrap();
            let anchor = webpki::anchor_from_trusted_cert(&whole).unwrap();
            let name = anchor.subject.as_ref();
            assert_eq!(subject(&whole), Some(name));
            assert!(encoded.may_be_of(&[b"x", name]));
            assert!(!encoded.may_be_of(&[b"x"]), "the head is too short");
            names.push(name.to_vec());
        }
        assert!(names.len() > 50, "{}", names.len());
    }

    #[test]
    fn a_certificate_in_a_comment_is_none() {
        let text = "#-----BEGIN CERTIFICATE-----\nYWJj\n#-----END CERTIFICATE-----\n\
            -----BEGIN CERTIFICATE-----\nZGVm\n-----END CERTIFICATE-----\n";
        assert_eq!(all(text), [b"def".to_vec()]);
    }

    /// A CA that was commented out was trusted where its mark stood twice.
    #[test]
    fn found_by_fuzzing_a_mark_right_after_one_in_a_comment_begins_nothing() {
        let mark = "-----BEGIN CERTIFICATE-----";
        let end = "-----END CERTIFICATE-----";
        assert!(all(&format!("#{mark}{mark}\nYWJj\n{end}")).is_empty());
        let joined = format!("{mark}\nYWJj\n{end}{mark}\nZGVm\n{end}");
        assert_eq!(all(&joined), [b"abc".to_vec(), b"def".to_vec()]);
    }

    /// Names of every length, so that the head ends before, within and after them.
    #[test]
    fn a_root_with_a_long_name_is_never_ruled_out() {
        let key = rcgen::KeyPair::generate().unwrap();
        for length in (1..1200).step_by(7) {
            let mut root = rcgen::CertificateParams::default();
            let unit = "u".repeat(length);
            root.distinguished_name
                .push(rcgen::DnType::OrganizationalUnitName, unit);
            let pem = root.self_signed(&key).unwrap().pem();
            let encoded = certificates(pem.as_bytes()).next().unwrap();
            let whole = encoded.decode().unwrap();
            let anchor = webpki::anchor_from_trusted_cert(&whole).unwrap();
            assert!(encoded.may_be_of(&[anchor.subject.as_ref()]), "{length}");
        }
    }

    #[test]
    fn a_head_that_does_not_tell_rules_nothing_out() {
        let text = b"-----BEGIN CERTIFICATE-----\nMIIBMIIB\n-----END CERTIFICATE-----";
        let encoded = certificates(text).next().unwrap();
        assert!(encoded.may_be_of(&[b"x"]));
        for cut in [&b""[..], &[0x30], &[0x30, 0x84, 1, 1, 1, 1], &[0x30, 0x80]] {
            assert_eq!(subject(cut), None);
        }
    }
}
