use fastrand::Rng;

use super::*;
use crate::coordinates::DEPLOYMENT;

const GOOD: &str = "1111111";
const BAD: &str = "2222222";
const KEY: &str = "delivery.argo-rust/hold";

/// The project's own manifest, with the tag of the bad revision.
fn shipped() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/deployment.yaml");
    let text = std::fs::read_to_string(path).expect("the project has a manifest");
    let image = image(DEPLOYMENT, &text).expect("it names an image");
    lift(DEPLOYMENT, &text.replace(&image.written, &format!("{}:sha-{BAD}", image.name))).expect("it can be edited")
}

/// A small manifest whose metadata is `metadata`.
fn small(metadata: &str) -> String {
    format!(
        "kind: Deployment\nmetadata:\n{metadata}spec: # more\n  template:\n    spec:\n      containers:\n        - name: a\n          image: a/b:sha-{BAD}\n"
    )
}

/// After a rollback the metadata is `expected`, and lifting the hold leaves `lifted`.
fn check(metadata: &str, expected: &str, lifted: &str) {
    let good = |text: String| text.replace(BAD, GOOD);
    let after = roll_back(DEPLOYMENT, &small(metadata), GOOD, BAD, KEY).expect(metadata);
    assert_eq!(after, good(small(&expected.replace(BAD, "BAD"))).replace("BAD", BAD));
    assert_eq!(hold(&after).map(|hold| hold.bad).as_deref(), Some(BAD));
    assert_eq!(lift(DEPLOYMENT, &after).expect(metadata), good(small(lifted)));
}

#[test]
fn the_hold_is_put_where_the_file_has_its_annotations_or_makes_them() {
    let hold = format!("delivery.argo-rust/hold: \"{BAD}\"");
    let plain = "  name: a\n";
    check(plain, &format!("{plain}  annotations:\n    {hold}\n"), plain);
    // A comment behind the block belongs to what follows.
    check(
        "  name: a\n\n# spec\n",
        &format!("  name: a\n  annotations:\n    {hold}\n\n# spec\n"),
        "  name: a\n\n# spec\n",
    );
    let others = "  annotations: # two\n      b: c\n  name: a\n";
    check(others, &format!("  annotations: # two\n      {hold}\n      b: c\n  name: a\n"), others);
    let braces = "  annotations: {b: c} # one\n  name: a\n";
    check(braces, &format!("  annotations: {{{hold}, b: c}} # one\n  name: a\n"), braces);
    let empty = "  annotations: {}\n  name: a\n";
    check(empty, &format!("  annotations: {{{hold}}}\n  name: a\n"), empty);
    // Another hold makes place for this one.
    let held = "  annotations:\n    'delivery.argo-rust/hold': '0000000'\n    b: c\n";
    check(held, &format!("  annotations:\n    {hold}\n    b: c\n"), "  annotations:\n    b: c\n");
}

#[test]
fn what_cannot_be_edited_safely_is_left_alone_with_a_word_about_the_way_out() {
    let refused = |text: &str| format!("{:#}", roll_back(DEPLOYMENT, text, GOOD, BAD, KEY).expect_err(text));
    let in_braces = small("").replace("metadata:\n", "metadata: {name: a}\n");
    assert!(refused(&in_braces).contains("no block `metadata:`"), "{}", refused(&in_braces));
    let over_lines = small("  annotations:\n    {b: c}\n  name: a\n");
    assert!(refused(&over_lines).contains("edit it by hand") || refused(&over_lines).contains("after the edit"));
}

#[test]
fn the_shipped_manifest_is_rolled_back_by_three_lines_and_lifted_to_the_byte() {
    let before = shipped();
    let after = roll_back(DEPLOYMENT, &before, GOOD, BAD, KEY).expect("it can be edited");
    let diff = crate::steer::diff(DEPLOYMENT, &before, &after);
    let mut changed: Vec<&str> = diff.lines().skip(2).filter(|line| line.starts_with(['+', '-'])).collect();
    changed.retain(|line| !line.contains("image:"));
    assert_eq!(changed, ["+  annotations:", "+    delivery.argo-rust/hold: \"2222222\""], "{diff}");
    assert_eq!(lift(DEPLOYMENT, &after).expect("it can be lifted"), before.replace(BAD, GOOD));
}

/// Whatever comments and blank lines stand in the file: nothing but the tag and the hold's lines changes.
#[test]
fn a_rollback_and_its_lifting_keep_every_other_byte() {
    for seed in 0..256 {
        let mut random = Rng::with_seed(seed);
        let mut revision = || format!("{:07x}", random.u32(..1 << 28));
        let (bad, good) = (revision(), revision());
        let mut lines: Vec<String> = shipped().replace(BAD, &bad).lines().map(str::to_owned).collect();
        for _ in 0..random.u8(..6) {
            let words: String =
                (0..random.u8(..20)).filter_map(|_| random.choice(['a', 'b', '{', '}', ':', '\'', ' '])).collect();
            let remark =
                if random.bool() { String::new() } else { format!("{}# {words}", " ".repeat(random.usize(..7))) };
            lines.insert(random.usize(..=lines.len()), remark);
        }
        let before = lines.join("\n") + "\n";
        let after = roll_back(DEPLOYMENT, &before, &good, &bad, KEY).expect("it can be edited");
        assert_eq!(hold(&after).map(|hold| hold.bad), Some(bad.clone()), "{before}");
        let line = |revision: &str| format!(":sha-{revision}\n");
        assert_eq!(lift(DEPLOYMENT, &after).expect("it can be lifted"), before.replace(&line(&bad), &line(&good)));
    }
}
