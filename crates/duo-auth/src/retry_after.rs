//! How long to wait after HTTP 429 (Duo's Auth API, "Rate limits"; RFC 9110, section 10.2.3).

use std::time::{Duration, SystemTime};

/// The longest pause between two tries.
const LONGEST: Duration = Duration::from_secs(32);

/// Reads `Retry-After` or `X-Retry-After`: seconds, or an HTTP date that is compared with `now`, the
/// server's time of day. `None` if it is neither. A date that is past means no wait.
#[must_use]
pub fn parse(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// The pause before try number `tried` + 1 where the server names none: 1 s, doubling, at most
/// 32 s, plus `jitter`, a fraction of a second.
#[must_use]
pub fn backoff(tried: u32, jitter: Duration) -> Duration {
    let doubled = Duration::from_secs(1_u64 << tried.min(5));
    doubled.min(LONGEST) + jitter.min(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::{backoff, parse};
    use std::time::{Duration, SystemTime};

    #[test]
    fn seconds_and_http_dates_are_read_and_nothing_else() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (value, expected) in [
            ("5", Some(5)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(
                parse(value, now),
                expected.map(Duration::from_secs),
                "{value:?}"
            );
        }
    }

    #[test]
    fn backoff_doubles_up_to_32_seconds() {
        let waits: Vec<u64> = (0..8)
            .map(|tried| backoff(tried, Duration::ZERO).as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 32, 32]);
    }
}
