//! What can go wrong on request, per path and per count.

use serde::Deserialize;

/// One fault.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// Where: `dns` for look-ups, `connection` for what happens before HTTP, a path such as
    /// `/auth/v2/preauth`, or `*` for every path.
    pub path: String,
    /// What.
    pub kind: FaultKind,
    /// How often; always, if not set.
    pub count: Option<u64>,
    /// How many pass unharmed first.
    pub skip: u64,
    /// Milliseconds between two bytes (`drip`), or before the reply (`delay`, `dns_slow`).
    pub interval_ms: Option<u64>,
    /// Depth of `deep_json`.
    pub depth: Option<usize>,
    /// HTTP status (`status`, `redirect`).
    pub code: Option<u16>,
    /// Body (`status`), or target (`redirect`).
    pub body: Option<String>,
    /// Value of the header that says when to come back (`rate_limited`).
    pub retry_after: Option<String>,
    /// Its name; `Retry-After` if not set.
    pub header: Option<String>,
}

impl Fault {
    /// A fault of `kind` at `path`, every time.
    #[must_use]
    pub fn new(path: &str, kind: FaultKind) -> Self {
        Self {
            path: path.to_owned(),
            kind,
            ..Self::default()
        }
    }

    /// The same, `count` times.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// The same, after `skip` that pass unharmed.
    #[must_use]
    pub fn after(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// Whether the fault can strike where it is.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        use FaultKind as K;
        let before_http = matches!(
            self.kind,
            K::Refuse
                | K::Reset
                | K::StallAccept
                | K::StallTls
                | K::TlsGarbage
                | K::PlainHttp
                | K::OldTls
                | K::OnlyTls12
                | K::SelfSigned
                | K::UnknownCa
                | K::Expired
                | K::WrongName
        );
        let in_dns = matches!(
            self.kind,
            K::DnsSilent | K::DnsSlow | K::DnsServfail | K::DnsNoName | K::DnsGarbage
        );
        if in_dns {
            return match self.path.as_str() {
                "dns" => Ok(()),
                _ => Err("this kind strikes look-ups: its path is dns"),
            };
        }
        match (before_http, self.path.as_str()) {
            (true, "connection") => Ok(()),
            (true, _) => Err("this kind strikes before HTTP: its path is connection"),
            (false, path) if path == "*" || path.starts_with('/') => Ok(()),
            (false, _) => Err("path has to be a path such as /auth/v2/preauth, or *"),
        }
    }

    /// Whether this is one of those that happen now at `path`; counts.
    pub(crate) fn strikes(&mut self, path: &str) -> bool {
        let here = self.path == path || (self.path == "*" && path.starts_with('/'));
        if !here || self.count == Some(0) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if let Some(count) = &mut self.count {
            *count -= 1;
        }
        true
    }
}

/// Kinds of faults. The first group belongs to `dns`, the second to `connection`, the third to a
/// path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A look-up is never answered.
    DnsSilent,
    /// A look-up is answered later.
    DnsSlow,
    /// The resolver says that it has failed.
    DnsServfail,
    /// There is no such name.
    DnsNoName,
    /// Bytes that are not DNS.
    DnsGarbage,

    /// The connection is accepted and closed at once.
    Refuse,
    /// The connection is reset at once.
    Reset,
    /// The connection is accepted, and nothing else ever happens.
    StallAccept,
    /// The TLS handshake stops after the client's first message.
    StallTls,
    /// Plain text instead of TLS.
    TlsGarbage,
    /// A plain HTTP reply instead of TLS.
    PlainHttp,
    /// A TLS alert that no version is supported.
    OldTls,
    /// No fault: TLS 1.2 and not 1.3.
    OnlyTls12,
    /// A certificate that nobody signed.
    SelfSigned,
    /// A certificate of a CA that is not in the CA file.
    UnknownCa,
    /// A certificate that has expired.
    Expired,
    /// A certificate for another name.
    WrongName,

    /// The request is read and never answered.
    #[default]
    StallRequest,
    /// Half of the headers, and then nothing.
    StallHeaders,
    /// Half of the body, and then nothing.
    StallBody,
    /// One byte at a time.
    Drip,
    /// The right reply, later.
    Delay,
    /// Half of the body, and then the end of the connection.
    Truncate,
    /// The connection ends instead of a reply.
    CloseBeforeReply,
    /// The connection is reset instead of a reply.
    ResetBeforeReply,
    /// The right reply, and then the end of a connection that was to be kept alive.
    CloseAfterReply,
    /// Bytes that are not HTTP.
    GarbageHttp,
    /// A body that is not JSON.
    GarbageJson,
    /// No body.
    EmptyBody,
    /// A JSON body that is no object.
    NotObject,
    /// A `result` that is a number.
    WrongType,
    /// `{"stat":"OK"}` and no more.
    MissingResponse,
    /// A response without `result`.
    MissingResult,
    /// A response without `stat`.
    NoStat,
    /// JSON that is nested too deep.
    DeepJson,
    /// A body without end.
    EndlessBody,
    /// Headers without end.
    EndlessHeaders,
    /// One very long header.
    HugeHeader,
    /// A redirect.
    Redirect,
    /// Any status.
    Status,
    /// 42901.
    RateLimited,
    /// 40103, whatever the signature.
    BadSignature,
    /// 40105, whatever the date.
    Clock,
}
