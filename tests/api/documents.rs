use std::collections::BTreeSet;

use serde_json::Value;

use crate::client::{get, value};
use crate::service::Service;

pub async fn description(service: &Service) -> Value {
    let answer = get(service.address, "/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    serde_json::from_slice(&answer.body).expect("the document is JSON")
}

fn paths(description: &Value) -> BTreeSet<&str> {
    description["paths"].as_object().expect("the document has paths").keys().map(String::as_str).collect()
}

/// What the text of a 404 says that there is.
pub async fn listed_paths(service: &Service) -> String {
    let problem: Value = serde_json::from_slice(&get(service.address, "/nowhere").await.body).unwrap();
    let (_, listed) = problem["detail"].as_str().unwrap().split_once("; there are ").expect("a list of paths");
    listed.to_owned()
}

#[tokio::test]
async fn each_route_of_the_table_is_described_listed_and_counted() {
    let service = Service::start();
    let description = description(&service).await;
    assert_eq!(description["openapi"], "3.1.0");
    let described = paths(&description);
    assert!(described.is_superset(&BTreeSet::from(["/hello", "/version", "/openapi.json"])), "{described:?}");
    let listed = listed_paths(&service).await;
    assert_eq!(listed.replace(" and ", ", ").split(", ").collect::<BTreeSet<_>>(), described);
    for path in described {
        let series = format!(r#"http_requests_total{{method="GET",route="{path}",status="200"}}"#);
        assert!(value(service.metrics_address, &series).await.is_some(), "{series}");
        let responses = &description["paths"][path]["get"]["responses"];
        let refusal = &responses["405"]["content"]["application/problem+json"]["schema"]["$ref"];
        assert_eq!(refusal, "#/components/schemas/Problem", "{path} says what a wrong method gets");
        assert!(responses["200"].is_object(), "{path} says what it answers");
    }
}

/// Holds the answer to a request against what is described of its route: the same members, each of its type.
pub async fn is_as_described(service: &Service, route: &str, asked: &str) {
    let description = description(service).await;
    let answer: Value = serde_json::from_slice(&get(service.address, asked).await.body).expect("an answer in JSON");
    let content = &description["paths"][route]["get"]["responses"]["200"]["content"];
    let schema = &content["application/json"]["schema"];
    let Some(properties) = schema["properties"].as_object() else {
        assert_eq!(schema, &serde_json::json!({}), "{route}: an answer of any form, or one with properties");
        return;
    };
    let answer = answer.as_object().expect("an object");
    let required: BTreeSet<_> = schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(answer.keys().map(String::as_str).collect::<BTreeSet<_>>(), required, "{route}: what is required");
    for (name, value) in answer {
        let kind = match value {
            Value::Null => "null",
            Value::String(_) => "string",
            Value::Number(_) => "integer",
            Value::Bool(_) => "boolean",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let described = properties.get(name).unwrap_or_else(|| panic!("{route}: {name} is not described"));
        assert!(described["type"].to_string().contains(&format!("\"{kind}\"")), "{route}: {name} is no {described}");
    }
}

#[tokio::test]
async fn each_answer_has_the_form_that_its_description_says() {
    let service = Service::start();
    let description = description(&service).await;
    for route in paths(&description).into_iter().filter(|route| !route.contains('{')) {
        is_as_described(&service, route, route).await;
    }
}

#[tokio::test]
async fn every_schema_that_the_description_refers_to_is_in_it() {
    let description = description(&Service::start()).await;
    let text = description.to_string();
    let mut seen = 0;
    for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(description.pointer(reference).is_some(), "{reference} is referred to and not described");
        seen += 1;
    }
    let routes = paths(&description).len();
    assert!(seen >= routes, "only {seen} references were found for {routes} routes: this check reads too little");
}

#[tokio::test]
async fn the_description_does_not_change_with_the_words_of_the_greeting() {
    let service = Service::start();
    let greeting: Value = serde_json::from_slice(&get(service.address, "/hello").await.body).unwrap();
    let description = get(service.address, "/openapi.json").await;
    assert!(!description.text().contains(greeting["message"].as_str().unwrap()), "it repeats {greeting}");
}
