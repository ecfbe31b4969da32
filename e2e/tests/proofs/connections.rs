//! The pod at its limit on connections, each of which costs as much as one can.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use e2e::repetitions::SECONDS_AMONG_CONNECTIONS;
use e2e::report::{Report, expect};
use e2e::service::{ADDRESS, get};
use e2e::wait::{seconds, until};
use e2e::{Loop, NAMESPACE, shell};
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
/// One byte less than src/server/head.rs takes for a head that is too long.
const LONGEST: usize = 16 * 1024 - 1;
const CONTROL: &str = "too-many-connections";

pub fn as_many_connections_as_are_allowed_leave_the_pod_answering(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let mut container = the_loop.deployment()?["spec"]["template"]["spec"]["containers"][0].take();
    let variables = container["env"].as_array_mut().context("the container has no settings")?;
    let setting = variables.iter_mut().find(|variable| variable["name"] == "ARGO_RUST_MAX_CONNECTIONS");
    let setting = setting.context("the manifest has no ARGO_RUST_MAX_CONNECTIONS")?;
    let allowed: usize = setting["value"].as_str().unwrap_or_default().parse()?;

    let time = Duration::from_secs(SECONDS_AMONG_CONNECTIONS.times());
    let before = restarts(&the_loop.pods()?);
    let crowd = Crowd::of(ADDRESS.parse()?, allowed);
    let (begun, mut asked, mut slowest) = (Instant::now(), 0, Duration::ZERO);
    while begun.elapsed() < time {
        let asking = Instant::now();
        get("/hello")
            .with_context(|| format!("beside {allowed} connections, {} after the first", seconds(begun.elapsed())))?;
        (asked, slowest) = (asked + 1, slowest.max(asking.elapsed()));
        sleep(SECOND);
    }
    drop(crowd);
    expect("restarts of the pods", restarts(&the_loop.pods()?), before)?;
    report.measured(format!(
        "{allowed} heads of {LONGEST} bytes without an end for {}: {asked} of {asked} probes answered, the slowest \
         after {}, no restart",
        seconds(time),
        seconds(slowest)
    ));

    // A pod that allows four times as many has not the memory for them.
    setting["value"] = (4 * allowed).to_string().into();
    // With all the processor it wants it comes to its end sooner.
    container["resources"]["limits"]["cpu"] = "1".into();
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        container[probe] = Value::Null;
    }
    let mut pod = the_loop.deployment()?["spec"]["template"].take();
    pod["spec"]["containers"] = json!([container]);
    pod["spec"]["restartPolicy"] = "Never".into();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"] = json!({"name": CONTROL, "namespace": NAMESPACE});
    shell::run_with_input(the_loop.kubectl().args(["create", "--filename=-"]), &pod.to_string())?;
    let ended = reason_of_the_end(the_loop, 4 * allowed);
    the_loop.ask(&["delete", "pod", CONTROL, "--namespace", NAMESPACE, "--wait=false"])?;
    expect("the end of a pod that allows four times as many", ended?.as_str(), "OOMKilled")?;
    report.control(format!("a pod that allows {} of them was OOMKilled", 4 * allowed));
    Ok(())
}

fn restarts(pods: &[Value]) -> Vec<(String, Value)> {
    let restarts = |pod: &Value| pod["status"]["containerStatuses"][0]["restartCount"].clone();
    pods.iter().map(|pod| (pod["metadata"]["name"].to_string(), restarts(pod))).collect()
}

fn reason_of_the_end(the_loop: &Loop, connections: usize) -> Result<String> {
    let (address, _) = until("the pod of the control runs", 30 * SECOND, || {
        let status = the_loop.get(NAMESPACE, "pod", CONTROL)?["status"].take();
        let address = status["podIP"].as_str().context("it has no address yet")?;
        Ok(format!("{address}:8080").parse::<SocketAddr>()?)
    })?;
    until("it listens", 30 * SECOND, || Ok(TcpStream::connect_timeout(&address, SECOND)?))?;
    let _crowd = Crowd::of(address, connections);
    let (reason, _) = until("it ends", 60 * SECOND, || {
        let status = the_loop.get(NAMESPACE, "pod", CONTROL)?["status"].take();
        match status["containerStatuses"][0]["state"]["terminated"]["reason"].as_str() {
            Some(reason) => Ok(reason.to_owned()),
            None => bail!("it still runs"),
        }
    })?;
    Ok(reason)
}

/// Clients that begin a head and do not end it; one that is closed comes again.
struct Crowd {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Crowd {
    fn of(address: SocketAddr, connections: usize) -> Self {
        const THREADS: usize = 8;
        let stop = Arc::new(AtomicBool::new(false));
        let thread = |_| {
            let stop = stop.clone();
            std::thread::spawn(move || {
                let mut crowd: Vec<Option<TcpStream>> = (0..connections.div_ceil(THREADS)).map(|_| None).collect();
                while !stop.load(Ordering::Relaxed) {
                    for place in crowd.iter_mut().filter(|place| place.as_ref().is_none_or(is_closed)) {
                        *place = begin(address).ok();
                    }
                    sleep(SECOND / 20);
                }
            })
        };
        let threads = (0..THREADS).map(thread).collect();
        Self { stop, threads }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

fn begin(address: SocketAddr) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&address, SECOND)?;
    stream.set_write_timeout(Some(SECOND))?;
    let mut head = b"GET /hello HTTP/1.1\r\nhost: a\r\nx-a: ".to_vec();
    head.resize(LONGEST, b'a');
    stream.write_all(&head)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

fn is_closed(mut stream: &TcpStream) -> bool {
    !stream.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}
