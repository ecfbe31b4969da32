//! actix-web with one worker.

use actix_web::web::{self, Json};
use actix_web::{App, HttpServer};
use anyhow::{Context as _, Result};
use serde::Serialize;

#[derive(Serialize)]
struct Greeting {
    message: &'static str,
}

fn main() -> Result<()> {
    let address = std::env::args().nth(1).context("usage: actix ADDRESS")?;
    let server = HttpServer::new(|| App::new().route("/hello", web::get().to(hello))).workers(1).bind(address)?;
    Ok(actix_web::rt::System::new().block_on(server.run())?)
}

async fn hello() -> Json<Greeting> {
    Json(Greeting { message: "Hello from argo-rust!" })
}
