use super::complex::Complex;
use super::roots::{self, Root, Roots};

/// Blocks of this many numbers stay in the first cache while all their passes are made.
const CACHED: usize = 1 << 10;

/// e^(2πi/8), the root of the first pass of a transform whose length is no power of 4.
const EIGHTH: Root = (std::f64::consts::FRAC_1_SQRT_2, std::f64::consts::FRAC_1_SQRT_2);

/// Takes polynomials, whose coefficients lie side by side in their lanes, to their values where x^length = i.
pub fn forward<const LANES: usize>(re: &mut [f64], im: &mut [f64]) {
    if (re.len() / LANES).ilog2().is_multiple_of(2) {
        return forward_block::<LANES>(re, im, 1, 0);
    }
    let half = re.len() / 2;
    let ((re0, re1), (im0, im1)) = (re.split_at_mut(half), im.split_at_mut(half));
    for i in 0..half {
        let (a0, a1) = (load([re0[i]], [im0[i]]), load([re1[i]], [im1[i]]).times_root(EIGHTH));
        ([re0[i]], [im0[i]]) = (a0 + a1).parts();
        ([re1[i]], [im1[i]]) = (a0 - a1).parts();
    }
    forward_block::<LANES>(re0, im0, 2, 0);
    forward_block::<LANES>(re1, im1, 2, 1);
}

/// Undoes `forward`, except that all numbers are multiplied by the length.
pub fn inverse<const LANES: usize>(re: &mut [f64], im: &mut [f64]) {
    if (re.len() / LANES).ilog2().is_multiple_of(2) {
        return inverse_block::<LANES>(re, im, 1, 0);
    }
    let half = re.len() / 2;
    let ((re0, re1), (im0, im1)) = (re.split_at_mut(half), im.split_at_mut(half));
    inverse_block::<LANES>(re0, im0, 2, 0);
    inverse_block::<LANES>(re1, im1, 2, 1);
    for i in 0..half {
        let (b0, b1) = (load([re0[i]], [im0[i]]), load([re1[i]], [im1[i]]));
        ([re0[i]], [im0[i]]) = (b0 + b1).parts();
        ([re1[i]], [im1[i]]) = (b0 - b1).over_root(EIGHTH).parts();
    }
}

/// All passes below block number `block` of the level that has `blocks` blocks.
fn forward_block<const LANES: usize>(re: &mut [f64], im: &mut [f64], mut blocks: usize, mut block: usize) {
    let mut size = re.len();
    if size > CACHED {
        long_forward_pass(re, im, &roots::level(blocks)[block]);
        for (i, (re, im)) in re.chunks_exact_mut(size / 4).zip(im.chunks_exact_mut(size / 4)).enumerate() {
            forward_block::<LANES>(re, im, 4 * blocks, 4 * block + i);
        }
        return;
    }
    while size > LANES {
        let parts = re.chunks_exact_mut(size).zip(im.chunks_exact_mut(size)).zip(&roots::level(blocks)[block..]);
        if size == 4 * LANES {
            parts.for_each(|((re, im), w)| forward_pass::<LANES>(&mut re[..4 * LANES], &mut im[..4 * LANES], w));
        } else {
            parts.for_each(|((re, im), w)| long_forward_pass(re, im, w));
        }
        (size, blocks, block) = (size / 4, 4 * blocks, 4 * block);
    }
}

fn inverse_block<const LANES: usize>(re: &mut [f64], im: &mut [f64], blocks: usize, block: usize) {
    let whole = re.len();
    if whole > CACHED {
        for (i, (re, im)) in re.chunks_exact_mut(whole / 4).zip(im.chunks_exact_mut(whole / 4)).enumerate() {
            inverse_block::<LANES>(re, im, 4 * blocks, 4 * block + i);
        }
        return long_inverse_pass(re, im, &roots::level(blocks)[block]);
    }
    let mut size = 4 * LANES;
    while size <= whole {
        let times = whole / size;
        let level = &roots::level(times * blocks)[times * block..];
        let parts = re.chunks_exact_mut(size).zip(im.chunks_exact_mut(size)).zip(level);
        if size == 4 * LANES {
            parts.for_each(|((re, im), w)| inverse_pass::<LANES>(&mut re[..4 * LANES], &mut im[..4 * LANES], w));
        } else {
            parts.for_each(|((re, im), w)| long_inverse_pass(re, im, w));
        }
        size *= 4;
    }
}

