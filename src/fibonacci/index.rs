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

#[cfg(test)]
mod tests {
    use dashu_int::UBig;
    use proptest::prelude::*;

    use super::*;

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

    proptest! {
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
}
