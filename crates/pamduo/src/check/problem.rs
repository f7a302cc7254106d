//! Everything that `pamduo check` can find.

use crate::finding::Severity;

/// Writes the list once: name, id, severity and meaning.
macro_rules! problems {
    ($($(#[doc = $doc:literal])+ $name:ident $id:literal $severity:ident,)+) => {
        /// What is wrong. Each has an id that stays, for programs that read the JSON.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Problem {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Problem {
            /// Its id: the step and what is wrong there.
            pub(crate) fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)+
                }
            }

            /// How bad it is.
            pub(crate) fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)+
                }
            }
        }
    };
}

problems! {
    /// There is no file.
    FileMissing "file.missing" Error,
    /// It cannot be opened or read.
    FileUnreadable "file.unreadable" Error,
    /// It is a folder, a device, a pipe or a socket.
    FileNotRegular "file.not-regular" Error,
    /// Someone else owns it.
    FileOwner "file.owner" Error,
    /// Others may write to it.
    FileWritable "file.writable-by-others" Error,
    /// It is too large.
    FileTooLarge "file.too-large" Error,
    /// Others may read the skey.
    FileReadable "file.readable-by-others" Warning,
    /// Others may change whom TLS trusts.
    FileCaFile "file.cafile-writable-by-others" Warning,
    /// A line that is neither section, key nor comment.
    FileSyntax "file.syntax" Warning,
    /// An unknown key.
    FileUnknownKey "file.unknown-key" Warning,
    /// A value that is not accepted.
    FileBadValue "file.bad-value" Warning,
    /// A number outside its range.
    FileOutOfRange "file.out-of-range" Warning,
    /// A key of Duo's own module that has no effect here.
    FileWithoutEffect "file.without-effect" Warning,
    /// An indented key, which was read as part of the value above.
    FileSwallowed "file.swallowed-key" Warning,
    /// `host`, `ikey` or `skey` is missing.
    FileMissingKeys "file.missing-keys" Error,
    /// `host` is not a host name or address.
    FileBadHost "file.bad-host" Error,
    /// `noverify` is set.
    FileNoVerify "file.noverify" Error,
    /// The name has no address.
    DnsFailed "dns.failed" Error,
    /// No address accepts a connection.
    TcpFailed "tcp.failed" Error,
    /// Some addresses accept no connection.
    TcpPartly "tcp.partly" Warning,
    /// The proxy requires a user and a password, or rejects those it got.
    ProxyCredentials "proxy.credentials" Error,
    /// The proxy does not connect to Duo.
    ProxyFailed "proxy.failed" Error,
    /// No CA certificate can be read.
    TlsNoStore "tls.no-store" Error,
    /// The server does not speak TLS.
    TlsNotTls "tls.not-tls" Error,
    /// The handshake fails.
    TlsFailed "tls.failed" Error,
    /// The certificate is self-signed.
    TlsSelfSigned "tls.self-signed" Error,
    /// The certificate's issuer is not in the store.
    TlsUnknownIssuer "tls.unknown-issuer" Error,
    /// The certificate has expired.
    TlsExpired "tls.expired" Error,
    /// The certificate is for other names.
    TlsWrongName "tls.wrong-name" Error,
    /// The clocks differ.
    ClockOff "clock.off" Warning,
    /// Duo does not tell the time.
    ClockNoAnswer "clock.no-answer" Error,
    /// Duo rejects the keys.
    SignatureKeys "signature.keys" Error,
    /// Duo accepts the keys, but not the configured signature.
    SignatureAlgorithm "signature.algorithm" Error,
    /// Duo gives no usable answer.
    SignatureNoAnswer "signature.no-answer" Error,
    /// A signature could not be tried.
    SignaturesNoAnswer "signatures.no-answer" Warning,
}
