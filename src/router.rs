use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, get};

use crate::fibonacci::calculator::Calculator;
use crate::fibonacci::route as fibonacci;
use crate::routes::{hello, openapi, version};
use crate::server::problem;

/// The table of contents: every path, and what answers there.
fn routes() -> [(&'static str, MethodRouter<Arc<Calculator>>); 4] {
    [
        // For users.
        ("/hello", get(hello::hello)),
        ("/fibonacci/{n}", get(fibonacci::fibonacci)),
        // For whoever asks what runs, and how to call it.
        ("/version", get(version::version)),
        ("/openapi.json", get(openapi::openapi)),
    ]
}

/// The whole API as `main` serves it.
pub fn app(calculator: Calculator) -> Router {
    routes()
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .with_state(Arc::new(calculator))
}

/// The paths by themselves: they are the labels of the metrics.
pub fn paths() -> impl Iterator<Item = &'static str> {
    routes().into_iter().map(|(path, _)| path)
}
