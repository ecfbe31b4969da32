use super::blocks;
use super::carry::{Carry, settled};
use super::complex::Complex;
use super::transform::{forward, inverse};

/// F(k) and F(k + 1) side by side, limb by limb in `re`; both arrays have room for the longest transform.
struct Pair {
    re: Vec<f64>,
    im: Vec<f64>,
}

/// The first step starts from a k below this: up to there school multiplication is faster.
const LARGEST_START: u64 = 4_096;

/// The limbs of F(n), for n above `blocks::LARGEST`.
pub fn limbs(n: u64) -> Vec<u16> {
    let steps = (n / LARGEST_START).ilog2() + 1;
    let mut pair = Pair::new(n >> steps, length(n / 2));
    for step in (1..steps).rev() {
        pair.double(n >> step);
    }
    pair.last(n)
}

/// The length of the transform that leads from F(k) and F(k + 1) to twice their place.
pub const fn length(k: u64) -> usize {
    limb_count(k + 1).next_power_of_two()
}

/// How many limbs F(k) has, with room for a number that is nearly full and whose limbs may be below 0.
pub const fn limb_count(k: u64) -> usize {
    /// A quarter of log10 of the golden ratio: a limb has four digits.
    const LIMBS_EACH: f64 = 0.208_987_640_249_978_73 / 4.0;
    (k as f64 * LIMBS_EACH) as usize + 1
}

impl Pair {
    fn new(k: u64, longest: usize) -> Self {
        let mut pair = Self { re: vec![0.0; 2 * longest], im: vec![0.0; 2 * longest] };
        for (lane, number) in blocks::pair(k).into_iter().enumerate() {
            let mut carry = Carry::new(1);
            let limbs = number.into_iter().map(f64::from).chain(std::iter::repeat(0.0));
            for (place, limb) in pair.re.chunks_exact_mut(2).take(length(k)).zip(limbs) {
                place[lane] = carry.next(limb);
            }
        }
        pair
    }

    /// From F(k) and F(k + 1) to F(n) and F(n + 1), where k is half of n.
    fn double(&mut self, n: u64) {
        let length = length(n / 2);
        let (re, above) = self.re.split_at_mut(2 * length);
        let im = &mut self.im[..2 * length];
        forward::<2>(re, im);
        for (re, im) in re.as_chunks_mut().0.iter_mut().zip(im.as_chunks_mut().0) {
            let (a, b) = lanes(re, im);
            let squares = a * a + b * b;
            let (x, y) = if n % 2 == 1 { (squares, b * (a + a + b)) } else { (a * (b + b - a), squares) };
            (*re, *im) = ([x.re[0], y.re[0]], [x.im[0], y.im[0]]);
        }
        inverse::<2>(re, im);
        // What the real parts have no room for came out in the imaginary parts, because x^length was i.
        let mut carries = [Carry::new(length); 2];
        let mut carry = |[a, b]: [f64; 2]| [carries[0].next(a), carries[1].next(b)];
        re.as_chunks_mut().0.iter_mut().for_each(|limbs| *limbs = carry(*limbs));
        let above = above.as_chunks_mut().0.iter_mut();
        above.zip(im.as_chunks().0).for_each(|(limbs, high)| *limbs = carry(*high));
        im.fill(0.0);
    }

    /// From F(k) and F(k + 1) to F(n) alone, where k is half of n.
    fn last(mut self, n: u64) -> Vec<u16> {
        let length = length(n / 2);
        let (re, im) = (&mut self.re[..2 * length], &mut self.im[..2 * length]);
        forward::<2>(re, im);
        for place in 0..length {
            let (a, b) = lanes(&[re[2 * place], re[2 * place + 1]], &[im[2 * place], im[2 * place + 1]]);
            let product = if n % 2 == 1 { a * a + b * b } else { a * (b + b - a) };
            ([re[place]], [im[place]]) = product.parts();
        }
        let (re, im) = (&mut re[..length], &mut im[..length]);
        inverse::<1>(re, im);
        let mut carry = Carry::new(length);
        settled(re.iter().chain(im.iter()).take(limb_count(n)).map(|coefficient| carry.next(*coefficient)))
    }
}

fn lanes(re: &[f64; 2], im: &[f64; 2]) -> (Complex<1>, Complex<1>) {
    (Complex { re: [re[0]], im: [im[0]] }, Complex { re: [re[1]], im: [im[1]] })
}
