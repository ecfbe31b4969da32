//! A repository of one's own: made by a command, tested, kept up with its template, and delivered by a loop of its own.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use e2e::companion::Said;
use e2e::repetitions::LOOPS_OF_A_NEW_REPOSITORY;
use e2e::report::{Report, ensure, expect};
use e2e::wait::seconds;
use e2e::{Loop, service, shell, target};
use serde_json::Value;
use tempfile::TempDir;

const NAME: &str = "sea-shop";
const SECOND: &str = "ledger";
const OF_SECOND: &str = "127.0.0.1:30801";
const DONE: i32 = 0;
const FINDINGS: i32 = 7;

pub fn a_new_repository_passes_its_tests_and_says_what_is_no_longer_the_templates(
    the_loop: &Loop,
    report: &mut Report,
) -> Result<()> {
    let new = New::make(the_loop)?;
    let files = shell::run(new.git().args(["ls-files"]))?;
    let lines =
        shell::run(Command::new("sh").current_dir(new.path()).args(["-c", "git ls-files -z | xargs -0 cat | wc -l"]))?;
    ensure("no more than 80 files", files.lines().count() <= 80, &files)?;
    let begin = Instant::now();
    new.make_test()?;
    report.measured(format!(
        "{} files with {} lines were made in {}; `make test` passed in {}",
        files.lines().count(),
        lines.trim(),
        seconds(new.took),
        seconds(begin.elapsed())
    ));
    new.write("src/main.rs", &(new.read("src/main.rs")? + "fn  spaced(){}\n"))?;
    ensure("`make test` notices a line that is not formatted", new.make_test().is_err(), "it passed")?;
    shell::run(new.git().args(["checkout", "--quiet", "."]))?;
    report.control("with a line that is not formatted `make test` failed");

    new.loopctl(&["update", "--check"])?.ended(DONE)?;
    new.write("argocd/project.yaml", &(new.read("argocd/project.yaml")? + "# mine\n"))?;
    new.commit("Edit what is the template's")?;
    let said = new.loopctl(&["update", "--check"])?.ended(FINDINGS)?;
    ensure("the file by name", said.out.contains("argocd/project.yaml"), said.out)?;
    report.control("with an edit of argocd/project.yaml `loopctl update --check` ended with 7");
    Ok(())
}

/// The whole way of README's "Make it yours": its own loop comes up, a changed line and a new route are live, a rollback
/// goes back.
pub fn a_new_repository_is_delivered_by_a_loop_of_its_own(the_loop: &Loop, report: &mut Report) -> Result<()> {
    if LOOPS_OF_A_NEW_REPOSITORY.times() == 0 {
        report.skipped("a second loop takes three minutes: `make e2e-long` brings it up");
        return Ok(());
    }
    let new = New::make(the_loop)?;
    let refused = new.loopctl(&["push"])?.ended(1)?;
    ensure("the loop that is up is named", refused.err.contains("delivers voloshko/argo-rust"), &refused.err)?;
    report.control(format!("while another loop was up: {}", refused.err.trim()));
    new.loopctl(&["down"])?.ended(DONE)?;
    let outcome = new.is_delivered(report);
    let down = new.loopctl(&["down"])?.ended(DONE);
    // The proofs that follow need the loop of this checkout.
    the_loop.companion(&["up"])?.ended(DONE)?;
    outcome.and(down.map(drop))
}

struct New<'a> {
    the_loop: &'a Loop,
    folder: TempDir,
    took: std::time::Duration,
}

impl<'a> New<'a> {
    fn make(the_loop: &'a Loop) -> Result<Self> {
        let folder = TempDir::with_prefix("argo-rust-e2e-new-")?;
        let begin = Instant::now();
        let mut loopctl = the_loop.loopctl();
        loopctl.current_dir(folder.path());
        let new = ["new", NAME, "--owner", "Tri-Lobite", "--host", "192.0.2.7"];
        the_loop.said(loopctl, &new)?.ended(DONE)?;
        Ok(Self { the_loop, folder, took: begin.elapsed() })
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join(NAME)
    }

