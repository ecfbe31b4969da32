//! Under which name README reaches the node.

/// The first `http://HOST:PORT` that is not the loop on one machine.
pub fn host_in(text: &str, port: u16) -> Option<String> {
    hosts(text, port).find(|host| *host != "127.0.0.1").map(str::to_owned)
}

fn hosts(text: &str, port: u16) -> impl Iterator<Item = &str> {
    text.match_indices("http://").filter_map(move |(at, scheme)| {
        let rest = &text[at + scheme.len()..];
        let authority = rest.split(['/', ' ', '\n', '"', '`', ')']).next()?;
        authority.strip_suffix(&format!(":{port}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_is_found_beside_the_local_loop() {
        let text = "curl http://127.0.0.1:30800/x\ncurl http://NODE:30800/y\nhttp://NODE:9090";
        assert_eq!(host_in(text, 30800).as_deref(), Some("NODE"));
    }
}
