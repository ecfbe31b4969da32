//! The remote: what its branch is now, and how git gets in.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::{Git, output, said};
use crate::access::NoAccess;
use crate::coordinates::slug;

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
        let listed = output(self.command().args(["config", "--get-regexp", r"^remote\..*\.url$"]))?;
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let own = listed.lines().filter_map(|line| line.split_once(' ')).find(|(_, url)| is_same(url, repository));
        let name = own.and_then(|(key, _)| key.strip_prefix("remote.")?.strip_suffix(".url"));
        Ok(Remote { address: name.unwrap_or(repository).to_owned(), password })
    }

    pub(super) fn at(&self, remote: &Remote) -> Command {
        let mut git = self.command();
        if let Some(password) = &remote.password {
            // The password stays in its file until git asks for it; arguments can be read by everybody.
            git.args(["-c", "credential.helper=", "-c"])
                .arg("credential.helper=!f() { echo username=loopctl; echo \"password=$(cat \"$LOOP_PASSWORD_FILE\")\"; }; f")
                .env("LOOP_PASSWORD_FILE", password);
        }
        if is_private(&remote.address) {
            git.args(["-c", "http.proxy="]);
        }
        git
    }

    /// The commit that the remote's branch is at, which this clone has afterwards.
    /// No branch of the clone moves: the commit is only put beside the others.
    pub fn tip(&self, remote: &Remote, branch: &str) -> Result<String> {
        let reference = format!("refs/heads/{branch}");
        let listed = output(self.at(remote).args(["ls-remote", "--quiet", &remote.address, &reference]))?;
        if !listed.status.success() {
            return Err(no_access(remote, &said(&listed)));
        }
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let Some(tip) = listed.split_whitespace().next().map(str::to_owned) else {
            bail!("{} has no branch {branch}", remote.address);
        };
        if self.resolve(&tip)?.is_none() {
            let mut fetch = self.at(remote);
            fetch.args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]);
            let fetched = output(fetch.args([&remote.address, &reference]))?;
            if !fetched.status.success() {
                return Err(no_access(remote, &said(&fetched)));
            }
        }
        Ok(tip)
    }
}

fn no_access(remote: &Remote, said: &str) -> anyhow::Error {
    let reason = said.lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:")).unwrap_or(said);
    NoAccess(format!("cannot read the repository {}: {reason}", remote.address)).into()
}

fn is_same(one: &str, other: &str) -> bool {
    let (Ok(slug_of_one), Ok(slug_of_other)) = (slug(one), slug(other)) else { return false };
    slug_of_one.eq_ignore_ascii_case(&slug_of_other) && host(one) == host(other)
}

fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.split(['/']).next().unwrap_or(rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split(':').next().unwrap_or(rest)
}

/// No proxy leads there.
fn is_private(address: &str) -> bool {
    host(address).parse::<IpAddr>().is_ok_and(|address| match address {
        IpAddr::V4(address) => address.is_private() || address.is_loopback(),
        IpAddr::V6(address) => address.is_loopback(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_several_addresses() {
        let https = "https://github.com/owner/name.git";
        for (address, same) in [
            ("git@github.com:owner/name.git", true),
            ("https://github.com/Owner/name", true),
            ("ssh://git@github.com:22/owner/name.git", true),
            ("https://gitlab.com/owner/name.git", false),
            ("https://github.com/fork/name.git", false),
        ] {
            assert_eq!(is_same(address, https), same, "{address}");
        }
    }

    #[test]
    fn a_proxy_is_left_out_for_this_machine_and_its_neighbours() {
        for (address, private) in [("http://10.1.2.3:3000/a/b.git", true), ("https://github.com/a/b", false)] {
            assert_eq!(is_private(address), private, "{address}");
        }
    }
}
