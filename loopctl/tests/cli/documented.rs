//! The transcripts in docs/loopctl.md are what the commands say, or a test fails and names the command that renews them.

use std::path::Path;
use std::sync::Mutex;

const DOCUMENT: &str = "docs/loopctl.md";
const RENEW: &str = "LOOPCTL_RENEW_DOCS=1 cargo test --manifest-path loopctl/Cargo.toml --test cli";

/// Each renewal writes the whole file.
static TURN: Mutex<()> = Mutex::new(());

/// Compares the block below `<!-- transcript: NAME -->` with what was said, or puts it there.
pub fn check(name: &str, said: &str) {
    let _turn = TURN.lock();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(DOCUMENT);
    let text = std::fs::read_to_string(&path).expect(DOCUMENT);
    let begin = format!("<!-- transcript: {name} -->\n\n```\n");
    let (before, rest) =
        text.split_once(&begin).unwrap_or_else(|| panic!("{DOCUMENT} has no place for {name}: {begin}"));
    let (documented, after) = rest.split_once("\n```\n").unwrap_or_else(|| panic!("the block of {name} has no end"));
    if documented == said.trim_end() {
        return;
    }
    assert!(
        std::env::var_os("LOOPCTL_RENEW_DOCS").is_some(),
        "the transcript {name} in {DOCUMENT} is not what the command says; `{RENEW}` renews it. It says:\n{said}"
    );
    std::fs::write(&path, format!("{before}{begin}{}\n```\n{after}", said.trim_end())).expect(DOCUMENT);
}

/// A command as it is typed, and what it says: the plan first, then the answer.
pub fn transcript(typed: &[&str], said: &str) -> String {
    let words: Vec<String> =
        typed.iter().map(|word| if word.contains(' ') { format!("\"{word}\"") } else { (*word).to_owned() }).collect();
    let (_, said) = said.split_once("--- stdout\n").unwrap_or(("", said));
    let (out, err) = said.split_once("--- stderr\n").unwrap_or((said, ""));
    let said = [err.trim_end(), out.trim_end()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    format!("$ cargo loopctl {}\n{}", words.join(" "), said.join("\n\n"))
}
