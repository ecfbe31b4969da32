//! Any text is read as the number it says, or refused: `cargo +nightly fuzz run index_text`.
#![no_main]

use argo_rust::fibonacci::arithmetic::LARGEST;
use argo_rust::fibonacci::index::{IndexError, parse_index};
use dashu_int::IBig;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // The second library knows signs and underscores, which are no digits here.
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let expected = is_number.then(|| text.parse::<IBig>().expect("digits"));
    match parse_index(text, LARGEST) {
        Ok(n) => assert!(n <= LARGEST && expected == Some(IBig::from(n)) && !text.starts_with('-')),
        Err(IndexError::TooLarge { .. }) => assert!(expected.is_some_and(|number| number > IBig::from(LARGEST))),
        Err(IndexError::Negative { .. }) => assert!(is_number && text.starts_with('-')),
        Err(IndexError::NotANumber { .. }) => assert!(!is_number),
    }
});
