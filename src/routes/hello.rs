use axum::Json;
use axum::routing::get;
use serde::Serialize;

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
    startup.route("/hello", get(hello), DESCRIPTION);
    Ok(())
}

const DESCRIPTION: &str = r#"{
  "get": {
    "summary": "Greets; all probes of the pod ask here.",
    "responses": {
      "200": {
        "description": "The greeting",
        "content": {
          "application/json": {
            "schema": {
              "type": "object",
              "required": ["message"],
              "properties": { "message": { "type": "string" } }
            }
          }
        }
      }
    }
  }
}"#;
