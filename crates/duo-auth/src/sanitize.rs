//! Text from outside, made fit for one line of a log or a terminal.

/// Replaces what could move the cursor, colour the screen, start a new log line or reverse the
/// reading direction, each character by a `?`. The number of characters stays.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|character| if is_unsafe(character) { '?' } else { character })
        .collect()
}

/// Control characters, line separators, and what is invisible.
fn is_unsafe(character: char) -> bool {
    // Most of any text.
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    character.is_control()
        || INVISIBLE
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&character))
}

/// What has no shape of its own: the Unicode general categories Cf (format), Zl and Zp, and the
/// characters with the property `Default_Ignorable_Code_Point`; and the blank of Braille.
const INVISIBLE: [(char, char); 26] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

#[cfg(test)]
mod tests {
    use super::clean;
    use proptest::prelude::*;

    #[test]
    fn control_characters_and_direction_marks_are_replaced() {
        assert_eq!(
            clean("a\u{1b}[31mb\nc\rd\u{7f}e\u{9b}f\u{202e}g\th"),
            "a?[31mb?c?d?e?f?g?h"
        );
        assert_eq!(clean("zoë 例え"), "zoë 例え");
    }

    #[test]
    fn what_is_invisible_is_replaced() {
        for hidden in [
            '\u{ad}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{2028}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{115f}',
            '\u{3164}',
            '\u{ffa0}',
            '\u{feff}',
            '\u{fff9}',
            '\u{fffb}',
            '\u{e0041}',
            '\u{e0101}',
            '\u{fe0f}',
            '\u{34f}',
            '\u{2800}',
        ] {
            assert_eq!(clean(&format!("a{hidden}b")), "a?b", "{:x}", hidden as u32);
        }
        assert_eq!(clean("naïve 日本語 – “x” ₂ é"), "naïve 日本語 – “x” ₂ é");
    }

    proptest! {
        #[test]
        fn cleaned_text_has_no_control_characters(text in "\\PC*|[\\x00-\\x1f\\x7f-\\x9f a]*") {
            prop_assert!(!clean(&text).chars().any(char::is_control));
        }
    }
}
