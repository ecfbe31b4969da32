//! The cluster's own news: that something about a delivery has changed, and not what.

use futures_util::stream::{BoxStream, SelectAll, StreamExt};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};

use super::Cluster;
use super::objects::{DEPLOYMENT, ENDPOINTS, Kind};
use crate::coordinates::Coordinates;

const POD: Kind = ("", "v1", "Pod");
const APPLICATION: Kind = ("argoproj.io", "v1alpha1", "Application");

/// What may be said each time; a watch that breaks is begun anew, and what was missed meanwhile is news as well.
pub type News = BoxStream<'static, ()>;

impl Cluster {
    /// Each change of the Application, the Deployment, its pods, and of where its Service leads to. What this account may
    /// not watch brings no news, and is asked for all the same.
    pub fn news(&self, names: &Coordinates) -> News {
        let named = |name: &str| watcher::Config::default().fields(&format!("metadata.name={name}"));
        let pods = watcher::Config::default().labels(&names.selector);
        let slices = watcher::Config::default().labels(&format!("kubernetes.io/service-name={}", names.service));
        let watched = [
            self.changes(APPLICATION, &names.application_namespace, named(&names.application)),
            self.changes(DEPLOYMENT, &names.namespace, named(&names.deployment)),
            self.changes(POD, &names.namespace, pods),
            self.changes(ENDPOINTS, &names.namespace, slices),
        ];
        watched.into_iter().collect::<SelectAll<News>>().boxed()
    }

    /// Only what stands about each object is transferred, and of that no more is looked at than that there is news.
    fn changes(&self, (group, version, kind): Kind, namespace: &str, config: watcher::Config) -> News {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api: Api<PartialObjectMeta<DynamicObject>> =
            Api::namespaced_with(self.client.clone(), namespace, &resource);
        let events = watcher(api, config).default_backoff();
        let news = events.filter_map(async |event| match event {
            Ok(Event::Apply(_) | Event::Delete(_) | Event::InitDone) => Some(()),
            _ => None,
        });
        news.boxed()
    }
}