    fn git(&self) -> Command {
        let mut git = Command::new("git");
        git.current_dir(self.path()).args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]);
        git
    }

    fn read(&self, file: &str) -> Result<String> {
        std::fs::read_to_string(self.path().join(file)).with_context(|| format!("cannot read {file}"))
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        std::fs::write(self.path().join(file), text).with_context(|| format!("cannot write {file}"))
    }

    fn replace(&self, file: &str, from: &str, to: &str) -> Result<()> {
        let text = self.read(file)?;
        ensure(&format!("{from} in {file}"), text.contains(from), &text)?;
        self.write(file, &text.replacen(from, to, 1))
    }

    fn commit(&self, message: &str) -> Result<()> {
        shell::run(self.git().args(["add", "--all"]))?;
        shell::run(self.git().args(["commit", "--quiet", "--message", message]))?;
        Ok(())
    }

    fn make_test(&self) -> Result<()> {
        let mut make = Command::new("make");
        make.current_dir(self.path()).arg("test");
        // What it depends on is what the service depends on, and is there where `make test` has run.
        shell::run(make.env("CARGO_TARGET_DIR", target(&self.the_loop.checkout, "")))?;
        Ok(())
    }

    fn loopctl(&self, arguments: &[&str]) -> Result<Said> {
        let mut loopctl = self.the_loop.loopctl();
        loopctl.current_dir(self.path());
        self.the_loop.said(loopctl, arguments)
    }

    fn is_delivered(&self, report: &mut Report) -> Result<()> {
        let begin = Instant::now();
        self.loopctl(&["up"])?.ended(DONE)?;
        let up = begin.elapsed();
        answers("/hello", "Hello from sea-shop!")?;
        report.measured(format!("its loop was up and its first commit live after {}", seconds(up)));

        self.replace("src/routes/hello.rs", "Hello from sea-shop!", "Ahoy!")?;
        let route = self.read("src/routes/hello.rs")?.replace("\"/hello\"", "\"/ahoy\"").replace("Ahoy!", "Ahoy, all!");
        self.write("src/routes/ahoy.rs", &route)?;
        self.replace("src/routes/mod.rs", "    mod hello;\n", "    mod hello;\n    mod ahoy;\n")?;
        self.commit("Greet otherwise")?;
        let begin = Instant::now();
        self.loopctl(&["push"])?.ended(DONE)?;
        self.loopctl(&["wait"])?.ended(DONE)?;
        let live = begin.elapsed();
        answers("/hello", "Ahoy!")?;
        answers("/ahoy", "Ahoy, all!")?;
        report.measured(format!("a changed line and a new route were live {} after their commit", seconds(live)));

        self.loopctl(&["doctor"])?.ended(DONE)?;
        let verified = self.loopctl(&["verify"])?.ended(DONE)?;
        ensure("its own image", verified.out.contains("ghcr.io/tri-lobite/sea-shop:sha-"), &verified.out)?;
        self.loopctl(&["rollback", "--reason", "a proof", "--yes"])?.ended(DONE)?;
        let held = self.loopctl(&["sync"])?;
        answers("/hello", "Hello from sea-shop!").with_context(|| held.out.clone())?;
        self.loopctl(&["service", "add", "cart", "--image", "ghcr.io/tri-lobite/cart:v1"])?.ended(DONE)?;
        expect("a second service", self.read("tofu/terraform.tfvars")?.matches("ghcr.io/tri-lobite/").count(), 2)?;
        shell::run(self.git().args(["checkout", "--quiet", "."]))?;
        report.measured("doctor found nothing, verify passed, a rollback went back, a second service was added");
        self.has_a_second_service(report)
    }

    /// One with sources of its own: a push that changes both is one commit of the bump.
    fn has_a_second_service(&self, report: &mut Report) -> Result<()> {
        self.loopctl(&["resume", "--yes"])?.ended(DONE)?;
        self.loopctl(&["service", "add", SECOND, "--new", "--node-port", "30801"])?.ended(DONE)?;
        self.commit("Add a ledger")?;
        let begin = Instant::now();
        self.loopctl(&["push"])?.ended(DONE)?;
        self.loopctl(&["wait", "--service", SECOND])?.ended(DONE)?;
        answers_at(OF_SECOND, "/hello", "Hello from ledger!")?;
        report
            .measured(format!("a second service was live {} after the commit that added it", seconds(begin.elapsed())));

        let greeting = format!("services/{SECOND}/src/routes/hello.rs");
        self.replace(&greeting, "Hello from ledger!", "Good day!")?;
        self.replace("src/routes/hello.rs", "Ahoy!", "Ahoy again!")?;
        self.commit("Greet otherwise in both")?;
        let begin = Instant::now();
        self.loopctl(&["push"])?.ended(DONE)?;
        self.loopctl(&["wait"])?.ended(DONE)?;
        self.loopctl(&["wait", "--service", SECOND])?.ended(DONE)?;
        answers("/hello", "Ahoy again!")?;
        answers_at(OF_SECOND, "/hello", "Good day!")?;
        report.measured(format!("one push that changed both was live {} later", seconds(begin.elapsed())));
        expect("the bump of the second one", self.bump(&["--service", SECOND])?, self.bump(&[])?)?;

        self.loopctl(&["verify", "--service", SECOND])?.ended(DONE)?;
        self.loopctl(&["rollback", "--service", SECOND, "--reason", "a proof", "--yes"])?.ended(DONE)?;
        self.loopctl(&["sync", "--service", SECOND])?;
        answers_at(OF_SECOND, "/hello", "Hello from ledger!")?;
        answers("/hello", "Ahoy again!")?;
        report.measured("a rollback of the second service went back, and the first one stayed as it was");
        Ok(())
    }

    /// The commit that wrote the tag of HEAD's image.
    fn bump(&self, which: &[&str]) -> Result<String> {
        let said = self.loopctl(&[&["where", "-o", "json"], which].concat())?.ended(DONE)?;
        let answer: Value = serde_json::from_str(&said.out).context("the answer of `where`")?;
        let hop = answer["hops"].as_array().into_iter().flatten().find(|hop| hop["hop"] == "bump");
        let commit = hop.and_then(|hop| hop["detail"].as_str()?.split(' ').next().map(str::to_owned));
        commit.filter(|commit| commit.len() == 7).with_context(|| format!("no bump in {answer}"))
    }
}

fn answers(path: &str, words: &str) -> Result<()> {
    said(path, words, service::get(path)?)
}

fn answers_at(address: &str, path: &str, words: &str) -> Result<()> {
    said(path, words, service::get_at(address, path)?)
}

fn said(path: &str, words: &str, said: String) -> Result<()> {
    ensure(&format!("{path} says {words}"), said.contains(words), said)
}
