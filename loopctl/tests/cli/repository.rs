//! A repository that is somebody's, as small as the commands allow: what they read, and a file for each way in which a
//! name is written.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{LOOPCTL, Machine};

const FILES: [(&str, &str); 8] = [
    (
        "argocd/application.yaml",
        "metadata: {name: kittens, namespace: argocd}\nspec:\n  project: kittens\n  source:\n    \
         repoURL: https://github.com/octo/kittens.git\n    targetRevision: master\n    path: k8s\n",
    ),
    (
        "k8s/deployment.yaml",
        "metadata: {name: kittens, namespace: kittens}\nspec:\n  selector:\n    matchLabels:\n      \
         app.kubernetes.io/name: kittens\n  template:\n    spec:\n      imagePullSecrets:\n        - name: ghcr-secret\n      \
         containers:\n        - name: kittens\n          image: ghcr.io/octo/kittens:sha-0123abc\n",
    ),
    ("k8s/service.yaml", "metadata: {name: kittens}\nspec:\n  ports:\n    - nodePort: 30800\n"),
    (
        "tofu/terraform.tfvars",
        "# Sizing.\nservices = {\n  \"kittens\" = {\n    namespace = \"kittens\" # its own\n    replicas  = 1\n    \
         image     = \"ghcr.io/octo/kittens:sha-0000000\"\n    port      = 8080\n    node_port = 30800\n    probes = {\n      \
         path                    = \"/hello\"\n      liveness_initial_delay  = 5\n      liveness_period         = 10\n      \
         readiness_initial_delay = 3\n      readiness_period        = 5\n    }\n    resources = {\n      \
         requests = { cpu = \"50m\", memory = \"32Mi\" }\n      limits   = { cpu = \"200m\", memory = \"64Mi\" }\n    }\n    \
         image_pull_secret = \"ghcr-secret\"\n  }\n  # The end.\n}\n",
    ),
    ("README.md", "# kittens\n\n`KITTENS_LISTEN` of octo/kittens; curl http://NODE:30800/hello\n"),
    (
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"kittens\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"log\"\nversion = \"0.4.0\"\n",
    ),
    (
        "src/main.rs",
        "use kittens::config;\nuse log::info;\n\nfn main() {\n    config::read();\n    info!(\"kittens\");\n}\n",
    ),
    ("k8s/namespace.yaml", "metadata: {name: kittens}\n"),
];

/// Such a repository in a folder of its own, with all of it committed.
pub struct Repository {
    pub machine: Machine,
}

impl Repository {
    pub fn new() -> Self {
        let repository = Self { machine: Machine::new() };
        for (path, text) in FILES {
            repository.write(path, text);
        }
        repository.git(&["init", "--quiet", "--initial-branch=master", "."]);
        repository.commit();
        repository
    }

    pub fn folder(&self) -> &Path {
        self.machine.0.path()
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.current_dir(self.folder())
            .args(["-c", "user.name=octo", "-c", "user.email=octo@localhost"])
            .args(arguments);
        let output = git.output().expect("git can be run");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "A step"]);
    }

    /// All files with what they say, to compare one state with another.
    pub fn state(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["write-tree"])
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn write(&self, path: &str, text: &str) {
        let file = self.folder().join(path);
        fs::create_dir_all(file.parent().expect("a file stands in a folder")).expect("a folder can be made");
        fs::write(file, text).expect("a file can be written");
    }

    /// loopctl in that repository, where no cluster can be reached and nobody is asked.
    pub fn loopctl(&self, arguments: &[&str]) -> String {
        self.loopctl_with(arguments, &[])
    }

    pub fn loopctl_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let mut loopctl = Command::new(LOOPCTL);
        loopctl.current_dir(self.folder()).args(arguments).stdin(std::process::Stdio::null());
        loopctl.env("KUBECONFIG", "/nowhere").env("COLUMNS", "100").env_remove("LOOPCTL_REGISTRY_TOKEN");
        loopctl.envs(environment.iter().copied());
        self.machine.describe(&loopctl.output().expect("loopctl can be run"))
    }
}
