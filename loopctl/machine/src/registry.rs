//! The container registry: Debian's OCI distribution, which lets nobody in without a user and password.
//!
//! Its users are the cluster, through the pull secret, and each run of the workflow for as long as
//! it lasts: that user's password is the run's GITHUB_TOKEN.

pub mod package;

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};

use super::addresses::{BRIDGE_ADDRESS, REGISTRY_PORT, REGISTRY_USER};
use super::private::write_private;
use super::processes::{self, Process};
use super::{Part, Place};

pub struct Registry;

/// The passwords are random and long, so stretching them would only slow every request down.
const BCRYPT_COST: u32 = 4;

impl Part for Registry {
    fn name(&self) -> &'static str {
        "registry"
    }

    fn does(&self) -> &'static str {
        "keeps the images, for those who know the password"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["network"]
    }

    fn made_of(&self) -> &'static [&'static str] {
        &["program registry"]
    }

    fn start(&self, place: &Place) -> Result<()> {
        admit(place, REGISTRY_USER, &place.secret("registry-password")?)?;
        let config = place.folder("registry")?.join("config.yml");
        let text = place.fill(
            "registry",
            "config.yml",
            &[
                ("data", &data(place)?.display().to_string()),
                ("address", &address()),
                ("secret", &place.secret("registry-uploads")?),
                ("users", &users_file(place)?.display().to_string()),
            ],
        )?;
        write_private(&config, &text)?;
        let process = Process::new(package::program(place)).arg("serve").arg(config.display().to_string());
        processes::keep(place, self.name(), &process)
    }

    fn ready(&self, place: &Place) -> Result<()> {
        processes::must_run(place, self.name())?;
        let mut connection = TcpStream::connect(address()).context("it does not accept connections")?;
        let answer = ask(&mut connection, "/v2/").context("it does not answer")?;
        // Who comes without a password has to be refused: an open registry would test no pull secret.
        if !answer.starts_with("HTTP/1.1 401") && !answer.starts_with("HTTP/1.0 401") {
            bail!("asked without a password it answers {}", answer.lines().next().unwrap_or("nothing"));
        }
        Ok(())
    }
}

/// Where it keeps its images.
pub fn data(place: &Place) -> Result<PathBuf> {
    place.folder("registry/data")
}

pub fn address() -> String {
    format!("{BRIDGE_ADDRESS}:{REGISTRY_PORT}")
}

/// Lets a user in from now on; the registry reads its file of users again by itself.
pub fn admit(place: &Place, user: &str, password: &str) -> Result<()> {
    let hash = bcrypt::hash(password, BCRYPT_COST).context("cannot hash a password")?;
    change_users(place, |users| {
        users.retain(|line| !is_of(line, user));
        users.push(format!("{user}:{hash}"));
    })
}

pub fn dismiss(place: &Place, user: &str) -> Result<()> {
    change_users(place, |users| users.retain(|line| !is_of(line, user)))
}

fn is_of(line: &str, user: &str) -> bool {
    line.split_once(':').is_some_and(|(name, _)| name == user)
}

/// Runs begin and end at the same time as others do, so changes take turns.
fn change_users(place: &Place, change: impl FnOnce(&mut Vec<String>)) -> Result<()> {
    let path = users_file(place)?;
    let turn = File::create(path.with_extension("lock")).context("cannot lock the registry's users")?;
    flock(&turn, FlockOperation::LockExclusive).context("cannot lock the registry's users")?;
    let mut users: Vec<String> = match fs::read_to_string(&path) {
        Ok(text) => text.lines().map(str::to_owned).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    change(&mut users);
    write_private(&path, &(users.join("\n") + "\n"))
}

fn users_file(place: &Place) -> Result<PathBuf> {
    Ok(place.folder("registry")?.join("users"))
}

fn ask(connection: &mut TcpStream, path: &str) -> Result<String> {
    use std::io::Read;
    connection.set_read_timeout(Some(std::time::Duration::from_secs(2)))?;
    write!(connection, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", address())?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}
