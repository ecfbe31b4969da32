//! How often a proof repeats what it shows: few times in each run of CI, many times in `make e2e-long`.
//! docs/proofs.md has the same table, which a test of the repository compares.

use std::env;

/// What `make e2e-long` sets.
const LONG: &str = "E2E_LONG";

pub struct Often {
    few: u64,
    many: u64,
}

pub const ROLLOUTS_OF_ONE_POD: Often = Often { few: 3, many: 14 };
pub const ROLLOUTS_OF_TWO_PODS: Often = Often { few: 1, many: 6 };
pub const ROLLOUTS_OF_THE_ORIGINAL: Often = Often { few: 0, many: 1 };
pub const REQUESTS_OVER_ROLLOUTS: Often = Often { few: 150_000, many: 1_000_000 };
pub const BUMPS_BY_POLLING: Often = Often { few: 3, many: 9 };
pub const SECONDS_AMONG_CONNECTIONS: Often = Often { few: 15, many: 60 };
pub const FAULTS_IN_THE_WAY: Often = Often { few: 3, many: 62 };
pub const LOOPS_OF_A_NEW_REPOSITORY: Often = Often { few: 0, many: 1 };
pub const RUNS_SEEN_ON_THE_BOARD: Often = Often { few: 0, many: 1 };
pub const RELEASES: Often = Often { few: 0, many: 1 };
pub const KUBELETS_KILLED_IN_A_DRAIN: Often = Often { few: 1, many: 20 };
pub const PARTS_KILLED_IN_EACH_PLACE: Often = Often { few: 1, many: 4 };

impl Often {
    pub fn times(&self) -> u64 {
        if env::var_os(LONG).is_some() { self.many } else { self.few }
    }
}
