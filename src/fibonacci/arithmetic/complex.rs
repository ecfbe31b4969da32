use std::array::from_fn;
use std::ops::{Add, Mul, Sub};

use super::roots::Root;

/// `WIDTH` complex numbers that are treated alike, so that the compiler has vectors to work with.
#[derive(Clone, Copy)]
pub struct Complex<const WIDTH: usize> {
    pub re: [f64; WIDTH],
    pub im: [f64; WIDTH],
}

impl<const WIDTH: usize> Complex<WIDTH> {
    #[inline(always)]
    pub fn times_root(self, (re, im): Root) -> Self {
        self * Self { re: [re; WIDTH], im: [im; WIDTH] }
    }

    #[inline(always)]
    pub fn over_root(self, (re, im): Root) -> Self {
        self.times_root((re, -im))
    }

    #[inline(always)]
    pub fn parts(self) -> ([f64; WIDTH], [f64; WIDTH]) {
        (self.re, self.im)
    }

    #[inline(always)]
    pub fn times_i(self) -> Self {
        Self { re: self.im.map(|im| -im), im: self.re }
    }
}

impl<const WIDTH: usize> Add for Complex<WIDTH> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self { re: from_fn(|i| self.re[i] + other.re[i]), im: from_fn(|i| self.im[i] + other.im[i]) }
    }
}

impl<const WIDTH: usize> Sub for Complex<WIDTH> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self { re: from_fn(|i| self.re[i] - other.re[i]), im: from_fn(|i| self.im[i] - other.im[i]) }
    }
}

impl<const WIDTH: usize> Mul for Complex<WIDTH> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self {
            re: from_fn(|i| self.re[i] * other.re[i] - self.im[i] * other.im[i]),
            im: from_fn(|i| self.re[i] * other.im[i] + self.im[i] * other.re[i]),
        }
    }
}
