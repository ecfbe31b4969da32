use super::arithmetic::LARGEST;
use crate::server::environment::{Setting, whole_number};

pub const MAX: Setting<u64> = Setting {
    name: "ARGO_RUST_FIBONACCI_MAX",
    default: "10000000",
    // The arithmetic is proven up to here, and a pod's limits serve it within a second.
    accepts: "a whole number from 0 to 10000000",
    purpose: "the largest n that /fibonacci/{n} computes",
    parse: |text| whole_number(text, 0, LARGEST),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_the_largest_n_is_the_n_that_the_arithmetic_is_proven_for() {
        assert_eq!(MAX.default, LARGEST.to_string());
        assert!(MAX.accepts.ends_with(MAX.default), "{}", MAX.accepts);
    }
}
