//! axum as its README shows it: the runtime's defaults, a router, `axum::serve`, and nothing else.

use anyhow::Result;
use axum::routing::get;
use axum::{Json, Router};
use bench::Told;

#[tokio::main]
async fn main() -> Result<()> {
    let told = Told::by_the_command_line()?;
    let listener = tokio::net::TcpListener::bind(told.address).await?;
    let answer = move || async move { Json(told.body) };
    Ok(axum::serve(listener, Router::new().route(told.path, get(answer))).await?)
}
