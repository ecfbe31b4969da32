use super::carry::{BASE, LIMB_BOUND};
use super::doubling::length;
use super::roots;
use super::roots::LARGEST_LENGTH;

/// How far a coefficient may be from the whole number it stands for, after the scaling and before it is rounded.
///
/// Percival, "Rapid multiplication modulo the sum and difference of highly composite numbers", Mathematics of
/// Computation 72 (2003), theorem 5.1, told for the passes that are made here. Let ε be 2^-53.
///
/// - A complex sum is wrong by a factor 1 + ε at most, a complex product by 1 + √5·ε (Brent, Percival, Zimmermann,
///   "Error bounds on complex floating-point multiplication", Mathematics of Computation 76 (2007)), and a root by
///   1 + β. A pass makes two sums and one product with a root, one after the other: η = (2 + √5)·ε + β.
/// - A pass is a unitary matrix but for a factor, so that an error grows as the numbers do: after the p passes of
///   `forward` the vector of values is wrong by (1 + η)^p − 1 of its Euclidean norm.
/// - Between the transforms there is one product, and one sum before or after it: √5·ε + ε.
/// - In `inverse` each value reaches each coefficient on one path of p passes, wrong by (1 + η)^p.
/// - By Cauchy and Schwarz the values of a product of x and y add up to length·‖x‖·‖y‖ at most. The largest of the
///   products is a·(2b − a), where ‖a‖·(2‖b‖ + ‖a‖) is at most 3·length·bound² for limbs within the bound.
///
/// Together: 3·length·bound²·((1 + η)^3p·(1 + (1 + √5)·ε) − 1), where (1 + s)^m − 1 ≤ ms / (1 − ms).
/// Scaling by a power of 2 is exact.
pub const fn error_bound(length: usize) -> f64 {
    const EPSILON: f64 = f64::EPSILON / 2.0;
    const SQRT_5: f64 = 2.236_067_977_499_79;
    let passes = length.ilog2().div_ceil(2) as f64;
    let relative = EPSILON * (3.0 * passes * (2.0 + SQRT_5 + roots::ERROR) + SQRT_5 + 1.0);
    3.0 * length as f64 * LIMB_BOUND * LIMB_BOUND * relative / (1.0 - relative)
}

// Closer than a half, the nearest whole number is the true one; no n that is accepted needs a longer transform.
const _: () = assert!(error_bound(LARGEST_LENGTH) < 0.4);
const _: () = assert!(length(super::LARGEST / 2) <= LARGEST_LENGTH);

// A coefficient is 3·length·bound² at most; what `Carry` makes of such coefficients must be within the bound again.
const _: () = {
    let high = 3.0 * LARGEST_LENGTH as f64 * LIMB_BOUND * LIMB_BOUND / (BASE * BASE) + 1.0;
    let carry = (BASE + high) / BASE + 0.5;
    assert!(BASE / 2.0 + (carry as u32) as f64 <= LIMB_BOUND);
};
