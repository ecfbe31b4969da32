use axum::http::{HeaderMap, header};

/// Whether a client would rather have the digits alone than JSON, as RFC 9110 reads its Accept lines in sections 12.4
/// and 12.5.1. What stands first of two equally welcome ones is preferred; who says nothing gets JSON.
pub fn prefers_plain_text(headers: &HeaderMap) -> bool {
    let (mut text, mut json) = (Word::NONE, Word::NONE);
    let mut place = 0;
    for line in headers.get_all(header::ACCEPT) {
        let line = String::from_utf8_lossy(line.as_bytes());
        for range in split(&line, ',').filter_map(MediaRange::read) {
            place += 1;
            text.hear(&range, place, "text", "plain");
            json.hear(&range, place, "application", "json");
        }
    }
    text.is_preferred_to(&json)
}

/// What a client says of one form of an answer.
struct Word {
    /// Of several ranges that mean this form the most specific one counts.
    specificity: u8,
    /// In thousandths.
    weight: Option<u16>,
    place: usize,
}

impl Word {
    const NONE: Self = Self { specificity: 0, weight: None, place: usize::MAX };

    fn hear(&mut self, range: &MediaRange, place: usize, kind: &str, subtype: &str) {
        let specificity = range.specificity(kind, subtype);
        if specificity > 0 && (specificity, Some(range.weight)) > (self.specificity, self.weight) {
            *self = Self { specificity, weight: Some(range.weight), place };
        }
    }

    fn is_preferred_to(&self, other: &Self) -> bool {
        // What is refused comes after what is not named at all.
        let weight = |word: &Self| word.weight.map_or(1, |weight| if weight == 0 { 0 } else { weight + 1 });
        let rank = |word: &Self| (weight(word), word.specificity.min(NAMED), std::cmp::Reverse(word.place));
        rank(self) > rank(other)
    }
}

/// The specificity from which on a range names its form, parameters or not.
const NAMED: u8 = 3;

/// A member of an Accept line.
struct MediaRange<'a> {
    kind: &'a str,
    subtype: &'a str,
    parameters: Parameters,
    weight: u16,
}

#[derive(PartialEq, Eq)]
enum Parameters {
    None,
    /// Only what is true of both forms of an answer.
    Met,
    Other,
}

impl<'a> MediaRange<'a> {
    /// None for what is no media range, such as the empty members that a list may have.
    fn read(member: &'a str) -> Option<Self> {
        let mut parts = split(member, ';').map(str::trim);
        // Java wrote an asterisk alone for a long time.
        let (kind, subtype) = parts.next().map(|name| if name == "*" { "*/*" } else { name })?.split_once('/')?;
        let mut range = Self { kind, subtype, parameters: Parameters::None, weight: 1_000 };
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (name.trim_end(), value.trim_start());
            if name.eq_ignore_ascii_case("q") {
                // What follows the weight is no parameter of the media type.
                range.weight = weight(value)?;
                break;
            }
            // Digits are the same bytes in both.
            let is_charset = name.eq_ignore_ascii_case("charset");
            let is_ours = ["utf-8", "us-ascii"].iter().any(|ours| value.trim_matches('"').eq_ignore_ascii_case(ours));
            if !(is_charset && is_ours) {
                range.parameters = Parameters::Other;
            } else if range.parameters == Parameters::None {
                range.parameters = Parameters::Met;
            }
        }
        Some(range)
    }

    /// 0 where it does not mean this form.
    fn specificity(&self, kind: &str, subtype: &str) -> u8 {
        if (self.kind, self.subtype) == ("*", "*") {
            1
        } else if !self.kind.eq_ignore_ascii_case(kind) {
            0
        } else if self.subtype == "*" {
            2
        } else if !self.subtype.eq_ignore_ascii_case(subtype) {
            0
        } else {
            match self.parameters {
                // Such as a format or a version: the form without it is still nearer to it than the other form is.
                Parameters::Other => NAMED,
                Parameters::None => NAMED + 1,
                Parameters::Met => NAMED + 2,
            }
        }
    }
}

fn weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if text.is_empty() || text == "." || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    if whole.bytes().any(|digit| digit != b'0') {
        return Some(1_000);
    }
    // Three digits are all that a weight may have; what stands behind them is more than nothing.
    let thousandths = format!("{fraction:0<3.3}").parse::<u16>().ok()?;
    Some(thousandths.max(u16::from(fraction.bytes().any(|digit| digit != b'0'))))
}

