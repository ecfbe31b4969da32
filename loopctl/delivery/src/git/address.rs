//! One repository has many addresses: by which protocol, which name of the host, which user, and with which ending.

use std::path::Path;

#[derive(Clone, Debug)]
pub struct Address {
    scheme: String,
    /// Empty for a folder of this machine.
    pub host: String,
    port: Option<u16>,
    path: String,
}

/// Hosts that answer SSH under another name.
const OF_SSH: [(&str, &str); 4] = [
    ("ssh.github.com", "github.com"),
    ("altssh.gitlab.com", "gitlab.com"),
    ("altssh.bitbucket.org", "bitbucket.org"),
    ("ssh.dev.azure.com", "dev.azure.com"),
];

impl Address {
    /// `folder` is where a relative path begins.
    pub fn of(text: &str, folder: &Path) -> Self {
        if let Some((scheme, rest)) = text.split_once("://") {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            return if scheme.eq_ignore_ascii_case("file") {
                Self::local(path, folder)
            } else {
                Self::at(scheme, authority, path)
            };
        }
        // A single letter before the colon is a drive.
        match text.split_once(':') {
            Some((authority, path)) if authority.len() > 1 && !authority.contains('/') => {
                Self::at("ssh", authority, path)
            }
            _ => Self::local(text, folder),
        }
    }

    fn local(path: &str, folder: &Path) -> Self {
        let whole = folder.join(path);
        let whole = whole.canonicalize().unwrap_or(whole);
        let path = whole.to_string_lossy().trim_end_matches('/').to_owned();
        Self { scheme: "file".into(), host: String::new(), port: None, path }
    }

    fn at(scheme: &str, authority: &str, path: &str) -> Self {
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = match host.rsplit_once(':') {
            Some((name, digits)) if !name.contains(':') || name.ends_with(']') => (name, digits.parse().ok()),
            _ => (host, None),
        };
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_lowercase();
        let host = OF_SSH.iter().find(|(other, _)| *other == host).map_or(host, |(_, usual)| (*usual).to_owned());
        let path = path.trim_matches('/').trim_end_matches(".git").trim_end_matches('/').to_lowercase();
        // What Bitbucket and Azure put into one of the two.
        let path = path.trim_start_matches("scm/").trim_start_matches("v3/").replacen("/_git/", "/", 1);
        Self { scheme: scheme.to_lowercase(), host, port, path }
    }

    pub fn is_by_ssh(&self) -> bool {
        self.scheme.contains("ssh")
    }

    /// An alias of the person's own, which only ssh can tell.
    pub fn with_host(&self, host: &str) -> Self {
        Self::at(&self.scheme, host, &self.path)
    }

    pub fn has_path_of(&self, other: &Self) -> bool {
        self.path == other.path
    }

    pub fn is_same(&self, other: &Self) -> bool {
        let by_http = |address: &Self| address.scheme.starts_with("http");
        let other_server =
            by_http(self) && by_http(other) && self.port.is_some() && other.port.is_some() && self.port != other.port;
        self.host == other.host && self.path == other.path && !other_server
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_several_addresses() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("owner/name.git")).expect("a folder");
        let check = |one: &str, other: &str, same: bool| {
            let (one_, other_) = (Address::of(one, folder.path()), Address::of(other, folder.path()));
            assert_eq!(one_.is_same(&other_), same, "{one} {other}");
        };
        let https = "https://github.com/owner/name.git";
        for same in [
            "git@github.com:owner/name.git",
            "github.com:owner/name",
            "git@github.com:/owner/name.git",
            "https://github.com/Owner/name",
            "https://GitHub.com/owner/name/",
            "https://user:token@github.com/owner/name.git",
            "ssh://git@github.com:22/owner/name.git",
            "ssh://git@ssh.github.com:443/owner/name.git",
            "git+ssh://git@github.com/owner/name",
            "git://github.com/owner/name.git",
        ] {
            check(same, https, true);
        }
        for other in [
            "https://gitlab.com/owner/name.git",
            "https://github.com/fork/name.git",
            "https://github.com/owner/name2",
            "git@work:owner/name.git",
            "/srv/owner/name.git",
        ] {
            check(other, https, false);
        }
        check("https://gitlab.com/a/group/name", "git@gitlab.com:b/group/name.git", false);
        check("https://gitlab.com/a/group/name", "git@gitlab.com:a/group/name.git", true);
        check("http://10.0.0.1:3000/a/b.git", "http://10.0.0.1:4000/a/b.git", false);
        check("http://[::1]:3000/a/b.git", "http://[::1]:3000/a/b", true);
        check("https://host.example/scm/a/b.git", "ssh://git@host.example:7999/a/b.git", true);
        let path = folder.path().join("owner/name.git");
        check("owner/name.git", &path.display().to_string(), true);
        check(&format!("file://{}", path.display()), &format!("{}/", path.display()), true);
        check("owner/name.git", "/elsewhere/owner/name.git", false);
    }
}
