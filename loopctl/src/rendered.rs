//! A template's files with somebody's names in them, as the rustfmt of this machine writes them.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::tempdir;

use delivery::git::template::{Blob, VERSION};
use template::{Names, Template};

/// A longer or shorter name moves imports and breaks of lines; without rustfmt they stay where they are.
pub fn rendered(template: &Template, names: &Names) -> Result<Vec<Blob>> {
    let mut files: Vec<Blob> = template
        .render(names)?
        .into_iter()
        .map(|file| Blob { path: file.path, text: file.text, is_executable: file.is_executable })
        .collect();
    let folder = tempdir().context("cannot make a temporary folder")?;
    let mut rustfmt = Command::new("rustfmt");
    // It looks for its settings in the folder that it runs in, and above.
    rustfmt.current_dir(folder.path()).args(["--edition", "2024"]);
    for Blob { path, text, .. } in &files {
        let place = folder.path().join(path);
        fs::create_dir_all(place.parent().context("a file stands in a folder")?)?;
        fs::write(&place, text).with_context(|| format!("cannot write {}", place.display()))?;
        if path.ends_with(".rs") {
            rustfmt.arg(path);
        }
    }
    let Ok(formatted) = rustfmt.output() else { return Ok(files) };
    if !formatted.status.success() {
        bail!("rustfmt: {}", String::from_utf8_lossy(&formatted.stderr).trim_end());
    }
    for file in files.iter_mut().filter(|file| file.path.ends_with(".rs")) {
        file.text = fs::read_to_string(folder.path().join(&file.path))?;
    }
    Ok(files)
}

/// What the commit of a rendering says, so that the next one knows what to begin with.
pub fn message(subject: &str, template: &Template, names: &Names) -> String {
    format!("{subject}\n\n{VERSION}{}\n{}\n", template.version, names.trailer())
}
