//! One entry of the map `services`: what `tofu/variables.tf` declares.

use anyhow::{Context, Result, bail};
use hcl_edit::expr::{BinaryOperator, Expression};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct Probes {
    pub path: String,
    pub liveness_initial_delay: u32,
    pub liveness_period: u32,
    pub readiness_initial_delay: u32,
    pub readiness_period: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    pub requests: Amounts,
    pub limits: Amounts,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    pub cpu: String,
    pub memory: String,
}

/// Fields that OpenTofu takes for a number, also where they are written in quotes.
const NUMBERS: [&str; 7] = [
    "replicas",
    "port",
    "node_port",
    "liveness_initial_delay",
    "liveness_period",
    "readiness_initial_delay",
    "readiness_period",
];
/// Those that it takes for a text, also where they are written without.
const TEXTS: [&str; 6] = ["namespace", "image", "path", "cpu", "memory", "image_pull_secret"];
const OBJECTS: [&str; 4] = ["probes", "resources", "requests", "limits"];

/// As `tofu plan` reads it: other fields are dropped, whatever they say.
pub fn read(expression: &Expression) -> Result<Service> {
    Ok(serde_json::from_value(plain(expression)?)?)
}

/// A .tfvars file holds values, and at most sums of them.
fn plain(expression: &Expression) -> Result<Value> {
    Ok(match expression {
        Expression::Null(_) => Value::Null,
        Expression::Bool(value) => Value::Bool(*value.value()),
        Expression::String(value) => Value::String(value.as_str().to_owned()),
        Expression::Number(value) => match (value.value().as_u64(), value.value().as_f64()) {
            (Some(number), _) => number.into(),
            (None, Some(number)) => whole(number),
            (None, None) => bail!("{} is too large a number", value.value()),
        },
        Expression::Parenthesis(inner) => plain(inner.inner())?,
        Expression::BinaryOp(sum) => {
            let side = |side: &Expression| plain(side).ok().and_then(|value| number(&value).as_f64());
            let sides = side(&sum.lhs_expr).zip(side(&sum.rhs_expr));
            match (sides, *sum.operator.value()) {
                (Some((left, right)), BinaryOperator::Plus) => whole(left + right),
                (Some((left, right)), BinaryOperator::Minus) => whole(left - right),
                (Some((left, right)), BinaryOperator::Mul) => whole(left * right),
                _ => bail!("`{}` is not computed here; write what comes out", expression.to_string().trim()),
            }
        }
        Expression::Object(object) => {
            let mut fields = Map::new();
            for (key, value) in object.iter() {
                let key = super::key_text(key).context("a field's name is not a plain one")?;
                let is = |fields: &[&str]| fields.contains(&key.as_str());
                if is(&NUMBERS) || is(&TEXTS) || is(&OBJECTS) {
                    let value = plain(value.expr()).with_context(|| key.clone())?;
                    let value = if is(&NUMBERS) { number(&value) } else { value };
                    fields.insert(key.clone(), if is(&TEXTS) { text(value) } else { value });
                }
            }
            Value::Object(fields)
        }
        other => bail!("`{}` is not a plain value", other.to_string().trim()),
    })
}

/// A number may be written in quotes.
fn number(value: &Value) -> Value {
    match value.as_str().map(|text| (text.parse::<u64>(), text.parse::<f64>())) {
        Some((Ok(number), _)) => number.into(),
        Some((_, Ok(number))) => whole(number),
        _ => value.clone(),
    }
}

/// 1.0 and 1e0 are 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was compared before")]
fn whole(number: f64) -> Value {
    let is_whole = number >= 0.0 && number.fract() == 0.0 && number <= f64::from(u32::MAX);
    if is_whole { (number as u64).into() } else { number.into() }
}

fn text(value: Value) -> Value {
    match value {
        Value::Number(number) => number.to_string().into(),
        Value::Bool(answer) => answer.to_string().into(),
        value => value,
    }
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
