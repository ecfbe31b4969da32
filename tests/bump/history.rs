//! What must be true of master's history, whoever pushed what and when.

use std::collections::BTreeMap;

use crate::manifest::{MANIFEST, tag};
use crate::world::World;

/// The files an image is made of, by path.
pub type Inputs = BTreeMap<&'static str, String>;

/// A person's commit and the inputs it left behind.
pub struct Pushed {
    pub commit: String,
    pub inputs: Inputs,
}

pub struct Verdict {
    pub ends_right: bool,
    /// One sentence for each thing that went wrong, the end included.
    pub faults: Vec<String>,
}

struct Entry {
    commit: String,
    parents: String,
    author: String,
    subject: String,
    changed: String,
}

/// Judges what was added to master after `since`, when master named `deployed`. `newest_good` is the last commit
/// whose run did not fail: the round has to end on its inputs, or on something newer.
pub fn judge(world: &World, since: &str, deployed: &str, pushed: &[Pushed], newest_good: Option<&str>) -> Verdict {
    let by_tag: BTreeMap<String, usize> = pushed.iter().enumerate().map(|(at, push)| (tag(&push.commit), at)).collect();
    let mut deployed = by_tag.get(deployed.rsplit(':').next().unwrap()).copied();
    let mut verdict = Verdict { ends_right: false, faults: Vec::new() };
    let mut newest = pushed.iter().position(|push| push.commit == since);

    let entries = entries_after(world, since);
    let mut expected_parent = since.to_owned();
    for entry in &entries {
        if entry.parents != expected_parent {
            verdict.faults.push(format!("{} does not stand on the commit before it", entry.commit));
        }
        expected_parent = entry.commit.clone();
        let Some(bumped_tag) = entry.subject.strip_prefix("ci: update image to ") else {
            newest = pushed.iter().position(|push| push.commit == entry.commit);
            continue;
        };
        if entry.author != "github-actions[bot]" || entry.changed != format!("1\t1\t{MANIFEST}") {
            verdict.faults.push(format!("bump {} is not one line of the manifest: {}", entry.commit, entry.changed));
        }
        let Some(&source) = by_tag.get(bumped_tag) else {
            verdict.faults.push(format!("{bumped_tag} names no commit that was pushed"));
            continue;
        };
        if let (Some(before), Some(newest)) = (deployed, newest) {
            if source < before {
                verdict.faults.push(format!("{bumped_tag} was put over a newer image"));
            } else if pushed[source..=newest].iter().any(|push| push.inputs == pushed[before].inputs) {
                verdict.faults.push(format!("{bumped_tag} went out though it had been taken back"));
            }
        }
        deployed = Some(source);
    }

    for push in pushed.iter().rev().take_while(|push| push.commit != since) {
        if !entries.iter().any(|entry| entry.commit == push.commit) {
            verdict.faults.push(format!("a person's commit {} is gone", push.commit));
        }
    }
    verdict.ends_right = newest_good.is_none_or(|good| {
        let good = pushed.iter().rposition(|push| push.commit == good).expect("it was pushed");
        deployed.is_some_and(|at| at >= good || pushed[good..].iter().any(|push| push.inputs == pushed[at].inputs))
    });
    if !verdict.ends_right {
        verdict.faults.push(format!("the round ends on {}, older than {newest_good:?}", world.deployed()));
    }
    verdict
}

fn entries_after(world: &World, since: &str) -> Vec<Entry> {
    let range = format!("{since}..refs/heads/master");
    let log =
        world.git(&world.origin, ["log", "--reverse", "--numstat", "--format=%x01%H%x02%P%x02%an%x02%s%x02", &range]);
    let entries = log.split('\u{1}').skip(1).map(|entry| {
        let mut fields = entry.splitn(5, '\u{2}').map(|field| field.trim().to_owned());
        let mut next = || fields.next().expect("git log prints five fields");
        Entry { commit: next(), parents: next(), author: next(), subject: next(), changed: next() }
    });
    entries.collect()
}
