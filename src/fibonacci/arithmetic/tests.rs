use std::cell::Cell;

use dashu_int::ops::SquareRoot as _;
use dashu_int::{IBig, UBig};
use proptest::prelude::*;

use super::*;

thread_local! {
    static GREATEST: Cell<f64> = const { Cell::new(0.0) };
}

/// Told by `Carry` for every coefficient: how far it was from a whole number.
pub fn note_distance(distance: f64) {
    GREATEST.set(GREATEST.get().max(distance.abs()));
}

#[test]
fn known_values_are_exact() {
    let check = |n: u64, expected: &str| assert_eq!(digits(n), expected, "F({n})");
    check(0, "0");
    check(1, "1");
    check(2, "1");
    check(10, "55");
    check(42, "267914296");
    check(93, "12200160415121876738");
    check(94, "19740274219868223167");
    check(100, "354224848179261915075");
    check(186, "332825110087067562321196029789634457848");
    check(187, "538522340430300790495419781092981030533");
}

#[test]
fn every_small_number_is_the_sum_of_the_two_before_it() {
    let (mut before, mut current) = (UBig::ONE, UBig::ZERO);
    for n in 0..=20_000 {
        let expected = current.to_string();
        assert_eq!(digits(n), expected, "F({n})");
        if n < 187 {
            assert_eq!(text(compute(n), usize::MAX), expected, "F({n}) without the short way");
        }
        (before, current) = (current.clone(), before + current);
    }
}

#[test]
fn numbers_at_both_sides_of_each_change_of_the_method_are_exact() {
    let longer = |n: &u64| doubling::length(n / 2) != doubling::length((n - 1) / 2);
    // The doubling of every edge has an edge itself, up to where the second library becomes slow.
    let edges: Vec<u64> = (blocks::LARGEST + 2..330_000).filter(longer).chain([blocks::LARGEST + 1]).collect();
    assert_eq!(edges.len(), 6, "{edges:?}");
    for edge in edges {
        for n in edge - 2..=edge + 2 {
            agrees_with_a_second_library(n);
        }
    }
}

#[test]
fn the_largest_numbers_are_exact_and_their_coefficients_close_to_whole() {
    let bound = bound::error_bound(roots::LARGEST_LENGTH);
    for n in [1_000_000, LARGEST] {
        GREATEST.set(0.0);
        agrees_with_a_second_library(n);
        println!("figures: F({n}): greatest distance from a whole number {}, bound {bound}", GREATEST.get());
        // The bound is for the worst that could be; far from it already, something would be wrong.
        assert!(GREATEST.get() > 0.0 && GREATEST.get() < 0.001, "{}", GREATEST.get());
    }
}

#[test]
#[should_panic(expected = "beyond what the arithmetic is proven for")]
fn a_number_beyond_the_proof_is_not_computed() {
    compute(LARGEST + 1);
}

#[test]
fn digits_are_the_same_however_they_are_taken() {
    let check = |n: u64, most: usize| {
        let digits_left = compute(n).len();
        let text = text(compute(n), most);
        assert_eq!((text.len(), &text), (digits_left, &digits(n)), "F({n}) in pieces of {most}");
    };
    for n in 187..210 {
        check(n, 4);
        check(n, 7);
    }
    check(100_000, 16 * 1024);
    check(100_000, 10_000);
}

#[test]
fn every_root_is_as_near_as_the_bound_takes_it_to_be() {
    const UNIT: u32 = 53;
    let levels =
        (0..=16).flat_map(|log| roots::level(1 << log).iter().enumerate().map(move |(j, roots)| (log, j, roots)));
    for (log, j, roots) in levels.step_by(1_021) {
        let turn = (j as u32).reverse_bits() as u64 * (1 << 20) + (1 << (52 - 2 - log));
        for (power, (re, im)) in (1..).zip(roots) {
            // Turns are counted in units of 2^-54, because a block's root is a fourth of its own turn.
            let (exact_re, exact_im) = exact_root(turn * power);
            let distance = |found: f64, exact: IBig| {
                let found = IBig::from((found * 2.0_f64.powi(110)) as i128) << (BITS - 110);
                (found - exact) >> (BITS - UNIT as usize - 10)
            };
            let (re, im) = (distance(*re, exact_re), distance(*im, exact_im));
            let limit = IBig::from((roots::ERROR * 1024.0) as u32);
            assert!(&re * &re + &im * &im < &limit * &limit, "level {log}, block {j}, power {power}: {re} and {im}");
        }
    }
}

