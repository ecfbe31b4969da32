use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// As many requests as the server answers, on connections that each have one request under way.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub connections: usize,
    pub seconds: u64,
    /// A connection for each request.
    pub fresh: bool,
}

#[derive(Debug, PartialEq)]
pub struct Counted {
    pub requests: f64,
    pub requests_a_second: f64,
    /// Answers other than 2xx and 3xx.
    pub refused: f64,
    pub errors: f64,
}

impl Load {
    pub fn run(self, address: SocketAddr, path: &str) -> Result<Counted> {
        let counted = self.count(self.start(address, path)?)?;
        ensure!(counted.refused == 0.0 && counted.errors == 0.0, "not all requests were answered: {counted:?}");
        Ok(counted)
    }

    pub fn start(self, address: SocketAddr, path: &str) -> Result<Child> {
        let mut command = Command::new("wrk");
        command
            .arg("--threads=1")
            .arg(format!("--connections={}", self.connections))
            .arg(format!("--duration={}s", self.seconds))
            .arg("--timeout=30s");
        if self.fresh {
            command.arg("--header=Connection: close");
        }
        command.arg(format!("http://{address}{path}")).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().context("cannot start wrk; scripts/bench-tools installs it")
    }

    pub fn count(self, child: Child) -> Result<Counted> {
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "wrk failed: {}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout);
        parse(&said).with_context(|| format!("wrk said something unexpected: {said}"))
    }
}

fn parse(said: &str) -> Option<Counted> {
    let mut lines = said.lines().map(str::trim);
    let after = |name: &str| said.lines().find_map(|line| line.trim().strip_prefix(name));
    Some(Counted {
        requests: lines.find_map(|line| line.split_once(" requests in "))?.0.parse().ok()?,
        requests_a_second: after("Requests/sec:")?.trim().parse().ok()?,
        refused: after("Non-2xx or 3xx responses:").map_or(Some(0.0), |count| count.trim().parse().ok())?,
        // connect 0, read 0, write 0, timeout 0
        errors: after("Socket errors:").map_or(Some(0.0), |kinds| {
            kinds.split(',').map(|kind| kind.split_whitespace().nth(1)?.parse::<f64>().ok()).sum()
        })?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_counted_too() {
        let check = |more: &str, expected: (f64, f64)| {
            let said =
                format!("  2 threads\n  123456 requests in 2.00s, 20.12MB read\n{more}Requests/sec:  61728.50\n");
            let (refused, errors) = expected;
            let counted = Counted { requests: 123_456.0, requests_a_second: 61_728.5, refused, errors };
            assert_eq!(parse(&said), Some(counted), "{more}");
        };
        check("", (0.0, 0.0));
        check("  Non-2xx or 3xx responses: 17\n", (17.0, 0.0));
        check("  Socket errors: connect 1, read 2, write 3, timeout 4\n", (0.0, 10.0));
        assert_eq!(parse("unable to connect"), None);
    }
}
