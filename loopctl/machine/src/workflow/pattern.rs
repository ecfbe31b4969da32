//! The patterns of `on.push.branches`, `tags` and `paths`, as GitHub reads them.

use anyhow::{Context, Result};
use regex::Regex;

/// Patterns are tried in their order, and the last one that fits decides; `!` takes back.
pub fn any_matches(patterns: &[String], name: &str) -> Result<bool> {
    let mut matched = false;
    for pattern in patterns {
        let (wanted, body) = match pattern.strip_prefix('!') {
            Some(rest) => (false, rest),
            None => (true, pattern.as_str()),
        };
        if regex(body)?.is_match(name) {
            matched = wanted;
        }
    }
    Ok(matched)
}

/// `*` stops at a slash and `**` does not; `?`, `+` and `[...]` mean what they do in expressions.
fn regex(pattern: &str) -> Result<Regex> {
    let mut expression = String::from("^");
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '*' if letters.next_if_eq(&'*').is_some() => {
                // `docs/**/x` fits docs/x too.
                if letters.next_if_eq(&'/').is_some() { expression += "(?:.*/)?" } else { expression += ".*" }
            }
            '*' => expression += "[^/]*",
            '?' | '+' => expression.push(letter),
            '[' => {
                expression.push(letter);
                for inside in letters.by_ref() {
                    expression.push(inside);
                    if inside == ']' {
                        break;
                    }
                }
            }
            '\\' => expression += &letters.next().map(|next| regex::escape(&next.to_string())).unwrap_or_default(),
            _ => expression += &regex::escape(&letter.to_string()),
        }
    }
    Regex::new(&(expression + "$")).with_context(|| format!("'{pattern}' is no pattern that GitHub would accept"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(patterns: &[&str], name: &str, expected: bool) {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        assert_eq!(any_matches(&patterns, name).expect("a valid pattern"), expected, "{patterns:?} on {name}");
    }

    #[test]
    fn a_branch_runs_the_workflow_only_where_a_pattern_names_it() {
        check(&["master"], "master", true);
        check(&["master"], "master2", false);
        check(&["master"], "feature/master", false);
        check(&[], "master", false);
    }

    #[test]
    fn one_star_stops_at_a_slash_and_two_do_not() {
        check(&["releases/*"], "releases/10", true);
        check(&["releases/*"], "releases/10/beta", false);
        check(&["releases/**"], "releases/10/beta", true);
        check(&["**"], "all/the/names", true);
        check(&["*"], "all/the/names", false);
        check(&["docs/**/*.md"], "docs/README.md", true);
        check(&["**.rs"], "src/main.rs", true);
    }

    #[test]
    fn classes_and_repetitions_are_those_of_expressions() {
        check(&["v[12].[0-9]+.[0-9]+"], "v1.10.1", true);
        check(&["v[12].[0-9]+.[0-9]+"], "v3.10.1", false);
        check(&["*.jsx?"], "page.js", true);
        check(&["v1.0"], "v1x0", false);
    }

    #[test]
    fn the_last_pattern_that_fits_decides() {
        check(&["releases/**", "!releases/**-alpha"], "releases/10-alpha", false);
        check(&["releases/**", "!releases/**-alpha"], "releases/10", true);
        check(&["releases/**", "!releases/**-alpha", "releases/9-alpha"], "releases/9-alpha", true);
    }
}
