//! OpenTofu and Argo CD on one cluster, with the real provider.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use e2e::application::{AFTER_A_FAILURE, KIND, SYNC};
use e2e::report::{Report, ensure, expect};
use e2e::repository::Clone;
use e2e::wait::{self, seconds};
use e2e::{APPLICATION, DEPLOYMENT, Loop, NAMESPACE, shell};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder laid out as OpenTofu's filesystem_mirror, for machines that reach no provider registry.
const MIRROR: &str = "E2E_PROVIDER_MIRROR";
/// Whether the registry of providers answers.
const ASKED: [&str; 6] =
    ["-sSf", "--max-time", "20", "--output", "/dev/null", "https://registry.opentofu.org/.well-known/terraform.json"];

pub struct Tofu<'a> {
    the_loop: &'a Loop,
    folder: TempDir,
}

impl<'a> Tofu<'a> {
    /// The project's own files beside the k8s/ that is deployed; Err with the reason when there is no provider.
    pub fn prepare(the_loop: &'a Loop, clone: &Clone) -> Result<std::result::Result<Self, String>> {
        let tofu = Self { the_loop, folder: TempDir::with_prefix("argo-rust-e2e-tofu-")? };
        for folder in ["tofu", "k8s"] {
            shell::run(Command::new("cp").arg("-r").arg(clone.folder().join(folder)).arg(tofu.folder.path()))?;
        }
        if let Some(mirror) = std::env::var_os(MIRROR) {
            let mirror = PathBuf::from(mirror);
            fs::write(
                tofu.settings(),
                format!(
                    "provider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\n",
                    mirror.display()
                ),
            )?;
        } else if let Err(error) = shell::run(Command::new("curl").args(ASKED)) {
            // Without a provider OpenTofu need not be built, which takes minutes.
            return Ok(Err(format!("no provider can be had ({error:#}); {MIRROR} can name a filesystem mirror of it")));
        }
        match shell::run(tofu.command().args(["init", "-input=false"])) {
            Ok(_) => Ok(Ok(tofu)),
            Err(error) => {
                let said = format!("{error:#}");
                // It may have warned of other things before.
                let why = said.lines().find(|line| line.starts_with("Could not") || line.contains("Error:"));
                let why = why.unwrap_or(&said).trim();
                Ok(Err(format!("`tofu init` finds no provider ({why}); {MIRROR} can name a filesystem mirror of it")))
            }
        }
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("tofurc")
    }

    fn code(&self) -> PathBuf {
        self.folder.path().join("tofu")
    }

    fn command(&self) -> Command {
        let mut tofu = self.the_loop.program("tofu");
        tofu.current_dir(self.code()).env("TF_IN_AUTOMATION", "1").env("TF_CLI_ARGS", "-no-color");
        tofu.env("TF_VAR_kubeconfig", self.the_loop.state.join("kubeconfig")).env("CHECKPOINT_DISABLE", "1");
        if self.settings().exists() {
            tofu.env("TF_CLI_CONFIG_FILE", self.settings());
        }
        tofu
    }

    /// What it says it has done, and the time.
    pub fn apply(&self) -> Result<String> {
        let begin = Instant::now();
        let said = shell::run(self.command().args(["apply", "-auto-approve", "-input=false"]))?;
        let line =
            said.lines().find(|line| line.starts_with("Apply complete!")).context("tofu apply ended otherwise")?;
        Ok(format!(
            "{} in {}",
            line.trim_start_matches("Apply complete! Resources: ").trim_end_matches('.'),
            seconds(begin.elapsed())
        ))
    }

    /// 0: nothing to do. 2: something.
    pub fn plan(&self) -> Result<i32> {
        let output = self.command().args(["plan", "-detailed-exitcode", "-input=false"]).output()?;
        match output.status.code() {
            Some(code @ (0 | 2)) => Ok(code),
            _ => bail!("tofu plan: {}", String::from_utf8_lossy(&output.stderr)),
        }
    }

    fn forget(&self) -> Result<()> {
        for file in ["terraform.tfstate", "terraform.tfstate.backup"] {
            let file = self.code().join(file);
            if Path::new(&file).exists() {
                fs::remove_file(file)?;
            }
        }
        Ok(())
    }

    fn size(&self, old: &str, new: &str) -> Result<()> {
        let path = self.code().join("terraform.tfvars");
        let text = fs::read_to_string(&path)?;
        ensure("terraform.tfvars has it", text.contains(old), old)?;
        Ok(fs::write(path, text.replacen(old, new, 1))?)
    }

