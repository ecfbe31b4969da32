//! Each way to write the manifest in tests/cases/manifest.yaml, read by each of the scripts. loopctl reads the same ones.

#[path = "../cases/table.rs"]
mod table;

use self::table::{Case, each};
use crate::manifest::{MANIFEST, tag};
use crate::run::{Report, bump_with, image_changed_for};
use crate::smoke_image::asked;
use crate::world::World;

fn check_refusal(case: &Case, report: &Report, script: &str) -> bool {
    let Some(words) = &case.refused else { return false };
    let said = &report.printed;
    assert_eq!((report.code, report.output.as_str()), (1, ""), "{script}, {}: {said}", case.that);
    assert!(said.contains(words), "{script}, {}: should say {words:?}: {said}", case.that);
    true
}

#[test]
fn image_changed_reads_the_image_however_it_is_written_or_says_which_line_it_does_not() {
    let world = World::new();
    let clone = world.clone_to("clone");
    each(|case, text| {
        world.push(&[(MANIFEST, Some(text))]);
        world.git(&clone, ["pull", "--quiet"]);
        let report = image_changed_for(&world, &clone, case.name());
        if !check_refusal(case, &report, "image-changed") {
            let expected = format!("{} stands for 0 commits", case.image().rsplit(':').next().unwrap());
            assert_eq!(report.code, 0, "{}: {}", case.that, report.printed);
            assert!(report.summary.starts_with(&expected), "{}: {}", case.that, report.printed);
        }
    });
}

#[test]
fn bump_image_holds_wherever_a_hold_may_be_and_else_changes_the_image_and_no_other_byte() {
    let world = World::new();
    let clone = world.clone_to("clone");
    each(|case, text| {
        world.push(&[(MANIFEST, Some(text))]);
        let commit = world.push_code(&format!("// {}\n", case.that));
        let wanted = format!("{}:{}", case.name(), tag(&commit));
        world.git(&clone, ["pull", "--quiet"]);
        let report = bump_with(&world, &clone, &wanted, &commit, &[]);
        let said = &report.printed;
        if let Some(hold) = &case.hold {
            assert_eq!(report.output, "outcome=held", "{}: {said}", case.that);
            let expected = match hold.as_str() {
                "" => "carries the annotation delivery.argo-rust/hold".to_owned(),
                "doubt" => "may be the annotation delivery.argo-rust/hold, and in doubt it holds".to_owned(),
                bad => format!("naming {bad} as bad"),
            };
            assert!(report.summary.contains(&expected), "{}: should say {expected:?}: {said}", case.that);
        } else if !check_refusal(case, &report, "bump-image") {
            assert_eq!(report.output, "outcome=bumped", "{}: {said}", case.that);
            let expected = text.replacen(case.written.as_deref().unwrap_or(case.image()), &wanted, 1);
            let found = world.try_git(&world.origin, ["cat-file", "blob", &format!("refs/heads/master:{MANIFEST}")]);
            assert_eq!(String::from_utf8(found.stdout).unwrap(), expected, "{}", case.that);
            return;
        }
        assert_eq!(world.tip(), commit, "{}: nothing is pushed", case.that);
    });
}

#[test]
fn smoke_image_asks_what_the_probe_asks() {
    each(|case, text| {
        if case.refused.is_none() {
            assert_eq!(asked(text), case.probe.as_deref().unwrap_or("8080 /hello"), "{}", case.that);
        }
    });
}
