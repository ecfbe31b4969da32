/// What one limb counts.
pub const BASE: f64 = 10_000.0;

/// No limb between two steps is further from 0: half of the base, and the carry from below.
pub const LIMB_BOUND: f64 = 5_021.0;

/// Beside it an f64 has no room for a fraction, and its last bits are the whole number that was added.
const NO_ROOM: f64 = 1.5 * (1_u64 << 52) as f64;

/// Makes limbs of the coefficients of a product, from the lowest to the highest.
///
/// No limb waits for the one below it to be final, so that several are in the making at once: each is within
/// `LIMB_BOUND` after two exchanges with its neighbours, which is near enough for the next product. Only the answer
/// needs the one true form: see `settled`.
#[derive(Clone, Copy)]
pub struct Carry {
    scale: f64,
    /// What goes one place up.
    middle: f64,
    /// What goes two places up, from the coefficient two places below and from the one below.
    high: [f64; 2],
    /// What goes one place up once more.
    last: f64,
}

impl Carry {
    /// For coefficients that a transform of this length has multiplied by its length.
    pub fn new(length: usize) -> Self {
        Self { scale: 1.0 / length as f64, middle: 0.0, high: [0.0; 2], last: 0.0 }
    }

    /// The next coefficient, which is a whole number but for the errors of the transforms, becomes the next limb.
    #[inline(always)]
    pub fn next(&mut self, coefficient: f64) -> f64 {
        let coefficient = coefficient * self.scale;
        let whole = nearest(coefficient);
        #[cfg(test)]
        super::tests::note_distance(coefficient - whole);
        // The coefficient is high·BASE² + middle·BASE + low.
        let high = nearest(whole * (1.0 / (BASE * BASE)));
        let rest = whole - high * (BASE * BASE);
        let middle = nearest(rest * (1.0 / BASE));
        let low = rest - middle * BASE;
        let sum = low + self.middle + self.high[0];
        (self.middle, self.high) = (middle, [self.high[1], high]);
        let carry = nearest(sum * (1.0 / BASE));
        sum - carry * BASE + std::mem::replace(&mut self.last, carry)
    }
}

/// Brings limbs, the lowest first, into the one true form: each from 0 to 9,999.
pub fn settled(limbs: impl Iterator<Item = f64>) -> Vec<u16> {
    const WHOLE_BASE: i32 = BASE as i32;
    let mut borrow = 0;
    let settle = |limb: f64| {
        let limb = (limb + NO_ROOM).to_bits() as i32 + borrow;
        // -1 below 0, else 0: no limb is so far below 0 that more than one were to be borrowed.
        borrow = limb >> 31;
        (limb + (borrow & WHOLE_BASE)) as u16
    };
    let settled = limbs.map(settle).collect();
    debug_assert_eq!(borrow, 0, "a Fibonacci number is not negative");
    settled
}

/// The nearest whole number, for what is within 2^51: beside 2^52 there is no room for a fraction.
#[inline(always)]
fn nearest(number: f64) -> f64 {
    (number + NO_ROOM) - NO_ROOM
}
