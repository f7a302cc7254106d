//! Text that must not be seen: the skey, passcodes, a proxy's password.

use std::fmt;

use zeroize::Zeroizing;

/// A secret text: wiped when dropped, and never shown by `Debug`.
///
/// There is deliberately no `Display`: a secret reaches a log or a screen only through
/// [`Secret::expose`], which is easy to search for.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over `text` and wipes it on drop.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, to sign or to send, never to print.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Copies the text; the original is the caller's to wipe.
impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_output_never_shows_the_secret() {
        let shown = format!("{:?}", Some(Secret::from("sesame")));
        assert_eq!(shown, "Some(Secret([redacted]))");
    }
}
