use std::mem::take;
use std::sync::Arc;

use axum::Router;
use axum::routing::MethodRouter;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

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
    /// `about` is the `info` object of the API's description in OpenAPI.
    pub fn new(environment: Environment, about: Value) -> Self {
        let description = json!({
            "openapi": "3.1.0",
            "info": about,
            "paths": {},
            "components": { "schemas": { "Problem": problem::schema() } },
        });
        let (registry, router, paths) = (Registry::default(), Router::new(), Vec::new());
        Self { environment, registry, router, paths, description }
    }

    /// What the environment says of a setting, or its default.
    pub fn setting<T>(&mut self, setting: &Setting<T>) -> Result<T, BadSetting> {
        self.environment.read(setting)
    }

    /// Adds a path: what answers there, and its path item in OpenAPI, an operation for each method. Any other method
    /// gets a problem that names the right ones.
    pub fn route(&mut self, path: &'static str, methods: MethodRouter<Arc<Contents>>, mut item: Value) {
        let operations = item.as_object_mut().into_iter().flatten();
        let (names, operations): (Vec<_>, Vec<_>) = operations.unzip();
        let names =
            names.into_iter().map(|name| if name == "get" { "GET and HEAD".into() } else { name.to_uppercase() });
        let allowed = names.collect::<Vec<String>>().join(", ");
        for operation in operations {
            operation["responses"]["405"] = problem::answer(&format!("A method other than {allowed}"));
        }
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
