use std::f64::consts::TAU;
use std::sync::OnceLock;

/// The longest transform, in complex numbers.
pub const LARGEST_LENGTH: usize = 1 << 18;

/// The three factors of one radix-4 butterfly: w, w² and w³.
pub type Roots = [Root; 3];

/// A complex number of length 1, as its real and imaginary part.
pub type Root = (f64, f64);

/// How far a root may be from the true one, in units of 2^-53: each part comes from the C library within 1 and is
/// rounded once more, so it is wrong by 1.5 at most, and both together by √2 times that.
pub const ERROR: f64 = 2.13;

/// The roots for the level of the tree that has `blocks` blocks, in the order of the blocks. They are made when a
/// level is first asked for and kept: 6 MiB together once the largest number was computed.
pub fn level(blocks: usize) -> &'static [Roots] {
    static LEVELS: [OnceLock<Vec<Roots>>; LARGEST_LENGTH.ilog2() as usize - 1] =
        [const { OnceLock::new() }; LARGEST_LENGTH.ilog2() as usize - 1];
    LEVELS[blocks.ilog2() as usize].get_or_init(|| {
        // Block number j of this level is reduced modulo x^m − e^(2πi·turn), where turn = reversed(j) + 1/(4·blocks).
        let turn = |block: u32| reversed(block) + 0.25 / blocks as f64;
        let roots = |block| [1.0, 2.0, 3.0].map(|power| root(turn(block) * power / 4.0));
        (0..blocks as u32).map(roots).collect()
    })
}

/// e^(2πi·turn). The turn is exact, so what rounding takes from the angle is known and given back.
pub fn root(turn: f64) -> Root {
    /// 2π − TAU
    const TAU_REST: f64 = 2.449_293_598_294_706_4e-16;
    let angle = turn * TAU;
    let rest = turn.mul_add(TAU, -angle) + turn * TAU_REST;
    let (sine, cosine) = angle.sin_cos();
    (cosine - rest * sine, sine + rest * cosine)
}

/// The binary digits of j mirrored at the point: 1 is 1/2, 2 is 1/4, 3 is 3/4.
fn reversed(j: u32) -> f64 {
    f64::from(j.reverse_bits()) / 2.0_f64.powi(32)
}
