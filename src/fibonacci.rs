use num_bigint::BigUint;

/// The nth Fibonacci number in decimal digits.
pub fn digits(n: u64) -> String {
    fibonacci(n).to_string()
}

/// Why a text names no Fibonacci number that is computed here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    #[error("n is not a number; accepted is a whole number from 0 to {max}, in the digits 0 to 9")]
    NotANumber { max: u64 },
    #[error("n is negative; accepted is a whole number from 0 to {max}")]
    Negative { max: u64 },
    #[error("n is larger than {max}; accepted is a whole number from 0 to {max}")]
    TooLarge { max: u64 },
}

/// Reads n as people write it: decimal digits and nothing else.
pub fn parse_index(text: &str, max: u64) -> Result<u64, IndexError> {
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match text.strip_prefix('-') {
        Some(digits) if is_number(digits) => return Err(IndexError::Negative { max }),
        _ if !is_number(text) => return Err(IndexError::NotANumber { max }),
        _ => {}
    }
    // All digits, so parsing fails only for what is larger than a u64.
    match text.parse() {
        Ok(n) if n <= max => Ok(n),
        _ => Err(IndexError::TooLarge { max }),
    }
}

/// Fast doubling: F(2k) = F(k)·(2·F(k+1) − F(k)) and F(2k+1) = F(k)² + F(k+1)², one step a bit of n.
fn fibonacci(n: u64) -> BigUint {
    let mut current = BigUint::ZERO;
    let mut next = BigUint::from(1_u8);
    for bit in (0..u64::BITS - n.leading_zeros()).rev() {
        let even = &current * ((&next << 1_u8) - &current);
        let odd = &current * &current + &next * &next;
        if n >> bit & 1 == 0 {
            (current, next) = (even, odd);
        } else {
            next = even + &odd;
            current = odd;
        }
    }
    current
}

#[cfg(test)]
mod tests {
    use dashu_int::UBig;
    use proptest::prelude::*;

    use super::*;

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
        for n in 0..3_000 {
            assert_eq!(digits(n), current.to_string(), "F({n})");
            (before, current) = (current.clone(), before + current);
        }
    }

    #[test]
    fn the_largest_default_agrees_with_a_second_library() {
        assert_eq!(digits(1_000_000), matrix_power(1_000_000).to_string());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_number_agrees_with_a_second_library_and_another_method(n in 0_u64..60_000) {
            prop_assert_eq!(digits(n), matrix_power(n).to_string());
        }

        #[test]
        fn every_text_is_read_as_its_number_or_refused(text in "\\PC{0,24}") {
            match parse_index(&text, 1_000) {
                Ok(n) => prop_assert_eq!(text.parse::<u64>().ok(), Some(n)),
                Err(IndexError::TooLarge { .. }) => {
                    prop_assert!(text.parse::<UBig>().is_ok_and(|number| number > UBig::from(1_000_u32)));
                }
                Err(_) => prop_assert!(text.is_empty() || text.bytes().any(|byte| !byte.is_ascii_digit())),
            }
        }
    }

    #[test]
    fn an_index_is_refused_with_what_is_accepted() {
        let check =
            |text: &str, expected: Result<u64, IndexError>| assert_eq!(parse_index(text, 100), expected, "{text:?}");
        check("0", Ok(0));
        check("100", Ok(100));
        check("007", Ok(7));
        check("101", Err(IndexError::TooLarge { max: 100 }));
        check("18446744073709551616", Err(IndexError::TooLarge { max: 100 }));
        check("-1", Err(IndexError::Negative { max: 100 }));
        check("-99999999999999999999", Err(IndexError::Negative { max: 100 }));
        for text in ["", "+5", "-", "--1", "1.5", "1e3", "0x10", "ten", " 1", "1 ", "1_000", "٣", "½"] {
            check(text, Err(IndexError::NotANumber { max: 100 }));
        }
    }

    /// The upper right corner of [[1, 1], [1, 0]] raised to n: no step in common with fast doubling.
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
}
