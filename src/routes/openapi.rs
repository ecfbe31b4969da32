use axum::http::header;
use axum::response::IntoResponse;

use crate::server::problem::Problem;

/// Written by the test below from the attributes of the handlers, so that the service need not render it.
const DOCUMENT: &str = include_str!("openapi.json");

/// This API, described in OpenAPI 3.1.
#[utoipa::path(
    get,
    path = "/openapi.json",
    responses(
        (status = 200, description = "The OpenAPI document", body = serde_json::Value, content_type = "application/json"),
        (status = 405, description = "A method other than GET or HEAD", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use utoipa::OpenApi;

    use super::*;
    use crate::fibonacci::route as fibonacci;
    use crate::router;
    use crate::routes::{hello, openapi, version};
    use crate::server::problem;

    #[derive(OpenApi)]
    #[openapi(
        info(
            title = "argo-rust",
            description = "A small REST API that is delivered by its own repository. \
                Every error is an RFC 9457 problem; a path that is none of these answers 404, a method other than \
                GET and HEAD 405 with an Allow header.",
        ),
        paths(hello::hello, fibonacci::fibonacci, version::version, openapi::openapi),
        components(schemas(problem::Problem))
    )]
    struct Document;

    #[test]
    fn the_document_is_what_the_handlers_say() {
        let rendered = Document::openapi().to_pretty_json().expect("strings and numbers are JSON") + "\n";
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/routes/openapi.json");
            std::fs::write(file, &rendered).expect("the document can be written");
        } else {
            let fix = "INSTA_UPDATE=always cargo test --lib openapi";
            assert!(DOCUMENT == rendered, "src/routes/openapi.json is not what the handlers say; run: {fix}");
        }
    }

    #[test]
    fn every_route_is_described() {
        let document = Document::openapi();
        let described: BTreeSet<_> = document.paths.paths.keys().map(String::as_str).collect();
        assert_eq!(described, router::paths().collect(), "add the handler to `paths` of Document above");
    }
}
