use crate::repository::{container, text, yaml};

#[test]
fn the_manifest_names_the_image_by_a_revision_that_a_bump_can_go_on_from() {
    let manifest = text("k8s/deployment.yaml");
    let images: Vec<&str> = manifest.lines().filter_map(|line| line.trim_start().strip_prefix("image: ")).collect();
    assert_eq!(images.len(), 1, "k8s/deployment.yaml: {images:?}");
    let (name, tag) = images[0].split_once(":sha-").expect("the image line ends in :sha-<7 hex digits>");
    assert!(name.starts_with("ghcr.io/") && name.ends_with("/argo-rust"), "{name}");
    assert!(tag.len() == 7 && tag.bytes().all(|byte| byte.is_ascii_hexdigit()), "{tag}");
    assert_eq!(container()["image"], images[0], "the line belongs to the container");
}

#[test]
fn the_image_is_made_of_what_the_build_context_lets_in() {
    let ignore = text(".dockerignore");
    let mut let_in: Vec<&str> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignore.lines().any(|line| line == "*"), ".dockerignore must shut everything else out");
    let_in.extend(["Dockerfile", ".dockerignore"]);
    let_in.sort_unstable();
    let script = text(".github/scripts/manifest.bash");
    let inputs = script.lines().find_map(|line| line.strip_prefix("readonly IMAGE_INPUTS=(")?.strip_suffix(')'));
    let mut inputs: Vec<&str> = inputs.expect("manifest.bash lists IMAGE_INPUTS").split(' ').collect();
    inputs.sort_unstable();
    assert_eq!(inputs, let_in, "IMAGE_INPUTS of .github/scripts/manifest.bash (left) and .dockerignore (right)");
    for line in text("Dockerfile").lines().filter_map(|line| line.strip_prefix("COPY ")) {
        let sources: Vec<&str> = line.split(' ').filter(|word| !word.starts_with("--")).collect();
        if !line.starts_with("--from") {
            for source in &sources[..sources.len() - 1] {
                assert!(let_in.contains(&source.trim_start_matches("./")), "Dockerfile copies {source}");
            }
        }
    }
}

#[test]
fn the_dependency_layer_survives_a_change_of_src_and_of_the_revision() {
    let dockerfile = text("Dockerfile");
    let position = |line: &str| dockerfile.find(line).unwrap_or_else(|| panic!("Dockerfile must have: {line}"));
    assert!(position("ENV RUSTFLAGS=") < position("COPY "), "other flags in pass 2 would compile all once more");
    let pass_1 = position("COPY Cargo.toml Cargo.lock ./");
    let revision = position("ARG REVISION");
    let pass_2 = position("COPY src ./src");
    assert!(pass_1 < revision && revision < pass_2, "ARG REVISION stands between the passes");
    assert!(position("FROM debian:bookworm-slim") > pass_2);
    let manifest = text("Cargo.toml");
    for section in ["[lib]", "[[bin]]", "[[test]]", "[[bench]]", "[workspace]", "build = "] {
        let used = manifest.lines().any(|line| line.starts_with(section));
        assert!(!used, "Cargo.toml: {section} would name a file that pass 1 has not copied");
    }
    for (setting, value) in [("opt-level", "2"), ("lto", "true"), ("strip", "true")] {
        let profile = manifest.split_once("[profile.release]").unwrap().1;
        assert!(profile.contains(&format!("{setting} = {value}")), "Cargo.toml: {setting} = {value}");
    }
}

#[test]
fn coordinates_of_the_repository_are_the_same_everywhere() {
    let url = yaml("argocd/application.yaml")["spec"]["source"]["repoURL"].as_str().unwrap().to_owned();
    let coordinates = url.strip_prefix("https://github.com/").and_then(|rest| rest.strip_suffix(".git")).unwrap();
    let image = container()["image"].as_str().unwrap().to_owned();
    // GitHub knows capitals in a name, a registry does not; the workflow puts them in lower case too.
    let expected = format!("ghcr.io/{}:", coordinates.to_lowercase());
    assert!(image.starts_with(&expected), "image {image}, repository {coordinates}");
    let crate_url = format!("repository = \"https://github.com/{coordinates}\"");
    assert!(text("Cargo.toml").contains(&crate_url), "Cargo.toml must say {crate_url}");
}
