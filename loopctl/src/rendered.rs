//! A template's files with somebody's names in them, as the rustfmt of this machine writes them.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::tempdir;

use delivery::coordinates::{DEPLOYMENT, NEVER_BUILT};
use delivery::git::template::VERSION;
use delivery::manifest::{self, edit};
use delivery::tfvars::{self, Tfvars};
use template::{File, HERE, Names, Template};

/// Path and text of each file.
pub fn rendered(template: &Template, names: &Names) -> Result<Vec<(String, String)>> {
    let mut files: Vec<(String, String)> =
        template.render(names)?.into_iter().map(|File { path, text }| (path, text)).collect();
    for (path, text) in &mut files {
        match path.as_str() {
            DEPLOYMENT => *text = at_birth(text)?,
            tfvars::FILE if names.host != HERE => {
                *text = Tfvars::parse(text)?.with_node_host(&names.host)?.text().to_owned();
            }
            _ => {}
        }
    }
    formatted(&mut files)?;
    Ok(files)
}

/// The files of a service alone, as a new repository would have them: of a further one in a repository of those names.
pub fn service(template: &Template, of: &Names, name: &str) -> Result<Vec<(String, String)>> {
    let names = Names { name: name.to_owned(), with_example: false, ..of.clone() };
    let own_address = names.address();
    let files = template.render(&names)?.into_iter().filter(|file| template::is_of_service(&file.path));
    let mut files: Vec<(String, String)> =
        files.map(|File { path, text }| (path, text.replace(&own_address, &of.address()))).collect();
    formatted(&mut files)?;
    Ok(files)
}

/// No image has been built yet, and nothing is held: what became of the template's own repository is no concern of others.
fn at_birth(deployment: &str) -> Result<String> {
    let image = manifest::image(DEPLOYMENT, deployment)?;
    edit::lift(DEPLOYMENT, &deployment.replacen(&image.written, &format!("{}:sha-{NEVER_BUILT}", image.name), 1))
}

/// A longer or shorter name moves imports and breaks of lines; without rustfmt they stay where they are.
fn formatted(files: &mut [(String, String)]) -> Result<()> {
    let folder = tempdir().context("cannot make a temporary folder")?;
    let mut rustfmt = Command::new("rustfmt");
    // It looks for its settings in the folder that it runs in, and above.
    rustfmt.current_dir(folder.path()).args(["--edition", "2024"]);
    for (path, text) in files.iter() {
        let place = folder.path().join(path);
        fs::create_dir_all(place.parent().context("a file stands in a folder")?)?;
        fs::write(&place, text).with_context(|| format!("cannot write {}", place.display()))?;
        if path.ends_with(".rs") {
            rustfmt.arg(path);
        }
    }
    let Ok(done) = rustfmt.output() else { return Ok(()) };
    if !done.status.success() {
        bail!("rustfmt: {}", String::from_utf8_lossy(&done.stderr).trim_end());
    }
    for (path, text) in files.iter_mut().filter(|(path, _)| path.ends_with(".rs")) {
        *text = fs::read_to_string(folder.path().join(path))?;
    }
    Ok(())
}

/// What the commit of a rendering says, so that the next one knows what to begin with.
pub fn message(subject: &str, template: &Template, names: &Names) -> String {
    format!("{subject}\n\n{VERSION}{}\n{}\n", template.version, names.trailer())
}
