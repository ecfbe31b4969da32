use argo_rust::fibonacci::arithmetic::digits;

use crate::client::{get, send};
use crate::documents::{description, is_as_described};
use crate::routes::{is_answered, is_refused};
use crate::service::Service;

#[tokio::test]
async fn every_number_is_answered_byte_for_byte() {
    let service = Service::start();
    let check = async |path: &str, expected: &str| is_answered(&service, path, expected).await;
    check("/fibonacci/10", r#"{"n":10,"result":55}"#).await;
    check("/fibonacci/0", r#"{"n":0,"result":0}"#).await;
    check("/fibonacci/42", r#"{"n":42,"result":267914296}"#).await;
    check("/fibonacci/93", r#"{"n":93,"result":12200160415121876738}"#).await;
    check("/fibonacci/94", r#"{"n":94,"result":19740274219868223167}"#).await;
    for n in [187, 1_000, 19_000, 19_001, 1_000_000, 10_000_000] {
        check(&format!("/fibonacci/{n}"), &format!(r#"{{"n":{n},"result":{}}}"#, digits(n))).await;
    }
}

#[tokio::test]
async fn plain_text_is_the_digits_alone_and_either_form_is_cached_for_ever() {
    let service = Service::start();
    let check = async |accept: &[&str], content_type: &str, body: &str| {
        let lines: Vec<_> = accept.iter().map(|line| ("accept", *line)).collect();
        let answer = send(service.address, "GET", "/fibonacci/10", &lines).await;
        assert_eq!((answer.header("content-type"), answer.text()), (content_type, body), "{accept:?}");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(answer.header("vary"), "accept");
    };
    check(&["text/plain"], "text/plain; charset=utf-8", "55").await;
    check(&["text/plain; charset=utf-8"], "text/plain; charset=utf-8", "55").await;
    check(&["text/html", "text/plain"], "text/plain; charset=utf-8", "55").await;
    check(&["*/*"], "application/json", r#"{"n":10,"result":55}"#).await;
    check(&[], "application/json", r#"{"n":10,"result":55}"#).await;
    let refused = get(service.address, "/fibonacci/x").await;
    assert_eq!(refused.header("cache-control"), "", "an error must not be kept for ever");
}

#[tokio::test]
async fn what_is_no_index_gets_a_problem_that_says_what_is_accepted() {
    let service = Service::start_with(&[("ARGO_RUST_FIBONACCI_MAX", "1000")]);
    let check =
        async |n: &str, detail: &str| is_refused(&service, "GET", &format!("/fibonacci/{n}"), 400, detail).await;
    const NOT_A_NUMBER: &str = "n is not a number; accepted is a whole number from 0 to 1000, in the digits 0 to 9";
    const NEGATIVE: &str = "n is negative; accepted is a whole number from 0 to 1000";
    const TOO_LARGE: &str = "n is larger than 1000; accepted is a whole number from 0 to 1000";
    for n in ["ten", "1.5", "+5", "%20", "%ff", "1%2F2"] {
        check(n, NOT_A_NUMBER).await;
    }
    check("-1", NEGATIVE).await;
    for n in ["1001", "18446744073709551615", "18446744073709551616", &"9".repeat(5_000)] {
        check(n, TOO_LARGE).await;
    }
}

#[tokio::test]
async fn the_description_says_which_n_are_accepted_and_promises_no_size_of_the_number() {
    let service = Service::start();
    let description = description(&service).await;
    let n = &description["paths"]["/fibonacci/{n}"]["get"]["parameters"][0]["schema"];
    assert_eq!(n, &serde_json::json!({ "type": "integer", "minimum": 0, "maximum": 10_000_000 }));
    let answer = &description["paths"]["/fibonacci/{n}"]["get"]["responses"]["200"]["content"]["application/json"];
    let number = &answer["schema"]["properties"]["result"];
    assert!(number["format"].is_null(), "the number is said to be {}", number["format"]);
    is_as_described(&service, "/fibonacci/{n}", "/fibonacci/42").await;
}
