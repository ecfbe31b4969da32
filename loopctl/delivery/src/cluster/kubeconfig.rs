//! Whose kubeconfig is used, and what it says.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use kube::Config;
use kube::config::{AuthInfo, ExecAuthCluster, Kubeconfig as Content};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{login, proxy};
use crate::access::NoAccess;
use crate::stand_in::{self, StandIn};

pub enum Kubeconfig {
    /// Wherever kubectl would look for it too, or the account of the pod that this runs in.
    Own,
    OfTheLoop(PathBuf),
}

/// What somebody has set up is never passed over, even where it is broken; a loop is only looked for where there is none.
pub fn of_whoever_asks() -> Result<Kubeconfig> {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let in_home = env::home_dir().is_some_and(|home| home.join(".kube/config").exists());
    if is_set("KUBECONFIG") || in_home || is_set("KUBERNETES_SERVICE_HOST") {
        return Ok(Kubeconfig::Own);
    }
    let refused = |what: String| anyhow!(NoAccess(what));
    let the_loop =
        StandIn::of_this_machine().map_err(|error| refused(format!("no kubeconfig is set up, and {error:#}")))?;
    if let Some(the_loop) = the_loop {
        return Ok(Kubeconfig::OfTheLoop(the_loop.kubeconfig));
    }
    Err(refused(
        "no kubeconfig is set up, and no loop is up on this machine: `export KUBECONFIG=FILE` names a cluster of yours, \
         `cargo loopctl up` starts the loop"
            .to_owned(),
    ))
}

/// The file itself, where it is a single one that somebody has named or the loop's: for programs other than kubectl.
pub fn file() -> Option<PathBuf> {
    match of_whoever_asks().ok()? {
        Kubeconfig::OfTheLoop(path) => Some(path),
        Kubeconfig::Own => {
            let named: Vec<PathBuf> = env::split_paths(&env::var_os("KUBECONFIG")?).filter(|it| it.is_file()).collect();
            <[PathBuf; 1]>::try_from(named).ok().map(|[path]| path)
        }
    }
}

/// Runs the user's login program, if there is one: not for the thread that everything else waits for.
pub fn config(whose: Kubeconfig, context: Option<&str>) -> Result<Config> {
    let content = match whose {
        Kubeconfig::OfTheLoop(path) => Content::read_from(path)?,
        Kubeconfig::Own => match of_files(env::var_os("KUBECONFIG"), env::home_dir()) {
            // The account of the pod that this runs in.
            Err(_) if context.is_none() && env::var_os("KUBERNETES_SERVICE_HOST").is_some() => {
                return proxied(Config::incluster()?, None);
            }
            content => content?,
        },
    };
    of_content(content, context)
}

/// Those of several files that are there, the first word on each name counting, as kubectl has it.
fn of_files(named: Option<OsString>, home: Option<PathBuf>) -> Result<Content> {
    let named = named.unwrap_or_default();
    let mut paths: Vec<PathBuf> = env::split_paths(&named).filter(|path| !path.as_os_str().is_empty()).collect();
    if paths.is_empty() {
        paths.extend(home.map(|home| home.join(".kube/config")));
    }
    let there: Vec<&PathBuf> = paths.iter().filter(|path| path.exists()).collect();
    if there.is_empty() {
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        bail!("there is no file {}", names.join(", nor "));
    }
    let read = |path: &Path| -> Result<Content> {
        let mut content = Content::read_from(path).with_context(|| format!("cannot read {}", path.display()))?;
        content.current_context = content.current_context.filter(|name| !name.is_empty());
        Ok(content)
    };
    let mut merged = Content::default();
    for path in there {
        merged = merged.merge(read(path)?)?;
    }
    Ok(merged)
}

