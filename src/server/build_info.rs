/// The version of the crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit this binary was built from: 40 hex digits, or none where the build was not told.
pub const REVISION: Option<&str> = match option_env!("ARGO_RUST_REVISION") {
    Some(revision) if !revision.is_empty() => {
        assert!(is_revision(revision), "ARGO_RUST_REVISION must be a commit of 40 hex digits, or empty");
        Some(revision)
    }
    _ => None,
};

/// The image's tag as the workflow makes it: `sha-` and the first seven digits of the revision.
pub fn image_tag() -> Option<String> {
    REVISION.map(|revision| format!("sha-{}", &revision[..7]))
}

const fn is_revision(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], b'0'..=b'9' | b'a'..=b'f') {
            return false;
        }
        at += 1;
    }
    bytes.len() == 40
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_forty_lower_case_hex_digits_are_a_revision() {
        let check = |text: &str, expected: bool| assert_eq!(is_revision(text), expected, "{text:?}");
        check("0123456789abcdef0123456789abcdef01234567", true);
        check("0123456789ABCDEF0123456789abcdef01234567", false);
        check("0123456789abcdef0123456789abcdef0123456", false);
        check("0123456789abcdef0123456789abcdef012345678", false);
        check("sha-0123456789abcdef0123456789abcdef0123", false);
    }
}