/// The parts between separators, but for those within quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character| {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return !quoted && character == separator,
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], expected: bool) {
        let headers = lines.iter().map(|line| (header::ACCEPT, line.parse().expect("a header value")));
        assert_eq!(prefers_plain_text(&HeaderMap::from_iter(headers)), expected, "{lines:?}");
    }

    #[test]
    fn plain_text_is_sent_only_to_who_prefers_it() {
        check(&[], false);
        check(&["text/plain"], true);
        check(&["TEXT/Plain"], true);
        check(&["text/*"], true);
        check(&["text/plain, application/json;q=0.9"], true);
        check(&["application/json, text/plain;q=0.9"], false);
        check(&["text/plain;q=0.1, */*"], false);
        check(&["*/*;q=0.1, text/plain;q=0.2"], true);
        check(&["*/*"], false);
        check(&["application/json"], false);
        check(&["text/html,application/xhtml+xml,*/*;q=0.8"], false);
        check(&["image/png"], false);
    }

    #[test]
    fn of_two_equally_welcome_forms_the_more_specific_or_the_first_one_is_sent() {
        check(&["text/plain, */*"], true);
        check(&["*/*, text/plain"], true);
        check(&["application/json, */*"], false);
        check(&["application/json, text/plain, */*"], false);
        check(&["application/json, text/plain; charset=utf-8, */*"], false);
        check(&["text/plain, application/json"], true);
        check(&["text/*, application/json"], false);
        check(&["text/*, application/*"], true);
    }

    #[test]
    fn parameters_of_a_range_do_not_hide_what_it_prefers() {
        check(&["text/plain; charset=utf-8"], true);
        check(&["text/plain;charset=\"UTF-8\";q=0.5, application/json;q=0.4"], true);
        check(&["text/plain;charset=us-ascii ; q=0.3, application/json;q=0.4"], false);
        check(&["text/plain; version=0.0.4"], true);
        check(&["text/plain; charset=iso-8859-1, */*;q=0.1"], true);
        check(&["text/plain;note=\"a, b;q=0\\\", c\";q=0.6, application/json;q=0.5"], true);
        check(&["text/plain;note=\"application/json\""], true);
        check(&["text/plain;q=0.9;ext=\"q=0\", application/json;q=0.8"], true);
        check(&["application/json;profile=x, text/plain;q=0.9"], false);
        // The more specific range counts, whatever the vaguer one says.
        check(&["text/plain;charset=utf-8;q=0.1, text/plain, application/json;q=0.5"], false);
        check(&["text/plain;format=flowed, text/plain;q=0.1, application/json;q=0.5"], false);
        check(&["text/*, text/plain;q=0.1, application/json;q=0.5"], false);
        check(&["text/*;q=0.1, text/plain;q=0.9, application/*;q=0.5"], true);
    }

    #[test]
    fn several_lines_are_one_list_and_empty_members_are_none() {
        check(&["text/html", "text/plain"], true);
        check(&["application/json;q=0.5", "text/plain"], true);
        check(&["application/json", "text/plain;q=0.5"], false);
        check(&[", text/plain ,,"], true);
        check(&[",", "text/plain"], true);
        check(&["text/plain ; ; charset=utf-8 ;"], true);
        check(&[""], false);
        check(&[", ,"], false);
    }

    #[test]
    fn a_weight_of_nothing_refuses_a_form() {
        check(&["text/plain;q=0"], false);
        check(&["text/plain;q=0, */*"], false);
        check(&["application/json;q=0, */*"], true);
        check(&["application/json;q=0.000, text/*;q=0.001"], true);
        check(&["application/json;q=0"], true);
        check(&["application/*;q=0, application/json;q=0.1, text/plain;q=0.05"], false);
        check(&["text/plain; Q=1.000, application/json; Q=0.999"], true);
        check(&["*;q=.2, application/json;q=.1"], true);
    }

    #[test]
    fn what_is_no_media_range_says_nothing() {
        check(&["no media type at all"], false);
        check(&["text"], false);
        check(&["text/"], false);
        check(&["*/plain"], false);
        check(&["text/plain;q=high"], false);
        check(&["text/plainer"], false);
        check(&["nonsense, text/plain"], true);
        check(&["text/plain;note=\"never closed, application/json"], true);
        check(&["text/plain;note=\"\u{e9}\""], true);
    }
}
