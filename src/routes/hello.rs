use axum::Json;
use axum::routing::get;
use serde::Serialize;
use serde_json::json;

use crate::server::environment::BadSetting;
use crate::server::startup::Startup;

#[derive(Serialize)]
struct Greeting {
    message: &'static str,
}

async fn hello() -> Json<Greeting> {
    Json(Greeting { message: "Hello from argo-rust!" })
}

pub fn add(startup: &mut Startup) -> Result<(), BadSetting> {
    let greeting = json!({
        "type": "object",
        "required": ["message"],
        "properties": { "message": { "type": "string" } },
    });
    let operation = json!({
        "summary": "Greets; all probes of the pod ask here.",
        "responses": {
            "200": { "description": "The greeting", "content": { "application/json": { "schema": greeting } } },
        },
    });
    startup.route("/hello", get(hello), json!({ "get": operation }));
    Ok(())
}
