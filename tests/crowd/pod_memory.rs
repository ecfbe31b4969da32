//! As many connections as the manifest allows, all of which cost as much as one can, within the pod's limits.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use argo_rust::server::head::LONGEST_HEAD;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::client::{Connection, read_to_end};
use crate::control_group::ControlGroup;
use crate::manifest_connections;
use crate::service::{Service, command};

const SECOND: Duration = Duration::from_secs(1);

/// What a client does so that its connection costs much.
#[derive(Clone, Copy, Debug)]
enum Habit {
    /// The largest head but for its last byte.
    HalfAHead,
    /// The largest static answer, asked for again and again and never read.
    UnreadAnswers,
}

async fn cost_much(address: SocketAddr, habit: Habit) {
    loop {
        sleep(SECOND / 50).await;
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let Ok(mut stream) = socket.connect(address).await else { continue };
        match habit {
            Habit::HalfAHead => {
                let mut head = b"GET /hello HTTP/1.1\r\nhost: a\r\nx-a: ".to_vec();
                head.resize(LONGEST_HEAD - 1, b'a');
                let _ = stream.write_all(&head).await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
            Habit::UnreadAnswers => {
                let requests = "GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n".repeat(1_000);
                // Nothing more is taken from a second on, and the service closes after its own time.
                while !matches!(timeout(SECOND, stream.write_all(requests.as_bytes())).await, Ok(Err(_))) {}
            }
        }
    }
}

/// Long answers to who reads them and long computations beside them: the calculator's memory.
async fn ask_for_long_answers(address: SocketAddr) {
    loop {
        if let Ok(mut connection) = Connection::open(address).await {
            let _ = timeout(5 * SECOND, connection.get("/fibonacci/10000000")).await;
        }
        sleep(SECOND / 50).await;
    }
}

async fn probe(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await?;
    Ok(read_to_end(&mut stream).await?.starts_with("HTTP/1.1 200 "))
}

struct Outcome {
    failed_probes: u64,
    killed: u64,
}

/// That many clients and a pod's limits, asked once a second with the kubelet's patience; none where there is no
/// control group to be had.
async fn probes_beside(connections: usize, habit: Habit, seconds: u32) -> Option<Outcome> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    // A whole core, as what is asked here is not how long the crowd takes.
    let group = ControlGroup::create(1_000, 64);
    let group =
        group.inspect_err(|error| println!("SKIPPED: a pod's limits need root and control groups: {error}")).ok()?;
    let mut inside = group.wrap(&command());
    let service = Service::start_by(inside.env("ARGO_RUST_MAX_CONNECTIONS", connections.to_string()));
    let mut crowd = JoinSet::new();
    for _ in 0..8 {
        crowd.spawn(ask_for_long_answers(service.address));
    }
    for _ in 0..connections {
        crowd.spawn(cost_much(service.address, habit));
        sleep(SECOND / 500).await;
    }
    let started = Instant::now();
    let (mut asked, mut failed_probes) = (0, 0);
    // One that was killed has said all there is to be said.
    while started.elapsed() < seconds * SECOND && group.killed() == 0 {
        let answered = timeout(3 * SECOND, probe(service.address)).await;
        asked += 1;
        failed_probes += u64::from(!matches!(answered, Ok(Ok(true))));
        sleep(SECOND).await;
    }
    let (peak, killed) = (group.peak_kilobytes(), group.killed());
    println!("figures: {connections} connections, {habit:?}: {failed_probes} of {asked} probes failed, peak {peak} kB");
    drop(crowd);
    drop(service);
    Some(Outcome { failed_probes, killed })
}

fn seconds() -> u32 {
    // Longer than a connection may take for its head, so that all of them have come twice.
    std::env::var("ARGO_RUST_TEST_SECONDS").map_or(12, |text| text.parse().expect("a number of seconds"))
}

#[tokio::test]
async fn as_many_connections_as_the_manifest_allows_fit_into_its_memory_at_their_worst() {
    for habit in [Habit::HalfAHead, Habit::UnreadAnswers] {
        let Some(outcome) = probes_beside(manifest_connections(), habit, seconds()).await else { return };
        assert_eq!(outcome.killed, 0, "{habit:?}");
        // Clients that go on asking for what they never read take the processor as well, and probes wait for that.
        let may_wait = matches!(habit, Habit::UnreadAnswers);
        assert!(may_wait || outcome.failed_probes == 0, "{habit:?}: {} probes failed", outcome.failed_probes);
    }
    // Four times as many do not: the check above could fail.
    let outcome = probes_beside(4 * manifest_connections(), Habit::HalfAHead, 6).await.expect("as before");
    assert!(outcome.killed > 0, "the service has lived through what it cannot have had the memory for");
}
