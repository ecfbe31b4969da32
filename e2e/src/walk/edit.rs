//! The edit that a document shows as a diff, done as a reader does it: find the old lines, write the new ones.

/// The text with the edit in it. Lines with `-` and ` ` have to stand there together, letter by letter and once.
pub fn changed(text: &str, diff: &str) -> Result<String, String> {
    let side = |other: char| -> String {
        let lines = diff.lines().filter(|line| !line.starts_with(other));
        lines.map(|line| format!("{}\n", line.get(1..).unwrap_or_default())).collect()
    };
    let (old, new) = (side('+'), side('-'));
    if let Some(line) = diff.lines().find(|line| !line.is_empty() && !line.starts_with(['+', '-', ' '])) {
        return Err(format!("a line of the diff begins with none of `+`, `-` and a space: {line}"));
    }
    // From the beginning of a line, so that a short one is not found inside of a longer one.
    let places: Vec<usize> = text.match_indices(&old).map(|(at, _)| at).filter(|at| starts_line(text, *at)).collect();
    match places.as_slice() {
        _ if old.trim().is_empty() => Err("the diff shows no line that is there already".to_owned()),
        [place] => Ok([&text[..*place], &new, &text[place + old.len()..]].concat()),
        [] => Err(format!("the file has not got these lines:\n{old}")),
        many => Err(format!(
            "the file has these lines {} times, so a reader cannot know which are meant:\n{old}",
            many.len()
        )),
    }
}

fn starts_line(text: &str, at: usize) -> bool {
    at == 0 || text.as_bytes()[at - 1] == b'\n'
}

#[cfg(test)]
mod tests {
    use super::changed;

    #[test]
    fn the_old_lines_are_replaced_where_they_stand() {
        let text = "one\n  two\nthree\n";
        assert_eq!(changed(text, "-  two\n+  2\n").as_deref(), Ok("one\n  2\nthree\n"));
        assert_eq!(changed(text, " one\n+and a half\n   two\n").as_deref(), Ok("one\nand a half\n  two\nthree\n"));
    }

    #[test]
    fn lines_that_are_not_there_once_are_told() {
        for (diff, said) in [
            ("-four\n+4\n", "has not got"),
            ("-two\n+2\n", "has not got"),
            ("-one\n+1\n", "2 times"),
            ("+new\n", "no line that is there"),
            ("@@ -1 +1 @@\n-one\n", "begins with none"),
        ] {
            let error = changed("one\n  two\none\n", diff).expect_err(diff);
            assert!(error.contains(said), "{diff}: {error}");
        }
    }
}
