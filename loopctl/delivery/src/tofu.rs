//! OpenTofu: the only place that runs tofu, and only to ask.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// What `tofu plan` would do.
#[derive(Debug, PartialEq, Eq)]
pub enum Planned {
    Nothing,
    /// Its last line.
    Changes(String),
}

/// Err says why it could not be asked. `folder` is the one with terraform.tfvars; without `-lock` nothing is written.
pub fn plan(folder: &Path, kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Planned> {
    if !folder.join(".terraform").is_dir() {
        bail!("OpenTofu is not set up in this clone; `cd tofu && tofu init` does it");
    }
    eprintln!("Asking OpenTofu for its plan; --no-plan leaves it out.");
    let mut tofu = Command::new("tofu");
    tofu.current_dir(folder).stdin(Stdio::null()).env("TF_IN_AUTOMATION", "1").env("CHECKPOINT_DISABLE", "1");
    tofu.args(["plan", "-detailed-exitcode", "-lock=false", "-input=false", "-no-color", "-compact-warnings"]);
    // The cluster that this command looks at, unless the person has said which one OpenTofu takes.
    if std::env::var_os("TF_VAR_kubeconfig").is_none()
        && let Some(kubeconfig) = kubeconfig
    {
        tofu.env("TF_VAR_kubeconfig", kubeconfig);
    }
    if let Some(context) = context {
        tofu.env("TF_VAR_kube_context", context);
    }
    let output = tofu.output().context("tofu is not installed")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(0) => Ok(Planned::Nothing),
        Some(2) => Ok(Planned::Changes(summary(&said))),
        _ => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let reason = said.lines().find(|line| line.starts_with("Error:")).unwrap_or("it ended otherwise");
            bail!("tofu plan: {reason}")
        }
    }
}

fn summary(said: &str) -> String {
    let line = said.lines().rev().find(|line| line.starts_with("Plan:"));
    line.unwrap_or("Only outputs change.").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_tofus_own_line() {
        assert_eq!(
            summary("x\n\nPlan: 0 to add, 1 to change, 0 to destroy.\n"),
            "Plan: 0 to add, 1 to change, 0 to destroy."
        );
        assert_eq!(summary("Changes to Outputs:\n"), "Only outputs change.");
    }

    #[test]
    fn a_clone_that_was_never_set_up_is_skipped_with_the_way_to_do_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = plan(folder.path(), None, None).expect_err("there is nothing to plan with");
        assert!(error.to_string().contains("tofu init"), "{error:#}");
    }
}
