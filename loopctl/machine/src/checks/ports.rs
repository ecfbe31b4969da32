//! Which ports are taken, as the kernel lists them.

use std::fs;

use crate::addresses::BRIDGE_ADDRESS;

/// The ports on which somebody listens in such a way that the bridge's address is meant too.
pub fn listeners(service: u16) -> Vec<u16> {
    let mut ports = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        // A kernel without IPv6 has no second table.
        let Ok(text) = fs::read_to_string(table) else { continue };
        ports.extend(text.lines().skip(1).filter_map(|line| listener(line, service)));
    }
    ports
}

/// `  0: 0100007F:1F90 00000000:0000 0A ...`: own address and port in hexadecimal; 0A is listening.
fn listener(line: &str, service: u16) -> Option<u16> {
    let mut fields = line.split_whitespace().skip(1);
    let (address, port) = fields.next()?.split_once(':')?;
    let listens = fields.nth(1)? == "0A";
    let port = u16::from_str_radix(port, 16).ok()?;
    let bridge = BRIDGE_ADDRESS
        .split('.')
        .rev()
        .map(|byte| format!("{:02X}", byte.parse::<u8>().unwrap_or(0)))
        .collect::<String>();
    let everywhere = address.bytes().all(|digit| digit == b'0');
    // The service's port is reached on 127.0.0.1, the others only on the bridge.
    let here = port == service && address == "0100007F";
    (listens && (everywhere || here || address == bridge)).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<u16>) {
        assert_eq!(listener(line, 30800), expected, "{line}");
    }

    #[test]
    fn a_port_is_taken_by_whoever_listens_everywhere_or_on_the_bridge() {
        check("   0: 00000000:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0 0 1", Some(6443));
        check("   0: 0100BB0A:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0 0 1", Some(6443));
        check("   0: 00000000000000000000000000000000:1388 00000000000000000000000000000000:0000 0A 0:0 0", Some(5000));
    }

    #[test]
    fn a_listener_on_another_address_leaves_the_port_free() {
        check("   0: 3500007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101 0 1", None);
        check("   0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101 0 1", None);
    }

    #[test]
    fn the_port_of_the_service_is_taken_by_a_listener_on_127_0_0_1() {
        check("   0: 0100007F:7850 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0 0 1", Some(30800));
    }

    #[test]
    fn a_connection_is_no_listener() {
        check("   0: 00000000:192B 00000000:0000 01 00000000:00000000 00:00000000 00000000     0 0 1", None);
    }
}
