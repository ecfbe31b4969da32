//! Who and what a repository is now, as its own files say it, and what it may become.

use std::fs;

use anyhow::{Context, Result, bail};

use delivery::coordinates::{APPLICATION, Coordinates, DEPLOYMENT};

#[derive(Clone, Debug, PartialEq)]
pub struct Names {
    pub owner: String,
    pub name: String,
    /// Where the documents say that the node is reached; None where they do not.
    pub host: Option<String>,
    pub node_port: u16,
}

impl Names {
    pub fn of(coordinates: &Coordinates) -> Result<Self> {
        let Coordinates { repository, slug, deployment, folder, .. } = coordinates;
        let Some((owner, name)) = slug.split_once('/').filter(|_| repository.starts_with("https://github.com/")) else {
            bail!("{APPLICATION}: repoURL is {repository}, not https://github.com/OWNER/NAME.git");
        };
        if deployment != name {
            bail!(
                "{APPLICATION} calls the repository {name}, {DEPLOYMENT} the service {deployment}; make them equal first"
            );
        }
        let node_port = coordinates.node_port.context("k8s/service.yaml has no nodePort")?;
        let readme = fs::read_to_string(folder.join("README.md")).context("cannot read README.md")?;
        let host = super::host::host_in(&readme, node_port);
        Ok(Self { owner: owner.to_owned(), name: name.to_owned(), host, node_port })
    }
}

type Checked = Result<String, String>;

/// GitHub's rule for accounts.
pub fn owner(text: &str) -> Checked {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let good = !text.is_empty()
        && text.len() <= 39
        && text.bytes().all(letters)
        && !text.starts_with('-')
        && !text.ends_with('-');
    if good {
        Ok(text.to_owned())
    } else {
        Err("must be a GitHub account: 1 to 39 letters, digits and '-' in between".into())
    }
}

/// One word has to do as an image's name, a namespace, a program's name and, with '_', a Rust identifier.
pub fn name(text: &str) -> Checked {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let good = (2..=40).contains(&text.len())
        && text.bytes().all(letters)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--");
    if !good {
        return Err("must be 2 to 40 of a-z, 0-9 and single '-' in between, starting with a letter".into());
    }
    // Words of Rust that no file here is likely to use, and that no crate may be called.
    let kept = ["abstract", "become", "final", "macro", "override", "priv", "typeof", "unsized", "virtual", "yield"];
    if kept.contains(&text) || text.starts_with("kube-") {
        return Err("is a word that Rust or Kubernetes keeps for itself".into());
    }
    Ok(text.to_owned())
}

/// As tofu/variables.tf accepts it.
pub fn host(text: &str) -> Checked {
    if text == "127.0.0.1" {
        return Err("is what the documents call the loop on one machine; say localhost".into());
    }
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let good = match inner {
        Some(address) => {
            !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
        }
        None => {
            let alphanumeric = |edge: Option<char>| edge.is_some_and(|edge| edge.is_ascii_alphanumeric());
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
                && alphanumeric(text.chars().next())
                && alphanumeric(text.chars().next_back())
        }
    };
    if good {
        Ok(text.to_owned())
    } else {
        Err("must be a host or an address without scheme and port, an IPv6 address in brackets".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(by: fn(&str) -> Checked, accepted: &[&str], refused: &[&str]) {
        accepted.iter().for_each(|text| assert_eq!(by(text), Ok((*text).to_owned())));
        refused.iter().for_each(|text| assert!(by(text).is_err(), "accepted {text:?}"));
    }

    #[test]
    fn only_what_is_good_in_every_place_is_accepted() {
        check(owner, &["acme", "Acme-Inc", "a1"], &["", "-a", "a-", "a_b", "a/b", "ä", "a b", &"a".repeat(40)]);
        check(
            name,
            &["quokka", "my-app2"],
            &["a", "2a", "a-", "a--b", "A", "a_b", "a.b", "macro", "kube-x", &"a".repeat(41)],
        );
        check(
            host,
            &["node.example", "10.0.0.5", "localhost", "[2001:db8::1]", "a"],
            &["", "127.0.0.1", "http://a", "a:80", "2001:db8::1", "-a", "a.", "[]", "a b", "$(x)"],
        );
    }
}
