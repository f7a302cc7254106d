//! Whether a certificate may sign others: RFC 5280, sections 4.2.1 and 6.1.4, with the exceptions
//! that OpenSSL makes for old roots.
//!
//! webpki asks this of intermediate CAs, but for keyUsage; of a root it takes name and key alone.

use std::fmt;

use super::der::{Element, tag};

/// Object identifiers, as they are encoded.
const KEY_USAGE: &[u8] = &[0x55, 0x1D, 15];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 19];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 37];
const SERVER_AUTH: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 3, 1];
const ANY_PURPOSE: &[u8] = &[0x55, 0x1D, 37, 0];

/// keyCertSign, bit 5 of keyUsage.
const KEY_CERT_SIGN: u8 = 0x80 >> 5;

/// Why a CA's certificate is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Unreadable,
    Expired,
    NotYetValid,
    NotACa,
    NoKeyCertSign,
    OtherPurpose,
    PathLength,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CA certificate that the server's chain needs ")?;
        f.write_str(match self {
            Self::Unreadable => "cannot be read",
            Self::Expired => "has expired",
            Self::NotYetValid => "is not valid yet",
            Self::NotACa => "is not a CA's (basicConstraints)",
            Self::NoKeyCertSign => "may not sign certificates (keyUsage)",
            Self::OtherPurpose => "is not for servers (extendedKeyUsage)",
            Self::PathLength => "does not allow so many intermediate CAs (pathLenConstraint)",
        })
    }
}

/// rustls shows another's error in this form.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Refusal {}

/// What a certificate's fixed fields say, each without its outer tag.
pub(super) struct Fields<'a> {
    /// Whether it is of version 1, which has no extensions.
    is_v1: bool,
    issuer: &'a [u8],
    validity: &'a [u8],
    pub(super) subject: &'a [u8],
    /// What comes after the subject: the key, and the extensions.
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Reads a certificate (RFC 5280, section 4.1), or its head as long as the subject is in it.
    pub(super) fn read(head: &'a [u8]) -> Option<Self> {
        // These two go on after the head.
        let certificate = Element::first(head)?;
        let to_be_signed = Element::first(certificate.content)?;
        let mut rest = to_be_signed.content;
        let is_v1 = Element::take_tagged(&mut rest, tag::VERSION).is_none();
        // Serial number and signature algorithm.
        Element::take(&mut rest)?;
        Element::take(&mut rest)?;
        let issuer = Element::take_tagged(&mut rest, tag::SEQUENCE)?;
        let validity = Element::take_tagged(&mut rest, tag::SEQUENCE)?;
        let subject = Element::take_tagged(&mut rest, tag::SEQUENCE)?;
        (to_be_signed.tag == tag::SEQUENCE).then_some(Self {
            is_v1,
            issuer,
            validity,
            subject,
            rest,
        })
    }

    /// The first and the last second in which it is valid.
    fn validity(&self) -> Option<(i64, i64)> {
        let mut times = self.validity;
        let from = seconds(&Element::take(&mut times)?)?;
        Some((from, seconds(&Element::take(&mut times)?)?))
    }
}

/// What a certificate's extensions say of signing others.
#[derive(Default)]
struct Extensions {
    /// basicConstraints, if there.
    is_ca: Option<bool>,
    /// pathLenConstraint.
    path_length: Option<usize>,
    /// Whether keyUsage has keyCertSign, if there.
    may_sign: Option<bool>,
    /// Whether extendedKeyUsage has serverAuth, if there.
    is_for_servers: Option<bool>,
}

impl Extensions {
    /// Reads what comes after the subject.
    fn read(mut rest: &[u8]) -> Option<Self> {
        let mut found = Self::default();
        Element::take_tagged(&mut rest, tag::SEQUENCE)?;
        if rest.is_empty() {
            return Some(found);
        }
        let mut tagged = Element::take_tagged(&mut rest, tag::EXTENSIONS)?;
        let mut list = Element::take_tagged(&mut tagged, tag::SEQUENCE)?;
        while !list.is_empty() {
            let mut extension = Element::take_tagged(&mut list, tag::SEQUENCE)?;
            let id = Element::take(&mut extension)?.content;
            Element::take_tagged(&mut extension, tag::BOOLEAN);
            found.note(id, Element::take(&mut extension)?.content)?;
        }
        Some(found)
    }

