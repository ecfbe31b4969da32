use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::server::problem::Problem;

#[derive(Serialize, ToSchema)]
pub struct Greeting {
    #[schema(example = "Hello from argo-rust!")]
    message: &'static str,
}

/// Greets; both probes of the pod ask here.
#[utoipa::path(
    get,
    path = "/hello",
    responses(
        (status = 200, description = "The greeting", body = Greeting),
        (status = 405, description = "A method other than GET or HEAD", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn hello() -> Json<Greeting> {
    Json(Greeting { message: "Hello from argo-rust!" })
}
