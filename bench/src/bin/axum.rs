//! axum as its README shows it: the runtime's defaults, a router, `axum::serve`, and nothing else.

use anyhow::{Context as _, Result};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

#[derive(Serialize)]
struct Greeting {
    message: &'static str,
}

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1).context("usage: axum ADDRESS")?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, Router::new().route("/hello", get(hello))).await?)
}

async fn hello() -> Json<Greeting> {
    Json(Greeting { message: "Hello from argo-rust!" })
}
