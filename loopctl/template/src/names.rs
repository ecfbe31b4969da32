//! Who and what a repository is, and what it may be.

use anyhow::{Context, Result};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Who has the repository on GitHub and the image on ghcr.io.
    pub owner: String,
    /// What the repository, the image, the namespace, the Deployment, the program and its settings are called.
    pub name: String,
    /// Where `tofu output` and the documents say that the node is reached.
    pub host: String,
    /// The branch that is delivered.
    pub branch: String,
    pub with_example: bool,
}

/// What tofu/variables.tf takes for the node where nobody names one.
pub const HERE: &str = "127.0.0.1";

/// In the message of the commit that a repository begins with, and of each that brings it a newer template.
const TRAILER: &str = "Template-Names";

impl Names {
    /// Those of a repository with such an Application; where its node is reached stands in no file of the template.
    pub fn of_application(application: &str) -> Result<Self> {
        let value = |key: &str| application.lines().find_map(|line| line.trim().strip_prefix(key)).map(str::trim);
        let repository = value("repoURL:").context("argocd/application.yaml has no repoURL")?;
        let path = repository.trim_end_matches(".git").strip_prefix("https://github.com/");
        let (owner, name) = path.and_then(|path| path.split_once('/')).with_context(|| {
            format!("repoURL of argocd/application.yaml is {repository}, not https://github.com/OWNER/NAME.git")
        })?;
        let branch = value("targetRevision:").context("argocd/application.yaml has no targetRevision")?;
        let [owner, name, host, branch] = [owner, name, HERE, branch].map(str::to_owned);
        Ok(Self { owner, name, host, branch, with_example: true })
    }

    /// Where it is on GitHub.
    pub fn address(&self) -> String {
        format!("https://github.com/{}/{}", self.owner, self.name)
    }

    /// What `of_trailer` reads.
    pub fn trailer(&self) -> String {
        let Self { owner, name, host, branch, with_example } = self;
        format!("{TRAILER}: owner={owner} name={name} host={host} branch={branch} example={with_example}")
    }

    /// None where the message has none.
    pub fn of_trailer(message: &str) -> Option<Self> {
        let line = message.lines().rev().find_map(|line| line.strip_prefix(TRAILER)?.strip_prefix(": "))?;
        let value = |key: &str| {
            let found = line.split(' ').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
            found.map(str::to_owned)
        };
        Some(Self {
            owner: value("owner")?,
            name: value("name")?,
            host: value("host")?,
            branch: value("branch")?,
            with_example: value("example")? == "true",
        })
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

/// Words that Rust, Cargo, Kubernetes or the service's own modules keep for themselves.
const KEPT: [&str; 34] = [
    "abstract",
    "alloc",
    "argocd",
    "async",
    "await",
    "become",
    "build",
    "const",
    "core",
    "crate",
    "default",
    "deps",
    "enum",
    "examples",
    "final",
    "fn",
    "gen",
    "macro",
    "main",
    "mod",
    "override",
    "priv",
    "proc-macro",
    "release",
    "routes",
    "self",
    "server",
    "std",
    "super",
    "test",
    "tests",
    "try",
    "typeof",
    "yield",
];

/// One word has to do as an image's name, a namespace, a program's name and, with '_', a Rust identifier.
pub fn name(text: &str) -> Checked {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let good = (2..=40).contains(&text.len())
        && text.bytes().all(letters)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--");
    let better = better(text);
    if !good {
        let rule = "must be 2 to 40 of a-z, 0-9 and single '-' in between, starting with a letter";
        return Err(format!("{rule}, so that it can be a crate, an image and a namespace: {better} can"));
    }
    if is_kept(text) {
        return Err(format!("is a word that Rust, Kubernetes or the service keeps for itself; {better} is free"));
    }
    Ok(text.to_owned())
}

fn is_kept(text: &str) -> bool {
    KEPT.contains(&text) || text.starts_with("kube-") || text.starts_with("argo-rust")
}

/// The name that is nearest and good.
fn better(text: &str) -> String {
    let mut name = String::new();
    for letter in text.trim().chars() {
        match letter.to_ascii_lowercase() {
            letter if letter.is_ascii_alphanumeric() => name.push(letter),
            _ if name.is_empty() || name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    let begin = name.find(|letter: char| letter.is_ascii_lowercase()).unwrap_or(name.len());
    let mut name: String = name[begin..].chars().take(32).collect();
    name = name.trim_end_matches('-').to_owned();
    match name.len() {
        0 => "my-service".to_owned(),
        1 => format!("{name}-service"),
        _ if is_kept(&name) => format!("my-{name}"),
        _ => name,
    }
}

/// As tofu/variables.tf accepts it.
pub fn host(text: &str) -> Checked {
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

/// A narrow part of what git allows: the name stands in YAML, in a shell script and in a trailer.
pub fn branch(text: &str) -> Checked {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/.".contains(&byte);
    let edges =
        |text: &str| text.starts_with(|first: char| first.is_ascii_alphanumeric()) && !text.ends_with(['/', '.']);
    let good = text.bytes().all(letters)
        && edges(text)
        && text != "HEAD"
        && !["..", "//", "/.", ".lock"].iter().any(|part| text.contains(part));
    if good {
        Ok(text.to_owned())
    } else {
        Err("must be a branch of letters, digits, '-', '_', '.' and '/', such as main".into())
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
            &["a", "2a", "a-", "a--b", "A", "a_b", "a.b", "macro", "kube-x", "server", &"a".repeat(41)],
        );
        check(
            host,
            &["node.example", "10.0.0.5", "127.0.0.1", "localhost", "[2001:db8::1]", "a"],
            &["", "http://a", "a:80", "2001:db8::1", "-a", "a.", "[]", "a b", "$(x)"],
        );
        check(branch, &["main", "release/1.0", "a_b"], &["", "HEAD", "a b", "-a", "a..b", "/a", "a/", "a;b", "a.lock"]);
    }

    #[test]
    fn a_name_that_is_refused_comes_with_one_that_is_good() {
        for (text, better) in [
            ("My_App", "my-app"),
            ("2fast", "fast"),
            ("a", "a-service"),
            ("", "my-service"),
            ("macro", "my-macro"),
            ("Zahlungen & mehr", "zahlungen-mehr"),
            (&"long-".repeat(20), "long-long-long-long-long-long-lo"),
        ] {
            let error = name(text).expect_err("it is refused");
            assert!(error.contains(better), "{text}: {error}");
            assert_eq!(name(better), Ok(better.to_owned()));
        }
    }

    #[test]
    fn names_are_read_from_the_files_that_have_them_and_from_the_trailer() {
        let application = "  source:\n    repoURL: https://github.com/acme/shop.git\n    targetRevision: main\n";
        let found = Names::of_application(application).expect("all are there");
        let [owner, name, host, branch] = ["acme", "shop", HERE, "main"].map(str::to_owned);
        let expected = Names { owner, name, host, branch, with_example: true };
        assert_eq!(found, expected);
        let message = format!("Subject\n\n{}\n", expected.trailer());
        assert_eq!(Names::of_trailer(&message), Some(expected));
        assert_eq!(Names::of_trailer("Subject\n"), None);
        Names::of_application(&application.replace("github.com", "host")).expect_err("another host");
    }
}
