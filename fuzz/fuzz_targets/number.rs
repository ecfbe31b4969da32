//! Any two neighbours agree with a second library, taken in pieces of any size: `cargo +nightly fuzz run number`.
#![no_main]

use argo_rust::fibonacci::arithmetic::compute;
use dashu_int::UBig;
use libfuzzer_sys::fuzz_target;

/// Larger ones are no different in kind, and slow.
const MOST: u64 = 400_000;

fuzz_target!(|input: (u32, u16)| {
    let (n, piece) = (u64::from(input.0) % MOST, usize::from(input.1).max(4));
    let (current, next) = pair(n);
    assert!(text(n, piece) == current.to_string(), "F({n})");
    assert!(text(n + 1, piece) == next.to_string(), "F({n} + 1)");
});

fn text(n: u64, piece: usize) -> String {
    let mut digits = compute(n);
    let mut text = Vec::new();
    while !digits.is_empty() {
        digits.take(piece, &mut text);
    }
    String::from_utf8(text).expect("digits are ASCII")
}

/// F(n) and F(n + 1) by doubling from the lowest bit's side.
fn pair(n: u64) -> (UBig, UBig) {
    if n == 0 {
        return (UBig::ZERO, UBig::ONE);
    }
    let (a, b) = pair(n / 2);
    let even = &a * (UBig::from(2_u8) * &b - &a);
    let odd = &a * &a + &b * &b;
    if n.is_multiple_of(2) {
        (even, odd)
    } else {
        let next = even + &odd;
        (odd, next)
    }
}
