use axum::Json;
use axum::routing::get;
use serde::Serialize;

use crate::server::build_info;
use crate::server::environment::BadSetting;
use crate::server::startup::Startup;

#[derive(Serialize)]
struct Version {
    version: &'static str,
    revision: Option<&'static str>,
    image_tag: Option<String>,
}

async fn version_of_this() -> Json<Version> {
    Json(Version { version: build_info::VERSION, revision: build_info::REVISION, image_tag: build_info::image_tag() })
}

pub fn add(startup: &mut Startup) -> Result<(), BadSetting> {
    startup.route("/version", get(version_of_this), DESCRIPTION);
    Ok(())
}

const DESCRIPTION: &str = r#"{
  "get": {
    "summary": "Says which commit is answering.",
    "responses": {
      "200": {
        "description": "What this binary is",
        "content": {
          "application/json": {
            "schema": {
              "type": "object",
              "required": ["version", "revision", "image_tag"],
              "properties": {
                "version": { "type": "string", "description": "The version of the source.", "example": "0.1.0" },
                "revision": {
                  "type": ["string", "null"],
                  "description": "The commit this binary was built from; null where the build was not told.",
                  "example": "b920bd3c5f3f4e0b5a5461e7c1d1dad31e06c592",
                  "minLength": 40,
                  "maxLength": 40
                },
                "image_tag": {
                  "type": ["string", "null"],
                  "description": "The tag of the image that the workflow builds of that commit; null without a revision.",
                  "example": "sha-b920bd3"
                }
              }
            }
          }
        }
      }
    }
  }
}"#;
