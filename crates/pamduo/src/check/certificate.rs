//! What a server's certificates say: names, expiry, issuer.

use std::net::IpAddr;

use duo_auth::clean;
use duo_auth::net::trust::Store;
use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::x509::X509Name;

/// Limit for the length of a chain.
const LONGEST: usize = 10;
/// How many names are shown.
const NAMES: usize = 6;

/// The certificates that a server presented.
pub(super) struct Chain<'a> {
    certificates: Vec<X509Certificate<'a>>,
}

impl<'a> Chain<'a> {
    /// Parses them; those that cannot be parsed are left out.
    pub(super) fn read(presented: &'a [CertificateDer<'static>]) -> Self {
        let certificates = presented
            .iter()
            .take(LONGEST)
            .filter_map(|der| X509Certificate::from_der(der).ok())
            .map(|(_, certificate)| certificate)
            .collect();
        Self { certificates }
    }

    fn leaf(&self) -> Option<&X509Certificate<'a>> {
        self.certificates.first()
    }

    /// The names that the server's certificate is for.
    pub(super) fn names(&self) -> String {
        let Some(leaf) = self.leaf() else {
            return "nothing".to_owned();
        };
        let names = match leaf.subject_alternative_name() {
            Ok(Some(extension)) => extension
                .value
                .general_names
                .iter()
                .filter_map(name)
                .collect(),
            _ => Vec::new(),
        };
        match names.as_slice() {
            [] => format!("no name ({})", subject(leaf.subject())),
            few if few.len() <= NAMES => few.join(", "),
            many => {
                let shown: Vec<&str> = many.iter().take(NAMES).map(String::as_str).collect();
                format!("{} and {} more", shown.join(", "), many.len() - NAMES)
            }
        }
    }

    /// When the server's certificate expires, in Unix seconds.
    pub(super) fn not_after(&self) -> Option<i64> {
        Some(self.leaf()?.validity().not_after.timestamp())
    }

    /// Whether the server's certificate is self-signed.
    pub(super) fn is_self_signed(&self) -> bool {
        self.leaf()
            .is_some_and(|leaf| leaf.subject().as_raw() == leaf.issuer().as_raw())
    }

    /// Follows the chain to the issuer that the server did not present: its name, and whether
    /// `store` has a certificate with that name.
    pub(super) fn issuer(&self, store: &Store) -> (String, bool) {
        let roots = store.roots.subjects();
        let Some(mut current) = self.leaf() else {
            return ("nobody".to_owned(), false);
        };
        for _ in 0..LONGEST {
            let issuer = current.issuer();
            let known = roots.iter().any(|root| root.as_ref() == issuer.as_raw());
            if known {
                return (subject(issuer), true);
            }
            let next = self.certificates.iter().find(|certificate| {
                certificate.subject().as_raw() == issuer.as_raw()
                    && certificate.issuer().as_raw() != issuer.as_raw()
            });
            match next {
                Some(next) => current = next,
                None => break,
            }
        }
        (subject(current.issuer()), false)
    }
}

/// A subject, of bounded length and without control characters.
fn subject(name: &X509Name<'_>) -> String {
    clean(&name.to_string()).chars().take(200).collect()
}

/// A name or an address.
fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(clean(name).chars().take(100).collect()),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Chain;
    use duo_auth::net::trust::Store;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    use rustls::RootCertStore;
    use rustls::pki_types::CertificateDer;

    type Ca = (CertificateDer<'static>, Issuer<'static, KeyPair>);

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new(vec!["duo.example".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    fn authority(name: &str, by: Option<&Ca>) -> Ca {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = match by {
            Some((_, issuer)) => params.signed_by(&key, issuer).unwrap(),
            None => params.self_signed(&key).unwrap(),
        };
        (certificate.der().clone(), Issuer::new(params, key))
    }

    fn store(roots: &[&Ca]) -> Store {
        let mut store = RootCertStore::empty();
        for (root, _) in roots {
            store.add(root.clone()).unwrap();
        }
        Store {
            path: "/ca.pem".into(),
            roots: store,
        }
    }

    #[test]
    fn the_issuer_is_the_one_that_the_server_did_not_present() {
        let root = authority("root", None);
        let between = authority("between", Some(&root));
        let other = authority("other", None);
        let key = KeyPair::generate().unwrap();
        let leaf = params("leaf").signed_by(&key, &between.1).unwrap();
        let leaf = leaf.der().clone();
        let whole = [leaf.clone(), between.0.clone()];
        let with_root = [leaf.clone(), between.0.clone(), root.0.clone()];
        for (presented, roots, expected) in [
            (&whole[..], vec![&root], ("CN=root", true)),
            (&with_root[..], vec![&other, &root], ("CN=root", true)),
            (
                &whole[..],
                vec![&other, &between, &root],
                ("CN=between", true),
            ),
            (&whole[..], vec![&other], ("CN=root", false)),
            (&with_root[..], vec![&other], ("CN=root", false)),
            // The server leaves the intermediate certificate out.
            (&whole[..1], vec![&root], ("CN=between", false)),
            (&[], vec![&root], ("nobody", false)),
        ] {
            let chain = Chain::read(presented);
            let (name, known) = chain.issuer(&store(&roots));
            assert_eq!((name.as_str(), known), expected);
            assert!(!chain.is_self_signed());
        }
        assert!(Chain::read(&[root.0]).is_self_signed());
        assert_eq!(Chain::read(&[leaf]).names(), "duo.example");
        assert_eq!(Chain::read(&[vec![1, 2, 3].into()]).names(), "nothing");
    }
}
