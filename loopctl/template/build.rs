//! Puts the files of a new repository into the library, so that a tool that was installed needs no checkout.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A line each: a file, or a folder with all that is below it. Behind `!` is what is left out of one.
const LIST: &str = "files";
/// What a new repository has in the place of this one's.
const OWN: &str = "loopctl/template/own";

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout is there");
    let list = fs::read_to_string(LIST).expect("the list is there");
    let left_out: Vec<&str> = list.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    for line in list.lines().filter(|line| !line.starts_with(['!', '#']) && !line.is_empty()) {
        collect(&root, &root.join(line), &mut files);
    }
    files.retain(|(path, _)| !left_out.contains(&path.as_str()));
    let own = root.join(OWN);
    collect(&own, &own, &mut files);
    files.sort();
    let mut table = String::from("[\n");
    for (path, file) in &files {
        println!("cargo::rerun-if-changed={}", file.display());
        writeln!(table, "    ({path:?}, include_str!({:?}), {}),", file.display(), is_executable(file))
            .expect("a text");
    }
    table += "]\n";
    println!("cargo::rerun-if-changed={LIST}");
    let target = Path::new(&std::env::var_os("OUT_DIR").expect("cargo sets it")).join("files.rs");
    fs::write(target, table).expect("the table is written");
}

fn collect(root: &Path, place: &Path, files: &mut Vec<(String, PathBuf)>) {
    if place.is_dir() {
        // A file that comes or goes changes the time of its folder.
        println!("cargo::rerun-if-changed={}", place.display());
        for entry in fs::read_dir(place).expect("a folder can be read") {
            collect(root, &entry.expect("an entry can be read").path(), files);
        }
    } else {
        let path = place.strip_prefix(root).expect("it is below").to_str().expect("a path of letters");
        files.push((path.replace('\\', "/"), place.to_owned()));
    }
}

/// The same on every machine: a script says how it is run in its first line.
fn is_executable(file: &Path) -> bool {
    fs::read(file).is_ok_and(|bytes| bytes.starts_with(b"#!"))
}
