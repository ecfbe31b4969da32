//! Which proxy leads to the cluster: decided by the cluster's own address, as kubectl decides it.

use std::net::IpAddr;

/// What a kubeconfig names itself goes before the environment, and NO_PROXY is not about that.
/// `server` is scheme, host and port.
pub fn of(named: Option<&str>, server: (&str, &str, u16), variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let set = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    if let Some(named) = named.and_then(|named| set(named.to_owned())) {
        return Some(with_scheme(&named));
    }
    let either = |name: &str| {
        let lower = || variable(&name.to_lowercase()).and_then(set);
        variable(name).and_then(set).or_else(lower)
    };
    let (scheme, host, port) = server;
    let proxy = either(if scheme == "http" { "HTTP_PROXY" } else { "HTTPS_PROXY" })?;
    let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_lowercase();
    let excepted = either("NO_PROXY").is_some_and(|entries| entries.split(',').any(|entry| covers(entry, &host, port)));
    if excepted || is_of_this_machine(&host) { None } else { Some(with_scheme(&proxy)) }
}

fn is_of_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// One entry of NO_PROXY: `*`, an address, a range of them, or a name that counts for those below it too.
fn covers(entry: &str, host: &str, port: u16) -> bool {
    let entry = entry.trim().to_lowercase();
    if entry == "*" {
        return true;
    }
    if let Some((network, bits)) = entry.split_once('/') {
        let (Ok(network), Ok(bits), Ok(address)) = (network.parse(), bits.parse(), host.parse()) else { return false };
        return is_in(address, network, bits);
    }
    let (name, of_port) = match entry.rsplit_once(':') {
        // More than one colon is an IPv6 address without a port.
        Some((name, digits)) if name.starts_with('[') || !name.contains(':') => (name, digits.parse::<u16>().ok()),
        _ => (entry.as_str(), None),
    };
    if of_port.is_some_and(|of_port| of_port != port) {
        return false;
    }
    let name = name.trim_matches(['[', ']']);
    if let (Ok(one), Ok(other)) = (name.parse::<IpAddr>(), host.parse::<IpAddr>()) {
        return one == other;
    }
    let below = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    match below.strip_prefix('.') {
        Some(parent) => !parent.is_empty() && host.strip_suffix(below).is_some_and(|rest| !rest.is_empty()),
        None => !name.is_empty() && (host == name || host.ends_with(&format!(".{name}"))),
    }
}

fn is_in(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => (address.to_bits().into(), network.to_bits().into(), 32),
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let rest: Option<u32> = u32::checked_sub(width, bits);
    rest.is_some_and(|rest| u128::checked_shr(address ^ network, rest).unwrap_or(0) == 0)
}

/// `socks5h` leaves the name to the proxy, as this client always does.
fn with_scheme(proxy: &str) -> String {
    let proxy = proxy.replacen("socks5h://", "socks5://", 1);
    if proxy.contains("://") { proxy } else { format!("http://{proxy}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: (&str, &str, u16) = ("https", "api.cluster.example", 6443);
    const ADDRESS: (&str, &str, u16) = ("https", "10.1.2.3", 6443);

    fn proxy(server: (&str, &str, u16), variables: &[(&str, &str)]) -> Option<String> {
        of(None, server, |name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_cluster_that_no_proxy_names_is_asked_without_one() {
        let check = |server, no_proxy: &str, direct: bool| {
            let found = proxy(server, &[("HTTPS_PROXY", "http://proxy:3128"), ("NO_PROXY", no_proxy)]);
            assert_eq!(found.is_none(), direct, "{server:?} {no_proxy:?}");
        };
        for direct in [
            "*",
            "api.cluster.example",
            ".cluster.example",
            "*.cluster.example",
            "cluster.example",
            "example",
            "API.Cluster.Example",
            "other, api.cluster.example",
            "a,,cluster.example,",
            "cluster.example:6443",
        ] {
            check(HOST, direct, true);
        }
        for proxied in
            ["", ",", "proxy", "ster.example", "api.cluster.example:443", ".api.cluster.example", "10.0.0.0/8"]
        {
            check(HOST, proxied, false);
        }
        for direct in ["10.1.2.3", "10.0.0.0/8", "10.1.2.3/32", "0.0.0.0/0", "10.1.2.3:6443", "x,10.1.2.0/24"] {
            check(ADDRESS, direct, true);
        }
        for proxied in ["10.1.2.4", "10.2.0.0/16", "10.1.2.3:443", "10.0.0.0/33", "10.0.0.0/x", "fd00::/8"] {
            check(ADDRESS, proxied, false);
        }
        check(("https", "[fd00::1]", 6443), "fd00::/8", true);
        check(("https", "[fd00::1]", 6443), "[fd00::1]:6443", true);
        check(("https", "[fd00::1]", 6443), "fe80::/10", false);
        check(("https", "127.0.0.1", 6443), "", true);
        check(("https", "localhost", 6443), "", true);
    }

    #[test]
    fn a_proxy_is_taken_from_where_kubectl_takes_it() {
        let check = |variables: &[(&str, &str)], expected: Option<&str>| {
            assert_eq!(proxy(HOST, variables).as_deref(), expected, "{variables:?}");
        };
        check(&[], None);
        check(&[("HTTPS_PROXY", "http://proxy:3128")], Some("http://proxy:3128"));
        check(&[("https_proxy", "proxy:3128")], Some("http://proxy:3128"));
        check(&[("HTTPS_PROXY", " "), ("https_proxy", "socks5h://proxy:1080")], Some("socks5://proxy:1080"));
        check(&[("HTTP_PROXY", "http://proxy:3128"), ("ALL_PROXY", "http://proxy:3128")], None);
        check(&[("HTTPS_PROXY", "http://proxy:3128"), ("no_proxy", "example")], None);
        let named = of(Some("https://other:1"), HOST, |_| Some("*".to_owned()));
        assert_eq!(named.as_deref(), Some("https://other:1"));
    }
}
