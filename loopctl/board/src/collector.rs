//! Looks at one service for everybody: when the cluster has news, when the branch has, and now and then.

mod said;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use delivery::cluster::watch::News;
use delivery::deploys::dora::dora;
use delivery::deploys::{Wanted, deploys};
use delivery::git::history::{Commit, Manifest};
use delivery::git::log::{Entry, Kind};
use delivery::journey::answer::State;
use delivery::journey::collect::Surroundings;
use delivery::journey::decide::decide;
use delivery::journey::hops::{built, bump, image, pushed};
use delivery::{Choice, Delivery};
use futures_util::stream::{StreamExt, pending};
use jiff::Timestamp;
use tokio::sync::watch::Sender;
use tokio::time::{Instant, sleep, timeout};

use crate::seen::{Live, Row, Service, Unseen};

/// So many commits have a row.
const ROWS: usize = 30;
/// Those that are looked at whenever there is news.
const FIRST: usize = 4;
/// Of the branch: each row may have a bump, and deploys of before are counted.
const HISTORY: usize = 600;
const MANIFESTS: usize = 400;
/// How often is looked whether there is something to do: on this machine, and at somebody else's.
const NEAR: Duration = Duration::from_secs(1);
const FAR: Duration = Duration::from_secs(5);
/// The cluster tells its news itself; what no watch shows, such as an endpoint that is silent, is asked for as often.
const ANYWAY: Duration = Duration::from_secs(15);
/// A rollout is many pieces of news.
const TOGETHER: Duration = Duration::from_millis(400);
/// So long a commit is on its way at most, where all is well.
const SOON: Duration = Duration::from_secs(15 * 60);
const AGAIN: Duration = Duration::from_secs(10);

type Everybody = Sender<Arc<Vec<Arc<Service>>>>;

/// Until the program ends. A cluster that could not be reached is looked for again.
pub async fn look(choice: Choice, place: usize, everybody: Everybody) {
    loop {
        match Delivery::find(&choice).await {
            Ok(delivery) => Collector::of(delivery, place, &everybody).follow().await,
            Err(error) => {
                let why = format!("{error:#}");
                everybody.send_modify(|all| {
                    let service = Service { unseen: vec![Unseen { who: "checkout", why }], ..(*all[place]).clone() };
                    replace(all, place, service);
                });
                sleep(AGAIN).await;
            }
        }
    }
}

fn replace(all: &mut Arc<Vec<Arc<Service>>>, place: usize, service: Service) {
    let mut changed = (**all).clone();
    changed[place] = Arc::new(service);
    *all = Arc::new(changed);
}

struct Collector<'a> {
    delivery: Delivery,
    place: usize,
    everybody: &'a Everybody,
    service: Service,
    tip: String,
    entries: Vec<Entry>,
    manifests: Vec<Manifest>,
    /// What each of them says, by its commit: that does not change.
    wants: HashMap<String, Option<Wanted>>,
    /// By the commit.
    rows: HashMap<String, Row>,
    /// The place of the wanted image's commit, counted from the oldest one that is known.
    wanted: Option<usize>,
    /// Whether what was seen may still follow what has just happened.
    settles: bool,
    /// Those of which something else may have to be said by now.
    stale: HashSet<String>,
    around: Option<Surroundings>,
    looked: Instant,
}

impl<'a> Collector<'a> {
    fn of(delivery: Delivery, place: usize, everybody: &'a Everybody) -> Self {
        let names = &delivery.names;
        let service = Service {
            name: names.deployment.clone(),
            cluster: delivery.cluster.as_ref().map(|cluster| cluster.server.clone()).unwrap_or_default(),
            repository: delivery.repository.clone(),
            branch: names.branch.clone(),
            ..Service::default()
        };
        Self {
            delivery,
            place,
            everybody,
            service,
            tip: String::new(),
            entries: Vec::new(),
            manifests: Vec::new(),
            wants: HashMap::new(),
            rows: HashMap::new(),
            wanted: None,
            settles: true,
            stale: HashSet::new(),
            around: None,
            looked: Instant::now(),
        }
    }

