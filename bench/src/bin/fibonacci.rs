//! F(n) as the finished bytes of a body: the service beside libraries of big integers.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use bench::Row;

type Library = (&'static str, fn(u64) -> Vec<u8>);

const LIBRARIES: &[Library] = &[
    ("argo-rust", |n| argo_rust::fibonacci::arithmetic::digits(n).into_bytes()),
    #[cfg(feature = "gmp")]
    ("GMP", |n| rug::Integer::from(rug::Integer::fibonacci(n as u32)).to_string().into_bytes()),
    ("dashu-int", |n| doubled::<dashu_int::UBig>(n).to_string().into_bytes()),
    ("num-bigint", |n| doubled::<num_bigint::BigUint>(n).to_string().into_bytes()),
    ("malachite", |n| doubled::<malachite_nz::natural::Natural>(n).to_string().into_bytes()),
];

const SIZES: [u64; 7] = [94, 187, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

fn main() -> Result<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(1), |rounds| rounds.parse())?;
    println!("{}", serde_json::to_string(&rows(rounds))?);
    Ok(())
}

/// Every library once a round, one after the other, so that a disturbance meets all of them.
fn rows(rounds: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for n in SIZES {
        // A clock is too coarse for one small number.
        let repetitions = 1 + 200_000 / n;
        for _ in 0..rounds {
            for (library, compute) in LIBRARIES {
                let started = Instant::now();
                for _ in 0..repetitions {
                    black_box(compute(black_box(n)));
                }
                let microseconds = started.elapsed().as_secs_f64() * 1e6 / repetitions as f64;
                rows.push(Row { n, library: (*library).to_owned(), microseconds });
            }
        }
    }
    rows
}

/// What the libraries without a Fibonacci function of their own are asked to do: fast doubling, and one product alone
/// in the last step.
fn doubled<Number>(n: u64) -> Number
where
    Number: Clone + From<u8>,
    for<'a> &'a Number: std::ops::Mul<&'a Number, Output = Number>
        + std::ops::Add<&'a Number, Output = Number>
        + std::ops::Sub<&'a Number, Output = Number>,
{
    let (mut current, mut next) = (Number::from(0_u8), Number::from(1_u8));
    let steps = u64::BITS - n.leading_zeros();
    for bit in (0..steps).rev() {
        let odd = n >> bit & 1 == 1;
        let even_number = |current: &Number, next: &Number| current * &(&(next + next) - current);
        let odd_number = |current: &Number, next: &Number| &(current * current) + &(next * next);
        if bit == 0 {
            return if odd { odd_number(&current, &next) } else { even_number(&current, &next) };
        }
        let (even, middle) = (even_number(&current, &next), odd_number(&current, &next));
        (current, next) = if odd {
            let last = &even + &middle;
            (middle, last)
        } else {
            (even, middle)
        };
    }
    current
}
