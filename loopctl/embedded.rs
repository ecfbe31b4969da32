//! The build script of whatever library brings files along, so that a tool that was installed needs no checkout.
//!
//! The list `files` beside its Cargo.toml has a line each: a file of the checkout, or a folder with all that is below it.
//! With a slash at its end the folder's own name is left out. Behind `!` is what is left out of a folder.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let root = package.join("../..").canonicalize().expect("the checkout is there");
    let list = fs::read_to_string(package.join("files")).expect("the list is there");
    println!("cargo::rerun-if-changed=files");
    let left_out: Vec<&str> = list.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    for line in list.lines().filter(|line| !line.starts_with(['!', '#']) && !line.is_empty()) {
        let place = root.join(line.trim_end_matches('/'));
        collect(if line.ends_with('/') { &place } else { &root }, &place, &mut files);
    }
    files.retain(|(path, _)| !left_out.contains(&path.as_str()));
    files.sort();
    let mut table = String::from("[\n");
    for (path, file) in &files {
        println!("cargo::rerun-if-changed={}", file.display());
        writeln!(table, "    ({path:?}, include_str!({:?})),", file.display()).expect("a text");
    }
    table += "]\n";
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
