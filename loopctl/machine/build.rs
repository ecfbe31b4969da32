//! Puts `loopctl/parts/` into the library, so that a tool that was installed needs no checkout of its own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../parts").canonicalize().expect("the parts are there");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut table = String::from("[\n");
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
        let path = file.strip_prefix(&root).expect("it is below").display().to_string();
        writeln!(table, "    ({path:?}, include_bytes!({:?})),", file.display()).expect("a text");
    }
    table += "]\n";
    let target = Path::new(&std::env::var_os("OUT_DIR").expect("cargo sets it")).join("parts.rs");
    fs::write(target, table).expect("the table is written");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    // A file that comes or goes changes the time of its folder.
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
