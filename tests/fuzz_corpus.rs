//! Everything that the fuzzers have kept, once more. What they found and was mended has a name that
//! says so.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

use std::fs;
use std::path::Path;

use duo_auth::{Preauth, parse::read_preauth};
use proptest::prelude::*;

#[path = "fuzz/checks.rs"]
mod checks;

const WORDS: &[&[u8]] = &[
    b"\x1e",
    b"\x1e ",
    b"\x02",
    b"A1",
    b"A123456",
    b"\x1e-",
    br#"{"stat":"OK","response":{"result":"auth","devices":[{"device":"D","capabilities":["push"]}]}}"#,
    br#"{"stat":"OK","response":{"txid":"T"}}"#,
    br#"{"stat":"OK","response":{"result":"allow","status":"allow"}}"#,
    br#"{"stat":"OK","response":{"result":"waiting","status":"pushed","status_msg":"x"}}"#,
    br#"{"stat":"OK","response":{"result":"deny","status":"allow"}}"#,
    b"ikey = A\nskey = B\nhost = c\n",
    b"groups = a,!b \\ c\n",
    b"-----BEGIN CERTIFICATE-----",
    b"-----END CERTIFICATE-----",
    b"YWJj",
    b"\n",
    b"\xff",
    b"\n  x = y\n",
    b"\nsent 10800000 1.1 alice\n",
    b"\nwithdrawn 10800000 1.1 alice\n",
    b"\ndenied 10800001 1.1 alice\n",
    b"\napproved 10800002 1.1 alice\n",
    b"\nfraud 10800003 1.1 alice\n",
];

#[test]
fn what_the_fuzzers_kept_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (target, check) in checks::TARGETS {
        let folder = fs::read_dir(corpus.join(target)).unwrap_or_else(|e| panic!("{target}: {e}"));
        let mut count = 0;
        for entry in folder {
            let path = entry.unwrap().path();
            let data = fs::read(&path).unwrap();
            let held = std::panic::catch_unwind(|| check(&data));
            assert!(held.is_ok(), "{}", path.display());
            count += 1;
        }
        assert!(count > 0, "nothing is kept of {target}");
    }
}

/// A group's name that ends in a blank, or begins with `#` once its list is written in order, was
/// written so that it was read as another.
#[test]
fn found_by_fuzzing_groups_whose_names_end_in_blanks_are_written_as_they_are_read() {
    for groups in [
        "a\\ \u{b}",
        "a\\ ,",
        "!q,#b",
        "!q,;b",
        "x,\u{a0}",
        "!q,\u{a0}x",
        "\\ ",
    ] {
        let text = format!("ikey = A\nskey = B\nhost = c\ngroups = {groups}\n");
        checks::config(text.as_bytes());
    }
}

/// A reply with bytes that are no UTF-8 was read where they stood in a key that is passed over, and
/// was an outage where they stood in a device's name.
#[test]
fn found_by_fuzzing_bytes_that_are_no_utf_8_change_no_verdict() {
    for key in ["status_msg", "unknown"] {
        let reply = |result: &str| {
            let mut body = format!(r#"{{"stat":"OK","response":{{"result":"{result}","{key}":""#);
            body.push_str("\u{1}\"}}");
            let mut bytes = body.into_bytes();
            bytes
                .iter_mut()
                .filter(|byte| **byte == 1)
                .for_each(|byte| *byte = 0xB2);
            bytes
        };
        let read = |result: &str| read_preauth(&reply(result)).unwrap();
        assert!(matches!(read("allow"), Preauth::Allow { .. }), "{key}");
        assert!(matches!(read("deny"), Preauth::Deny { .. }), "{key}");
    }
}

proptest! {
    #[test]
    fn any_bytes_hold(data in proptest::collection::vec(any::<u8>(), 0..400)) {
        for (_, check) in checks::TARGETS {
            check(&data);
        }
    }

    /// Bytes from the words that matter come further than any.
    #[test]
    fn words_in_any_order_hold(words in proptest::collection::vec(
        proptest::sample::select(WORDS), 0..40,
    )) {
        let data = words.concat();
        for (_, check) in checks::TARGETS {
            check(&data);
        }
    }
}
