use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

/// The two signals that end the service.
pub struct Signals {
    /// Kubernetes sends it while it still routes connections here.
    terminate: Signal,
    /// A person pressed Ctrl-C: nobody routes connections here, so there is nothing to wait for.
    interrupt: Signal,
}

impl Signals {
    /// Must run before the ports are bound. As PID 1 the process would otherwise ignore both.
    #[expect(clippy::expect_used, reason = "a process that cannot be stopped must not start")]
    pub fn install() -> Self {
        Self {
            terminate: signal(SignalKind::terminate()).expect("SIGTERM can be handled"),
            interrupt: signal(SignalKind::interrupt()).expect("SIGINT can be handled"),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    Announcing,
    Stopping,
}

/// Moves the service through its drain; the accept loop and every connection watch it.
pub struct Drain(watch::Sender<Phase>);

#[derive(Clone)]
pub struct DrainWatch(watch::Receiver<Phase>);

pub fn drain() -> (Drain, DrainWatch) {
    let (sender, receiver) = watch::channel(Phase::Serving);
    (Drain(sender), DrainWatch(receiver))
}

impl Drain {
    /// From now on every answer says `Connection: close`.
    fn announce(&self) {
        self.0.send_replace(Phase::Announcing);
    }

    /// From now on no connection is accepted and none is kept.
    fn stop(&self) {
        self.0.send_replace(Phase::Stopping);
    }
}

impl DrainWatch {
    pub fn is_announced(&self) -> bool {
        *self.0.borrow() >= Phase::Announcing
    }

    pub fn is_stopping(&self) -> bool {
        *self.0.borrow() >= Phase::Stopping
    }

    pub async fn stopping(mut self) {
        if self.0.wait_for(|phase| *phase >= Phase::Stopping).await.is_err() {
            // Nobody is left who could stop it: serve on.
            std::future::pending::<()>().await;
        }
    }
}

/// Waits for a signal, then for the service to finish what is in flight, at most until the deadline.
///
/// The service stays ready during the delay, as endpoints are taken out of routing while the pod already has its
/// SIGTERM: whoever still connects in that time is answered.
pub async fn drain_on_signal(
    mut signals: Signals,
    drain: Drain,
    mut service: JoinHandle<()>,
    delay: Duration,
    deadline: Duration,
) {
    let terminated = tokio::select! {
        _ = signals.terminate.recv() => true,
        _ = signals.interrupt.recv() => false,
    };
    end_after(deadline);
    let deadline = Instant::now() + deadline;
    drain.announce();
    if terminated {
        tracing::info!(?delay, "SIGTERM: accepting for another {delay:?}, answers say Connection: close");
        tokio::select! {
            () = sleep(delay) => {}
            _ = signals.interrupt.recv() => {}
        }
    }
    tracing::info!("no longer accepting; finishing what is in flight");
    drain.stop();
    tokio::select! {
        _ = &mut service => tracing::info!("drained"),
        () = sleep_until(deadline) => tracing::warn!("drain deadline reached; what is still in flight is cut"),
        _ = signals.interrupt.recv() => tracing::warn!("SIGINT during the drain; what is still in flight is cut"),
    }
}

/// Ends the process even where the runtime is held up, by a disk or a log that stands still.
fn end_after(deadline: Duration) {
    // The orderly end at the deadline comes first.
    const LATER: Duration = Duration::from_millis(200);
    std::thread::spawn(move || {
        std::thread::sleep(deadline + LATER);
        std::process::exit(0);
    });
}
