//! More clients than the service may have connections, all of which keep theirs: a newcomer is answered all the same.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::client::{Connection, get, raw, stuck_reader, value};
use crate::manifest_connections;
use crate::service::Service;

const SECOND: Duration = Duration::from_secs(1);
/// Connections that the service has beyond its limit while others make room.
const NEWCOMERS: usize = 16;

/// What a client does with its connection; where that is closed it comes back.
#[derive(Clone, Copy, Debug)]
enum Habit {
    AsksTwiceASecond,
    KeepsQuiet,
    SendsHalfAHead,
    ReadsNothing,
    AsksForLongAnswers,
}

use Habit::{AsksForLongAnswers, AsksTwiceASecond, KeepsQuiet, ReadsNothing, SendsHalfAHead};

async fn keep_busy(address: SocketAddr, habit: Habit) {
    loop {
        match habit {
            AsksTwiceASecond => {
                let Ok(mut connection) = Connection::open(address).await else { continue };
                while connection.get("/hello").await.is_ok_and(|answer| answer.header("connection") != "close") {
                    sleep(SECOND / 2).await;
                }
                sleep(SECOND / 2).await;
            }
            KeepsQuiet => until_closed(raw(address, "").await).await,
            SendsHalfAHead => {
                let head = format!("GET /hello HTTP/1.1\r\nhost: a\r\nx-a: {}", "a".repeat(16_000));
                until_closed(raw(address, &head).await).await;
            }
            ReadsNothing => {
                let stream = stuck_reader(address).await;
                sleep(5 * SECOND).await;
                drop(stream);
            }
            AsksForLongAnswers => {
                let Ok(mut connection) = Connection::open(address).await else { continue };
                while connection.get("/fibonacci/2000000").await.is_ok() {}
            }
        }
    }
}

async fn until_closed(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// The longest time that a newcomer waited for its answer, of one each quarter of a second.
async fn longest_wait(limit: usize, clients: usize, habit: Habit) -> Duration {
    let service = Service::start_with(&[("ARGO_RUST_MAX_CONNECTIONS", &limit.to_string())]);
    let mut crowd = JoinSet::new();
    for _ in 0..clients {
        crowd.spawn(keep_busy(service.address, habit));
    }
    sleep(SECOND / 2).await;
    let mut longest = Duration::ZERO;
    for _ in 0..12 {
        let started = Instant::now();
        let answer = timeout(3 * SECOND, get(service.address, "/hello")).await;
        let answer = answer.unwrap_or_else(|_| panic!("{habit:?}: a newcomer was not answered within 3 s"));
        assert_eq!(answer.status, 200, "{habit:?}");
        longest = longest.max(started.elapsed());
        let open = value(service.metrics_address, "http_connections_open").await.unwrap();
        assert!(open <= (limit + NEWCOMERS) as f64, "{habit:?}: {open} connections were open");
        sleep(SECOND / 4).await;
    }
    println!("figures: {clients} clients at a limit of {limit}, {habit:?}: a newcomer waited {longest:?} at most");
    longest
}

#[tokio::test]
async fn a_newcomer_is_answered_within_a_second_whatever_the_others_do() {
    // Those that take no processor go side by side, each with a service of its own.
    let mut quiet = JoinSet::new();
    for habit in [AsksTwiceASecond, KeepsQuiet, SendsHalfAHead, ReadsNothing] {
        quiet.spawn(is_within_a_second(habit));
    }
    for outcome in quiet.join_all().await {
        outcome.unwrap();
    }
    is_within_a_second(AsksForLongAnswers).await.unwrap();
}

/// Beside as many clients as are allowed, and beside far more.
async fn is_within_a_second(habit: Habit) -> Result<(), String> {
    for clients in [5, 60] {
        let wait = longest_wait(5, clients, habit).await;
        if wait >= SECOND {
            return Err(format!("{clients} clients, {habit:?}: a newcomer waited {wait:?}"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn at_the_manifests_own_limit_too() {
    let limit = manifest_connections();
    for habit in [AsksTwiceASecond, KeepsQuiet, SendsHalfAHead] {
        // Here the clients take most of the machine: the bound is the kubelet's shortest patience.
        let wait = longest_wait(limit, limit + 100, habit).await;
        assert!(wait < 2 * SECOND, "{habit:?}: a newcomer waited {wait:?}");
    }
}

#[tokio::test]
async fn a_client_that_goes_on_asking_loses_no_request_to_newcomers() {
    let service = Service::start_with(&[("ARGO_RUST_MAX_CONNECTIONS", "2")]);
    let mut connection = Connection::open(service.address).await.unwrap();
    let _others = (raw(service.address, "").await, raw(service.address, "").await);
    let mut closes = 0;
    for _ in 0..30 {
        let answer = connection.get("/hello").await.expect("the connection is open until an answer has said otherwise");
        if answer.header("connection") == "close" {
            closes += 1;
            connection = Connection::open(service.address).await.unwrap();
        }
        sleep(SECOND / 20).await;
    }
    assert!(closes > 0, "no answer has said that others wait");
}

#[tokio::test]
async fn of_two_that_keep_quiet_the_one_that_does_so_longer_makes_room() {
    let service = Service::start_with(&[("ARGO_RUST_MAX_CONNECTIONS", "2")]);
    let mut longer = raw(service.address, "").await;
    sleep(SECOND / 2).await;
    let mut shorter = Connection::open(service.address).await.unwrap();
    sleep(SECOND).await;
    let _newcomer = raw(service.address, "").await;
    let closed = timeout(SECOND, longer.read_to_end(&mut Vec::new())).await.expect("the longer one is closed");
    closed.expect("it is closed in order");
    assert_eq!(shorter.get("/hello").await.expect("the shorter one is open").status, 200);
}
