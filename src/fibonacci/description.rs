use super::arithmetic::LARGEST;

/// The path item of the route in OpenAPI.
pub fn of_the_route() -> String {
    WITHOUT_MAXIMUM.replace("LARGEST", &LARGEST.to_string())
}

// The number has no format, which would promise that it fits in 64 bits.
const WITHOUT_MAXIMUM: &str = r##"{
  "get": {
    "summary": "Computes the nth Fibonacci number, exactly.",
    "description": "Many JSON parsers round numbers beyond 2^53, which is every n above 78: ask for `text/plain`, or parse with a library that keeps all digits.",
    "parameters": [
      {
        "name": "n",
        "in": "path",
        "required": true,
        "description": "From 0 to ARGO_RUST_FIBONACCI_MAX, where that is lower",
        "schema": { "type": "integer", "minimum": 0, "maximum": LARGEST }
      }
    ],
    "responses": {
      "200": {
        "description": "The number; `Accept: text/plain` gets the digits alone",
        "headers": {
          "Cache-Control": {
            "description": "public, max-age=31536000, immutable",
            "schema": { "type": "string" }
          }
        },
        "content": {
          "application/json": {
            "schema": {
              "type": "object",
              "required": ["n", "result"],
              "properties": {
                "n": { "type": "integer", "minimum": 0, "maximum": LARGEST },
                "result": {
                  "type": "integer",
                  "minimum": 0,
                  "description": "The exact nth Fibonacci number, however many digits it has."
                }
              },
              "example": { "n": 10, "result": 55 }
            }
          },
          "text/plain": { "schema": { "type": "string", "pattern": "^[0-9]+$" }, "example": "55" }
        }
      },
      "400": {
        "description": "n is not a whole number from 0 to the maximum",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
      },
      "503": {
        "description": "Too many long computations wait already",
        "headers": { "Retry-After": { "description": "Seconds to wait", "schema": { "type": "integer" } } },
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
      }
    }
  }
}"##;
