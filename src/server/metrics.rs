use std::sync::Arc;
use std::time::Instant;

use axum::http::{Method, Request, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::get;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::build_info;

/// What Prometheus reads of every service; what a resource measures besides, it registers itself.
pub struct Metrics {
    registry: Registry,
    pub http: HttpMetrics,
    pub connections_open: Gauge,
}

impl Metrics {
    pub fn new(mut registry: Registry, paths: &[&'static str]) -> Self {
        let http = HttpMetrics::new(paths);
        registry.register("http_requests", "Requests answered", http.requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time from a finished request head to the head of its answer",
            Unit::Seconds,
            http.duration.clone(),
        );

        let connections_open = Gauge::default();
        registry.register("http_connections_open", "Connections accepted and not yet closed", connections_open.clone());

        let build = vec![
            ("version", build_info::VERSION.to_owned()),
            ("revision", build_info::REVISION.unwrap_or("none").to_owned()),
        ];
        registry.register("argo_rust_build", "What this binary was built from", Info::new(build));

        Self { registry, http, connections_open }
    }

    /// The second listener's whole API.
    pub fn router(self) -> axum::Router {
        let registry = Arc::new(self.registry);
        let encode = move || async move {
            let mut body = String::new();
            match text::encode(&mut body, &registry) {
                Ok(()) => {
                    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                    ([(header::CONTENT_TYPE, OPEN_METRICS)], body).into_response()
                }
                Err(_) => axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        };
        axum::Router::new().route("/metrics", get(encode))
    }
}

/// Counts and times requests by method, route and status.
#[derive(Clone)]
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    duration: Family<RequestLabels, Histogram>,
    routes: Arc<matchit::Router<Route>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

/// A path of the API, with the two series of nearly every request at hand: to look them up by their labels costs
/// more than to answer a greeting.
struct Route {
    path: &'static str,
    gets_answered: Counter,
    gets_duration: Histogram,
}

/// A request that is being answered.
pub struct Measurement<'a> {
    metrics: &'a HttpMetrics,
    route: Option<&'a Route>,
    method: &'static str,
    started: Instant,
}

impl HttpMetrics {
    fn new(paths: &[&'static str]) -> Self {
        let requests = Family::<RequestLabels, Counter>::default();
        let duration = Family::<RequestLabels, Histogram>::new_with_constructor(|| {
            Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
        });
        let mut routes = matchit::Router::new();
        for path in paths {
            let labels = RequestLabels { method: "GET", route: path, status: 200 };
            let gets_answered = requests.get_or_create(&labels).clone();
            let gets_duration = duration.get_or_create(&labels).clone();
            let added = routes.insert(*path, Route { path, gets_answered, gets_duration });
            added.expect("the API's own router has taken the same paths");
        }
        Self { requests, duration, routes: Arc::new(routes) }
    }

    pub fn start<B>(&self, request: &Request<B>) -> Measurement<'_> {
        Measurement {
            metrics: self,
            // The path of the route, never the raw one: a scanner must not create a time series a path.
            route: self.routes.at(request.uri().path()).ok().map(|found| found.value),
            method: known_method(request.method()),
            started: Instant::now(),
        }
    }
}

impl HttpMetrics {
    /// Counts a head that was refused before it was a request: it has no method, no route and no time.
    pub fn refused(&self, status: StatusCode) {
        let labels = RequestLabels { method: "other", route: "none", status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
    }
}

impl Measurement<'_> {
    pub fn end(self, status: StatusCode) {
        let seconds = self.started.elapsed().as_secs_f64();
        match self.route {
            Some(route) if status == StatusCode::OK && self.method == "GET" => {
                route.gets_answered.inc();
                route.gets_duration.observe(seconds);
            }
            route => {
                let route = route.map_or("none", |route| route.path);
                let labels = RequestLabels { method: self.method, route, status: status.as_u16() };
                self.metrics.requests.get_or_create(&labels).inc();
                self.metrics.duration.get_or_create(&labels).observe(seconds);
            }
        }
    }
}

/// The method as a label; HTTP lets a client invent methods, and each would be a time series.
fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// Adds one to a gauge for as long as it lives.
pub struct GaugeGuard(Gauge);

impl GaugeGuard {
    pub fn new(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}
