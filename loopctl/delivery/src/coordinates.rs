//! Who is who in this delivery: every name is read from the checkout's own manifests, so that a clone
//! under another owner needs no other loopctl.

mod files;
mod yaml;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

pub use files::{Files, SERVICES};
use yaml::Manifest;

pub const DEPLOYMENT: &str = "k8s/deployment.yaml";
pub const SERVICE: &str = "k8s/service.yaml";
pub const APPLICATION: &str = "argocd/application.yaml";

/// What the bump goes by; it names the annotation of the Deployment in git that stops all bumps.
const SCRIPT: &str = ".github/scripts/manifest.bash";

/// The branch that is meant where none is named; which one that is, the remote says.
pub const DEFAULT_BRANCH: &str = "HEAD";

/// The revision that a manifest names before its first image is built.
pub const NEVER_BUILT: &str = "0000000";

/// What an image is made of; the same list as IMAGE_INPUTS in .github/scripts/manifest.bash.
pub const IMAGE_INPUTS: [&str; 5] = ["Dockerfile", ".dockerignore", "Cargo.toml", "Cargo.lock", "src"];

#[derive(Clone, Debug, Default)]
pub struct Coordinates {
    /// The root of the checkout.
    pub folder: PathBuf,
    /// Which of its services this is about.
    pub files: Files,
    /// `owner/name` of the repository that Argo CD watches.
    pub slug: String,
    pub repository: String,
    pub branch: String,
    pub application: String,
    pub application_namespace: String,
    pub project: String,
    pub namespace: String,
    pub deployment: String,
    pub container: String,
    /// `key=value,…` by which the Deployment finds its pods.
    pub selector: String,
    /// Without its tag.
    pub image: String,
    /// The tag that this checkout's manifest names, or the digest where it names no tag; the branch may name another one
    /// by now.
    pub tag: String,
    pub service: String,
    /// The birth value; the live Service may have another one.
    pub node_port: Option<u16>,
    pub pull_secrets: Vec<String>,
    /// The annotation that stops all bumps.
    pub hold: String,
    /// What the delivery asks of the service; None where the manifest's readiness is probed in another way than by HTTP.
    pub probe: Option<Probe>,
}

/// The path and the port of the readiness probe: the delivery's contract, in ARCHITECTURE.md.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    pub path: String,
    pub port: u16,
}

impl Coordinates {
    /// Of the own service of the checkout that the current folder is in.
    pub fn find() -> Result<Self> {
        Self::read(&checkout()?)
    }

    /// Of one that is built in the same repository, by its name.
    pub fn find_service(name: &str) -> Result<Self> {
        let folder = checkout()?;
        let own = Self::read(&folder)?;
        let files = Files::of(name);
        if own.deployment == name {
            return Ok(own);
        }
        let dockerfile = format!("{}/Dockerfile", files.sources());
        if !folder.join(&dockerfile).is_file() {
            bail!(
                "{name} is not built in this repository: there is no {dockerfile}; `cargo loopctl service list` lists them all"
            );
        }
        Self::read_service(&folder, files)
    }

    pub fn read(folder: &Path) -> Result<Self> {
        Self::read_service(folder, Files::default())
    }

    pub fn read_service(folder: &Path, files: Files) -> Result<Self> {
        let deployment = Manifest::read(folder, files.deployment(), "Deployment")?;
        let service = Manifest::read(folder, files.service(), "Service")?;
        let application = Manifest::read(folder, files.application(), "Application")?;
        let source = application.source(&files.manifests());
        let repository = application.text(&format!("{source}/repoURL"))?;
        let container = deployment.container()?;
        let (image, tag) = place_of(&deployment.text(&format!("{container}/image"))?);
        Ok(Self {
            folder: folder.to_owned(),
            slug: slug(&repository).with_context(|| format!("repoURL of {}", files.application()))?,
            files,
            branch: branch_of(application.value(&format!("{source}/targetRevision")).and_then(Value::as_str)),
            application: application.text("/metadata/name")?,
            application_namespace: application.text("/metadata/namespace").unwrap_or_else(|_| "argocd".to_owned()),
            project: application.text("/spec/project").unwrap_or_else(|_| "default".to_owned()),
            // Where the manifest names none, Argo CD puts it there.
            namespace: deployment
                .text("/metadata/namespace")
                .or_else(|error| application.text("/spec/destination/namespace").map_err(|_| error))?,
            deployment: deployment.text("/metadata/name")?,
            container: deployment.text(&format!("{container}/name"))?,
            selector: deployment.labels("/spec/selector/matchLabels"),
            service: service.text("/metadata/name")?,
            node_port: service
                .value("/spec/ports/0/nodePort")
                .and_then(Value::as_u64)
                .and_then(|port| port.try_into().ok()),
            pull_secrets: deployment.names("/spec/template/spec/imagePullSecrets"),
            hold: hold_in(folder).unwrap_or(format!("delivery.{}/hold", deployment.text("/metadata/name")?)),
            probe: deployment.probe(&container),
            repository,
            image,
            tag,
        })
    }

