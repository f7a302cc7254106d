//! Text from outside, made fit for one line of a log or a terminal.

/// Replaces what could move the cursor, colour the screen, start a new log line or reverse the
/// reading direction, each character by a `?`. The number of characters stays.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|character| if is_unsafe(character) { '?' } else { character })
        .collect()
}

/// Control characters, line separators, and marks that change the direction of writing.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

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

    proptest! {
        #[test]
        fn cleaned_text_has_no_control_characters(text in "\\PC*|[\\x00-\\x1f\\x7f-\\x9f a]*") {
            prop_assert!(!clean(&text).chars().any(char::is_control));
        }
    }
}
