//! Asks the cluster, the registry and GitHub for the facts, all at once. Nothing here writes.

use anyhow::{Context, Result, anyhow};
use futures_util::join;
use jiff::Timestamp;
use serde_json::Value;

use super::account::FILE;
use super::facts::{Fact, Facts, Outcome, Plan, Pull, Secret, Standing, Token};
use crate::cluster::Cluster;
use crate::cluster::objects::{
    ACCOUNT, CONFIG_MAP, DEPLOYMENT, ENDPOINTS, NAMESPACE, NODE, PROJECT, QUOTA, SERVICE, STATEFUL_SET,
};
use crate::coordinates::Coordinates;
use crate::git::Git;
use crate::registry::pull::{Pulled, password, registries};
use crate::registry::token;
use crate::registry::{Registry, host_of};
use crate::stand_in::{self, StandIn};
use crate::tfvars::{Service, Tfvars};

/// By which the parts of an Argo CD installation are known.
const ARGO_CD: &str = "app.kubernetes.io/part-of=argocd";

pub async fn facts(names: Coordinates, cluster: &Cluster, plan: Fact<Plan>, hold: Fact<Standing>) -> Facts {
    let (own, argo) = (Some(names.namespace.as_str()), Some(names.application_namespace.as_str()));
    let secret = names.pull_secrets.first().cloned();
    let stand_in = stand_in::of(&cluster.server);
    let (deployment, service, namespace, application, project, settings, services, argocd, about, secrets) = join!(
        cluster.object(DEPLOYMENT, own, &names.deployment),
        cluster.object(SERVICE, own, &names.service),
        cluster.object(NAMESPACE, None, &names.namespace),
        cluster.application_object(&names.application_namespace, &names.application),
        cluster.object(PROJECT, argo, &names.project),
        cluster.object(CONFIG_MAP, argo, "argocd-cm"),
        cluster.objects(SERVICE, None, ""),
        parts(cluster, &names.application_namespace),
        async { join!(cluster.version(), cluster.served()) },
        pull_secret(&names, cluster, secret.as_deref(), stand_in.as_ref()),
    );
    let (secret, pull, token) = secrets;
    let of_service = format!("kubernetes.io/service-name={}", names.service);
    let (nodes, quotas, slices, account) = join!(
        cluster.objects(NODE, None, ""),
        cluster.objects(QUOTA, own, ""),
        cluster.objects(ENDPOINTS, own, &of_service),
        account(&names, cluster),
    );
    let argocd_images = argocd.as_ref().map(|parts| Some(images(parts))).map_err(|error| anyhow!("{error:#}"));
    Facts {
        deployment: deployment.into(),
        service: service.into(),
        namespace: namespace.into(),
        application: application.into(),
        project: project.into(),
        settings: settings.map(|found| found.map(|mut settings| settings["data"].take())).into(),
        services: services.map(Some).into(),
        declared: declared(&names).into(),
        argocd: argocd_images.into(),
        parts: argocd.map(Some).into(),
        nodes: nodes.map(Some).into(),
        quotas: quotas.map(Some).into(),
        slices: slices.map(Some).into(),
        account: account.into(),
        hold,
        template: template(&names).into(),
        kubernetes: about.0.map(Some).into(),
        served: about.1.map(Some).into(),
        secret,
        pull,
        token,
        plan,
        names,
    }
}

async fn parts(cluster: &Cluster, namespace: &str) -> Result<Vec<Value>> {
    let mut parts = Vec::new();
    for kind in [DEPLOYMENT, STATEFUL_SET] {
        let objects = cluster.objects(kind, Some(namespace), ARGO_CD).await?;
        parts.extend(objects.into_iter().map(|mut object| {
            // A list says it once for all of its items.
            object["kind"] = kind.2.into();
            object
        }));
    }
    Ok(parts)
}

/// Name and image of each part that is Argo CD itself, and not its database.
fn images(parts: &[Value]) -> Vec<(String, String)> {
    let image = |part: &Value| -> Vec<(String, String)> {
        let name = part["metadata"]["name"].as_str().unwrap_or_default();
        let containers = part["spec"]["template"]["spec"]["containers"].as_array().into_iter().flatten();
        let images = containers.filter_map(|container| container["image"].as_str());
        images.filter(|image| image.contains("/argocd")).map(|image| (name.to_owned(), image.to_owned())).collect()
    };
    parts.iter().flat_map(image).collect()
}

