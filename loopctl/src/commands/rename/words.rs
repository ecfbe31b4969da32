//! Where a name stands in a text, and in which of its spellings.

use super::names::Names;

/// As the cluster, as Rust and as the environment write it.
struct Spellings {
    hyphens: String,
    underscores: String,
    capitals: String,
}

impl Spellings {
    fn of(name: &str) -> Self {
        let underscores = name.replace('-', "_");
        Self { hyphens: name.to_owned(), capitals: underscores.to_uppercase(), underscores }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Found {
    Hyphens,
    Underscores,
    Capitals,
}

/// The state of the loop on one machine, its cache and its marks: the machine's, not the service's.
const LOOP: &str = "-loop";

pub fn replaced(text: &str, from: &Names, to: &Names) -> String {
    let (old, new) = (Spellings::of(&from.name), Spellings::of(&to.name));
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if let Some((length, owner)) = owner_at(text, at, &old, from, to) {
            result += &owner;
            at += length;
        } else if let Some((length, found)) = name_at(text, at, &old) {
            result += match found {
                Found::Hyphens => &new.hyphens,
                Found::Underscores => &new.underscores,
                Found::Capitals => &new.capitals,
            };
            at += length;
        } else {
            let next = text[at..].chars().next().map_or(1, char::len_utf8);
            result += &text[at..at + next];
            at += next;
        }
    }
    result
}

/// The first line that has a new name already, and that name; not counting where it is part of the old one.
pub fn used_already<'a>(text: &str, from: &Names, to: &'a Names) -> Option<(usize, &'a str)> {
    let (old, new) = (Spellings::of(&from.name), Spellings::of(&to.name));
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    let mut at = 0;
    while at < text.len() {
        if let Some((length, _)) = name_at(text, at, &old) {
            at += length;
            continue;
        }
        if from.name != to.name && name_at(text, at, &new).is_some() {
            return Some((line(at), &to.name));
        }
        if !from.owner.eq_ignore_ascii_case(&to.owner) && owner_at(text, at, &new, to, from).is_some() {
            return Some((line(at), &to.owner));
        }
        at += text[at..].chars().next().map_or(1, char::len_utf8);
    }
    None
}

/// The name as a word of its own, or as the first part of one such as `argo-rust-sync`.
fn name_at(text: &str, at: usize, name: &Spellings) -> Option<(usize, Found)> {
    if text[..at].ends_with(|before: char| before.is_ascii_alphanumeric()) {
        return None;
    }
    let rest = &text[at..];
    let behind = |word: &str| {
        let behind = rest.strip_prefix(word)?;
        (!behind.starts_with(|next: char| next.is_ascii_alphanumeric())).then_some(behind)
    };
    if let Some(behind) = behind(&name.hyphens) {
        let loops = behind.strip_prefix(LOOP);
        if loops.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric())) {
            return None;
        }
        // A name without a hyphen looks the same as a Rust identifier: only its neighbours tell.
        let is_identifier = name.hyphens == name.underscores && is_identifier(behind);
        return Some((name.hyphens.len(), if is_identifier { Found::Underscores } else { Found::Hyphens }));
    }
    if behind(&name.underscores).is_some() {
        return Some((name.underscores.len(), Found::Underscores));
    }
    behind(&name.capitals).map(|_| (name.capitals.len(), Found::Capitals))
}

/// `quokka::config`, `quokka_build_info`, `quokka=debug`.
fn is_identifier(behind: &str) -> bool {
    let level =
        behind.strip_prefix('=').is_some_and(|level| level.starts_with(|first: char| first.is_ascii_lowercase()));
    behind.starts_with("::") || behind.starts_with('_') || level
}

/// The owner where it is followed by the name, and where an image of another name is his.
fn owner_at(text: &str, at: usize, old: &Spellings, from: &Names, to: &Names) -> Option<(usize, String)> {
    let before = &text[..at];
    if before.ends_with(|before: char| before.is_ascii_alphanumeric() || before == '-') {
        return None;
    }
    // An image's name is in lower case, whatever its owner is called.
    let is_image = before.ends_with("ghcr.io/");
    let (old_owner, new_owner) = if is_image {
        (from.owner.to_lowercase(), to.owner.to_lowercase())
    } else {
        (from.owner.clone(), to.owner.clone())
    };
    let behind = text[at..].strip_prefix(old_owner.as_str())?.strip_prefix('/')?;
    let name_follows = name_at(text, text.len() - behind.len(), old).is_some();
    (is_image || name_follows).then_some((old_owner.len(), new_owner))
}

