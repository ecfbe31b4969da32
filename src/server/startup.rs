use std::mem::take;
use std::sync::Arc;

use axum::Router;
use axum::routing::MethodRouter;
use prometheus_client::registry::Registry;
use serde_json::Value;

use super::build_info;
use super::contents::{Contents, not_found};
use super::environment::{BadSetting, Environment, Setting};
use super::problem::{self, Problem};

/// What a resource may ask for while the service starts, and where it puts its routes.
pub struct Startup {
    pub environment: Environment,
    pub registry: Registry,
    router: Router<Arc<Contents>>,
    /// In the order in which they were added.
    paths: Vec<&'static str>,
    description: Value,
}

impl Startup {
    /// `about` is the `info` object of the API's description in OpenAPI, without the version.
    pub fn new(environment: Environment, about: &str) -> Self {
        let mut description = json(r#"{ "openapi": "3.1.0", "paths": {}, "components": { "schemas": {} } }"#);
        description["info"] = json(about);
        description["info"]["version"] = build_info::VERSION.into();
        description["components"]["schemas"]["Problem"] = json(problem::SCHEMA);
        let (registry, router, paths) = (Registry::default(), Router::new(), Vec::new());
        Self { environment, registry, router, paths, description }
    }

    /// What the environment says of a setting, or its default.
    pub fn setting<T>(&mut self, setting: &Setting<T>) -> Result<T, BadSetting> {
        self.environment.read(setting)
    }

    /// Adds a path: what answers there, and its path item in OpenAPI, an operation for each method. Any other method
    /// gets a problem that names the right ones.
    pub fn route(&mut self, path: &'static str, methods: MethodRouter<Arc<Contents>>, item: &str) {
        let mut item = json(item);
        let mut names = Vec::new();
        for (name, operation) in item.as_object_mut().into_iter().flatten() {
            names.push(if name == "get" { "GET and HEAD".to_owned() } else { name.to_uppercase() });
            operation["responses"]["405"] = json(REFUSAL);
        }
        let allowed = names.join(", ");
        let refuse = move || async move { Problem::method_not_allowed(&allowed) };
        self.router = take(&mut self.router).route(path, methods.fallback(refuse));
        self.paths.push(path);
        self.description["paths"][path] = item;
    }

    /// The whole API, what it says of itself, and what is measured.
    pub fn finish(self) -> (Router, Arc<Contents>, Registry) {
        let description = format!("{:#}\n", self.description).into();
        let contents = Arc::new(Contents { paths: self.paths, description });
        (self.router.fallback(not_found).with_state(contents.clone()), contents, self.registry)
    }
}

/// What every operation answers to a method that the path has not.
const REFUSAL: &str = r##"{
  "description": "A method that this path does not answer; Allow names those that it does",
  "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
}"##;

/// Descriptions are text, as reading it at the start takes less of the program than making it there.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("a description is not JSON: {error}\n{text}"))
}
