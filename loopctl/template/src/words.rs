//! Where a name stands in a text, and in which of its spellings.

use crate::Names;

/// What the documents call the node until somebody has one.
const NODE: &str = "http://NODE:";

/// The text as it is in a repository that is called otherwise.
pub fn replaced(text: &str, from: &Names, to: &Names) -> String {
    let spellings = [spellings(&from.name), spellings(&to.name)];
    let image_owner = to.owner.to_lowercase();
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let (length, word) = owner_at(text, at, from, [&to.owner, &image_owner])
            .or_else(|| name_at(text, at, &spellings))
            .or_else(|| branch_at(text, at, from, to))
            .unwrap_or_else(|| {
                let next = text[at..].chars().next().map_or(1, char::len_utf8);
                (next, &text[at..at + next])
            });
        result += word;
        at += length;
    }
    result.replace(NODE, &format!("http://{}:", to.host))
}

/// As the cluster, as Rust and as the environment write it.
fn spellings(name: &str) -> [String; 3] {
    let underscores = name.replace('-', "_");
    [name.to_owned(), underscores.clone(), underscores.to_uppercase()]
}

/// The word as one of its own, or as the first part of one such as `argo-rust-sync`.
fn is_word(text: &str, at: usize, word: &str) -> bool {
    let letter = |found: char| found.is_ascii_alphanumeric();
    text[at..].starts_with(word) && !text[..at].ends_with(letter) && !text[at + word.len()..].starts_with(letter)
}

fn name_at<'a>(text: &str, at: usize, [old, new]: &'a [[String; 3]; 2]) -> Option<(usize, &'a str)> {
    let found = old.iter().zip(new).find(|(word, _)| is_word(text, at, word));
    found.map(|(word, instead)| (word.len(), instead.as_str()))
}

/// The owner where the name follows. An image's name is in lower case, whatever its owner is called.
fn owner_at<'a>(text: &str, at: usize, from: &Names, [owner, of_image]: [&'a str; 2]) -> Option<(usize, &'a str)> {
    let behind = text[at..].strip_prefix(from.owner.as_str())?.strip_prefix('/')?;
    let is_owner = !text[..at].ends_with(|before: char| before.is_ascii_alphanumeric() || before == '-')
        && is_word(text, text.len() - behind.len(), &from.name);
    let is_image = text[..at].ends_with("ghcr.io/");
    is_owner.then_some((from.owner.len(), if is_image { of_image } else { owner }))
}

fn branch_at<'a>(text: &str, at: usize, from: &Names, to: &'a Names) -> Option<(usize, &'a str)> {
    is_word(text, at, &from.branch).then_some((from.branch.len(), to.branch.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(slug: &str, branch: &str) -> Names {
        let (owner, name) = slug.split_once('/').expect("OWNER/NAME");
        let [owner, name, host, branch] = [owner, name, "node", branch].map(str::to_owned);
        Names { owner, name, host, branch, with_example: true }
    }

    fn check(text: &str, expected: &str) {
        let found = replaced(text, &names("me/old-name", "master"), &names("You/new", "main"));
        assert_eq!(found, expected);
    }

    #[test]
    fn each_spelling_is_replaced_by_its_own() {
        check(
            "old-name old_name::x OLD_NAME_LISTEN old-name-sync delivery.old-name/hold old_name_build_info, old_name=debug",
            "new new::x NEW_LISTEN new-sync delivery.new/hold new_build_info, new=debug",
        );
        check("old-name0 bold-name old-names bold_name", "old-name0 bold-name old-names bold_name");
    }

    #[test]
    fn the_owner_is_replaced_where_the_name_follows_and_in_lower_case_in_images() {
        check(
            "https://github.com/me/old-name.git ghcr.io/me/old-name:sha-1 (me/old-name) me me/other some-me/old-name",
            "https://github.com/You/new.git ghcr.io/you/new:sha-1 (You/new) me me/other some-me/new",
        );
    }

    #[test]
    fn the_branch_and_the_node_are_replaced_as_words() {
        check("refs/heads/master on master's tip, masters", "refs/heads/main on main's tip, masters");
        check("curl http://NODE:30800/ http://127.0.0.1:30800", "curl http://node:30800/ http://127.0.0.1:30800");
    }

    #[test]
    fn a_repository_that_keeps_its_names_keeps_every_byte() {
        let own = names("me/old-name", "master");
        let text = "old-name ghcr.io/me/old-name OLD_NAME_x master";
        assert_eq!(replaced(text, &own, &own), text);
    }
}
