//! The library builds wherever Rust does: nothing that it depends on is for one operating system.

use std::process::Command;

/// What a program for Linux alone is made with.
const OF_LINUX: [&str; 6] = ["rustix", "nix", "procfs", "inotify", "linux-raw-sys", "cgroups-rs"];

/// What the package depends on where it is built for another operating system.
fn elsewhere(package: &str) -> Vec<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["tree", "--locked", "--edges=normal", "--prefix=none"]);
    let output = cargo.args(["--target=x86_64-pc-windows-msvc", "--package", package]).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout).into_owned();
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn of_linux(package: &str) -> Vec<String> {
    elsewhere(package).into_iter().filter(|name| OF_LINUX.contains(&name.as_str())).collect()
}

#[test]
fn no_dependency_is_for_linux_alone() {
    let found = of_linux("delivery");
    assert!(found.is_empty(), "loopctl/delivery depends on {found:?}: what is for Linux belongs in loopctl/machine");
    // The control: what is for Linux is seen to be.
    assert!(of_linux("machine").contains(&"rustix".to_owned()));
}

#[test]
fn no_source_is_for_one_operating_system() {
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the sources are there") {
            let path = entry.expect("the sources are there").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // Tests may need a shell or a mode.
            if path.to_string_lossy().ends_with("_tests.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            for words in ["std::os::", "cfg(unix)", "cfg(target_os", "/proc/", "/sys/"] {
                assert!(!text.contains(words), "{} has {words}: that belongs in loopctl/machine", path.display());
            }
            files += 1;
        }
    }
    assert!(files > 40, "only {files} files were read");
}
