//! The AppProject: its windows may keep an Application from being synced now, and nothing else says so.

mod schedule;

use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use self::schedule::Schedule;
use super::Cluster;
use super::application::Application;
use super::objects::PROJECT;

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub struct Project {
    pub spec: Spec,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Spec {
    pub sync_windows: Vec<Window>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Window {
    /// allow or deny.
    pub kind: String,
    pub schedule: String,
    pub duration: String,
    pub time_zone: String,
    pub applications: Vec<String>,
    pub namespaces: Vec<String>,
    pub clusters: Vec<String>,
    pub use_and_operator: bool,
}

impl Project {
    /// Why no automated sync begins now, if that is so. A window that cannot be read keeps nothing from anybody.
    pub fn denies(&self, application: &Application, now: Timestamp) -> Option<String> {
        let windows = self.spec.sync_windows.iter().filter(|window| window.is_about(application));
        let windows: Vec<(&Window, bool)> = windows.filter_map(|each| Some((each, each.is_open(now)?))).collect();
        let of = |kind: &'static str| windows.iter().filter(move |(window, _)| window.kind == kind);
        if let Some((window, _)) = of("deny").find(|(_, is_open)| *is_open) {
            return Some(format!("a sync window of the project denies it now: {}", window.words()));
        }
        let is_allowed = of("allow").count() == 0 || of("allow").any(|(_, is_open)| *is_open);
        let (window, _) = of("allow").next().filter(|_| !is_allowed)?;
        Some(format!("no sync window of the project allows it now: {}", window.words()))
    }
}

impl Window {
    fn words(&self) -> String {
        let zone = if self.time_zone.is_empty() { "UTC" } else { &self.time_zone };
        format!("{} `{}` ({zone}) for {}", self.kind, self.schedule, self.duration)
    }

    fn is_about(&self, application: &Application) -> bool {
        let destination = &application.spec.destination;
        let has = |patterns: &[String], name: &str| patterns.iter().any(|pattern| matches(pattern, name));
        let each = [
            (!self.applications.is_empty(), has(&self.applications, &application.metadata.name)),
            (!self.namespaces.is_empty(), has(&self.namespaces, &destination.namespace)),
            (
                !self.clusters.is_empty(),
                has(&self.clusters, &destination.server) || has(&self.clusters, &destination.name),
            ),
        ];
        if self.use_and_operator {
            return each.iter().any(|(is_said, _)| *is_said) && each.iter().all(|(is_said, is)| !is_said || *is);
        }
        each.iter().any(|(_, is)| *is)
    }

    /// None where its words are not understood.
    fn is_open(&self, now: Timestamp) -> Option<bool> {
        let zone = if self.time_zone.is_empty() { TimeZone::UTC } else { TimeZone::get(&self.time_zone).ok()? };
        let duration: Duration = humantime::parse_duration(&self.duration).ok()?;
        Some(Schedule::of(&self.schedule)?.began_within(now, &zone, duration))
    }
}

/// With stars, as most people write them.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(before) else { return false };
    (0..=rest.len()).filter_map(|at| rest.get(at..)).any(|rest| matches(after, rest))
}

impl Cluster {
    pub async fn project(&self, namespace: &str, name: &str) -> Result<Option<Project>> {
        let object = self.object(PROJECT, Some(namespace), name).await?;
        Ok(object.map(serde_json::from_value).transpose()?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Monday, 2027-02-01, 10:30 in UTC.
    fn now() -> Timestamp {
        "2027-02-01T10:30:00Z".parse().expect("a time")
    }

    fn check(windows: &serde_json::Value, expected: Option<&str>) {
        let project = json!({"spec": {"syncWindows": windows}});
        let project: Project = serde_json::from_value(project).expect("a project");
        let application = json!({
            "metadata": {"name": "shop"}, "spec": {"destination": {"namespace": "shop", "server": "https://here"}},
        });
        let application: Application = serde_json::from_value(application).expect("an Application");
        let found = project.denies(&application, now());
        match expected {
            Some(words) => assert!(found.as_ref().is_some_and(|found| found.contains(words)), "{windows}: {found:?}"),
            None => assert_eq!(found, None, "{windows}"),
        }
    }

    fn window(kind: &str, schedule: &str, duration: &str) -> serde_json::Value {
        json!({"kind": kind, "schedule": schedule, "duration": duration, "applications": ["sh*"]})
    }

    #[test]
    fn a_window_that_denies_wins_and_where_some_allow_one_has_to_be_open() {
        check(&json!([]), None);
        check(&json!([window("deny", "0 10 * * *", "1h")]), Some("denies it now: deny `0 10 * * *` (UTC) for 1h"));
        check(&json!([window("deny", "0 10 * * *", "30m")]), None);
        check(&json!([window("allow", "0 22 * * *", "1h")]), Some("no sync window of the project allows it now"));
        check(&json!([window("allow", "0 22 * * *", "1h"), window("allow", "* * * * *", "1h")]), None);
        check(&json!([window("allow", "* * * * *", "1h"), window("deny", "0 0 * * 1", "24h")]), Some("denies"));
    }

    #[test]
    fn a_window_of_others_or_one_that_cannot_be_read_keeps_nothing_from_anybody() {
        let of_others = json!({"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["other"]});
        check(&json!([of_others]), None);
        check(&json!([window("deny", "whenever", "1h")]), None);
        check(&json!([window("deny", "* * * * *", "long")]), None);
        let of_namespace = json!({"kind": "deny", "schedule": "* * * * *", "duration": "1h", "namespaces": ["*"]});
        check(&json!([of_namespace]), Some("denies"));
        let both = json!({"kind": "deny", "schedule": "* * * * *", "duration": "1h", "namespaces": ["*"],
            "applications": ["other"], "useAndOperator": true});
        check(&json!([both]), None);
    }

    #[test]
    fn a_schedule_counts_in_its_own_time_zone() {
        let mut window = window("deny", "0 19 * * *", "1h");
        check(&json!([window]), None);
        window["timeZone"] = json!("Asia/Tokyo");
        check(&json!([window]), Some("(Asia/Tokyo)"));
    }
}