    /// The files of k8s/ as the loop's master has them now: the birth image is read from there.
    fn follow(&self, clone: &Clone) -> Result<()> {
        fs::copy(clone.folder().join("k8s/deployment.yaml"), self.folder.path().join("k8s/deployment.yaml"))?;
        Ok(())
    }
}

pub fn either_tool_may_come_first_and_both_agree_afterwards(the_loop: &Loop, report: &mut Report) -> Result<()> {
    the_loop.on_a_clone(|clone, live| {
        let tofu = match Tofu::prepare(the_loop, clone)? {
            Ok(tofu) => tofu,
            Err(why) => {
                report.skipped(why);
                return Ok(());
            }
        };
        let next = the_loop.fresh_tag(live)?;

        // Argo CD came first: that is how `up` leaves the cluster.
        report.measured(format!("Argo CD first: {}", tofu.apply()?));
        expect("tofu plan after it", tofu.plan()?, 0)?;
        tofu.size("replicas  = 1", "replicas  = 2")?;
        expect("tofu plan with another size", tofu.plan()?, 2)?;
        report.control("with another size in terraform.tfvars tofu plan was not empty");
        report.measured(format!("2 replicas: {}", tofu.apply()?));
        in_peace(the_loop, clone, live)?;
        the_loop.deliver(clone, &next)?;
        tofu.follow(clone)?;
        expect("replicas after an image bump", the_loop.deployment()?["spec"]["replicas"].take(), Value::from(2))?;
        expect("tofu plan after the bump's sync", tofu.plan()?, 0)?;
        let argo_first = objects(the_loop)?;

        // Now an empty cluster, on which OpenTofu comes first.
        let secret = the_loop.get(NAMESPACE, "secret", "ghcr-secret")?;
        let application = the_loop.application()?;
        the_loop.ask(&["delete", KIND, APPLICATION, "--namespace=argocd"])?;
        the_loop.ask(&["delete", "namespace", NAMESPACE, "--timeout=90s"])?;
        tofu.forget()?;
        let outcome = tofu.apply();
        let connected = connect(the_loop, &secret, &application);
        report.measured(format!("OpenTofu first: {}", outcome?));
        connected?;
        in_peace(the_loop, clone, &next)?;
        expect("tofu plan after the sync", tofu.plan()?, 0)?;
        expect("the objects in both orders", objects(the_loop)?, argo_first)?;
        report.measured("the same objects in both orders; tofu plan empty after every sync");

        tofu.size("replicas  = 2", "replicas  = 1")?;
        tofu.apply()?;
        Ok(())
    })
}

/// Synced, rolled out, and it stays so: neither tool takes back what the other did.
fn in_peace(the_loop: &Loop, clone: &Clone, tag: &str) -> Result<()> {
    let commit = clone.head()?;
    the_loop.force_sync()?;
    the_loop.wait_synced(&commit, AFTER_A_FAILURE)?;
    the_loop.wait_rolled_out(tag)?;
    wait::throughout("Argo CD stays Synced", Duration::from_secs(5), || the_loop.is_synced(&commit))
}

/// README's "Connect" and "Pull secret", for a namespace that OpenTofu has made.
fn connect(the_loop: &Loop, secret: &Value, application: &Value) -> Result<()> {
    let account = fs::read_to_string(the_loop.checkout.join("argocd/sync-account.yaml"))?;
    the_loop.apply(&account)?;
    let again = |object: &Value, namespace: &str| {
        let mut fresh = object.clone();
        fresh["metadata"] = json!({"name": object["metadata"]["name"], "namespace": namespace});
        if let Some(fields) = fresh.as_object_mut() {
            fields.remove("status");
            fields.remove("operation");
        }
        the_loop.apply(&fresh.to_string())
    };
    again(secret, NAMESPACE)?;
    again(application, "argocd")?;
    wait::until("Argo CD knows the Application", SYNC, || {
        let status = the_loop.application()?["status"]["sync"]["status"].take();
        ensure("a first look", !status.is_null(), status)
    })?;
    Ok(())
}

/// The three objects without what differs from birth to birth.
fn objects(the_loop: &Loop) -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    for kind in ["namespace", "service", "deployment"] {
        let object = the_loop.get(NAMESPACE, kind, DEPLOYMENT)?;
        let mut spec = object["spec"].clone();
        let mut annotations = object["metadata"]["annotations"].clone();
        if let Some(fields) = spec.as_object_mut() {
            fields.remove("clusterIP");
            fields.remove("clusterIPs");
        }
        if let Some(fields) = annotations.as_object_mut() {
            fields.remove("deployment.kubernetes.io/revision");
            fields.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        objects.push(json!({
            "kind": kind,
            "labels": object["metadata"]["labels"],
            "annotations": annotations,
            "spec": spec,
        }));
    }
    Ok(objects)
}
