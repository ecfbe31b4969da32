use std::ffi::OsString;

use super::build_info;
use super::environment::BadSetting;

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    Serve,
    Help,
    Version,
}

/// What the user has to write otherwise.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    #[error("{0}; settings come from the environment, see argo-rust --help")]
    Argument(#[from] lexopt::Error),
    #[error(transparent)]
    Setting(#[from] BadSetting),
}

pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let mut parser = lexopt::Parser::from_iter(arguments);
    match parser.next()? {
        None => Ok(Command::Serve),
        Some(lexopt::Arg::Short('h') | lexopt::Arg::Long("help")) => Ok(Command::Help),
        Some(lexopt::Arg::Short('V') | lexopt::Arg::Long("version")) => Ok(Command::Version),
        Some(other) => Err(other.unexpected().into()),
    }
}

pub fn help(routes: &str, settings: &str) -> String {
    format!(
        "Serves GET {routes}.\n\n\
         Usage: argo-rust [--help | --version]\n\n\
         Settings come from the environment:\n{settings}\n\
         SIGTERM starts the drain: answers say `Connection: close`, after the delay no connection is\n\
         accepted any more, what is in flight is finished, exit code 0. SIGINT skips the delay.\n\
         Exit code 64: a setting is not valid. Exit code 1: a port could not be bound.\n"
    )
}

pub fn version() -> String {
    format!("argo-rust {} ({})\n", build_info::VERSION, build_info::REVISION.unwrap_or("no revision"))
}
