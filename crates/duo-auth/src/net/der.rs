//! DER elements (ITU-T X.690), as far as certificates need them.

/// The tags that certificates are read by.
pub(super) mod tag {
    pub(in super::super) const BOOLEAN: u8 = 0x01;
    pub(in super::super) const INTEGER: u8 = 0x02;
    pub(in super::super) const UTC_TIME: u8 = 0x17;
    pub(in super::super) const GENERALIZED_TIME: u8 = 0x18;
    pub(in super::super) const SEQUENCE: u8 = 0x30;
    /// `[0]`, a certificate's version.
    pub(in super::super) const VERSION: u8 = 0xA0;
    /// `[3]`, a certificate's extensions.
    pub(in super::super) const EXTENSIONS: u8 = 0xA3;
}

/// One DER element.
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    /// What is there of its content.
    pub(super) content: &'a [u8],
    /// Whether that is all of it.
    is_whole: bool,
    /// What comes after it.
    pub(super) rest: &'a [u8],
}

impl<'a> Element<'a> {
    /// Reads the first element of `der`, which may end within it.
    pub(super) fn first(der: &'a [u8]) -> Option<Self> {
        let (&tag, rest) = der.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7F => (usize::from(first), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x0F))?;
                let length = bytes
                    .iter()
                    .fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
                (length, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at(length.min(rest.len()));
        Some(Self {
            tag,
            content,
            is_whole: content.len() == length,
            rest,
        })
    }

    /// Takes the first element off `der`, if all of it is there.
    pub(super) fn take(der: &mut &'a [u8]) -> Option<Self> {
        let element = Self::first(der).filter(|element| element.is_whole)?;
        *der = element.rest;
        Some(element)
    }

    /// Takes the first element off `der` and gives its content, if it has the tag.
    pub(super) fn take_tagged(der: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
        let mut rest = *der;
        let element = Self::take(&mut rest).filter(|element| element.tag == tag)?;
        *der = rest;
        Some(element.content)
    }
}

#[cfg(test)]
mod tests {
    use super::{Element, tag};

    #[test]
    fn elements_are_taken_one_after_the_other() {
        let mut der = &[0x02, 1, 7, 0x30, 0x81, 2, 8, 9, 0x02, 0][..];
        assert_eq!(Element::take_tagged(&mut der, tag::SEQUENCE), None);
        assert_eq!(Element::take_tagged(&mut der, tag::INTEGER), Some(&[7][..]));
        assert_eq!(
            Element::take_tagged(&mut der, tag::SEQUENCE),
            Some(&[8, 9][..])
        );
        assert_eq!(Element::take_tagged(&mut der, tag::INTEGER), Some(&[][..]));
        assert!(Element::take(&mut der).is_none());
    }

    #[test]
    fn what_is_cut_off_is_not_taken() {
        for cut in [&[0x30][..], &[0x30, 0x80], &[0x30, 0x84, 0, 0, 0, 1, 1]] {
            assert!(Element::first(cut).is_none(), "{cut:?}");
        }
        let mut der = &[0x30, 3, 1, 2][..];
        assert_eq!(Element::first(der).unwrap().content, [1, 2]);
        assert!(Element::take(&mut der).is_none());
        assert_eq!(der.len(), 4);
    }
}
