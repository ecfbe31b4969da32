/// The decimal digits of a number, made when they are taken, the first ones first.
pub struct Digits {
    /// Four digits each, the lowest first: what is taken comes from the end.
    limbs: Vec<u16>,
    /// The zeros before the first digit of the number, which are no part of it.
    zeros: usize,
}

impl Digits {
    pub fn new(mut limbs: Vec<u16>) -> Self {
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        limbs.resize(limbs.len().max(1), 0);
        let zeros = 3 - limbs[limbs.len() - 1].checked_ilog10().unwrap_or(0) as usize;
        Self { limbs, zeros }
    }

    /// How many digits are still to be taken.
    pub fn len(&self) -> usize {
        4 * self.limbs.len() - self.zeros
    }

    pub fn is_empty(&self) -> bool {
        self.limbs.is_empty()
    }

    /// Moves the next digits to the end of `text`, up to `most` of them, which is at least 4.
    pub fn take(&mut self, most: usize, text: &mut Vec<u8>) {
        let rest = self.limbs.len().saturating_sub(most / 4);
        let start = text.len();
        text.resize(start + 4 * (self.limbs.len() - rest), 0);
        for (digits, limb) in text[start..].as_chunks_mut::<4>().0.iter_mut().zip(self.limbs.drain(rest..).rev()) {
            let (high, low) = (limb / 100, limb % 100);
            *digits = [high / 10, high % 10, low / 10, low % 10].map(|digit| b'0' + digit as u8);
        }
        text.drain(start..start + std::mem::take(&mut self.zeros));
    }
}