    /// The other services that are built in the same repository.
    pub fn services_beside(&self) -> Result<Vec<String>> {
        let folder = self.folder.join(SERVICES);
        let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry.context("cannot list the services")?.file_name().to_string_lossy().into_owned();
            let files = Files::of(&name);
            let has = |file: String| self.folder.join(file).is_file();
            if has(format!("{}/Dockerfile", files.sources())) && has(files.deployment()) && has(files.application()) {
                found.push(name);
            }
        }
        found.sort();
        Ok(found)
    }

    /// By its tag or its digest.
    pub fn image_of(&self, place: &str) -> String {
        let separator = if place.contains(':') { '@' } else { ':' };
        format!("{}{separator}{place}", self.image)
    }
}

fn checkout() -> Result<PathBuf> {
    let here = std::env::current_dir().context("cannot tell the current folder")?;
    let folder = here.ancestors().find(|folder| folder.join(APPLICATION).is_file());
    folder.map(Path::to_owned).with_context(|| {
        format!("{} is in no checkout with an {APPLICATION}: change into your clone first", here.display())
    })
}

/// `sha-` and the commit's first seven digits.
pub fn tag_of(commit: &str) -> String {
    format!("sha-{}", short(commit))
}

pub fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// A registry may have a port, so only a colon behind the last slash begins a tag.
pub fn split_image(image: &str) -> Result<(String, String)> {
    let name = image.split('@').next().unwrap_or(image);
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => Ok((name.to_owned(), tag.to_owned())),
        _ => bail!("the image {image} has no tag"),
    }
}

/// The name, and the tag or else the digest by which it is pulled.
pub fn place_of(image: &str) -> (String, String) {
    split_image(image).unwrap_or_else(|_| match image.split_once('@') {
        Some((name, digest)) => (name.to_owned(), digest.to_owned()),
        None => (image.to_owned(), "latest".to_owned()),
    })
}

/// None in a repository that is bumped by other means.
fn hold_in(folder: &Path) -> Option<String> {
    let script = std::fs::read_to_string(folder.join(SCRIPT)).ok()?;
    script.lines().find_map(|line| line.strip_prefix("readonly HOLD=")).map(str::to_owned)
}

/// What Argo CD takes a targetRevision for, as long as it is a branch.
fn branch_of(revision: Option<&str>) -> String {
    let named = revision.map(str::trim).filter(|revision| !revision.is_empty()).unwrap_or(DEFAULT_BRANCH);
    named.strip_prefix("refs/heads/").unwrap_or(named).to_owned()
}

/// Without the digest that may stand behind the tag.
pub fn tagged(image: &str) -> String {
    image.split('@').next().unwrap_or(image).to_owned()
}

/// `owner/name`, from an address in any of git's ways of writing one.
pub fn slug(repository: &str) -> Result<String> {
    let path = repository.trim_end_matches('/').trim_end_matches(".git");
    let mut words = path.rsplit(['/', ':']).filter(|word| !word.is_empty());
    match (words.next(), words.next()) {
        (Some(name), Some(owner)) => Ok(format!("{owner}/{name}")),
        _ => bail!("{repository} does not end in OWNER/NAME"),
    }
}

