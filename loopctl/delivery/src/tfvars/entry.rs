//! One entry of the map `services`: what `tofu/variables.tf` declares.

use anyhow::{Context, Result, bail};
use hcl_edit::expr::Expression;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub namespace: String,
    pub replicas: u32,
    /// What the Deployment is born with where no manifest in git says it.
    pub image: String,
    pub port: u16,
    pub node_port: u16,
    pub probes: Probes,
    pub resources: Resources,
    /// Empty for a public image.
    pub image_pull_secret: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probes {
    pub path: String,
    pub liveness_initial_delay: u32,
    pub liveness_period: u32,
    pub readiness_initial_delay: u32,
    pub readiness_period: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    pub requests: Amounts,
    pub limits: Amounts,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    pub cpu: String,
    pub memory: String,
}

pub fn read(expression: &Expression) -> Result<Service> {
    Ok(serde_json::from_value(plain(expression)?)?)
}

/// A .tfvars file holds values and nothing that has to be computed.
fn plain(expression: &Expression) -> Result<Value> {
    Ok(match expression {
        Expression::Null(_) => Value::Null,
        Expression::Bool(value) => Value::Bool(*value.value()),
        Expression::String(value) => Value::String(value.as_str().to_owned()),
        Expression::Number(value) => match (value.value().as_u64(), value.value().as_f64()) {
            (Some(number), _) => number.into(),
            (None, number) => number.into(),
        },
        Expression::Object(object) => {
            let mut fields = Map::new();
            for (key, value) in object.iter() {
                let key = super::key_text(key).context("a field's name is not a plain one")?;
                let value = plain(value.expr()).with_context(|| key.clone())?;
                fields.insert(key, value);
            }
            Value::Object(fields)
        }
        other => bail!("`{}` is not a plain value", other.to_string().trim()),
    })
}

/// In the layout that `tofu fmt` gives it.
pub fn write(name: &str, service: &Service, indent: &str) -> String {
    let Service { namespace, replicas, image, port, node_port, probes, resources, image_pull_secret } = service;
    let lines = [
        format!("{} = {{", quoted(name)),
        format!("  namespace = {}", quoted(namespace)),
        format!("  replicas  = {replicas}"),
        format!("  image     = {}", quoted(image)),
        format!("  port      = {port}"),
        format!("  node_port = {node_port}"),
        "  probes = {".to_owned(),
        format!("    path                    = {}", quoted(&probes.path)),
        format!("    liveness_initial_delay  = {}", probes.liveness_initial_delay),
        format!("    liveness_period         = {}", probes.liveness_period),
        format!("    readiness_initial_delay = {}", probes.readiness_initial_delay),
        format!("    readiness_period        = {}", probes.readiness_period),
        "  }".to_owned(),
        "  resources = {".to_owned(),
        format!("    requests = {}", amounts(&resources.requests)),
        format!("    limits   = {}", amounts(&resources.limits)),
        "  }".to_owned(),
        format!("  image_pull_secret = {}", quoted(image_pull_secret)),
        "}".to_owned(),
    ];
    lines.iter().map(|line| format!("{indent}{line}\n")).collect()
}

fn amounts(Amounts { cpu, memory }: &Amounts) -> String {
    format!("{{ cpu = {}, memory = {} }}", quoted(cpu), quoted(memory))
}

/// As HCL's string, in which `${` would begin a template.
fn quoted(text: &str) -> String {
    Expression::from(text).to_string()
}
