//! The border at which text from elsewhere (logs, subjects, events, answers over HTTP) becomes text for a terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// Control characters and those that turn the direction of a line are shown and not obeyed; a line stays a line.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push('\n'),
            '\t' => shown.push(' '),
            _ if is_obeyed(character) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
            }
            _ => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

/// The same for what has to stay in one line.
pub fn line(text: &str) -> String {
    plain(text.trim_end()).replace('\n', " ")
}

/// What a terminal does something for instead of showing it.
fn is_obeyed(character: char) -> bool {
    // C0, DEL and C1 are control characters; then marks, embeddings and isolates of writing direction, and separators.
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// JSON escapes the lower control characters by itself; this does so for the others, which stand in strings alone.
pub fn json(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|character| is_obeyed(character) && character != '\n') {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_obeyed(character) && character != '\n' {
            let _ = write!(escaped, "\\u{:04x}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// Only the colours of this program pass: whatever else would be obeyed is shown.
pub fn painted(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|character| is_obeyed(character) && character != '\n') {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split('\u{1b}');
    let mut shown = plain(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        let numbers = part.strip_prefix('[').and_then(|rest| rest.split_once('m')).map(|(numbers, _)| numbers);
        let is_color = numbers.is_some_and(|numbers| COLORS.contains(&numbers));
        shown.push_str(if is_color { "\u{1b}" } else { "\\u{1b}" });
        shown.push_str(&plain(part));
    }
    Cow::Owned(shown)
}

/// Green, yellow, red, dim, bold, and the end of each.
const COLORS: [&str; 6] = ["32", "33", "31", "2", "1", "0"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        for (text, expected) in [
            ("plain, with ümlauts and 漢字", "plain, with ümlauts and 漢字"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("over\rwritten\u{8}\u{7f}", "over\\u{d}written\\u{8}\\u{7f}"),
            ("txt.\u{202e}exe", "txt.\\u{202e}exe"),
            ("a\u{2066}b\u{2069}\u{200f}", "a\\u{2066}b\\u{2069}\\u{200f}"),
            ("two\nlines\tand a tab", "two\nlines and a tab"),
        ] {
            assert_eq!(plain(text), expected);
        }
        assert_eq!(line("two\nlines\n"), "two lines");
    }

    #[test]
    fn of_colours_only_the_own_ones_pass() {
        use crate::output::style::{BAD, BOLD, BUSY, DIM, GOOD, paint};
        for style in [GOOD, BUSY, BAD, DIM, BOLD] {
            let text = paint(style, "a\nb");
            assert_eq!(painted(&text), text);
        }
        assert_eq!(painted("\u{1b}[8mhidden\u{1b}[2J"), "\\u{1b}[8mhidden\\u{1b}[2J");
        assert_eq!(painted("\u{1b}]8;;http://a.example\u{1b}\\"), "\\u{1b}]8;;http://a.example\\u{1b}\\");
    }

    #[test]
    fn json_stays_the_same_value_and_holds_nothing_that_is_obeyed() {
        let value = serde_json::json!({"log": ["\u{1b}[2J", "\u{9b}2J", "\u{7f}", "\u{202e}exe", "ü\n"]});
        let text = serde_json::to_string_pretty(&value).expect("JSON");
        let escaped = json(&text);
        assert!(!escaped.chars().any(|character| is_obeyed(character) && character != '\n'), "{escaped}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).expect("JSON"), value);
    }
}
