//! One command a file: its options, then what it does.

pub mod down;
pub mod keep;
pub mod logs;
pub mod status;
pub mod up;
