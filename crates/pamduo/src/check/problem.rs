//! Everything that `pamduo check` can find.

use super::step::Status;

/// Writes the list once: name, id, weight and meaning.
macro_rules! problems {
    ($($(#[doc = $doc:literal])+ $name:ident $id:literal $status:ident,)+) => {
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

            /// Its weight.
            pub(crate) fn status(self) -> Status {
                match self {
                    $(Self::$name => Status::$status,)+
                }
            }
        }
    };
}

problems! {
    /// There is no file.
    FileMissing "file.missing" Failed,
    /// It cannot be opened or read.
    FileUnreadable "file.unreadable" Failed,
    /// It is a folder, a device, a pipe or a socket.
    FileNotRegular "file.not-regular" Failed,
    /// Someone else owns it.
    FileOwner "file.owner" Failed,
    /// Others may write to it.
    FileWritable "file.writable-by-others" Failed,
    /// It is too large.
    FileTooLarge "file.too-large" Failed,
    /// Others may read the skey.
    FileReadable "file.readable-by-others" Warning,
    /// Others may change whom TLS trusts.
    FileCaFile "file.cafile-writable-by-others" Warning,
    /// A line that is no section, key or comment.
    FileSyntax "file.syntax" Warning,
    /// An unknown key.
    FileUnknownKey "file.unknown-key" Warning,
    /// A value that is not accepted.
    FileBadValue "file.bad-value" Warning,
    /// A number outside its range.
    FileOutOfRange "file.out-of-range" Warning,
    /// A key of Duo's module that does nothing.
    FileWithoutEffect "file.without-effect" Warning,
    /// An indented key that went into the value above.
    FileSwallowed "file.swallowed-key" Warning,
    /// `host`, `ikey` or `skey` is not there.
    FileMissingKeys "file.missing-keys" Failed,
    /// `host` cannot be a host.
    FileBadHost "file.bad-host" Failed,
    /// `noverify` is set.
    FileNoVerify "file.noverify" Failed,
    /// The name has no address.
    DnsFailed "dns.failed" Failed,
    /// No address takes a connection.
    TcpFailed "tcp.failed" Failed,
    /// Some addresses take no connection.
    TcpPartly "tcp.partly" Warning,
    /// The proxy wants a user and a password, or others.
    ProxyCredentials "proxy.credentials" Failed,
    /// The proxy does not connect to Duo.
    ProxyFailed "proxy.failed" Failed,
    /// There is no certificate to trust.
    TlsNoStore "tls.no-store" Failed,
    /// What answers does not speak TLS.
    TlsNotTls "tls.not-tls" Failed,
    /// The handshake does not come to its end.
    TlsFailed "tls.failed" Failed,
    /// The certificate is signed by itself.
    TlsSelfSigned "tls.self-signed" Failed,
    /// The certificate's issuer is not in the store.
    TlsUnknownIssuer "tls.unknown-issuer" Failed,
    /// The certificate has expired.
    TlsExpired "tls.expired" Failed,
    /// The certificate is for other names.
    TlsWrongName "tls.wrong-name" Failed,
    /// The clocks differ.
    ClockOff "clock.off" Warning,
    /// Duo does not tell the time.
    ClockNoAnswer "clock.no-answer" Failed,
    /// Duo does not take the keys.
    SignatureKeys "signature.keys" Failed,
    /// Duo takes the keys, but not the signature that is configured.
    SignatureAlgorithm "signature.algorithm" Failed,
    /// Duo gives no usable answer.
    SignatureNoAnswer "signature.no-answer" Failed,
    /// A signature could not be tried.
    SignaturesNoAnswer "signatures.no-answer" Warning,
}
