use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::server::build_info;
use crate::server::problem::Problem;

#[derive(Serialize, ToSchema)]
pub struct Version {
    /// The version of the source.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// The commit this binary was built from; null where the build was not told.
    #[schema(example = "b920bd3c5f3f4e0b5a5461e7c1d1dad31e06c592", min_length = 40, max_length = 40, required = true)]
    revision: Option<&'static str>,
    /// The tag of the image that the workflow builds from that commit; null without a revision.
    #[schema(example = "sha-b920bd3", required = true)]
    image_tag: Option<String>,
}

/// Says which commit is answering.
#[utoipa::path(
    get,
    path = "/version",
    responses(
        (status = 200, description = "What this binary is", body = Version),
        (status = 405, description = "A method other than GET or HEAD", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn version() -> Json<Version> {
    Json(Version { version: build_info::VERSION, revision: build_info::REVISION, image_tag: build_info::image_tag() })
}
