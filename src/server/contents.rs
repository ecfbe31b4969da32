use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;
use serde_json::Value;

use super::build_info;
use super::problem::{self, Problem};

/// What the API says of itself. It follows from the table of contents alone.
pub struct Contents {
    about: &'static str,
    /// In the order of the table.
    pub paths: Vec<&'static str>,
    /// The path item of each in OpenAPI.
    pub items: Vec<Cow<'static, str>>,
    description: OnceLock<Bytes>,
}

impl Contents {
    pub fn new(about: &'static str) -> Self {
        Self { about, paths: Vec::new(), items: Vec::new(), description: OnceLock::new() }
    }

    /// OpenAPI 3.1 as JSON. It is put together when it is first asked for, as every rollout waits for the start.
    pub fn description(&self) -> Bytes {
        self.description.get_or_init(|| format!("{:#}\n", self.described()).into()).clone()
    }

    fn described(&self) -> Value {
        let mut description = json(r#"{ "openapi": "3.1.0", "paths": {}, "components": { "schemas": {} } }"#);
        description["info"] = json(self.about);
        description["info"]["version"] = build_info::VERSION.into();
        description["components"]["schemas"]["Problem"] = json(problem::SCHEMA);
        for (path, item) in self.paths.iter().zip(&self.items) {
            let mut item = json(item);
            for (_, operation) in item.as_object_mut().into_iter().flatten() {
                operation["responses"]["405"] = json(REFUSAL);
            }
            description["paths"][*path] = item;
        }
        description
    }

    /// The paths as a sentence has them.
    pub fn listed(&self) -> String {
        match self.paths.as_slice() {
            [] => String::new(),
            [only] => (*only).to_owned(),
            [before @ .., last] => format!("{} and {last}", before.join(", ")),
        }
    }
}

/// What every operation answers to a method that the path has not.
const REFUSAL: &str = r##"{
  "description": "A method that this path does not answer; Allow names those that it does",
  "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
}"##;

/// The methods that a path item describes.
pub fn methods(item: &str) -> String {
    let item = json(item);
    let names = item.as_object().into_iter().flatten().map(|(name, _)| name);
    let names = names.map(|name| if name == "get" { "GET and HEAD".to_owned() } else { name.to_uppercase() });
    names.collect::<Vec<_>>().join(", ")
}

/// Descriptions are text, as reading it takes less of the program than making it.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("a description is not JSON: {error}\n{text}"))
}

/// The fallback for a path that is no route.
pub async fn not_found(State(contents): State<Arc<Contents>>, uri: Uri) -> Problem {
    // The beginning is enough of a path that is as long as a head may be.
    let path = uri.path().get(..100).unwrap_or(uri.path());
    Problem::not_found(format!("{path} is not a path of this API; there are {}", contents.listed()))
}
