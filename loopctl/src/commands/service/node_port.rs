//! Which NodePort a service gets: one that neither the repository nor the cluster has given away.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, bail};

use delivery::cluster::Cluster;

/// What Kubernetes keeps for NodePorts.
const RANGE: std::ops::RangeInclusive<u16> = 30000..=32767;

/// Each port that is taken, and by whom.
pub type Taken = BTreeMap<u16, Owner>;

pub struct Owner {
    pub name: String,
    /// Where it is declared; None for what only the cluster has told.
    pub file: Option<&'static str>,
}

impl fmt::Display for Owner {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self.file {
            Some(file) => write!(out, "{} ({file})", self.name),
            None => write!(out, "the Service {} in the cluster", self.name),
        }
    }
}

/// The port that was asked for, or else the next free one behind the repository's own service's.
pub fn pick(wanted: Option<u16>, own: u16, taken: &Taken) -> Result<u16> {
    if let Some(wanted) = wanted {
        return match taken.get(&wanted) {
            None => Ok(wanted),
            Some(owner) => bail!("NodePort {wanted} belongs to {owner}; {} is free", pick(None, own, taken)?),
        };
    }
    let behind = (own.saturating_add(1)..=*RANGE.end()).chain(*RANGE.start()..=own);
    match behind.filter(|port| RANGE.contains(port)).find(|port| !taken.contains_key(port)) {
        Some(free) => Ok(free),
        None => bail!("every NodePort from {} to {} is taken", RANGE.start(), RANGE.end()),
    }
}

/// What the cluster's Services hold.
pub async fn in_cluster(context: Option<&str>) -> Result<Taken> {
    let held = Cluster::connect(context).await?.node_ports().await?;
    Ok(held.into_iter().map(|(port, name)| (port, Owner { name, file: None })).collect())
}

/// As an option's value.
pub fn parse(text: &str) -> Result<u16, String> {
    let accepted = format!("must be a whole number from {} to {}", RANGE.start(), RANGE.end());
    text.parse().ok().filter(|port| RANGE.contains(port)).ok_or(accepted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(ports: impl IntoIterator<Item = u16>) -> Taken {
        ports.into_iter().map(|port| (port, Owner { name: format!("at-{port}"), file: Some("the file") })).collect()
    }

    #[test]
    fn the_next_free_port_is_taken_and_the_range_is_gone_round() {
        let check = |own, taken: &Taken, expected| assert_eq!(pick(None, own, taken).unwrap(), expected);
        check(30800, &taken([30800]), 30801);
        check(30800, &taken([30800, 30801, 30803]), 30802);
        check(32767, &taken([32767]), 30000);
        check(32766, &taken([32766, 32767, 30000]), 30001);
    }

    #[test]
    fn a_port_that_is_taken_is_refused_with_its_owner_and_a_free_one() {
        let error = pick(Some(30801), 30800, &taken([30800, 30801])).unwrap_err().to_string();
        assert_eq!(error, "NodePort 30801 belongs to at-30801 (the file); 30802 is free");
        assert!(pick(None, 30800, &taken(RANGE)).is_err());
        for outside in ["29999", "32768", "0", "-1", "http", ""] {
            assert!(parse(outside).is_err(), "{outside}");
        }
    }
}
