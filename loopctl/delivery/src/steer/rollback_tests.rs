use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::coordinates::{Coordinates, DEPLOYMENT, Files};
use crate::git::Git;
use crate::git::remote::Remote;
use crate::handle::Delivery;
use crate::steer::healthy::{Named, Serving};
use crate::steer::resume::Resume;

const IMAGE: &str = "ghcr.io/owner/name";

const MANIFEST: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: name
  namespace: name
spec:
  # Birth values.
  replicas: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: name
  template:
    spec:
      containers:
        - name: name
          image: ghcr.io/owner/name:sha-0000000
"#;

/// A repository on the other side, and a clone of it; no cluster.
struct World {
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().expect("a folder") };
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        world.git(".", &["init", "--quiet", "--bare", "--initial-branch=master", "origin"]);
        world.git(".", &["clone", "--quiet", "origin", "clone"]);
        for file in ["k8s/service.yaml", "argocd/application.yaml"] {
            world.write(file, &std::fs::read_to_string(checkout.join(file)).expect(file));
        }
        world.write("k8s/deployment.yaml", MANIFEST);
        world.push("Begin");
        world
    }

    fn git(&self, folder: &str, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.folder.path().join(folder))
            .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgSign=false"])
            .args(arguments)
            .output()
            .expect("git is installed");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// The newest commit, without git's numbers of the files.
    fn shown(&self) -> String {
        let shown = self.git("origin", &["show", "--format=%B", "--unified=0", "master"]);
        shown.lines().filter(|line| !line.starts_with("index ")).collect::<Vec<_>>().join("\n")
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("clone").join(file)).expect(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.folder.path().join("clone").join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect(file);
    }

    /// Somebody's push of another tag.
    fn tag(&self, revision: &str) {
        let text = self.read("k8s/deployment.yaml");
        let image = crate::manifest::image(DEPLOYMENT, &text).expect("it names an image");
        let tagged = format!("{}:sha-{revision}", image.name);
        self.write("k8s/deployment.yaml", &text.replace(&image.written, &tagged));
        self.push(&format!("ci: update image to sha-{revision}"));
    }

    fn push(&self, message: &str) {
        self.git("clone", &["add", "--all"]);
        self.git("clone", &["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git("clone", &["push", "--quiet", "origin", "HEAD:master"]);
    }

    fn delivery(&self) -> Delivery {
        let folder = self.folder.path().join("clone");
        let git = Git::in_folder(&folder);
        let address = self.folder.path().join("origin").display().to_string();
        let names = Coordinates::read(&folder).expect("the clone is whole");
        Delivery::beside(names, git, Remote { address, password: None }).expect("a delivery")
    }
}

fn plan(bad: &str, good: &str) -> Rollback {
    Rollback {
        bad: bad.into(),
        good: good.into(),
        image: IMAGE.into(),
        seen_healthy: Some(Seen::Pods { available: 2 }),
        digest: Some("sha256:0123".into()),
        reason: "It answers 500 to everybody".into(),
        passed_over: Vec::new(),
        broken: None,
        held: None,
        hold: "delivery.argo-rust/hold".into(),
        files: Files::default(),
    }
}

#[test]
fn a_rollback_is_one_commit_on_top_of_the_newest_and_touches_no_clone() {
    let world = World::new();
    world.tag("1111111");
    world.tag("2222222");
    let delivery = world.delivery();
    let branch = delivery.branch().expect("a branch");
    insta::assert_snapshot!("what_is_asked", plan("2222222", "1111111").describe(&branch).expect("it can be told"));
    // Somebody pushes a document meanwhile: decided again, on top of that.
    world.push("Explain");
    let before = world.git("clone", &["rev-parse", "HEAD"]);
    let Pushed::Done(commit) = plan("2222222", "1111111").push(&delivery).expect("it is pushed") else {
        panic!("it is pushed");
    };
    assert_eq!(world.git("origin", &["rev-parse", "master", "master^"]), format!("{commit}\n{before}"));
    insta::assert_snapshot!("what_is_pushed", world.shown());
    assert_eq!(world.git("clone", &["rev-parse", "HEAD"]), before);
    assert_eq!(world.git("clone", &["status", "--porcelain"]), "");

    // Once for a revision: the same again changes nothing.
    assert_eq!(plan("2222222", "1111111").push(&delivery).expect("no error"), Pushed::AlreadyHeld);
    assert_eq!(world.git("origin", &["rev-parse", "master"]), commit);

    let branch = delivery.branch().expect("a branch");
    let resume = Resume::plan(&delivery, &branch).expect("no error").expect("it is held");
    insta::assert_snapshot!("what_resume_asks", resume.describe(&branch).expect("it can be told"));
    resume.push(&delivery).expect("no error").expect("it is pushed");
    insta::assert_snapshot!("what_resume_pushes", world.shown());
    assert_eq!(resume.push(&delivery).expect("no error"), None);
}

#[test]
fn a_tag_that_has_moved_on_is_left_alone() {
    let world = World::new();
    world.tag("2222222");
    let delivery = world.delivery();
    world.tag("3333333");
    let tip = world.git("origin", &["rev-parse", "master"]);
    let pushed = plan("2222222", "1111111").push(&delivery).expect("no error");
    assert_eq!(pushed, Pushed::MovedOn("3333333".into()));
    assert_eq!(world.git("origin", &["rev-parse", "master"]), tip);
}

/// Somebody's own edit of the hold.
fn hold(world: &World, bad: &str) {
    let text = world.read("k8s/deployment.yaml");
    let line = format!("  annotations:\n    {}: \"{bad}\"\nspec:\n", "delivery.argo-rust/hold");
    world.write("k8s/deployment.yaml", &text.replacen("spec:\n", &line, 1));
    world.push("Hold");
}

#[test]
fn a_hold_that_somebody_else_has_set_is_left_alone() {
    for (theirs, planned) in [("7777777", None), ("", None), ("2222222", None), ("7777777", Some("1111111"))] {
        let world = World::new();
        world.tag("1111111");
        world.tag("2222222");
        hold(&world, theirs);
        let tip = world.git("origin", &["rev-parse", "master"]);
        let plan = Rollback { held: planned.map(str::to_owned), ..plan("2222222", "1111111") };
        let pushed = plan.push(&world.delivery()).expect("no error");
        assert_eq!(pushed, Pushed::HeldByOther(theirs.into()), "{theirs:?} {planned:?}");
        assert_eq!(world.git("origin", &["rev-parse", "master"]), tip);
    }
    // The hold that was there when it was planned, and was shown, is replaced.
    let world = World::new();
    world.tag("1111111");
    world.tag("2222222");
    hold(&world, "7777777");
    let plan = Rollback { held: Some("7777777".into()), ..plan("2222222", "1111111") };
    let pushed = plan.push(&world.delivery()).expect("no error");
    assert!(matches!(pushed, Pushed::Done(_)), "{pushed:?}");
}

#[test]
fn a_manifest_that_cannot_be_read_is_put_back_from_the_history() {
    let check = |damage: fn(&World)| {
        let world = World::new();
        world.tag("1111111");
        world.tag("2222222");
        let good = world.read("k8s/deployment.yaml");
        let delivery = world.delivery();
        damage(&world);
        world.push("Break it");
        let branch = delivery.branch_before(delivery.newest().expect("a tip")).expect("the history has one");
        let broken = branch.broken.clone();
        assert_eq!((branch.revision.as_str(), branch.text.as_str()), ("2222222", good.as_str()));
        // With another tag, and held; or, where the file alone is bad, as it was.
        let back = Rollback { broken: broken.clone(), ..plan("2222222", "1111111") };
        let same = Rollback { broken, ..plan("2222222", "2222222") };
        assert!(back.describe(&branch).expect("it can be told").contains("instead   that of "));
        assert!(matches!(same.push(&delivery).expect("no error"), Pushed::Done(_)));
        assert_eq!(world.git("origin", &["show", "master:k8s/deployment.yaml"]), good.trim_end());
        assert!(world.shown().starts_with("Put the manifest of sha-2222222 back"), "{}", world.shown());
        world.git("clone", &["pull", "--quiet", "origin", "master"]);
        damage(&world);
        world.push("Break it again");
        let branch = delivery.branch_before(delivery.newest().expect("a tip")).expect("the history has one");
        let back = Rollback { broken: branch.broken, ..back };
        assert!(matches!(back.push(&delivery).expect("no error"), Pushed::Done(_)));
        let written = world.git("origin", &["show", "master:k8s/deployment.yaml"]);
        assert!(written.contains("sha-1111111") && written.contains(": \"2222222\""), "{written}");
    };
    check(|world| world.write("k8s/deployment.yaml", "spec: [\n"));
    check(|world| world.write("k8s/deployment.yaml", ""));
    check(|world| {
        let text = world.read("k8s/deployment.yaml");
        world.write("k8s/deployment.yaml", &format!("{text}<<<<<<< HEAD\n"));
    });
    check(|world| {
        let text = world.read("k8s/deployment.yaml");
        world.write("k8s/deployment.yaml", &text.replace(":sha-2222222", ":latest"));
    });
    check(|world| {
        world.git("clone", &["rm", "--quiet", "k8s/deployment.yaml"]);
    });
}

#[test]
fn a_branch_that_takes_no_push_from_this_person_is_no_access() {
    let world = World::new();
    world.tag("1111111");
    world.tag("2222222");
    let hook = world.folder.path().join("origin/hooks/pre-receive");
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").expect("a hook");
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it is ours");
    let error = plan("2222222", "1111111").push(&world.delivery()).expect_err("the hook declines");
    assert!(may_not_push(&error), "{error:#}");
}

async fn choice(to: Option<&str>) -> Result<String, String> {
    let named = |revision: &str| Named {
        image: IMAGE.into(),
        revision: revision.into(),
        since: Timestamp::UNIX_EPOCH,
        held: None,
    };
    let serving = vec![Serving { image: format!("{IMAGE}:sha-1111111"), available: 1, created: None, number: None }];
    let named = ["2222222", "1111111", "0abcdef"].map(named).into();
    let evidence = Evidence { named, serving, ..Evidence::default() };
    let branch = Branch {
        tip: String::new(),
        file: DEPLOYMENT.into(),
        text: String::new(),
        image: IMAGE.into(),
        revision: "2222222".into(),
        hold: None,
        broken: None,
    };
    let delivery = World::new().delivery();
    let chosen = match to {
        Some(to) => super::named(&delivery, &branch, &evidence, to).await,
        None => seen_healthy(&delivery, &branch, &evidence).await.map(|mut all| all.remove(0)),
    };
    let chosen = chosen.map_err(|error| format!("{error:#}"))?;
    Ok(format!("{} {}", chosen.0, if chosen.1.is_some() { "seen" } else { "not seen" }))
}

#[tokio::test]
async fn a_person_may_choose_what_was_deployed_once_and_nothing_else() {
    let check = async |to: Option<&str>, expected: Result<&str, &str>| match (choice(to).await, expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected),
        (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
        (found, expected) => panic!("{to:?}: {found:?}, not {expected:?}"),
    };
    check(None, Ok("1111111 seen")).await;
    check(Some("sha-0abcdef"), Ok("0abcdef not seen")).await;
    check(Some("0ABCDEF0123456789012345678901234567890123"), Err("is no revision")).await;
    check(Some("0abcdef012345678901234567890123456789012"), Ok("0abcdef not seen")).await;
    check(Some("2222222"), Err("names already")).await;
    check(Some("7777777"), Err("never named sha-7777777")).await;
    check(Some("master"), Err("is no revision")).await;
}

#[test]
fn the_command_for_somebody_else_can_be_pasted_into_a_shell() {
    let mut plan = plan("2222222", "1111111");
    plan.reason = "It's down:\nexit code 64".into();
    assert_eq!(
        plan.command(),
        r"cargo loopctl rollback --bad 2222222 --to 1111111 --reason 'It'\''s down: exit code 64'"
    );
}
