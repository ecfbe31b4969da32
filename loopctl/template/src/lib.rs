//! A new repository out of this one's own files: which they are, what is left out of them, and whose names are in them.
//!
//! A template is a value, so that an older or a newer one can be rendered just as well.

mod lines;
mod lock;
mod names;
mod words;

use anyhow::{Context, Result, bail};

pub use names::{HERE, Names, branch, host, name, owner};

/// Which example a new repository may have; its files and lines have its name in them.
pub const EXAMPLE: &str = "fibonacci";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub path: String,
    pub text: String,
}

#[derive(Clone, Debug)]
pub struct Template {
    /// Of the tool as well: they are released together.
    pub version: String,
    pub files: Vec<File>,
}

static FILES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// What belongs to the delivery and not to whoever was given it: an edit of it is told by `loopctl update --check`.
pub const OWNED: [&str; 4] = [".github/scripts/", "argocd/", "tofu/*.tf", "Dockerfile"];

/// What a service is made of, whichever repository it is in.
const OF_SERVICE: [&str; 8] =
    ["Cargo.toml", "Cargo.lock", "Dockerfile", ".dockerignore", "clippy.toml", "rustfmt.toml", "src/", "tests/"];

/// Where `own/` has the address of the repository that the template is from.
const HOME: &str = "$(template)";
const APPLICATION: &str = "argocd/application.yaml";

impl Template {
    /// The one that this program was built with.
    pub fn own() -> Self {
        let file = |(path, text): &(&str, &str)| File { path: (*path).to_owned(), text: (*text).to_owned() };
        Self { version: env!("CARGO_PKG_VERSION").to_owned(), files: FILES.iter().map(file).collect() }
    }

    /// The names that its files have in them.
    pub fn names(&self) -> Result<Names> {
        let application = self.text(APPLICATION).with_context(|| format!("the template has no {APPLICATION}"))?;
        Names::of_application(application)
    }

    /// Every file of a repository that is called so. Of one template and the same names it is always the same.
    pub fn render(&self, names: &Names) -> Result<Vec<File>> {
        let from = self.names()?;
        let packages = lock::packages(self.text("Cargo.lock").unwrap_or_default());
        if names.name != from.name && packages.contains(&names.name) {
            bail!("{0} is the name of a package that the service depends on; {0}-service is free", names.name);
        }
        let mut files: Vec<File> = Vec::new();
        for file in self.files.iter().filter(|file| names.with_example || !lines::is_of_example(&file.path)) {
            let text = lines::kept(&file.text, names.with_example, |module| self.has_module(&file.path, module));
            let text = words::replaced(&text, &from, names).replace(HOME, &from.address());
            let path = words::replaced(&file.path, &from, names);
            files.push(File { path, text });
        }
        let cargo = files.iter().find(|file| file.path == "Cargo.toml").map(|file| file.text.clone());
        for file in files.iter_mut().filter(|file| file.path == "Cargo.lock") {
            file.text = lock::needed(&file.text, cargo.as_deref().unwrap_or_default());
        }
        Ok(files)
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    /// Whether `mod NAME;` in that file has its own file here.
    fn has_module(&self, of: &str, module: &str) -> bool {
        let folder = of.rsplit_once('/').map_or("", |(folder, _)| folder);
        let has = |path: String| self.files.iter().any(|file| file.path == path);
        has(format!("{folder}/{module}.rs")) || has(format!("{folder}/{module}/mod.rs"))
    }
}

/// Whether it is of the service itself, and not of the repository or the delivery.
pub fn is_of_service(path: &str) -> bool {
    OF_SERVICE.iter().any(|each| if each.ends_with('/') { path.starts_with(each) } else { path == *each })
}

/// Whether the delivery owns the file.
pub fn is_owned(path: &str) -> bool {
    OWNED.iter().any(|owned| match owned.split_once('*') {
        Some((folder, end)) => path.strip_prefix(folder).is_some_and(|rest| !rest.contains('/') && rest.ends_with(end)),
        None if owned.ends_with('/') => path.starts_with(owned),
        None => path == *owned,
    })
}

#[cfg(test)]
mod tests;
