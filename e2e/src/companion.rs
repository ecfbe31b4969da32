//! loopctl as a person uses it: with the kubeconfig of a cluster, and with an exit code that says how it went.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::Loop;
use crate::report::ensure;

pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Loop {
    /// Runs it with this loop's kubeconfig, in the checkout.
    pub fn companion(&self, arguments: &[&str]) -> Result<Said> {
        self.said(self.loopctl(), arguments)
    }

    pub fn said(&self, mut loopctl: Command, arguments: &[&str]) -> Result<Said> {
        let output = loopctl.args(arguments).env("KUBECONFIG", self.state.join("kubeconfig")).output();
        let output = output.context("cannot run loopctl")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().context("loopctl was ended by a signal")?;
        Ok(Said { code, out: text(&output.stdout), err: text(&output.stderr) })
    }
}

impl Said {
    /// Fails with all that was said unless it has ended with this exit code.
    pub fn ended(self, code: i32) -> Result<Self> {
        ensure(&format!("exit code {code}"), self.code == code, format!("{}\n{}\n{}", self.code, self.out, self.err))?;
        Ok(self)
    }

    /// Of a command with `-o json`.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.out).with_context(|| format!("no JSON: {}\n{}", self.out, self.err))
    }
}
