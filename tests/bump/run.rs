//! One run of the workflow, as far as these tests are concerned: `image-changed`, then `bump-image`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::manifest::{IMAGE, image};
use crate::world::{World, text};

/// What a script left behind: its exit code, what it printed, and what it told the workflow.
#[derive(Debug)]
pub struct Report {
    pub code: i32,
    pub printed: String,
    pub output: String,
    pub summary: String,
}

pub fn image_changed(world: &World, clone: &Path) -> Report {
    image_changed_for(world, clone, IMAGE)
}

pub fn image_changed_for(world: &World, clone: &Path, image: &str) -> Report {
    let mut script = world.command(script("image-changed"), clone);
    run(script.arg(image), &clone.with_extension("changed"))
}

/// Of one of several services.
pub fn image_changed_of(world: &World, clone: &Path, folder: &str) -> Report {
    let mut script = world.command(script("image-changed"), clone);
    run(script.args([IMAGE, folder]), &clone.with_extension("changed"))
}

pub fn bump(world: &World, clone: &Path, commit: &str) -> Report {
    bump_with(world, clone, &image(commit), commit, &[])
}

pub fn bump_with(world: &World, clone: &Path, image: &str, commit: &str, settings: &[(&str, &str)]) -> Report {
    let mut script = world.command(script("bump-image"), clone);
    script.args([image, commit]).env("BUMP_PAUSE_MS", "40").envs(settings.iter().copied());
    run(&mut script, &clone.with_extension("bump"))
}

/// Runs the script for `commit` in a fresh clone, as the workflow does.
pub fn bump_in_a_clone(world: &World, commit: &str) -> Report {
    let clone = world.clone_to("fresh");
    let report = bump(world, &clone, commit);
    fs::remove_dir_all(clone).unwrap();
    report
}

#[track_caller]
pub fn expect(report: &Report, outcome: &str, sentence: &str) {
    assert_eq!((report.code, report.output.as_str()), (0, format!("outcome={outcome}").as_str()), "{}", report.printed);
    assert!(report.summary.contains(sentence), "the summary should say {sentence:?}: {}", report.summary);
    assert!(report.printed.ends_with(&report.summary), "the log should say what the page says: {}", report.printed);
}

#[track_caller]
pub fn expect_failure(report: &Report, sentence: &str) {
    assert_eq!((report.code, report.output.as_str()), (1, ""), "{}", report.printed);
    assert!(report.printed.contains(sentence), "should say {sentence:?}: {}", report.printed);
}

pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/scripts").join(name)
}

/// `told` is a path beside the clone, so that what the workflow is told never makes the clone dirty.
fn run(script: &mut Command, told: &Path) -> Report {
    let (output_file, summary_file) = (told.with_extension("output"), told.with_extension("summary"));
    for file in [&output_file, &summary_file] {
        fs::write(file, "").unwrap();
    }
    script.env("GITHUB_OUTPUT", &output_file).env("GITHUB_STEP_SUMMARY", &summary_file);
    let ended = script.output().expect("the script starts");
    Report {
        code: ended.status.code().expect("the script is not killed"),
        printed: text(&ended.stdout) + &text(&ended.stderr),
        output: text(&fs::read(output_file).unwrap()),
        summary: text(&fs::read(summary_file).unwrap()),
    }
}
