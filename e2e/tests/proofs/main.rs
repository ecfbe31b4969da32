//! Each sentence that README says about the loop, proven on a loop of its own.
//!
//! `make e2e` runs all of them, `make e2e PROOF=pull_secret` those whose name contains it.

mod table;
mod take_turns;

use std::process::ExitCode;

use anyhow::Result;
use e2e::Loop;
use e2e::report::Report;

/// A proof changes the loop and leaves it as it found it.
pub struct Proof {
    pub name: &'static str,
    pub run: fn(&Loop, &mut Report) -> Result<()>,
}

/// The proof's function is its name, so that it is found by searching for what the table says.
macro_rules! proofs {
    ($($file:ident :: $name:ident),* $(,)?) => {
        &[$(Proof { name: stringify!($name), run: $file::$name }),*]
    };
}

/// In the order in which they run: the first ones leave images behind that the later ones use.
const PROOFS: &[Proof] = proofs![];

fn main() -> ExitCode {
    take_turns::run(PROOFS)
}
