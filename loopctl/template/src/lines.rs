//! Which lines of a file a new repository has not got.

use crate::EXAMPLE;

/// Ends a line that is only this repository's.
const OURS: &str = "not in a new repository";

pub fn is_of_example(path: &str) -> bool {
    path.split('/').any(|part| part == EXAMPLE)
}

/// `has_module` says whether the file of a `mod NAME;` is there.
pub fn kept(text: &str, with_example: bool, has_module: impl Fn(&str) -> bool) -> String {
    let is_kept = |line: &&str| {
        let module =
            line.trim().strip_prefix("mod ").and_then(|rest| rest.strip_suffix(";\n").or(rest.strip_suffix(';')));
        let is_there = !line.starts_with("mod ") || module.is_none_or(&has_module);
        is_there && !line.trim_end().ends_with(OURS) && (with_example || !line.to_lowercase().contains(EXAMPLE))
    };
    text.split_inclusive('\n').filter(is_kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_with_the_example_with_its_module_or_with_its_mark() {
        let check = |with_example: bool, text: &str, expected: &str| {
            assert_eq!(kept(text, with_example, |module| module == "there"), expected, "{text}");
        };
        check(false, "a\nuse crate::fibonacci;\n/// Fibonacci\nb\n", "a\nb\n");
        check(true, "a\nuse crate::fibonacci;\nb\n", "a\nuse crate::fibonacci;\nb\n");
        check(true, "mod there;\nmod gone;\n    mod hello;\n", "mod there;\n    mod hello;\n");
        check(true, "license = 1 # not in a new repository\nname = 2\n", "name = 2\n");
        check(true, "no end", "no end");
    }

    #[test]
    fn the_example_is_known_by_its_folders() {
        for (path, expected) in
            [("src/fibonacci/route.rs", true), ("tests/api/fibonacci/mod.rs", true), ("src/fibonacci2.rs", false)]
        {
            assert_eq!(is_of_example(path), expected, "{path}");
        }
    }
}
