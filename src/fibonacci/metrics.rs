use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::server::metrics::GaugeGuard;

#[derive(Clone)]
pub struct FibonacciMetrics {
    queue_length: Gauge,
    duration: Histogram,
}

impl Default for FibonacciMetrics {
    fn default() -> Self {
        Self {
            queue_length: Gauge::default(),
            duration: Histogram::new([0.0001, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5]),
        }
    }
}

impl FibonacciMetrics {
    pub fn registered_in(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "fibonacci_queue_length",
            "Requests that wait for a computation slot",
            metrics.queue_length.clone(),
        );
        registry.register_with_unit(
            "fibonacci_computation_duration",
            "Time of one long computation, without waiting",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        metrics
    }

    /// Counts one request as waiting until the guard is dropped, also when its client goes away.
    pub fn waiting(&self) -> GaugeGuard {
        GaugeGuard::new(self.queue_length.clone())
    }

    pub fn computed(&self, time: Duration) {
        self.duration.observe(time.as_secs_f64());
    }
}