    /// Returns when the cluster has to be found anew.
    async fn follow(mut self) {
        let mut news: News = match self.delivery.reachable() {
            Ok(cluster) => cluster.news(&self.delivery.names),
            Err(_) => pending().boxed(),
        };
        let begin = Instant::now();
        let mut is_news = true;
        loop {
            self.look(is_news).await;
            if self.delivery.cluster.is_err() && begin.elapsed() >= AGAIN {
                return;
            }
            let usual = if self.delivery.stand_in.is_some() { NEAR } else { FAR };
            let pause = if self.stale.is_empty() { usual } else { Duration::ZERO };
            is_news = timeout(pause, news.next()).await.is_ok_and(|some| some.is_some());
            if is_news {
                sleep(TOGETHER).await;
                while let Ok(Some(())) = timeout(Duration::ZERO, news.next()).await {}
            }
        }
    }

    async fn look(&mut self, is_news: bool) {
        let tip = if self.is_where_it_was() { Ok(self.tip.clone()) } else { self.delivery.tip().await };
        let mut is_new_tip = false;
        let mut unseen = Vec::new();
        match tip {
            Ok(tip) if tip != self.tip => match self.read(&tip).await {
                Ok(()) => is_new_tip = true,
                Err(error) => unseen.push(Unseen { who: "git", why: format!("{error:#}") }),
            },
            Ok(_) => {}
            Err(why) => unseen.push(Unseen { who: "git", why }),
        }
        // What follows a piece of news without being one, as an endpoint that answers, is seen a moment later.
        let is_due = self.looked.elapsed() >= if self.settles { NEAR } else { ANYWAY };
        if is_news || is_due || is_new_tip || self.around.is_none() {
            self.settles = is_news || is_new_tip || self.is_rolling_out();
            self.looked = Instant::now();
            let around = self.delivery.surroundings().await;
            let was_live = std::mem::take(&mut self.service.live);
            self.service.live = self.live(&around);
            self.around = Some(around);
            self.mark_stale(tag(&was_live) != tag(&self.service.live), is_new_tip || is_due);
            self.open_rows().await;
        } else if self.on_their_way().next().is_some() {
            // A run of the workflow tells nobody what it does.
            self.open_rows().await;
        }
        self.stale_rows().await;
        unseen.extend(self.unseen());
        self.service.unseen = unseen;
        self.publish();
    }

    /// What was pushed long ago may wait for ever, and is looked at now and then.
    fn on_their_way(&self) -> impl Iterator<Item = &Row> {
        let since = Timestamp::now() - SOON;
        let rows = self.sources().take(FIRST).filter_map(|entry| self.rows.get(&entry.commit.id));
        rows.filter(move |row| row.answer.state == State::Moving && row.at > since)
    }

    /// Somebody's commit is between its bump and its users.
    fn is_rolling_out(&self) -> bool {
        let before = [pushed::NAME, built::NAME, image::NAME, bump::NAME];
        self.on_their_way().filter_map(Row::current).any(|hop| !before.contains(&hop.hop))
    }

    /// Rows of which something else has to be said: those of which nothing was; where an older image is wanted again, all;
    /// where another one is live now, those that said that it was not yet; and now and then those that are not settled.
    fn mark_stale(&mut self, is_other_live: bool, is_time: bool) {
        let place = self.service.deploys.iter().find(|deploy| deploy.what.is_of_an_image()).map(|deploy| {
            let digits = deploy.tag.trim_start_matches("sha-").to_owned();
            self.entries.iter().rev().position(|entry| entry.commit.id.starts_with(&digits))
        });
        let wanted = place.flatten();
        let is_backwards = wanted < self.wanted;
        self.wanted = wanted;
        let is_stale = |row: Option<&Row>| match row {
            None => true,
            Some(row) if row.answer.state != State::Superseded => is_backwards || is_other_live || is_time,
            Some(row) => is_backwards || (is_other_live && !row.answer.summary.ends_with("which is live")),
        };
        let ids = self.sources().map(|entry| entry.commit.id.clone());
        let stale: Vec<String> = ids.filter(|id| is_stale(self.rows.get(id))).collect();
        self.stale.extend(stale);
    }

