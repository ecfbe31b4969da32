use std::sync::Arc;

use axum::{Extension, Router, middleware};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::calculator::Calculator;
use crate::error;
use crate::metrics::{self, Metrics};
use crate::routes::{fibonacci, hello, openapi, version};

/// The whole API as `main` serves it.
pub fn app(fibonacci_max: u64, metrics: &Metrics) -> Router {
    let calculator = Calculator::new(fibonacci_max, metrics.fibonacci.clone());
    let (router, document) = OpenApiRouter::with_openapi(Document::openapi())
        // For users.
        .routes(routes!(hello::hello))
        .routes(routes!(fibonacci::fibonacci))
        // For whoever asks what runs, and how to call it.
        .routes(routes!(version::version))
        .routes(routes!(openapi::openapi))
        .split_for_parts();
    router
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(Extension(openapi::Document::new(&document)))
        .layer(middleware::from_fn_with_state(metrics.http.clone(), metrics::measure))
        .with_state(Arc::new(calculator))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "argo-rust",
        description = "A small REST API that is delivered by its own repository. \
            Every error is an RFC 9457 problem; a path that is none of these answers 404, a method other than \
            GET and HEAD 405 with an Allow header.",
    ),
    components(schemas(error::Problem))
)]
struct Document;