    fn note(&mut self, id: &[u8], mut value: &[u8]) -> Option<()> {
        match id {
            BASIC_CONSTRAINTS => {
                let mut fields = Element::take_tagged(&mut value, tag::SEQUENCE)?;
                let is_ca = Element::take_tagged(&mut fields, tag::BOOLEAN);
                self.is_ca = Some(is_ca.is_some_and(|value| value != [0]));
                self.path_length = Element::take_tagged(&mut fields, tag::INTEGER).map(number);
            }
            KEY_USAGE => {
                // The first byte counts the bits that are not used.
                let bits = Element::take(&mut value)?.content.get(1);
                self.may_sign = Some(bits.is_some_and(|bits| bits & KEY_CERT_SIGN != 0));
            }
            EXTENDED_KEY_USAGE => {
                let mut purposes = Element::take_tagged(&mut value, tag::SEQUENCE)?;
                let mut is_for_servers = false;
                while let Some(purpose) = Element::take(&mut purposes) {
                    is_for_servers |= matches!(purpose.content, SERVER_AUTH | ANY_PURPOSE);
                }
                self.is_for_servers = Some(is_for_servers);
            }
            _ => {}
        }
        Some(())
    }
}

/// Judges the certificate of a CA, at a time in Unix seconds: how many intermediate CAs may come
/// between it and a server's certificate, if it says.
///
/// # Errors
/// Why it may not sign certificates of servers.
pub(super) fn judge(certificate: &[u8], now: u64) -> Result<Option<usize>, Refusal> {
    let fields = Fields::read(certificate).ok_or(Refusal::Unreadable)?;
    let (from, until) = fields.validity().ok_or(Refusal::Unreadable)?;
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    if now < from {
        return Err(Refusal::NotYetValid);
    }
    if now > until {
        return Err(Refusal::Expired);
    }
    let found = Extensions::read(fields.rest).ok_or(Refusal::Unreadable)?;
    if found.may_sign == Some(false) {
        return Err(Refusal::NoKeyCertSign);
    }
    // As OpenSSL has it: a root of version 1 cannot say that it is a CA; one that may sign
    // certificates says so in other words.
    let is_old_root = fields.is_v1 && fields.issuer == fields.subject;
    if !found
        .is_ca
        .unwrap_or(is_old_root || found.may_sign.is_some())
    {
        return Err(Refusal::NotACa);
    }
    if found.is_for_servers == Some(false) {
        return Err(Refusal::OtherPurpose);
    }
    Ok(found.path_length)
}

/// An INTEGER that is not negative; what is too large for one is as good as no limit.
fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0_usize, |sum, byte| {
        sum.saturating_mul(256).saturating_add(usize::from(*byte))
    })
}

/// The Unix seconds of a time (RFC 5280, section 4.1.2.5).
fn seconds(time: &Element<'_>) -> Option<i64> {
    let mut digits = time.content.strip_suffix(b"Z")?.chunks(2).map(|pair| {
        let text = std::str::from_utf8(pair).ok()?;
        text.parse::<u8>().ok().map(i64::from)
    });
    let mut next = || digits.next().flatten();
    let first = next()?;
    let year = match time.tag {
        tag::GENERALIZED_TIME => first * 100 + next()?,
        tag::UTC_TIME if first < 50 => 2000 + first,
        tag::UTC_TIME => 1900 + first,
        _ => return None,
    };
    let days = days(year, next()?, next()?);
    Some(((days * 24 + next()?) * 60 + next()?) * 60 + next()?)
}

/// Days from 1970-01-01 to a date. The year is taken to begin in March, so that a leap day is its
/// last one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::{Element, Refusal, days, judge, seconds};

    #[test]
    fn dates_are_counted_from_1970() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(1969, 12, 31), -1);
        assert_eq!(days(2000, 2, 29), 11_016);
        assert_eq!(days(2000, 3, 1), 11_017);
        assert_eq!(days(2100, 3, 1) - days(2100, 2, 28), 1);
        assert_eq!(days(2026, 11, 25), 20_782);
    }

    #[test]
    fn both_kinds_of_time_are_read() {
        let read = |tag: u8, text: &str| {
            let mut der = vec![tag, u8::try_from(text.len()).unwrap()];
            der.extend_from_slice(text.as_bytes());
            seconds(&Element::first(&der).unwrap())
        };
        assert_eq!(read(0x17, "700101000001Z"), Some(1));
        assert_eq!(read(0x17, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(read(0x17, "500101000000Z"), Some(-631_152_000));
        assert_eq!(read(0x18, "20261125123456Z"), Some(1_795_610_096));
        assert_eq!(read(0x18, "99991231235959Z"), Some(253_402_300_799));
        for bad in ["", "Z", "7001010000Z", "70010100000xZ", "700101000001"] {
            assert_eq!(read(0x17, bad), None, "{bad}");
        }
        assert_eq!(read(0x16, "700101000001Z"), None);
    }

    /// A root that OpenSSL takes and this does not would lock people out. Those that have expired
    /// are none.
    #[test]
    fn every_root_of_this_system_may_sign() {
        let store = std::fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap();
        let now = UNIX_EPOCH.elapsed().unwrap().as_secs();
        let mut count = 0;
        for encoded in super::super::pem::certificates(&store) {
            let whole = encoded.decode().unwrap();
            match judge(&whole, now) {
                Ok(_) => count += 1,
                Err(refusal) => assert_eq!(refusal, Refusal::Expired),
            }
        }
        assert!(count > 50, "{count}");
    }
}
