//! This repository's own template, rendered.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

fn own_names() -> Names {
    Template::own().names().expect("the template has names")
}

fn shop(with_example: bool) -> Names {
    let [owner, name, host, branch] = ["Acme", "sea-shop", "192.0.2.7", "main"].map(str::to_owned);
    Names { owner, name, host, branch, with_example }
}

fn rendered(names: &Names) -> Vec<File> {
    Template::own().render(names).expect("it can be rendered")
}

/// But for `own/`, and for what is marked as this repository's alone.
#[test]
fn this_repository_is_its_template_rendered_with_its_own_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let own = root.join("loopctl/template/own");
    let mut seen = 0;
    for file in rendered(&own_names()).iter().filter(|file| !own.join(&file.path).exists()) {
        let text = std::fs::read_to_string(root.join(&file.path)).expect("the file is there");
        let here = match file.path.as_str() {
            "Cargo.lock" => continue,
            path => lines::kept(&text, true, |module| Template::own().has_module(path, module)),
        };
        assert_eq!(file.text, here, "{}: the renderer changes it", file.path);
        let is_changed = here.lines().count() != text.lines().count();
        assert!(!is_changed || ["Cargo.toml", "tests/api/main.rs"].contains(&file.path.as_str()), "{}", file.path);
        seen += 1;
    }
    assert!(seen > 60, "only {seen} files were compared");
}

#[test]
fn a_new_repository_is_small_and_has_nobody_elses_name() {
    for with_example in [false, true] {
        let files = rendered(&shop(with_example));
        let lines: usize = files.iter().map(|file| file.text.lines().count()).sum();
        println!("figures: example {with_example}: {} files, {lines} lines", files.len());
        if !with_example {
            assert!(files.len() <= 80 && lines <= 6000, "{} files, {lines} lines", files.len());
        }
        let text: String = files.iter().map(|file| format!("{}\n{}", file.path, file.text)).collect();
        // But for where the tool comes from.
        let text = text.replace(&own_names().address(), "");
        for word in ["argo-rust", "argo_rust", "ARGO_RUST", "voloshko", "master"] {
            let found = text.lines().find(|line| line.contains(word));
            assert_eq!(found, None, "{word} is left");
        }
        assert_eq!(text.to_lowercase().contains(EXAMPLE), with_example, "the example");
    }
}

#[test]
fn no_file_of_a_new_repository_speaks_of_one_that_it_has_not() {
    let files = rendered(&shop(false));
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let rooms =
        ["tests/", "docs/", "scripts/", "loopctl/", "e2e/", "bench/", "fuzz/", "src/", "k8s/", "argocd/", "tofu/"];
    for file in files.iter().filter(|file| file.path != "Cargo.lock") {
        for word in file.text.split(|letter: char| !letter.is_ascii_alphanumeric() && !"._-/".contains(letter)) {
            let word = word.trim_end_matches(['.', '/']);
            let is_path =
                rooms.iter().any(|room| word.starts_with(room)) && word.contains('.') && !word.contains("NAME");
            let is_there = paths.contains(word) || paths.iter().any(|path| path.starts_with(&format!("{word}/")));
            assert!(!is_path || is_there, "{} names {word}, which a new repository has not", file.path);
        }
        for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "decisions.md"] {
            assert!(!file.text.contains(document), "{} names {document}", file.path);
        }
    }
}

#[test]
fn what_a_service_depends_on_is_no_name_for_it() {
    let error = Template::own().render(&Names { name: "tokio".into(), ..shop(false) }).expect_err("it is taken");
    assert!(error.to_string().contains("tokio-service is free"), "{error}");
}

#[test]
fn the_delivery_owns_its_scripts_and_not_what_is_edited() {
    for (path, expected) in [
        (".github/scripts/bump-image", true),
        ("argocd/project.yaml", true),
        ("tofu/main.tf", true),
        ("tofu/terraform.tfvars", false),
        ("k8s/deployment.yaml", false),
        (".github/workflows/deploy.yml", false),
        ("src/main.rs", false),
    ] {
        assert_eq!(is_owned(path), expected, "{path}");
    }
}
