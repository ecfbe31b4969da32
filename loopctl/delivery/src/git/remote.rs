//! The remote: what its branch is now, and how git gets in.

use std::env;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Result, bail};

use super::address::Address;
use super::{Git, output, said, within};
use crate::access::{MayNotPush, NoAccess};
use crate::coordinates::DEFAULT_BRANCH;
use crate::process;

/// A server that has said nothing by then is not waited for.
const ANSWER: Duration = Duration::from_secs(15);
/// What is on its way may take longer.
pub(super) const TRANSFER: Duration = Duration::from_secs(60);
const SSH: Duration = Duration::from_secs(5);
/// A branch that is overwritten while it is asked for is asked for again.
const TRIES: u32 = 3;

#[derive(Clone, Debug)]
pub struct Remote {
    /// A remote's name, which brings its own credentials along, or an address.
    pub address: String,
    /// A file with the password, for the loop on one machine.
    pub password: Option<PathBuf>,
}

impl Git {
    /// The clone's own remote for that repository, however its address is written, or else the address itself.
    pub fn remote_of(&self, repository: &str, password: Option<PathBuf>) -> Result<Remote> {
        let mut names = self.remotes()?;
        names.sort_by_key(|name| name != "origin");
        let wanted = self.addresses(repository);
        let known: Vec<(&String, Vec<Address>)> = names.iter().map(|name| (name, self.written(name))).collect();
        let found = |through_ssh: bool| {
            let is_it = |one: &Address| self.is_same(one, &wanted, through_ssh);
            known.iter().find(|(_, addresses)| addresses.iter().any(is_it)).map(|(name, _)| name.as_str())
        };
        // Only where nothing else helps, ssh is asked for its aliases.
        let name = found(false).or_else(|| found(true));
        Ok(Remote { address: name.unwrap_or(repository).to_owned(), password })
    }

    /// Of a remote, as the settings have it and as git rewrites it.
    fn written(&self, name: &str) -> Vec<Address> {
        let written = output(self.command().args(["config", "--get-all", &format!("remote.{name}.url")]));
        let written = written.map(|it| String::from_utf8_lossy(&it.stdout).into_owned()).unwrap_or_default();
        let rewritten = self.address_of(name);
        written.lines().chain([rewritten.as_str()]).map(|url| Address::of(url, &self.folder)).collect()
    }

    /// As it is written, and as git rewrites it.
    fn addresses(&self, url: &str) -> [Address; 2] {
        [url.to_owned(), self.address_of(url)].map(|text| Address::of(&text, &self.folder))
    }

    fn remotes(&self) -> Result<Vec<String>> {
        Ok(self.ask(&["remote"])?.lines().map(str::to_owned).collect())
    }

    /// As url.*.insteadOf rewrites it; a remote's name becomes an address.
    fn address_of(&self, remote: &str) -> String {
        self.ask(&["ls-remote", "--get-url", remote]).unwrap_or_else(|_| remote.to_owned())
    }

    fn is_same(&self, one: &Address, other: &[Address], through_ssh: bool) -> bool {
        let mut one = one.clone();
        if through_ssh && one.is_by_ssh() && other.iter().any(|other| one.has_path_of(other)) {
            one = self.real_host(&one.host).map_or(one.clone(), |real| one.with_host(&real));
        }
        other.iter().any(|other| one.is_same(other))
    }

