//! What a longer or shorter name moves in files that tools keep in order.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// As `cargo fmt` leaves it: imports stand in the order of their names, and lines have a width.
pub fn formatted(root: &Path, source: &str) -> Result<String> {
    let mut rustfmt = Command::new("rustfmt");
    // It looks for its settings in the folder that it runs in, and above.
    rustfmt.current_dir(root).args(["--edition", "2024", "--emit", "stdout"]);
    rustfmt.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = rustfmt.spawn().context("cannot run rustfmt, which `rustup component add rustfmt` installs")?;
    let mut input = child.stdin.take().context("its input was asked for")?;
    let text = source.to_owned();
    // On a thread of its own, as rustfmt may answer before it has read all.
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    let _ = writer.join();
    if !output.status.success() {
        bail!("rustfmt: {}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    String::from_utf8(output.stdout).context("rustfmt answered with something else than text")
}

/// Cargo.lock lists its packages by name, and `--locked` refuses another order.
pub fn sorted_lock(text: &str) -> String {
    const PACKAGE: &str = "[[package]]\n";
    let Some((head, packages)) = text.split_once(PACKAGE) else { return text.to_owned() };
    let mut packages: Vec<&str> = packages.split(PACKAGE).map(str::trim_end).collect();
    packages.sort_by_key(|package| package.lines().next().unwrap_or_default());
    format!("{head}{PACKAGE}{}\n", packages.join(&format!("\n\n{PACKAGE}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_package_moves_to_its_place_in_the_lock_file() {
        let lock = |names: [&str; 3]| {
            let packages = names.map(|name| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n"));
            format!("# generated\nversion = 4\n\n{}", packages.join("\n"))
        };
        assert_eq!(sorted_lock(&lock(["shop", "axum", "serde"])), lock(["axum", "serde", "shop"]));
        assert_eq!(sorted_lock(&lock(["axum", "serde", "shop"])), lock(["axum", "serde", "shop"]));
    }

    #[test]
    fn the_lock_files_of_this_repository_are_in_that_order() {
        for lock in [include_str!("../../../../Cargo.lock"), include_str!("../../../Cargo.lock")] {
            assert_eq!(sorted_lock(lock), lock);
        }
    }

    #[test]
    fn imports_are_put_in_order() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert_eq!(formatted(root, "use b::x;\nuse a::y;\n").unwrap(), "use a::y;\nuse b::x;\n");
        assert!(formatted(root, "fn {").is_err());
    }
}
