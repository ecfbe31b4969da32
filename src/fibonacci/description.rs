use serde_json::{Value, json};

use super::arithmetic::LARGEST;
use crate::server::problem;

/// The path item of the route in OpenAPI.
pub fn of_the_route() -> Value {
    // No format: it would promise that the number fits in 64 bits.
    let number = json!({
        "type": "integer",
        "minimum": 0,
        "description": "The exact nth Fibonacci number, however many digits it has.",
    });
    let index = json!({ "type": "integer", "minimum": 0, "maximum": LARGEST });
    let fibonacci = json!({
        "type": "object",
        "required": ["n", "result"],
        "properties": { "n": index, "result": number },
        "example": { "n": 10, "result": 55 },
    });
    let mut full = problem::answer("Too many long computations wait already");
    full["headers"] = json!({ "Retry-After": { "description": "Seconds to wait", "schema": { "type": "integer" } } });
    let forever = "public, max-age=31536000, immutable";
    let operation = json!({
        "summary": "Computes the nth Fibonacci number, exactly.",
        "description": "Many JSON parsers round numbers beyond 2^53, which is every n above 78: ask for `text/plain`, \
            or parse with a library that keeps all digits.",
        "parameters": [{
            "name": "n",
            "in": "path",
            "required": true,
            "description": "From 0 to ARGO_RUST_FIBONACCI_MAX, where that is lower",
            "schema": index,
        }],
        "responses": {
            "200": {
                "description": "The number; `Accept: text/plain` gets the digits alone",
                "headers": { "Cache-Control": { "description": forever, "schema": { "type": "string" } } },
                "content": {
                    "application/json": { "schema": fibonacci },
                    "text/plain": { "schema": { "type": "string", "pattern": "^[0-9]+$" }, "example": "55" },
                },
            },
            "400": problem::answer("n is not a whole number from 0 to the maximum"),
            "503": full,
        },
    });
    json!({ "get": operation })
}
