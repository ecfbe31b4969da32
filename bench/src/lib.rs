//! What the programs in `bin` share with the command that measures them.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What a peer is told: where to listen, which path it has, and what to answer there: the very bytes of the service.
pub struct Told {
    pub address: String,
    pub path: &'static str,
    pub body: &'static RawValue,
}

impl Told {
    pub fn by_the_command_line() -> Result<Self> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [address, path, body] = arguments.as_slice() else { anyhow::bail!("usage: PEER ADDRESS PATH BODY") };
        let body = RawValue::from_string(body.clone()).context("the service's answer is not JSON")?;
        Ok(Self { address: address.clone(), path: path.clone().leak(), body: Box::leak(body) })
    }
}

/// How long a library took for one F(n), computed and in decimal text.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub n: u64,
    pub library: String,
    pub microseconds: f64,
}