/// A clone without that file has no account of its own.
async fn account(names: &Coordinates, cluster: &Cluster) -> Result<Option<Vec<(String, bool)>>> {
    let Ok(text) = std::fs::read_to_string(names.folder.join(FILE)) else { return Ok(None) };
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(&text).with_context(|| format!("{FILE} is not valid YAML"))?;
    let mut found = Vec::new();
    for document in documents {
        let (kind, metadata) = (&document["kind"], &document["metadata"]);
        let Some(kind) = ACCOUNT.into_iter().find(|each| kind == each.2) else { continue };
        let (name, namespace) = (metadata["name"].as_str().unwrap_or_default(), metadata["namespace"].as_str());
        let is_there = cluster.object(kind, namespace, name).await?.is_some();
        found.push((format!("{} {name}", kind.2), is_there));
    }
    Ok(Some(found))
}

fn template(names: &Coordinates) -> Result<Option<String>> {
    Ok(Git::in_folder(&names.folder).rendered()?.map(|rendered| rendered.version))
}

/// A clone without OpenTofu's part declares none.
fn declared(names: &Coordinates) -> Result<Option<Vec<(String, u64)>>> {
    if !names.folder.join("tofu/terraform.tfvars").is_file() {
        return Ok(None);
    }
    let services = Tfvars::read(&names.folder)?;
    let port =
        |(name, service): &(String, Service)| (format!("{}/{name}", service.namespace), u64::from(service.node_port));
    Ok(Some(services.complete()?.iter().map(port).collect()))
}

type Credentials = (Fact<Secret>, Fact<Pull>, Fact<Token>);

async fn pull_secret(
    names: &Coordinates,
    cluster: &Cluster,
    name: Option<&str>,
    stand_in: Option<&StandIn>,
) -> Credentials {
    let looked = match name {
        Some(name) => cluster.docker_secret(&names.namespace, name).await,
        None => Ok(None),
    };
    let config = looked.as_ref().ok().and_then(|found| found.as_ref()?.1.clone());
    let secret: Fact<Secret> = looked
        .map(|found| found.map(|(kind, config)| Secret { kind, registries: config.as_deref().and_then(registries) }))
        .into();
    let pull = pull(names, cluster, config.as_deref(), stand_in).await.map(Some).into();
    (secret, pull, told(names, config.as_deref(), stand_in).await)
}

/// What the pods run by its digest, or else the image that the Deployment names.
async fn pull(
    names: &Coordinates,
    cluster: &Cluster,
    config: Option<&str>,
    stand_in: Option<&StandIn>,
) -> Result<Pull> {
    let pods = cluster.pods(&names.namespace, &names.selector, &names.container).await?;
    let running = pods.iter().rev().find_map(|pod| Some(pod.image_id.split_once('@')?.1.to_owned()));
    let live = cluster.object(DEPLOYMENT, Some(&names.namespace), &names.deployment).await?.unwrap_or_default();
    let image = image_of(&live, &names.container).unwrap_or_else(|| names.image_of(&names.tag));
    let (name, tag) = crate::coordinates::place_of(&image);
    let place = running.unwrap_or(tag);
    let with_secret = match config {
        Some(_) => outcome(Registry::as_kubelet(&name, config, stand_in), &place).await,
        None => Outcome::Unknown("there is no secret to pull with".into()),
    };
    let anonymous = outcome(Registry::as_kubelet(&name, None, stand_in), &place).await;
    let separator = if place.contains(':') { '@' } else { ':' };
    Ok(Pull { image: format!("{name}{separator}{place}"), with_secret, anonymous })
}

fn image_of(deployment: &Value, container: &str) -> Option<String> {
    let containers = deployment["spec"]["template"]["spec"]["containers"].as_array()?;
    let found = containers.iter().find(|each| each["name"] == container)?;
    found["image"].as_str().map(str::to_owned)
}

async fn outcome(registry: Result<Registry>, place: &str) -> Outcome {
    let pulled = match registry {
        Ok(registry) => registry.pull(place).await,
        Err(error) => Err(error),
    };
    match pulled {
        Ok(Pulled::Yes) => Outcome::Pulled,
        Ok(Pulled::Gone) => Outcome::Gone,
        Ok(Pulled::Refused(why)) => Outcome::Refused(why),
        Err(error) => Outcome::Unknown(format!("{error:#}")),
    }
}

/// Only GitHub tells, and only about its own tokens: to the loop on one machine it has given none.
async fn told(names: &Coordinates, config: Option<&str>, stand_in: Option<&StandIn>) -> Fact<Token> {
    let host = host_of(&names.image).unwrap_or_default();
    let Some(password) = config.and_then(|config| password(config, &names.image)) else { return Fact::Missing };
    if host != token::HOST || stand_in.is_some() {
        return Fact::Missing;
    }
    match token::ask(&password).await {
        Ok(told) => {
            let days = told.expires.map(|expires| (expires.as_second() - Timestamp::now().as_second()) / 86_400);
            Fact::Found(Token { scopes: told.scopes, days })
        }
        Err(error) => Fact::Unseen(format!("{error:#}")),
    }
}
