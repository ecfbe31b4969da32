use std::borrow::Cow;
use std::mem::take;
use std::sync::Arc;

use axum::Router;
use axum::routing::MethodRouter;
use prometheus_client::registry::Registry;

use super::contents::{Contents, methods, not_found};
use super::environment::{BadSetting, Environment, Setting};
use super::problem::Problem;

/// What a resource may ask for while the service starts, and where it puts its routes.
pub struct Startup {
    pub environment: Environment,
    pub registry: Registry,
    router: Router<Arc<Contents>>,
    contents: Contents,
}

impl Startup {
    /// `about` is the `info` object of the API's description in OpenAPI, without the version.
    pub fn new(environment: Environment, about: &'static str) -> Self {
        let (registry, router, contents) = (Registry::default(), Router::new(), Contents::new(about));
        Self { environment, registry, router, contents }
    }

    /// What the environment says of a setting, or its default.
    pub fn setting<T>(&mut self, setting: &Setting<T>) -> Result<T, BadSetting> {
        self.environment.read(setting)
    }

    /// Adds a path: what answers there, and its path item in OpenAPI, an operation for each method. Any other method
    /// gets a problem that names the right ones.
    pub fn route(
        &mut self,
        path: &'static str,
        handlers: MethodRouter<Arc<Contents>>,
        item: impl Into<Cow<'static, str>>,
    ) {
        let item = item.into();
        let described = item.clone();
        let refuse = move || async move { Problem::method_not_allowed(&methods(&described)) };
        self.router = take(&mut self.router).route(path, handlers.fallback(refuse));
        self.contents.paths.push(path);
        self.contents.items.push(item);
    }

    /// The whole API, what it says of itself, and what is measured.
    pub fn finish(self) -> (Router, Arc<Contents>, Registry) {
        let contents = Arc::new(self.contents);
        (self.router.fallback(not_found).with_state(contents.clone()), contents, self.registry)
    }
}
