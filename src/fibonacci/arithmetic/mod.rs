//! Fibonacci numbers in decimal digits.
//!
//! Fast doubling, one step a bit of n, where b is F(k + 1) and a is F(k):
//!
//! - F(2k) = a·(2b − a)
//! - F(2k + 1) = a² + b²
//! - F(2k + 2) = b·(2a + b)
//!
//! A library of big integers computes in base 2^64 and spends most of its time on making decimal text of the answer.
//! Here a number is a row of limbs of four decimal digits from the first step on: a polynomial whose value at 10,000
//! is the number. A product of numbers is a product of polynomials, done with Fourier transforms in f64: a and b are
//! transformed once and both products of a step are made of their values.
//!
//! - `blocks` multiplies as at school, for small n and for the first steps.
//! - `transform` works modulo x^length = i, so that a product of real polynomials comes out with its lower half in the
//!   real parts and its upper half in the imaginary parts, and no place of a transform is lost on padding: the
//!   right-angle convolution of Crandall and Fagin, "Discrete weighted transforms and large-integer arithmetic",
//!   Mathematics of Computation 62 (1994).
//! - `bound` proves that each coefficient, once rounded, is the true one, for every n up to `LARGEST`.
//! - `carry` brings coefficients back to limbs, and the last ones to digits.

mod blocks;
mod bound;
mod carry;
mod complex;
mod doubling;
mod roots;
mod text;
mod transform;

#[cfg(test)]
mod tests;

pub use text::Digits;

/// The largest n there is room and proof for.
pub const LARGEST: u64 = 10_000_000;

/// F(n), if it fits in a u128, which it does up to F(186).
pub fn short(n: u64) -> Option<u128> {
    let (mut current, mut next) = (0_u128, 1_u128);
    for _ in 0..n.min(187) {
        (current, next) = (next, current.wrapping_add(next));
    }
    (n < 187).then_some(current)
}

/// F(n), whose digits are still to be written.
pub fn compute(n: u64) -> Digits {
    assert!(n <= LARGEST, "F({n}) is beyond what the arithmetic is proven for");
    Digits::new(if n <= blocks::LARGEST { blocks::single(n) } else { doubling::limbs(n) })
}

/// How many bytes the digits of F(n) take before they are written.
pub fn size(n: u64) -> usize {
    doubling::limb_count(n) * size_of::<u16>()
}

/// The nth Fibonacci number in decimal digits.
pub fn digits(n: u64) -> String {
    if let Some(number) = short(n) {
        return number.to_string();
    }
    let mut digits = compute(n);
    let mut text = Vec::with_capacity(digits.len() + 4);
    digits.take(usize::MAX, &mut text);
    String::from_utf8(text).expect("digits are ASCII")
}
