//! A delivery at a glance: one program looks for everybody, a page shows it, and what changes is told to whoever looks
//! elsewhere. Nothing here writes to a cluster, a branch or a registry.

mod collector;
pub mod manifests;
mod metrics;
pub mod page;
mod parts;
pub mod seen;
mod server;
pub mod tell;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use delivery::Choice;
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::parts::Parts;
use self::seen::Service;
use self::tell::Tell;

pub struct Options {
    pub listen: SocketAddr,
    /// Names by which it may be asked, beside those of this machine itself.
    pub hosts: Vec<String>,
    /// One for each service; never none.
    pub services: Vec<Choice>,
    pub tell: Tell,
}

/// What is known of all services, the same for every viewer.
pub type Seen = watch::Receiver<Arc<Vec<Arc<Service>>>>;

/// Runs until it is stopped; `ready` gets the address once somebody is answered.
pub async fn run(options: Options, ready: impl FnOnce(SocketAddr)) -> Result<()> {
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another with --listen", options.listen))?;
    let address = listener.local_addr().context("the address that was bound")?;
    let unseen = options.services.iter().map(|choice| Arc::new(Service::unseen(choice))).collect();
    let (seen, every) = watch::channel(Arc::new(unseen));
    for (place, choice) in options.services.into_iter().enumerate() {
        tokio::spawn(collector::look(choice, place, seen.clone()));
    }
    options.tell.begin(&every);
    let parts = Parts::follow(every.clone());
    ready(address);
    server::serve(listener, options.hosts, every, parts).await
}
