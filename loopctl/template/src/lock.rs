//! Cargo.lock of a package that needs less than the one it was made for.

use std::collections::BTreeSet;

const PACKAGE: &str = "[[package]]\n";

/// A package's optional dependency, and the one whose features ask for it: Cargo.lock does not say so itself.
const OPTIONAL: [(&str, &str, &str); 3] =
    [("getrandom", "rand_core", "proptest"), ("indexmap", "serde", "hcl-rs"), ("indexmap", "serde_core", "hcl-rs")];

/// The names of all packages.
pub fn packages(lock: &str) -> BTreeSet<String> {
    lock.split(PACKAGE).skip(1).map(|entry| name(entry).to_owned()).collect()
}

/// What `cargo --locked` accepts for that Cargo.toml: the packages that are needed, by name.
pub fn needed(lock: &str, manifest: &str) -> String {
    let Some((head, entries)) = lock.split_once(PACKAGE) else { return lock.to_owned() };
    let mut entries: Vec<String> = entries.split(PACKAGE).map(|entry| format!("{}\n", entry.trim_end())).collect();
    let wanted = wanted(manifest);
    let own = package_name(manifest);
    for entry in entries.iter_mut().filter(|entry| Some(name(entry)) == own) {
        *entry = entry
            .split_inclusive('\n')
            .filter(|line| dependency(line).is_none_or(|named| wanted.contains(first_word(named))))
            .collect();
    }
    for (package, optional, _) in OPTIONAL.iter().filter(|(.., by)| !wanted.contains(by)) {
        for entry in entries.iter_mut().filter(|entry| name(entry) == *package) {
            let is_kept = |line: &&str| dependency(line).is_none_or(|named| first_word(named) != *optional);
            *entry = entry.split_inclusive('\n').filter(is_kept).collect();
        }
    }
    let mut reached: BTreeSet<usize> = BTreeSet::new();
    let mut next: Vec<usize> = entries.iter().position(|entry| Some(name(entry)) == own).into_iter().collect();
    while let Some(at) = next.pop() {
        if reached.insert(at) {
            next.extend(entries[at].lines().filter_map(dependency).filter_map(|named| found(&entries, named)));
        }
    }
    let mut kept: Vec<&String> = reached.iter().map(|at| &entries[*at]).collect();
    kept.sort_by_key(|entry| (name(entry).to_owned(), version(entry).to_owned()));
    let is_alone = |wanted: &str| kept.iter().filter(|entry| name(entry) == wanted).count() == 1;
    let kept: Vec<String> =
        kept.iter().map(|entry| format!("{PACKAGE}{}", without_versions(entry, is_alone))).collect();
    format!("{head}{}", kept.join("\n"))
}

/// A version is named only where the lock has several of that package.
fn without_versions(entry: &str, is_alone: impl Fn(&str) -> bool) -> String {
    let line = |line: &str| match dependency(line).and_then(|named| named.split_once(' ')) {
        Some((name, _)) if is_alone(name) => format!(" \"{name}\",\n"),
        _ => line.to_owned(),
    };
    entry.split_inclusive('\n').map(line).collect()
}

/// `NAME`, or `NAME VERSION` where the lock has several.
fn found(entries: &[String], named: &str) -> Option<usize> {
    let mut words = named.split(' ');
    let (wanted, number) = (words.next()?, words.next());
    entries.iter().position(|entry| name(entry) == wanted && number.is_none_or(|number| version(entry) == number))
}

fn dependency(line: &str) -> Option<&str> {
    line.trim_end().strip_prefix(" \"")?.strip_suffix("\",")
}

fn name(entry: &str) -> &str {
    value(entry, "name")
}

fn version(entry: &str) -> &str {
    value(entry, "version")
}

fn value<'a>(entry: &'a str, key: &str) -> &'a str {
    let value = entry.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'));
    value.unwrap_or_default()
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or(text)
}

fn package_name(manifest: &str) -> Option<&str> {
    let (_, package) = manifest.split_once("[package]\n")?;
    Some(value(package, "name"))
}

/// The keys of the tables of dependencies.
fn wanted(manifest: &str) -> BTreeSet<&str> {
    let mut is_inside = false;
    let mut wanted = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_inside = line.ends_with("dependencies]");
        } else if is_inside && let Some((key, _)) = line.split_once(" = ") {
            wanted.insert(key);
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, version: &str, dependencies: &[&str]) -> String {
        let list: Vec<String> = dependencies.iter().map(|named| format!(" \"{named}\",\n")).collect();
        let list = if list.is_empty() { String::new() } else { format!("dependencies = [\n{}]\n", list.concat()) };
        format!("{PACKAGE}name = \"{name}\"\nversion = \"{version}\"\n{list}")
    }

    #[test]
    fn only_what_is_needed_stays_and_stands_in_its_place() {
        let lock = |entries: &[String]| format!("# made\nversion = 4\n\n{}", entries.join("\n"));
        let whole = lock(&[
            entry("a", "1.0.0", &["c 1.0.0"]),
            entry("b", "1.0.0", &["c 2.0.0"]),
            entry("c", "1.0.0", &[]),
            entry("c", "2.0.0", &[]),
            entry("shop", "0.1.0", &["a", "b"]),
        ]);
        let manifest = "[package]\nname = \"shop\"\n\n[dependencies]\na = { version = \"1\" }\n\n[dev-dependencies]\n";
        let without = [entry("a", "1.0.0", &["c"]), entry("c", "1.0.0", &[]), entry("shop", "0.1.0", &["a"])];
        assert_eq!(needed(&whole, manifest), lock(&without));
        let all = manifest.replace("[dev-dependencies]\n", "[dev-dependencies]\nb = \"1\"\n");
        assert_eq!(needed(&whole, &all), whole);
        let first = whole.replace("shop", "aardvark");
        let names: Vec<String> = needed(&first, &all.replace("shop", "aardvark"))
            .split(PACKAGE)
            .skip(1)
            .map(|entry| name(entry).to_owned())
            .collect();
        assert_eq!(names, ["a", "aardvark", "b", "c", "c"]);
    }
}
