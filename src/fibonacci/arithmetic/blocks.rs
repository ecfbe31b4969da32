/// The largest n that is computed here: beyond it the transforms are faster.
pub const LARGEST: u64 = 11_199;

/// What one block counts: nine hundred products of two blocks add up to less than 2^63.
const BASE: i64 = 100_000_000;

/// Blocks for F(LARGEST + 1).
const MANY: usize = 296;

/// A number of up to `MOST` blocks, on the stack, the lowest first.
struct Blocks<const MOST: usize> {
    blocks: [u32; MOST],
    len: usize,
}

/// F(n), four digits a limb, the lowest first.
pub fn single(n: u64) -> Vec<u16> {
    // For a small number, to clear the room for a large one would take longer than the arithmetic.
    match n {
        0..1_000 => last::<28>(n).limbs(),
        1_000..3_000 => last::<80>(n).limbs(),
        _ => last::<MANY>(n).limbs(),
    }
}

/// F(n) and F(n + 1), four digits a limb, the lowest first.
pub fn pair(n: u64) -> [Vec<u16>; 2] {
    let (a, b) = doubled::<MANY>(n);
    [a.limbs(), b.limbs()]
}

/// F(n) alone, which takes one product in the last step: a·(2b − a), or a·(2a + b) + (−1)^k.
fn last<const MOST: usize>(n: u64) -> Blocks<MOST> {
    let (a, b) = doubled::<MOST>(n / 2);
    let (times_a, times_b, one) = if n % 2 == 1 { (2, 1, sign(n / 2)) } else { (-1, 2, 0) };
    let both = a.blocks[..b.len].iter().zip(&b.blocks);
    let factor = carried(both.map(|(a, b)| times_a * i64::from(*a) + times_b * i64::from(*b)));
    let mut columns = product(&a, &factor);
    columns[0] += one;
    carried(columns.into_iter().take(a.len + factor.len))
}

/// F(n) and F(n + 1), multiplied as at school.
///
/// By Cassini b² is a² + ab + (−1)^k, so that all is made of the two products a² and ab:
/// F(2k) = 2ab − a², F(2k + 1) = 2a² + ab + (−1)^k and F(2k + 2) = a² + 3ab + (−1)^k.
fn doubled<const MOST: usize>(n: u64) -> (Blocks<MOST>, Blocks<MOST>) {
    if n < 64 {
        let (mut current, mut next) = (0, 1);
        for _ in 0..n {
            (current, next) = (next, current + next);
        }
        return (carried([current].into_iter()), carried([next].into_iter()));
    }
    let (a, b) = doubled::<MOST>(n / 2);
    let (squares, products) = (product(&a, &a), product(&a, &b));
    let combined = |times_square, times_product, one| {
        let both = squares.iter().zip(&products).take(2 * b.len);
        let mut columns = both.map(|(square, product)| times_square * square + times_product * product);
        let lowest = columns.next().map(|column| column + one);
        carried(lowest.into_iter().chain(columns))
    };
    let middle = combined(2, 1, sign(n / 2));
    if n % 2 == 1 { (middle, combined(1, 3, sign(n / 2))) } else { (combined(-1, 2, 0), middle) }
}

/// (−1)^k
fn sign(k: u64) -> i64 {
    if k % 2 == 1 { -1 } else { 1 }
}

fn product<const MOST: usize>(a: &Blocks<MOST>, b: &Blocks<MOST>) -> [i64; MOST] {
    let mut columns = [0; MOST];
    let b = &b.blocks[..b.len];
    for (shift, a) in a.blocks[..a.len].iter().enumerate() {
        for (column, b) in columns[shift..shift + b.len()].iter_mut().zip(b) {
            *column += (u64::from(*a) * u64::from(*b)) as i64;
        }
    }
    columns
}

/// Carries from column to column; the sum of all is not negative.
fn carried<const MOST: usize>(columns: impl Iterator<Item = i64>) -> Blocks<MOST> {
    let mut number = Blocks { blocks: [0; MOST], len: 0 };
    let mut carry = 0;
    let mut push = |block: i64| {
        number.blocks[number.len] = block as u32;
        number.len += 1;
    };
    for column in columns {
        let sum = column + carry;
        carry = sum.div_euclid(BASE);
        push(sum - carry * BASE);
    }
    while carry > 0 {
        push(carry % BASE);
        carry /= BASE;
    }
    while number.len > 0 && number.blocks[number.len - 1] == 0 {
        number.len -= 1;
    }
    number
}

impl<const MOST: usize> Blocks<MOST> {
    /// The highest limb may be 0.
    fn limbs(&self) -> Vec<u16> {
        let fours = self.blocks[..self.len].iter().map(|block| [block % 10_000, block / 10_000]);
        fours.flatten().map(|four| four as u16).collect()
    }
}
