//! A fault that a delivery can have, and what has to be said of it.

use anyhow::Result;
use e2e::Loop;
use e2e::repository::Clone;

/// The exit codes of `loopctl wait`.
pub const LIVE: i32 = 0;
pub const FAILED: i32 = 1;
pub const HELD: i32 = 4;
pub const TIMED_OUT: i32 = 5;
pub const UNSEEN: i32 = 6;

pub struct Fault {
    pub is: &'static str,
    pub plant: fn(&Loop, &Clone) -> Result<()>,
    /// The opposite, where there is one; also for what a failed proof has left.
    pub unplant: fn(&Loop, &Clone) -> Result<()>,
    pub asked: Asked,
    /// A part of the sentence with the reason.
    pub says: &'static str,
    /// How `wait` ends that does not wait: also with LIVE, where the fault keeps nobody from being served.
    pub ends: i32,
    /// A part of what doctor finds; nothing where it is asked nothing.
    pub doctor: &'static str,
    pub mend: Mend,
}

/// About which commit.
pub enum Asked {
    /// The one that is live.
    Live,
    /// One that is pushed, with its bump, when the fault is there.
    Bumped,
    /// The same, with a change of k8s/ that comes with the bump and is the fault.
    BumpedWith(fn(&Clone) -> Result<()>),
    /// The same, of which the registry has no image.
    WithoutImage,
    /// One that is pushed, for which no run was started.
    Pushed,
    /// The newest one, which is the fault.
    Tip,
}

pub enum Mend {
    /// The command that `where` says.
    AsPrinted,
    AsDoctorPrints,
    /// By taking back in git what the bump came with.
    InGit,
    /// By taking it back where it was planted.
    Unplanted,
    Nothing,
}

pub fn nothing(_: &Loop, _: &Clone) -> Result<()> {
    Ok(())
}

/// One that comes with the bump, in k8s/, and that a commit mends.
pub const fn in_git(is: &'static str, edit: fn(&Clone) -> Result<()>, says: &'static str) -> Fault {
    let (asked, mend) = (Asked::BumpedWith(edit), Mend::InGit);
    Fault { is, plant: nothing, unplant: nothing, asked, says, ends: TIMED_OUT, doctor: "", mend }
}

/// One that is planted in the cluster before the commit comes.
pub const fn planted(
    is: &'static str,
    plant: fn(&Loop, &Clone) -> Result<()>,
    unplant: fn(&Loop, &Clone) -> Result<()>,
    says: &'static str,
) -> Fault {
    Fault { is, plant, unplant, asked: Asked::Bumped, says, ends: TIMED_OUT, doctor: "", mend: Mend::Unplanted }
}

impl Fault {
    pub const fn mended(self, mend: Mend) -> Self {
        Self { mend, ..self }
    }

    pub const fn found(self, doctor: &'static str) -> Self {
        Self { doctor, ..self }
    }

    pub const fn asked(self, asked: Asked) -> Self {
        Self { asked, ..self }
    }

    pub const fn ends(self, ends: i32) -> Self {
        Self { ends, ..self }
    }
}