/// Once in the program, as a call costs little beside a long pass. A short one is made where it is needed.
#[inline(never)]
fn long_forward_pass(re: &mut [f64], im: &mut [f64], w: &Roots) {
    forward_pass::<2>(re, im, w);
}

#[inline(never)]
fn long_inverse_pass(re: &mut [f64], im: &mut [f64], w: &Roots) {
    inverse_pass::<2>(re, im, w);
}

/// One polynomial modulo x^4m − w⁴ becomes four, modulo x^m − w, x^m + w, x^m − iw and x^m + iw.
#[inline(always)]
fn forward_pass<const WIDTH: usize>(re: &mut [f64], im: &mut [f64], &[w1, w2, w3]: &Roots) {
    let ([re0, re1, re2, re3], [im0, im1, im2, im3]) = (quarters::<WIDTH>(re), quarters::<WIDTH>(im));
    for i in 0..re0.len() {
        let a0 = load(re0[i], im0[i]);
        let a1 = load(re1[i], im1[i]).times_root(w1);
        let a2 = load(re2[i], im2[i]).times_root(w2);
        let a3 = load(re3[i], im3[i]).times_root(w3);
        let (even, odd) = (a0 + a2, a1 + a3);
        (re0[i], im0[i]) = (even + odd).parts();
        (re1[i], im1[i]) = (even - odd).parts();
        let (even, odd) = (a0 - a2, (a1 - a3).times_i());
        (re2[i], im2[i]) = (even + odd).parts();
        (re3[i], im3[i]) = (even - odd).parts();
    }
}

/// Undoes `forward_pass`, except that all numbers are multiplied by 4.
#[inline(always)]
fn inverse_pass<const WIDTH: usize>(re: &mut [f64], im: &mut [f64], &[w1, w2, w3]: &Roots) {
    let ([re0, re1, re2, re3], [im0, im1, im2, im3]) = (quarters::<WIDTH>(re), quarters::<WIDTH>(im));
    for i in 0..re0.len() {
        let (b0, b1) = (load(re0[i], im0[i]), load(re1[i], im1[i]));
        let (b2, b3) = (load(re2[i], im2[i]), load(re3[i], im3[i]));
        let (first, second) = (b0 + b1, b2 + b3);
        (re0[i], im0[i]) = (first + second).parts();
        (re2[i], im2[i]) = (first - second).over_root(w2).parts();
        let (first, second) = (b0 - b1, (b2 - b3).times_i());
        (re1[i], im1[i]) = (first - second).over_root(w1).parts();
        (re3[i], im3[i]) = (first + second).over_root(w3).parts();
    }
}

#[inline(always)]
fn quarters<const WIDTH: usize>(numbers: &mut [f64]) -> [&mut [[f64; WIDTH]]; 4] {
    let quarter = numbers.len() / 4;
    let ((first, second), (third, fourth)) = {
        let (low, high) = numbers.split_at_mut(2 * quarter);
        (low.split_at_mut(quarter), high.split_at_mut(quarter))
    };
    // Told that all four are of one length, the compiler checks only one of them in a loop.
    [first, second, third, fourth].map(|part| &mut part.as_chunks_mut().0[..quarter / WIDTH])
}

#[inline(always)]
fn load<const WIDTH: usize>(re: [f64; WIDTH], im: [f64; WIDTH]) -> Complex<WIDTH> {
    Complex { re, im }
}
