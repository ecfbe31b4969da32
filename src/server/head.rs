use std::net::Ipv6Addr;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header};
use axum::response::IntoResponse as _;

use super::problem::Problem;

/// The longest head, request line and all: what is longer is refused while it comes. With `max_buf_size` it is also
/// what a connection reads ahead, and what hyper keeps of an answer for a client that does not read.
pub const LONGEST_HEAD: usize = 16 * 1024;

/// What RFC 9112 and 9110 ask of a head beyond what hyper looks at: the answer, where the router is not to see it.
#[inline]
pub fn answer_without_router<B>(request: &Request<B>) -> Option<Response<Body>> {
    let headers = request.headers();
    // As many names as lines: nothing is there twice.
    let has_host =
        headers.keys_len() == headers.len() && headers.get(header::HOST).is_some_and(|host| is_host(host.as_bytes()));
    let is_plain = has_host && is_path(request.uri()) && request.method() != Method::CONNECT;
    if is_plain { None } else { answer_unusual(request) }
}

fn is_path(target: &Uri) -> bool {
    let path = target.path_and_query().map_or("", |path| path.as_str());
    path.starts_with('/') && path.is_ascii()
}

/// RFC 9112, 3.2: exactly one, and well-formed; only HTTP/1.0 may do without.
fn wrong_host(version: Version, headers: &HeaderMap) -> Option<&'static str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_host(host.as_bytes()) => None,
        (None, _) if version == Version::HTTP_10 => None,
        (None, _) => Some("the request has no Host header; accepted is exactly one, such as Host: example.com:8080"),
        (_, Some(_)) => Some("the request has several Host headers; accepted is exactly one"),
        _ => Some("the Host header is no host; accepted is a name or an address, and a port after a colon"),
    }
}

/// `uri-host [ ":" port ]` of RFC 9110, 7.2, but no comma: with one it is a list of hosts.
fn is_host(value: &[u8]) -> bool {
    let end = value.iter().position(|byte| !PLAIN[usize::from(*byte)]).unwrap_or(value.len());
    match value.split_at(end) {
        ([_, ..], []) => true,
        ([_, ..], [b':', port @ ..]) => port.iter().all(u8::is_ascii_digit),
        _ => is_unusual_host(value),
    }
}

/// Nearly every host consists of these, and a table costs a fraction of the questions.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        plain[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        byte += 1;
    }
    plain
};

#[cold]
fn is_unusual_host(value: &[u8]) -> bool {
    let (name, port) = match value.iter().rposition(|byte| *byte == b':') {
        // An address of IPv6 has colons of its own, and stands in brackets.
        Some(colon) if !value.ends_with(b"]") => (&value[..colon], &value[colon + 1..]),
        _ => (value, &[][..]),
    };
    let is_name = match name.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")) {
        Some(address) => str::from_utf8(address).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok()),
        None => !name.is_empty() && name.iter().all(|byte| is_of_a_name(*byte)) && is_well_escaped(name),
    };
    is_name && port.iter().all(u8::is_ascii_digit)
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=%".contains(&byte)
}

fn is_well_escaped(name: &[u8]) -> bool {
    let mut parts = name.split(|byte| *byte == b'%').skip(1);
    parts.all(|part| part.len() >= 2 && part[..2].iter().all(u8::is_ascii_hexdigit))
}

/// What is not as nearly every request is: looks closer, and answers what is wrong or is for no path of any API.
#[cold]
fn answer_unusual<B>(request: &Request<B>) -> Option<Response<Body>> {
    let (method, target) = (request.method(), request.uri());
    if let Some(detail) = wrong_host(request.version(), request.headers()) {
        return Some(Problem::bad_request(detail).into_response());
    }
    (!is_path(target) || method == Method::CONNECT).then(|| answer_target(method, target))
}

fn answer_target(method: &Method, target: &Uri) -> Response<Body> {
    const ALLOW: (header::HeaderName, HeaderValue) = (header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    if method == Method::CONNECT {
        // RFC 9110, 9.3.6.
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this is no proxy; it answers GET and HEAD only");
        return ([ALLOW], problem).into_response();
    }
    match target.path() {
        // RFC 9110, 9.3.7: what the server as a whole can do.
        "*" if method == Method::OPTIONS => (StatusCode::NO_CONTENT, [ALLOW]).into_response(),
        "*" => {
            Problem::bad_request("the target * is for OPTIONS only; accepted is a path, such as /hello").into_response()
        }
        path if path.starts_with('/') => {
            Problem::bad_request("the target has characters that are not ASCII; accepted are these as %XX")
                .into_response()
        }
        _ => Problem::bad_request("the target is no path; accepted is a path, such as /hello").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        let check = |value: &str, expected: bool| assert_eq!(is_host(value.as_bytes()), expected, "{value:?}");
        check("example.com", true);
        check("example.com:8080", true);
        check("example.com:", true);
        check("10.0.0.1:8080", true);
        check("[::1]", true);
        check("[fe80::1]:8080", true);
        check("my_service.default.svc", true);
        check("b%C3%BCcher.example", true);
        check("", false);
        check(":8080", false);
        check("example.com:80a", false);
        check("example.com:80:80", false);
        check("user@example.com", false);
        check("example.com/path", false);
        check("example.com?q", false);
        check("a.example, b.example", false);
        check("a.example,b.example", false);
        check("exa mple.com", false);
        check("::1", false);
        check("[::1", false);
        check("[example.com]", false);
        check("b%C3%.example", false);
        check("b%.example", false);
    }
}
