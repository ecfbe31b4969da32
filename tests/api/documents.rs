use std::collections::BTreeSet;

use crate::client::get;
use crate::service::Service;

#[tokio::test]
async fn the_openapi_document_is_complete() {
    let service = Service::start();
    let answer = get(service.address, "/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let document: serde_json::Value = serde_json::from_slice(&answer.body).expect("the document is JSON");
    assert_eq!(document["openapi"], "3.1.0");
    let paths: BTreeSet<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(paths, BTreeSet::from(["/fibonacci/{n}", "/hello", "/openapi.json", "/version"]));
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(item["get"]["responses"]["405"].is_object(), "{path} says what a wrong method gets");
    }
}
