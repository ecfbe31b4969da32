use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::json;

use crate::server::contents::Contents;
use crate::server::environment::BadSetting;
use crate::server::startup::Startup;

async fn openapi(State(contents): State<Arc<Contents>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], contents.description.clone())
}

pub fn add(startup: &mut Startup) -> Result<(), BadSetting> {
    let operation = json!({
        "summary": "This API, described in OpenAPI 3.1.",
        "responses": {
            "200": { "description": "The OpenAPI document", "content": { "application/json": { "schema": {} } } },
        },
    });
    startup.route("/openapi.json", get(openapi), json!({ "get": operation }));
    Ok(())
}
