//! The keys that are known, and the nearest one to a word that is not.

/// Every key of the contract.
pub(super) const KNOWN: [&str; 27] = [
    "ikey",
    "skey",
    "host",
    "groups",
    "group",
    "failmode",
    "pushinfo",
    "http_proxy",
    "autopush",
    "verified_push",
    "prompts",
    "fallback_local_ip",
    "https_timeout",
    "cafile",
    "noverify",
    "send_gecos",
    "gecos_delim",
    "gecos_username_pos",
    "accept_env_factor",
    "motd",
    "gecos_parsed",
    "dev_fips_mode",
    "signature",
    "menu",
    "login_timeout",
    "bypass",
    "status",
];

/// Keys of Duo's module that are accepted and do nothing here.
pub(super) const WITHOUT_EFFECT: [&str; 4] =
    ["accept_env_factor", "motd", "gecos_parsed", "dev_fips_mode"];

/// The key that was probably meant, if one is near enough.
pub(super) fn nearest(word: &str) -> Option<&'static str> {
    // A long word is no typo, and the distance takes time in proportion to its length.
    if word.len() > 32 {
        return None;
    }
    let word = word.to_ascii_lowercase().replace('-', "_");
    KNOWN
        .iter()
        .map(|key| (strsim::osa_distance(&word, key), *key))
        .min()
        .filter(|(distance, key)| *distance <= key.len().div_ceil(3).min(3))
        .map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typos_find_the_key_that_was_meant() {
        for (word, expected) in [
            ("failmod", Some("failmode")),
            ("Failmode", Some("failmode")),
            ("fail_mode", Some("failmode")),
            ("autopsh", Some("autopush")),
            ("https-timeout", Some("https_timeout")),
            ("gruops", Some("groups")),
            ("sekey", Some("skey")),
            ("colour", None),
            ("", None),
            ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", None),
        ] {
            assert_eq!(nearest(word), expected, "{word}");
        }
    }
}
