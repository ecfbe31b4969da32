//! The companion of argo-rust: runs, watches and repairs the loop that delivers it.

mod changes;
mod cli;
mod commands;
mod exit;
mod output;
mod rendered;
mod target;
mod text;

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let cli = cli::parse();
    if let Some(path) = with_system_folders(&env::var_os("PATH").unwrap_or_default()) {
        // The whole loop inherits it, so it is set once and for all by starting over.
        let own = env::current_exe().unwrap_or_else(|_| PathBuf::from("loopctl"));
        let error = Command::new(&own).args(env::args_os().skip(1)).env("PATH", path).exec();
        eprintln!("error: cannot run {}: {error}", own.display());
        return ExitCode::FAILURE;
    }
    match cli::run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", text::plain::plain(&format!("{error:#}")));
            exit::Exit::of(&error).into()
        }
    }
}

/// Debian keeps iptables, ip and runc where a user's PATH, and so that of `su`, does not lead.
/// None when PATH has the folders already.
fn with_system_folders(path: &OsString) -> Option<OsString> {
    let mut folders: Vec<PathBuf> = env::split_paths(path).collect();
    let before = folders.len();
    for system in ["/usr/sbin", "/sbin"] {
        if !folders.iter().any(|folder| folder == Path::new(system)) {
            folders.push(system.into());
        }
    }
    if folders.len() == before { None } else { env::join_paths(folders).ok() }
}

#[cfg(test)]
mod tests {
    use super::with_system_folders;

    fn check(path: &str, expected: Option<&str>) {
        assert_eq!(with_system_folders(&path.into()).as_deref(), expected.map(AsRef::as_ref), "{path}");
    }

    #[test]
    fn the_systems_folders_come_last_and_only_once() {
        check("/usr/bin:/bin", Some("/usr/bin:/bin:/usr/sbin:/sbin"));
        check("/sbin:/usr/bin", Some("/sbin:/usr/bin:/usr/sbin"));
        check("/usr/sbin:/usr/bin:/sbin", None);
    }
}
