//! actix-web with one worker.

use actix_web::web::{self, Json};
use actix_web::{App, HttpServer};
use anyhow::Result;
use bench::Told;

fn main() -> Result<()> {
    let told = Told::by_the_command_line()?;
    let answer = move || async move { Json(told.body) };
    let server = HttpServer::new(move || App::new().route(told.path, web::get().to(answer))).workers(1);
    Ok(actix_web::rt::System::new().block_on(server.bind(told.address)?.run())?)
}