pub fn with_host(text: &str, from: &Names, to: &Names) -> String {
    let (Some(old), Some(new)) = (&from.host, &to.host) else { return text.to_owned() };
    let port = from.node_port;
    text.replace(&format!("http://{old}:{port}"), &format!("http://{new}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: &str) -> Names {
        let (owner, name) = name.split_once('/').unwrap();
        Names { owner: owner.into(), name: name.into(), host: Some("NODE".into()), node_port: 30800 }
    }

    /// There and back again.
    fn check(from: &str, to: &str, text: &str, expected: &str) {
        let (from, to) = (names(from), names(to));
        assert_eq!(replaced(text, &from, &to), expected);
        assert_eq!(replaced(expected, &to, &from), text);
    }

    #[test]
    fn each_spelling_is_replaced_by_its_own() {
        check(
            "me/old-name",
            "you/new",
            "old-name old_name::x OLD_NAME_LISTEN old-name-sync delivery.old-name/hold old_name_build_info, old_name=debug \
             CARGO_BIN_EXE_old-name old-name={peers}",
            "new new::x NEW_LISTEN new-sync delivery.new/hold new_build_info, new=debug CARGO_BIN_EXE_new new={peers}",
        );
        check("me/old-name", "you/old-name-2", "old-name old-name-sync", "old-name-2 old-name-2-sync");
    }

    #[test]
    fn the_owner_is_replaced_where_it_is_one_and_in_lower_case_in_images() {
        check(
            "me/old-name",
            "You/new",
            "https://github.com/me/old-name.git ghcr.io/me/old-name:sha-1 ghcr.io/me/other:1 (me/old-name)",
            "https://github.com/You/new.git ghcr.io/you/new:sha-1 ghcr.io/you/other:1 (You/new)",
        );
        check("me/old-name", "you/new", "me me/other some-me/x", "me me/other some-me/x");
    }

    #[test]
    fn the_machines_loop_and_longer_words_stay() {
        check(
            "me/old-name",
            "you/new",
            "/var/lib/old-name-loop old-name-loop-of old-name0 bold-name old-names",
            "/var/lib/old-name-loop old-name-loop-of old-name0 bold-name old-names",
        );
        check("me/old-name", "you/new", "old-name-looping", "new-looping");
    }

    #[test]
    fn a_name_that_is_used_already_is_found_and_the_old_one_is_not_mistaken_for_it() {
        let line = |text: &str, new: &str| used_already(text, &names("me/old-name"), &names(new)).map(|(line, _)| line);
        assert_eq!(line("one\nthe shop of\n", "me/shop"), Some(2));
        assert_eq!(line("SHOP_PORT", "me/shop"), Some(1));
        assert_eq!(line("my_shop", "me/my-shop"), Some(1));
        assert_eq!(line("old-name shopping", "me/shop"), None);
        assert_eq!(line("old-name-sync", "me/name"), None);
        assert_eq!(line("a\nghcr.io/you/other:1", "You/old-name"), Some(2));
        assert_eq!(line("you ghcr.io/me/other:1", "you/old-name"), None);
    }

    #[test]
    fn only_the_nodes_own_address_is_replaced() {
        let text = "curl http://127.0.0.1:30800/x\ncurl http://NODE:30800/y\nhttp://NODE:9090";
        let to = Names { host: Some("node.example".into()), ..names("me/old-name") };
        let renamed = with_host(text, &names("me/old-name"), &to);
        assert_eq!(renamed, "curl http://127.0.0.1:30800/x\ncurl http://node.example:30800/y\nhttp://NODE:9090");
        assert_eq!(with_host(&renamed, &to, &names("me/old-name")), text);
    }
}
