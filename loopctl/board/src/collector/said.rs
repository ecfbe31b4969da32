//! What is said of what was seen: what is live, what holds, each row, and who could not be asked.

use delivery::coordinates::{short, split_image, tag_of, tagged};
use delivery::git::log::Entry;
use delivery::journey::answer::{Answer, HopState, State};
use delivery::journey::collect::Surroundings;
use delivery::journey::hops::{image, pods};
use delivery::steer::branch::held_since;

use super::Collector;
use crate::seen::{Hold, Live, Row, Unseen};

impl Collector<'_> {
    pub(super) fn hold(&self, file: &str) -> Option<Hold> {
        let (hold, begun) = held_since(&self.manifests)?;
        // The second paragraph is the person's own.
        let message = self.delivery.git.message(&begun.id).unwrap_or_default();
        let reason = message.split("\n\n").nth(1).unwrap_or(&begun.subject).trim().to_owned();
        let command = if hold.is_certain {
            self.delivery.names.files.said("cargo loopctl resume")
        } else {
            format!("edit line {} of {file}", hold.line)
        };
        Some(Hold { bad: hold.bad, reason, since: begun.at, command })
    }

    pub(super) fn live(&self, around: &Surroundings) -> Option<Live> {
        let serving = &around.serving;
        let rollout = serving.rollout.as_ref().ok()?.as_ref()?;
        let image = tagged(&rollout.workload.image);
        let tag = split_image(&image).map(|(_, tag)| tag).unwrap_or_else(|_| image.clone());
        let digits = tag.trim_start_matches("sha-").to_owned();
        let entry = self.entries.iter().find(|entry| entry.commit.id.starts_with(&digits));
        let wanted = self.service.deploys.iter().find(|deploy| deploy.what.is_of_an_image() && deploy.tag == tag);
        let answers =
            serving.endpoint.as_ref().map(|endpoint| format!("{} answers {}", endpoint.address, endpoint.tag));
        Some(Live {
            commit: entry.map(|entry| entry.commit.id.clone()),
            subject: entry.map(|entry| entry.commit.subject.clone()),
            since: wanted.map(|deploy| deploy.at),
            pods: pods::pods(serving.now, rollout).detail,
            answers: answers.map_err(Clone::clone),
            but: serving.live(&image).err().map(|why| self.delivery.names.files.said(&why)),
            tag,
        })
    }

    pub(super) fn row(&self, entry: &Entry, answer: Answer) -> Row {
        let tag = tag_of(&entry.commit.id);
        let wanted = self.service.deploys.iter().find(|deploy| deploy.what.is_of_an_image() && deploy.tag == tag);
        let files = &self.delivery.names.files;
        let own = short(&entry.commit.id);
        let mut commands = vec![files.said("cargo loopctl where") + &format!(" {own}")];
        if let Some(run) = self.delivery.stand_in.as_ref().map(|_| "cargo loopctl runs") {
            commands.push(run.to_owned());
        }
        if answer.state == State::Failed || answer.state == State::Stuck {
            commands.push(files.said("cargo loopctl rollback") + " --reason TEXT");
        }
        let live = self.service.live.as_ref().and_then(|live| live.commit.as_deref());
        if let Some(live) = live.filter(|live| *live != entry.commit.id) {
            commands.push(format!("git diff {} {own} -- {}", short(live), files.manifests()));
        }
        let page = self.service.repository.trim_end_matches(".git");
        // What an Application names may be anything, and a link is followed.
        let diff = page.starts_with("https://github.com/").then(|| format!("{page}/commit/{}", entry.commit.id));
        Row {
            answer,
            author: entry.author.clone(),
            at: entry.commit.at,
            wanted: wanted.map(|deploy| (deploy.at, deploy.until)),
            commands,
            diff,
        }
    }

    /// Each that could not be asked, once, however many rows miss it.
    pub(super) fn unseen(&self) -> Vec<Unseen> {
        let mut found = Vec::new();
        let mut note = |who, why: Option<&String>| found.extend(why.map(|why| Unseen { who, why: why.clone() }));
        note("cluster", self.delivery.cluster.as_ref().err());
        if let (Some(around), Ok(_)) = (&self.around, &self.delivery.cluster) {
            note("Argo CD", around.application.as_ref().err());
            note("Deployment", around.serving.rollout.as_ref().err());
            note("Service", around.serving.offered.as_ref().err());
            note("endpoint", around.serving.endpoint.as_ref().err().filter(|_| around.serving.has_to_answer));
        }
        let newest = self.sources().next().and_then(|entry| self.rows.get(&entry.commit.id));
        let hops = newest.map(|row| row.answer.hops.as_slice()).unwrap_or_default();
        let of_image = hops.iter().find(|hop| hop.hop == image::NAME && hop.state == HopState::Unseen);
        note("registry", of_image.and_then(|hop| hop.reason.first()));
        let of_run =
            hops.iter().flat_map(|hop| &hop.reason).find(|why| why.starts_with("the workflow could not be seen"));
        note("workflow", of_run);
        found
    }
}
