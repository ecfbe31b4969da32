use std::collections::BTreeSet;

use crate::repository::{folder, path, text};

const DOCUMENTS: [&str; 5] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "tofu/README.md"];

fn documents() -> Vec<String> {
    let in_docs = folder("docs").into_iter().filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}"));
    DOCUMENTS.iter().map(|name| (*name).to_owned()).chain(in_docs).collect()
}

/// What stands between single backticks, and the lines of the fenced blocks.
fn code(document: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    for (at, block) in text(document).split("```").enumerate() {
        if at % 2 == 1 {
            pieces.extend(block.lines().skip(1).map(str::to_owned));
        } else {
            pieces.extend(block.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    pieces
}

/// Whether the reader of a document makes it: a file that it says to write, a setting in a block of such a file.
fn is_made(document: &str, name: &str) -> bool {
    let text = text(document);
    text.contains(&format!("Write `{name}`:\n")) || text.contains(&format!("name: \"{name}\""))
}

#[test]
fn every_make_target_a_document_names_exists() {
    let makefile = text("Makefile");
    let targets: BTreeSet<&str> =
        makefile.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
    let mut seen = 0;
    for document in documents() {
        for piece in code(&document) {
            let Some(named) = piece.trim().strip_prefix("make ") else { continue };
            if named.trim_start().starts_with('#') {
                continue; // `make` alone, with a remark
            }
            let target = named.split_whitespace().next().unwrap();
            assert!(targets.contains(target), "{document} names `make {target}`, which Makefile does not have");
            seen += 1;
        }
    }
    assert!(seen > 0, "no document names a make target: this check reads nothing");
}

#[test]
fn every_link_inside_the_repository_leads_somewhere() {
    for document in documents() {
        let folder = path(&document).parent().unwrap().to_owned();
        for link in text(&document).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            let is_elsewhere = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
            assert!(is_elsewhere || folder.join(target).exists(), "{document} links to {target}, which does not exist");
        }
    }
}

#[test]
fn every_path_a_document_names_exists() {
    const FOLDERS: [&str; 9] =
        ["src/", "tests/", "bench/", "k8s/", "argocd/", "tofu/", "docs/", ".github/", "scripts/"];
    let mut seen = 0;
    for document in documents() {
        for piece in code(&document) {
            for word in piece.split([' ', '\'', '"', '=', ',', '(', ')', '[', ']']) {
                let word = word.trim_end_matches(['.', ':', ';']);
                let is_pattern = word.contains(['*', '<', '{', '$', '…']);
                let is_path = !is_pattern && FOLDERS.iter().any(|folder| word.starts_with(folder));
                if is_path && !is_made(&document, word) {
                    assert!(path(word).exists(), "{document} names `{word}`, which does not exist");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 20, "only {seen} paths were found in the documents: this check reads too little");
}

#[test]
fn every_setting_a_document_names_is_one_and_readme_names_all() {
    let settings = |text: &str| -> BTreeSet<String> {
        let is_part = |byte: char| byte.is_ascii_uppercase() || byte == '_';
        text.match_indices("ARGO_RUST_")
            .map(|(at, _)| text[at..].chars().take_while(|byte| is_part(*byte)).collect())
            .collect()
    };
    let (_, startup) = argo_rust::prepare(|_| None).expect("the defaults are accepted");
    let known = settings(startup.environment.descriptions());
    for document in documents() {
        // The build argument is no setting of the running service.
        let named: BTreeSet<String> =
            settings(&text(&document)).into_iter().filter(|name| name != "ARGO_RUST_REVISION").collect();
        let unknown: Vec<_> = named.difference(&known).filter(|name| !is_made(&document, name)).collect();
        assert!(unknown.is_empty(), "{document} names {unknown:?}, which are no settings: see argo-rust --help");
    }
    let missing: Vec<_> = known.difference(&settings(&text("README.md"))).cloned().collect();
    assert!(missing.is_empty(), "README.md does not list {missing:?}");
}

#[test]
fn both_licences_are_there() {
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(text(file).len() > 1_000, "{file}");
    }
    assert!(text("Cargo.toml").contains(r#"license = "MIT OR Apache-2.0""#));
}

#[test]
fn a_release_has_the_changelogs_section_of_the_tools_version_and_no_other() {
    let notes = |tag: &str| {
        let output = std::process::Command::new(path("scripts/release-notes")).arg(tag).output().unwrap();
        let said = if output.status.success() { output.stdout } else { output.stderr };
        (output.status.success(), String::from_utf8(said).unwrap())
    };
    let cargo = text("loopctl/Cargo.toml");
    let (_, package) = cargo.split_once("[workspace.package]\nversion = \"").expect("the version of tool and template");
    let version = package.split('"').next().unwrap();
    let (is_made, section) = notes(&format!("v{version}"));
    assert!(is_made && section.contains("### Added"), "CHANGELOG.md needs a section ## [{version}]: {section}");
    let (is_made, said) = notes("v99.0.0");
    assert!(!is_made && said.contains(&format!("loopctl/Cargo.toml has version {version}")), "{said}");
}
