use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

const START: &str = "<!-- bench:start -->";
const END: &str = "<!-- bench:end -->";

/// Puts the block between the two markers of the file; everything else of it stays.
pub fn write_block(file: &Path, block: &str) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let text = replace(&text, block)
        .with_context(|| format!("{} has to have the line {START} and after it {END}", file.display()))?;
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

fn replace(text: &str, block: &str) -> Option<String> {
    let (before, rest) = text.split_once(START)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{START}\n{}\n{END}{after}", block.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_replaces_the_one_before_it_and_nothing_else() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(replace(text, "new\n").as_deref(), expected, "{text:?}");
        };
        let written = "# Title\n\n<!-- bench:start -->\nnew\n<!-- bench:end -->\n\nMore.\n";
        check("# Title\n\n<!-- bench:start -->\nold\n\nold\n<!-- bench:end -->\n\nMore.\n", Some(written));
        check("# Title\n\n<!-- bench:start --><!-- bench:end -->\n\nMore.\n", Some(written));
        check(written, Some(written));
        check("# Title\n", None);
        check("<!-- bench:end --> <!-- bench:start -->", None);
    }
}