    /// On the loop of this machine the branch is a file, and nobody has to be asked.
    fn is_where_it_was(&self) -> bool {
        let branches = self.delivery.stand_in.as_ref().map(|stand_in| &stand_in.branches);
        let file = branches.map(|branches| branches.join(&self.service.branch));
        let now = file.and_then(|file| std::fs::read_to_string(file).ok());
        now.is_some_and(|now| !self.tip.is_empty() && now.trim() == self.tip)
    }

    /// What git says, whenever the branch has moved.
    async fn read(&mut self, tip: &str) -> Result<()> {
        let (git, at) = (Arc::clone(&self.delivery.git), tip.to_owned());
        let work = move || Ok((git.newest(&at, HISTORY)?, git.newest_manifests(&at, MANIFESTS)?));
        let read: Result<_> =
            tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(anyhow!("git: {error}")));
        (self.entries, self.manifests) = read?;
        self.tip = tip.to_owned();
        let file = self.delivery.names.files.deployment();
        let manifests: Vec<(&Commit, Wanted)> = self
            .manifests
            .iter()
            .filter_map(|each| {
                let known = self.wants.entry(each.commit.id.clone()).or_insert_with(|| Wanted::of(&file, each));
                Some((&each.commit, known.clone()?))
            })
            .collect();
        let deploys = deploys(&manifests, &self.entries);
        self.service.dora = Some(dora(&deploys, Timestamp::now()));
        self.service.hold = self.hold(&file);
        self.service.deploys = deploys;
        let kept: Vec<String> = self.sources().map(|entry| entry.commit.id.clone()).collect();
        self.rows.retain(|id, _| kept.contains(id));
        Ok(())
    }

    fn sources(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.kind == Kind::Source).take(ROWS)
    }

    /// What is on its way among the newest, and the very newest: whoever waits for theirs waits for no older one.
    async fn open_rows(&mut self) {
        let sources: Vec<Entry> = self.sources().take(FIRST).cloned().collect();
        for (place, entry) in sources.into_iter().enumerate() {
            let row = self.rows.get(&entry.commit.id);
            if row.map_or(place == 0, |row| row.answer.state != State::Superseded) {
                self.look_at(&entry).await;
            }
            if place == 0 {
                self.publish();
            }
        }
    }

    /// What was settled is looked at again when something else is wanted or live, until there may be news.
    async fn stale_rows(&mut self) {
        let begin = Instant::now();
        let stale: Vec<Entry> = self.sources().filter(|entry| self.stale.contains(&entry.commit.id)).cloned().collect();
        for entry in stale {
            self.look_at(&entry).await;
            if begin.elapsed() >= TOGETHER {
                return;
            }
        }
        self.stale.clear();
    }

    async fn look_at(&mut self, entry: &Entry) {
        let Some(around) = &self.around else { return };
        let answer = decide(&self.delivery.collect_among(&entry.commit, around).await);
        let row = self.row(entry, answer);
        self.rows.insert(entry.commit.id.clone(), row);
        self.stale.remove(&entry.commit.id);
    }

    fn publish(&mut self) {
        let rows = self.sources().filter_map(|entry| self.rows.get(&entry.commit.id).cloned()).collect();
        self.service.rows = rows;
        let (place, service) = (self.place, &self.service);
        self.everybody.send_if_modified(|all| {
            let is_other = *all[place] != *service;
            if is_other {
                replace(all, place, service.clone());
            }
            is_other
        });
    }
}

fn tag(live: &Option<Live>) -> Option<(&str, bool)> {
    live.as_ref().map(|live| (live.tag.as_str(), live.but.is_none()))
}