/// The document that says to be of that kind, or else the one that says nothing about it.
pub fn of_kind(documents: &[Value], kind: &str) -> Option<usize> {
    let says = documents.iter().position(|document| document["kind"] == kind);
    says.or_else(|| documents.iter().position(|document| document.is_object() && document["kind"].is_null()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coordinates_are_those_of_this_checkouts_manifests() {
        let folder = &Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let found = Coordinates::read(folder).expect("the checkout's manifests are whole");
        assert_eq!(found.image.rsplit('/').next(), found.slug.rsplit('/').next());
        assert_eq!(found.selector, format!("app.kubernetes.io/name={}", found.deployment));
        assert_eq!(found.hold, format!("delivery.{}/hold", found.deployment));
        assert!(found.node_port.is_some() && !found.pull_secrets.is_empty(), "{found:?}");
    }

    #[test]
    fn the_probe_is_read_with_its_port_by_number_or_by_name() {
        let check = |probe: &str, expected: Option<(&str, u16)>| {
            let text = format!(
                "spec: {{template: {{spec: {{containers: [{{ports: [{{name: http, containerPort: 81}}], {probe}}}]}}}}}}"
            );
            let value = serde_saphyr::from_str(&text).expect("the case is YAML");
            let found = Manifest { file: DEPLOYMENT.to_owned(), value }.probe("/spec/template/spec/containers/0");
            assert_eq!(found, expected.map(|(path, port)| Probe { path: path.to_owned(), port }), "{probe}");
        };
        check("readinessProbe: {httpGet: {path: /live, port: 80}}", Some(("/live", 80)));
        check("readinessProbe: {httpGet: {port: http}}", Some(("/", 81)));
        check("readinessProbe: {httpGet: {path: /, port: other}}", None);
        check("readinessProbe: {tcpSocket: {port: 80}}", None);
        check("livenessProbe: {httpGet: {path: /live, port: 80}}", None);
    }

    #[test]
    fn owner_and_name_are_the_last_two_words_of_any_address() {
        for address in [
            "https://github.com/owner/name.git",
            "git@github.com:owner/name.git",
            "ssh://git@host:22/owner/name/",
            "http://10.0.0.1:3000/owner/name",
        ] {
            assert_eq!(slug(address).expect(address), "owner/name", "{address}");
        }
    }

    #[test]
    fn a_port_of_a_registry_is_no_tag() {
        let check = |image: &str, expected: Option<(&str, &str)>| {
            let found = split_image(image).ok();
            let found = found.as_ref().map(|(name, tag)| (name.as_str(), tag.as_str()));
            assert_eq!(found, expected, "{image}");
        };
        check("ghcr.io/a/b:sha-1234567", Some(("ghcr.io/a/b", "sha-1234567")));
        check("localhost:5000/b:v1@sha256:00", Some(("localhost:5000/b", "v1")));
        check("localhost:5000/b", None);
    }

    /// A checkout whose Deployment has that image, and whose Application has that spec.
    fn read(image: &str, spec: &str) -> Coordinates {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |file: &str, text: String| {
            std::fs::create_dir_all(folder.path().join(file).parent().expect("a folder")).expect("a folder");
            std::fs::write(folder.path().join(file), text).expect("it is written");
        };
        let containers = format!(
            "[{{name: side, image: other, readinessProbe: {{httpGet: {{port: 1}}}}}}, \
             {{name: name, image: '{image}', readinessProbe: {{httpGet: {{port: 2}}}}}}]"
        );
        let pods = format!("selector: {{matchLabels: {{a: b}}}}, template: {{spec: {{containers: {containers}}}}}");
        write(DEPLOYMENT, format!("kind: Deployment\nmetadata: {{name: name, namespace: space}}\nspec: {{{pods}}}"));
        write(SERVICE, "kind: Service\nmetadata: {name: name}".to_owned());
        write(APPLICATION, format!("kind: Application\nmetadata: {{name: app}}\nspec: {{{spec}}}"));
        Coordinates::read(folder.path()).expect(spec)
    }

    #[test]
    fn an_image_without_a_tag_stops_nothing() {
        let check = |image: &str, expected: (&str, &str, &str)| {
            let found = read(image, "source: {repoURL: a/b/c}");
            let pulled = found.image_of(&found.tag);
            assert_eq!((found.image.as_str(), found.tag.as_str(), pulled.as_str()), expected, "{image}");
            assert_eq!(found.probe.map(|probe| probe.port), Some(2), "{image}");
        };
        check("ghcr.io/a/b:sha-1234567", ("ghcr.io/a/b", "sha-1234567", "ghcr.io/a/b:sha-1234567"));
        check("ghcr.io/a/b:sha-1234567@sha256:0", ("ghcr.io/a/b", "sha-1234567", "ghcr.io/a/b:sha-1234567"));
        check("ghcr.io/a/b@sha256:0", ("ghcr.io/a/b", "sha256:0", "ghcr.io/a/b@sha256:0"));
        check("localhost:5000/b@sha256:0", ("localhost:5000/b", "sha256:0", "localhost:5000/b@sha256:0"));
        check("ghcr.io/a/b", ("ghcr.io/a/b", "latest", "ghcr.io/a/b:latest"));
        check("localhost:5000/b", ("localhost:5000/b", "latest", "localhost:5000/b:latest"));
    }

    #[test]
    fn the_branch_is_the_one_that_argo_cd_means() {
        let check = |spec: &str, branch: &str| {
            let found = read("a/b:c", spec);
            assert_eq!((found.branch.as_str(), found.slug.as_str()), (branch, "owner/name"), "{spec}");
        };
        let source = |rest: &str| format!("source: {{repoURL: 'https://host/owner/name'{rest}}}");
        check(&source(", targetRevision: master"), "master");
        check(&source(", targetRevision: refs/heads/a/b"), "a/b");
        check(&source(", targetRevision: HEAD"), DEFAULT_BRANCH);
        check(&source(", targetRevision: ''"), DEFAULT_BRANCH);
        check(&source(""), DEFAULT_BRANCH);
        let several = "sources: [{repoURL: 'https://host/x/charts', chart: c, targetRevision: 1.2.3}, \
                       {repoURL: 'https://host/owner/name', path: ./k8s/, targetRevision: main}]";
        check(several, "main");
        check("sources: [{repoURL: 'https://host/owner/name', path: other}]", DEFAULT_BRANCH);
    }
}
