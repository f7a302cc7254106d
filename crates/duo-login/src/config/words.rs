//! Values that are one of a few words.

/// Writes an enum with its words.
macro_rules! words {
    ($($(#[$about:meta])+ $enum:ident { $($(#[$doc:meta])+ $name:ident $word:literal,)+ })+) => {$(
        $(#[$about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $enum {
            $($(#[$doc])+ $name,)+
        }

        impl $enum {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its word in the file.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            /// The value with the word `word`.
            #[must_use]
            pub fn named(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == word)
            }
        }
    )+};
}

words! {
    /// What to do with a login when Duo cannot be asked.
    Failmode {
        /// Let the user in.
        Safe "safe",
        /// Keep the user out.
        Secure "secure",
    }

    /// Who builds the menu.
    MenuSource {
        /// This module, from the devices that preauth lists.
        Devices "devices",
        /// Duo, whose text is shown as it is.
        Server "server",
    }

    /// What users outside `groups` get.
    Bypass {
        /// `PAM_SUCCESS`.
        Success "success",
        /// `PAM_IGNORE`.
        Ignore "ignore",
    }

    /// How log lines are written.
    LogStyle {
        /// As other PAM modules write theirs, with fields in brackets at the end.
        Pam "pam",
        /// As Duo's own module writes them, for parsers that match a whole line.
        DuoUnix "duo_unix",
    }

    /// How progress reaches the user.
    StatusMode {
        /// As fits the application.
        Auto "auto",
        /// Each line as it comes.
        Live "live",
        /// In the next prompt.
        Prompt "prompt",
        /// Not at all.
        Quiet "quiet",
    }
}