const BITS: usize = 240;

/// e^(2πi·turn / 2^54) in whole numbers with 240 bits behind the point, by half angles and products.
fn exact_root(turn: u64) -> (IBig, IBig) {
    let (mut re, mut im) = (IBig::ONE << BITS, IBig::ZERO);
    // A quarter turn, then its half, and so on down to the lowest bit.
    let (mut cosine, mut sine) = (IBig::ZERO, IBig::ONE << BITS);
    let mut bit = 1_u64 << 52;
    while bit > 0 {
        for _ in 0..(turn / bit) % if bit == 1 << 52 { 4 } else { 2 } {
            (re, im) = ((&re * &cosine - &im * &sine) >> BITS, (&re * &sine + &im * &cosine) >> BITS);
        }
        let one = IBig::ONE << BITS;
        let root = |square: IBig| IBig::from(UBig::try_from(square << BITS).expect("a square").sqrt());
        cosine = root((&one + &cosine) >> 1);
        sine = root(&one - ((&cosine * &cosine) >> BITS));
        bit >>= 1;
    }
    (re, im)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_number_agrees_with_a_second_library_and_another_method(n in 0_u64..100_000) {
        prop_assert_eq!(digits(n), matrix_power(n).to_string());
    }

    #[test]
    fn numbers_keep_the_identity_of_docagne(m in 0_u64..40_000, n in 0_u64..40_000) {
        // F(m + n) = F(m)·F(n + 1) + F(m − 1)·F(n), for the next m.
        let f = |n| number(&digits(n));
        prop_assert_eq!(f(m + 1 + n), f(m + 1) * f(n + 1) + f(m) * f(n));
    }

    #[test]
    fn numbers_keep_the_identity_of_cassini(n in 1_u64..60_000) {
        let f = |n| IBig::from(number(&digits(n)));
        let sign = if n % 2 == 0 { IBig::ONE } else { IBig::NEG_ONE };
        prop_assert_eq!(f(n - 1) * f(n + 1) - f(n) * f(n), sign);
    }
}

fn number(digits: &str) -> UBig {
    digits.parse().expect("decimal digits")
}

fn text(mut digits: Digits, most: usize) -> String {
    let mut text = Vec::new();
    while !digits.is_empty() {
        let before = (digits.len(), text.len());
        digits.take(most, &mut text);
        let taken = text.len() - before.1;
        assert!((1..=most).contains(&taken), "{taken} digits were taken, at most {most} asked for");
        assert_eq!(digits.len(), before.0 - taken);
    }
    String::from_utf8(text).expect("digits are ASCII")
}

fn agrees_with_a_second_library(n: u64) {
    assert!(digits(n) == matrix_power(n).to_string(), "F({n})");
}

/// The upper right corner of [[1, 1], [1, 0]] raised to n: no step in common with the doubling.
fn matrix_power(mut n: u64) -> UBig {
    type Matrix = [UBig; 3];
    let times = |[a, b, d]: &Matrix, [e, f, h]: &Matrix| [a * e + b * f, a * f + b * h, b * f + d * h];
    let mut power: Matrix = [UBig::ONE, UBig::ONE, UBig::ZERO];
    let mut result: Matrix = [UBig::ONE, UBig::ZERO, UBig::ONE];
    while n > 0 {
        if n & 1 == 1 {
            result = times(&result, &power);
        }
        n >>= 1;
        if n > 0 {
            power = times(&power, &power);
        }
    }
    let [_, corner, _] = result;
    corner
}