    /// What ssh makes of a name: it may be an alias from the person's own settings.
    fn real_host(&self, name: &str) -> Option<String> {
        if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter)) || name.starts_with('-')
        {
            return None;
        }
        let own = env::var("GIT_SSH_COMMAND").ok().or_else(|| self.ask(&["config", "--get", "core.sshCommand"]).ok());
        let ssh = own.filter(|ssh| !ssh.is_empty()).unwrap_or_else(|| "ssh".to_owned());
        // By an alias of git's, which has a shell wherever it runs.
        let mut asked = self.command();
        asked.args(["-c", &format!("alias.real-host=!{ssh} -G {name}"), "real-host"]);
        let answer = process::run(&mut asked, Vec::new(), SSH).ok()?.stdout;
        String::from_utf8_lossy(&answer).lines().find_map(|line| line.strip_prefix("hostname ")).map(str::to_owned)
    }

    /// A remote may be read in one place and pushed to in another.
    pub(super) fn require_push_to(&self, remote: &Remote) -> Result<()> {
        let name = &remote.address;
        if !self.remotes()?.contains(name) {
            return Ok(());
        }
        let (read, pushed) = (self.address_of(name), self.ask(&["remote", "get-url", "--push", name])?);
        let (there, here) = (Address::of(&pushed, &self.folder), self.addresses(&read));
        if self.is_same(&there, &here, false) || self.is_same(&there, &here, true) {
            return Ok(());
        }
        Err(MayNotPush(format!(
            "the remote {name} is pushed to {pushed} and not to {read}, from where Argo CD deploys: \
             `git remote set-url --push {name} {read}` changes that"
        ))
        .into())
    }

    pub(super) fn at(&self, remote: &Remote) -> Command {
        let mut git = self.command();
        // What a killed git has started ends by itself.
        git.args(["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=15"]);
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let own_ssh = is_set("GIT_SSH_COMMAND") || is_set("GIT_SSH");
        if !own_ssh && !self.is(&["config", "--get", "core.sshCommand"]).unwrap_or(true) {
            let ssh = "ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=2";
            git.env("GIT_SSH_COMMAND", ssh);
        }
        if let Some(password) = &remote.password {
            // The password stays in its file until git asks for it; arguments can be read by everybody.
            git.args(["-c", "credential.helper=", "-c"])
                .arg("credential.helper=!f() { echo username=loopctl; echo \"password=$(cat \"$LOOP_PASSWORD_FILE\")\"; }; f")
                .env("LOOP_PASSWORD_FILE", password);
        }
        if is_private(&Address::of(&self.address_of(&remote.address), &self.folder)) {
            git.args(["-c", "http.proxy="]);
        }
        git
    }

    /// The commit that the remote's branch is at, which this clone has afterwards.
    /// No branch of the clone moves: the commit is only put beside the others.
    pub fn tip(&self, remote: &Remote, branch: &str) -> Result<String> {
        let reference = if branch == DEFAULT_BRANCH { branch.to_owned() } else { format!("refs/heads/{branch}") };
        for _ in 0..TRIES {
            let listed = self.asked(remote, &["ls-remote", "--quiet", &remote.address, &reference], ANSWER)?;
            let Some(tip) = listed.split_whitespace().next().map(str::to_owned) else {
                bail!("{} has no branch {branch}: targetRevision has to be one, not a tag or a commit", remote.address);
            };
            // In a partial clone the question itself may fail.
            if self.resolve(&tip).unwrap_or_default().is_some() {
                return Ok(tip);
            }
            // No refspec of the clone's, which might refuse a branch that was overwritten.
            let fetch =
                ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--refmap="];
            let whole = [&fetch[..], &["--no-prune", "--no-recurse-submodules", &remote.address, &reference]].concat();
            self.asked(remote, &whole, TRANSFER)?;
            if self.resolve(&tip)?.is_some() {
                return Ok(tip);
            }
        }
        bail!(NoAccess(format!("{branch} of {} is overwritten again and again; try again", remote.address)))
    }

    /// The branch that is meant where none is named.
    pub fn default_branch(&self, remote: &Remote) -> Result<String> {
        let listed = self.asked(remote, &["ls-remote", "--quiet", "--symref", &remote.address, "HEAD"], ANSWER)?;
        let head = listed.lines().find_map(|line| line.strip_prefix("ref: refs/heads/")?.strip_suffix("\tHEAD"));
        match head {
            Some(branch) => Ok(branch.to_owned()),
            None => bail!("{} does not say which branch its HEAD is: name one as targetRevision", remote.address),
        }
    }

    fn asked(&self, remote: &Remote, arguments: &[&str], limit: Duration) -> Result<String> {
        let output: Output = within(self.at(remote).args(arguments), limit, &remote.address)?;
        if !output.status.success() {
            return Err(no_access(remote, &said(&output)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// What says that somebody is not let in.
pub(super) const NOT_LET_IN: [&str; 8] = [
    " denied to ",
    "error: 403",
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "Permission denied",
    "Host key verification failed",
    "terminal prompts disabled",
];

fn no_access(remote: &Remote, said: &str) -> anyhow::Error {
    let is_not_let_in = |text: &str| NOT_LET_IN.iter().any(|words| text.contains(words));
    let closer = said.lines().find(|line| line.starts_with("ssh: ") || is_not_let_in(line));
    let fatal = || said.lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    let reason = closer.or_else(fatal).unwrap_or(said);
    let address = &remote.address;
    let advice = if is_not_let_in(said) {
        format!("`git ls-remote {address}` in a terminal shows what it asks for")
    } else {
        "it may pass, so try again".to_owned()
    };
    NoAccess(format!("cannot read the repository {address}: {reason}; {advice}")).into()
}

/// No proxy leads there.
fn is_private(address: &Address) -> bool {
    address.host.parse::<IpAddr>().is_ok_and(|address| match address {
        IpAddr::V4(address) => address.is_private() || address.is_loopback(),
        IpAddr::V6(address) => address.is_loopback(),
    })
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
