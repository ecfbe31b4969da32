use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::server::contents::Contents;
use crate::server::environment::BadSetting;
use crate::server::startup::Startup;

async fn openapi(State(contents): State<Arc<Contents>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], contents.description())
}

pub fn add(startup: &mut Startup) -> Result<(), BadSetting> {
    startup.route("/openapi.json", get(openapi), DESCRIPTION);
    Ok(())
}

const DESCRIPTION: &str = r#"{
  "get": {
    "summary": "This API, described in OpenAPI 3.1.",
    "responses": {
      "200": { "description": "The OpenAPI document", "content": { "application/json": { "schema": {} } } }
    }
  }
}"#;
