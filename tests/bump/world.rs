//! A bare repository that stands for GitHub, people who push to it, and clones in which workflow runs work.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::manifest::{MANIFEST, image, manifest_before_the_first_build, with_image};

/// Costs a test need not pay: nothing here must survive a power cut, and no repository grows old.
const GIT_CONFIG: &str = "
[user]
    name = A Person
    email = person@example.org
[core]
    fsync = none
[gc]
    auto = 0
[maintenance]
    auto = false
[receive]
    autogc = false
[pack]
    threads = 1
[advice]
    detachedHead = false
[protocol \"file\"]
    allow = always
";

pub struct World {
    pub root: TempDir,
    pub origin: PathBuf,
}

/// What a person's commit writes: path and content; `None` removes the file.
pub type Edits<'a> = [(&'a str, Option<&'a str>)];

impl World {
    /// A repository as it is before its first build: the project's own manifest with the tag that names nothing.
    pub fn new() -> World {
        let world = World::empty();
        world.push(&[
            (MANIFEST, Some(&manifest_before_the_first_build())),
            ("Dockerfile", Some("FROM scratch\n")),
            (".dockerignore", Some("*\n!src\n")),
            ("Cargo.toml", Some("[package]\n")),
            ("Cargo.lock", Some("version = 4\n")),
            ("src/main.rs", Some("fn main() {}\n")),
            ("README.md", Some("# argo-rust\n")),
        ]);
        world
    }

    pub fn empty() -> World {
        let root = TempDir::new().expect("a temporary folder");
        let origin = root.path().join("origin.git");
        fs::write(root.path().join("gitconfig"), GIT_CONFIG).unwrap();
        let world = World { root, origin };
        world.git(world.root.path(), ["init", "--quiet", "--bare", "--initial-branch=master", "origin.git"]);
        world
    }

    /// A person's push of one commit; says which commit it became.
    pub fn push(&self, edits: &Edits) -> String {
        loop {
            if let Some(commit) = self.commit(self.read_tip().as_deref(), edits) {
                return commit;
            }
        }
    }

    /// A commit on `parent`, which becomes master unless somebody else pushed since `parent` was read.
    /// One process instead of a clone's fetch, edit, commit and push, so that the runs get the machine.
    pub fn commit(&self, parent: Option<&str>, edits: &Edits) -> Option<String> {
        let mut stream = String::from("commit refs/heads/master\nmark :1\n");
        stream += "committer A Person <person@example.org> 1790000000 +0000\ndata 12\nA commit\n...\n";
        if let Some(parent) = parent {
            stream += &format!("from {parent}\n");
        }
        for (path, content) in edits {
            stream += &match content {
                Some(content) => format!("M 100644 inline {path}\ndata {}\n{content}\n", content.len()),
                None => format!("D {path}\n"),
            };
        }
        stream += "get-mark :1\n";
        let output = self.git_with_input(&self.origin, ["fast-import", "--quiet"], &stream);
        output.status.success().then(|| text(&output.stdout))
    }

    pub fn push_code(&self, content: &str) -> String {
        self.push(&[("src/main.rs", Some(content))])
    }

    pub fn push_document(&self, content: &str) -> String {
        self.push(&[("README.md", Some(content))])
    }

    /// A person writes the image by hand, as a rollback does.
    pub fn push_image(&self, commit: &str) -> String {
        self.push_manifest(|manifest| with_image(manifest, &image(commit)))
    }

    /// A person's push of an edit of the manifest, on top of whatever is there.
    pub fn push_manifest(&self, edit: impl Fn(&str) -> String) -> String {
        loop {
            let tip = self.tip();
            let edited = edit(&self.manifest_at(&tip));
            if let Some(commit) = self.commit(Some(&tip), &[(MANIFEST, Some(&edited))]) {
                return commit;
            }
        }
    }

    pub fn clone_to(&self, name: &str) -> PathBuf {
        self.git(self.root.path(), ["clone", "--quiet", "origin.git", name]);
        self.root.path().join(name)
    }

    /// A clone that reads its objects from the origin's folder. What it knows of master is its own, as in any clone.
    pub fn light_clone_to(&self, name: &str) -> PathBuf {
        self.git(self.root.path(), ["clone", "--quiet", "--shared", "origin.git", name]);
        self.root.path().join(name)
    }

    pub fn tip(&self) -> String {
        self.read_tip().expect("somebody pushed to master")
    }

    /// Master's commit. Read as a file, which saves a process; nothing here packs references.
    fn read_tip(&self) -> Option<String> {
        fs::read_to_string(self.origin.join("refs/heads/master")).ok().map(|tip| tip.trim_end().to_owned())
    }

    pub fn manifest_at(&self, revision: &str) -> String {
        self.git(&self.origin, ["show", &format!("{revision}:{MANIFEST}")]) + "\n"
    }

    /// The image that master's manifest names.
    pub fn deployed(&self) -> String {
        let manifest = self.manifest_at("refs/heads/master");
        let image = manifest.lines().find_map(|line| line.trim_start().strip_prefix("image: "));
        image.expect("the manifest has an image line").to_owned()
    }

    pub fn git<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, folder: &Path, arguments: I) -> String {
        let output = self.try_git(folder, arguments);
        assert!(output.status.success(), "git failed: {}", text(&output.stderr));
        text(&output.stdout)
    }

    pub fn try_git<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, folder: &Path, arguments: I) -> Output {
        self.command("git", folder).args(arguments).output().expect("git starts")
    }

    pub fn git_with_input<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(
        &self,
        folder: &Path,
        arguments: I,
        input: &str,
    ) -> Output {
        let mut git = self.command("git", folder);
        git.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = git.spawn().expect("git starts");
        child.stdin.take().unwrap().write_all(input.as_bytes()).expect("git reads its input");
        child.wait_with_output().expect("git ends")
    }

    /// A command that sees these repositories and nothing of the developer's own git settings.
    pub fn command(&self, program: impl AsRef<OsStr>, folder: &Path) -> Command {
        let kept: BTreeMap<_, _> = std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "TMPDIR").collect();
        let mut command = Command::new(program);
        command.current_dir(folder).env_clear().envs(kept).stdin(Stdio::null());
        command.env("HOME", self.root.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("GIT_CONFIG_GLOBAL", self.root.path().join("gitconfig"));
        command
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}
