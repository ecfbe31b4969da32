//! The parts of the page as they were last, so that only what has changed is sent, and a viewer who was away gets what
//! they have missed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::sync::watch;

use crate::Seen;
use crate::page::{self, Part};
use crate::seen::Service;

#[derive(Clone, Default)]
pub struct Parts {
    /// Of this run of the program: what another one has sent is no beginning to go on from.
    epoch: u64,
    generation: u64,
    parts: HashMap<String, (u64, Arc<str>)>,
    tables: HashMap<String, (u64, Vec<String>)>,
}

/// What is sent to a viewer.
#[derive(Serialize)]
pub struct Change {
    #[serde(skip)]
    pub id: String,
    parts: Vec<Sent>,
    tables: Vec<Table>,
}

#[derive(Serialize)]
struct Sent {
    id: String,
    html: Arc<str>,
}

#[derive(Serialize)]
struct Table {
    id: String,
    rows: Vec<String>,
}

impl Parts {
    /// Rendered once for all viewers.
    pub fn follow(mut seen: Seen) -> watch::Receiver<Arc<Self>> {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut parts = Self { epoch, ..Self::default() };
        parts.take(&seen.borrow());
        let (sender, receiver) = watch::channel(Arc::new(parts.clone()));
        tokio::spawn(async move {
            while seen.changed().await.is_ok() {
                let services = seen.borrow_and_update().clone();
                if parts.take(&services) && sender.send(Arc::new(parts.clone())).is_err() {
                    return;
                }
            }
        });
        receiver
    }

    /// Whether anything has changed.
    fn take(&mut self, services: &[Arc<Service>]) -> bool {
        let next = self.generation + 1;
        let mut is_other = false;
        let mut there: Vec<String> = Vec::new();
        // What a viewer saw before a restart stays until more is known.
        for service in services.iter().filter(|service| service.is_known()) {
            for Part { id, html } in page::parts(service) {
                if self.parts.get(&id).is_none_or(|(_, old)| **old != *html) {
                    self.parts.insert(id.clone(), (next, html.into()));
                    is_other = true;
                }
                there.push(id);
            }
            let (id, order) = (page::table_id(service), page::order(service));
            if self.tables.get(&id).is_none_or(|(_, old)| *old != order) {
                self.tables.insert(id, (next, order));
                is_other = true;
            }
        }
        self.parts.retain(|id, _| there.contains(id));
        if is_other {
            self.generation = next;
        }
        is_other
    }

    pub fn id(&self) -> String {
        format!("{}-{}", self.epoch, self.generation)
    }

    /// What has changed after that id; everything where it is of another run, or of none.
    pub fn since(&self, id: Option<&str>) -> Change {
        let known = id.and_then(|id| id.split_once('-')).and_then(|(epoch, generation)| {
            (epoch.parse() == Ok(self.epoch)).then(|| generation.parse::<u64>().ok()).flatten()
        });
        let known = known.unwrap_or(0);
        let mut parts: Vec<Sent> = self
            .parts
            .iter()
            .filter(|(_, (at, _))| *at > known)
            .map(|(id, (_, html))| Sent { id: id.clone(), html: Arc::clone(html) })
            .collect();
        parts.sort_by(|one, other| one.id.cmp(&other.id));
        let tables = self.tables.iter().filter(|(_, (at, _))| *at > known);
        let tables = tables.map(|(id, (_, rows))| Table { id: id.clone(), rows: rows.clone() }).collect();
        Change { id: self.id(), parts, tables }
    }
}

impl Change {
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.tables.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::tests::{moving, shop};

    #[test]
    fn a_viewer_gets_what_has_changed_since_and_everything_from_another_run() {
        let mut parts = Parts { epoch: 7, ..Parts::default() };
        assert!(parts.take(&[Arc::new(shop())]));
        assert!(!parts.take(&[Arc::new(shop())]), "the same again is no change");
        let all = parts.since(None);
        assert!(all.parts.len() > 3 && all.tables.len() == 1);
        assert!(parts.since(Some("7-1")).is_empty());

        let mut changed = shop();
        changed.rows[0] = moving("Another subject");
        assert!(parts.take(&[Arc::new(changed)]));
        let ids: Vec<String> = parts.since(Some("7-1")).parts.into_iter().map(|part| part.id).collect();
        assert_eq!(ids, ["row-shop-3333333"]);
        assert_eq!(parts.since(Some("6-1")).parts.len(), all.parts.len(), "of another run");
        assert_eq!(parts.since(Some("nonsense")).parts.len(), all.parts.len());
    }
}
