//! Mounts below the loop's folders: containers and image builds that were killed leave them behind.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::mount::{UnmountFlags, unmount};

/// Unmounts everything below the folder, the innermost first.
pub fn release(folder: &Path) -> Result<()> {
    for point in below(folder)?.into_iter().rev() {
        unmount(&point, UnmountFlags::DETACH).with_context(|| format!("cannot unmount {}", point.display()))?;
    }
    Ok(())
}

/// The mount points below the folder, in the order in which they were mounted.
pub fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let table = fs::read_to_string("/proc/self/mountinfo").context("cannot read the list of mounts")?;
    Ok(points(&table).filter(|point| point.starts_with(folder)).collect())
}

/// The fifth field of mountinfo; it writes what would end a field, and its own sign for that, as three octal digits.
fn points(table: &str) -> impl Iterator<Item = PathBuf> {
    let plain = |point: &str| {
        let signs = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
        PathBuf::from(signs.iter().fold(point.to_owned(), |point, (octal, sign)| point.replace(octal, sign)))
    };
    table.lines().filter_map(|line| line.split(' ').nth(4)).map(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_with_their_spaces() {
        let table = "36 35 98:0 / /mnt/two\\040words rw,noatime master:1 - ext3 /dev/root rw\n37 35 0:4 net:[4] /run/netns/x rw - nsfs nsfs rw\n";
        assert_eq!(points(table).collect::<Vec<_>>(), [PathBuf::from("/mnt/two words"), PathBuf::from("/run/netns/x")]);
    }
}
