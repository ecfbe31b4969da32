use std::cmp::Reverse;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use slab::Slab;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::activity::{Activity, Phase};

/// The connections that are open, and who of them makes room when there are more than the limit.
///
/// A newcomer is served at once, a few beyond the limit. While there are too many, answers say `Connection: close`,
/// and who has asked for nothing for a second leaves. When the few places beyond are taken as well, the next one is
/// accepted as soon as somebody has left: first who waits, then who is sending a head, then who is being answered,
/// of each kind the one that does so longest.
pub struct Places {
    limit: usize,
    guests: Mutex<Guests>,
    crowded: AtomicBool,
    somebody_left: Notify,
}

#[derive(Default)]
struct Guests {
    open: Slab<Guest>,
    /// Told to go and not gone yet.
    leaving: usize,
}

struct Guest {
    activity: Arc<Activity>,
    task: AbortHandle,
    is_leaving: bool,
}

/// Connections beyond the limit that are served while others make room for them.
pub const NEWCOMERS: usize = 16;

/// So long may a connection ask for nothing while others need its place.
const GRACE: Duration = Duration::from_secs(1);

/// So long every connection has, whatever it does and whoever waits.
const AT_LEAST: Duration = Duration::from_millis(100);

/// How soon it is looked again for who has had its time by then.
pub const LOOK_AGAIN: Duration = Duration::from_millis(10);

impl Places {
    pub fn new(limit: usize) -> Self {
        Self { limit, guests: Mutex::default(), crowded: AtomicBool::new(false), somebody_left: Notify::new() }
    }

    /// Whether answers are to say `Connection: close`.
    pub fn are_crowded(&self) -> bool {
        self.crowded.load(Ordering::Relaxed)
    }

    /// Runs a connection as a task that ends when it has to make room.
    pub fn give_to(self: &Arc<Self>, activity: Arc<Activity>, connection: impl Future<Output = ()> + Send + 'static) {
        // Locked until the task is written down, as it may end before that.
        let mut guests = self.guests();
        let number = guests.open.vacant_key();
        let place = Place { places: self.clone(), number };
        let task = tokio::spawn(async move {
            connection.await;
            drop(place);
        });
        guests.open.insert(Guest { activity, task: task.abort_handle(), is_leaving: false });
        self.crowded.store(guests.open.len() > self.limit, Ordering::Relaxed);
    }

    /// Returns when one more connection may be accepted.
    pub async fn room(&self) {
        while self.guests().open.len() >= self.limit + NEWCOMERS {
            self.make_room();
            let _ = timeout(LOOK_AGAIN, self.somebody_left.notified()).await;
        }
    }

    /// Ends the connections that have to go by now.
    pub fn make_room(&self) {
        let mut guests = self.guests();
        let now = Instant::now();
        loop {
            let staying = guests.open.len() - guests.leaving;
            if staying <= self.limit {
                return;
            }
            // Who is being answered goes only for the one that could not be accepted else.
            let (patience, last) = match staying >= self.limit + NEWCOMERS {
                true => (AT_LEAST, Phase::Answering),
                false => (GRACE, Phase::Reading),
            };
            let may_go = guests.open.iter_mut().filter_map(|(_, guest)| {
                let (phase, age) = (guest.activity.phase(), guest.activity.age(now));
                (!guest.is_leaving && age >= patience && phase <= last).then_some((Reverse(phase), age, guest))
            });
            let Some((_, _, guest)) = may_go.max_by_key(|(phase, age, _)| (*phase, *age)) else { return };
            guest.is_leaving = true;
            guest.task.abort();
            guests.leaving += 1;
        }
    }

    fn guests(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place, which is free again when this is dropped.
struct Place {
    places: Arc<Places>,
    number: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut guests = self.places.guests();
        let gone = guests.open.remove(self.number);
        guests.leaving -= usize::from(gone.is_leaving);
        self.places.crowded.store(guests.open.len() > self.places.limit, Ordering::Relaxed);
        if guests.open.len() >= self.places.limit {
            self.places.somebody_left.notify_one();
        }
    }
}