fn of_content(content: Content, context: Option<&str>) -> Result<Config> {
    let named: Vec<&str> = content.contexts.iter().map(|context| context.name.as_str()).collect();
    let wanted = context.or(content.current_context.as_deref());
    let wanted = wanted.with_context(|| format!("no context is the current one; there are: {}", named.join(", ")))?;
    let context = content.contexts.iter().find(|context| context.name == wanted);
    let context = context.and_then(|context| context.context.clone());
    let context = context.with_context(|| format!("there is no context {wanted}; there are: {}", named.join(", ")))?;
    let cluster = content.clusters.into_iter().find(|cluster| cluster.name == context.cluster);
    let cluster = cluster.and_then(|cluster| cluster.cluster);
    let cluster = cluster.with_context(|| format!("context {wanted}: there is no cluster {}", context.cluster))?;
    let server = cluster.server.clone().with_context(|| format!("cluster {} has no server", context.cluster))?;
    let user = content.auth_infos.into_iter().find(|user| Some(&user.name) == context.user.as_ref());
    let mut user: AuthInfo = user.and_then(|user| user.auth_info).unwrap_or_default();
    let for_programs = ExecAuthCluster::try_from(&cluster)?;
    let authorities = for_programs.certificate_authority_data.clone();
    if let Some(exec) = user.exec.as_mut().filter(|exec| exec.provide_cluster_info) {
        exec.cluster = Some(for_programs);
    }
    let mut config = Config::new(server.trim().parse().with_context(|| format!("{server} is no address"))?);
    if let Some(text) = authorities {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let read = read.with_context(|| format!("the certificate of cluster {} is not PEM", context.cluster))?;
        config.root_cert = Some(read.iter().map(|certificate| certificate.to_vec()).collect());
    }
    if let Some(namespace) = context.namespace {
        config.default_namespace = namespace;
    }
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name = cluster.tls_server_name;
    config.auth_info = login::prepare(user)?;
    proxied(config, cluster.proxy_url.as_deref())
}

/// The loop of this machine is behind no proxy.
fn proxied(mut config: Config, named: Option<&str>) -> Result<Config> {
    let url = &config.cluster_url;
    let scheme = url.scheme_str().unwrap_or("https");
    let port = url.port_u16().unwrap_or(if scheme == "http" { 80 } else { 443 });
    let server = (scheme, url.host().unwrap_or_default(), port);
    if stand_in::of(&url.to_string()).is_none()
        && let Some(proxy) = proxy::of(named, server, |name| env::var(name).ok())
    {
        config.proxy_url = Some(proxy.parse().with_context(|| format!("the proxy {proxy} is no address"))?);
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn content(name: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: {name}\ncontexts: [{{name: {name}, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: 'https://{name}.example:6443'}}}}]\nusers: [{{name: u, user: {{token: t}}}}]\n"
        )
    }

    #[test]
    fn the_files_that_are_there_count_and_their_first_word_on_each_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["one", "two"] {
            fs::write(at(name), content(name)).expect("it is written");
        }
        fs::write(at("empty"), "").expect("it is written");
        fs::write(at("unset"), "apiVersion: v1\nkind: Config\ncurrent-context: ''\n").expect("it is written");
        fs::write(at("broken"), "contexts: {").expect("it is written");
        let check = |names: &[&str], context: Option<&str>, expected: Result<&str, &str>| {
            let named = env::join_paths(names.iter().map(|name| at(name))).expect("a list");
            let found = of_files(Some(named), None).and_then(|content| of_content(content, context));
            match (found, expected) {
                (Ok(config), Ok(host)) => assert_eq!(config.cluster_url.host(), Some(host), "{names:?}"),
                (Err(error), Err(words)) => assert!(format!("{error:#}").contains(words), "{names:?}: {error:#}"),
                (found, _) => panic!("{names:?}: {:?}", found.map(|config| config.cluster_url)),
            }
        };
        check(&["one"], None, Ok("one.example"));
        check(&["missing", "one"], None, Ok("one.example"));
        check(&["one", "missing"], None, Ok("one.example"));
        check(&["empty", "unset", "two"], None, Ok("two.example"));
        check(&["one", "two"], None, Ok("one.example"));
        check(&["one", "two"], Some("two"), Ok("one.example"));
        check(&["missing", "gone"], None, Err("there is no file"));
        check(&["one", "broken"], None, Err("cannot read"));
        check(&["unset"], None, Err("no context is the current one"));
        check(&["one"], Some("three"), Err("there is no context three; there are: one"));
    }
}
