//! A further service whose sources are made as well: in services/NAME, tested, built and bumped by the same workflow.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::changes::Changes;
use crate::rendered;
use delivery::coordinates::{APPLICATION, Coordinates, NEVER_BUILT, SERVICES};
use delivery::tfvars::{self, Service, Tfvars};
use template::{Names, Template};

const WORKFLOW: &str = ".github/workflows/deploy.yml";
/// Once for the tests and once for the build.
const LISTS: usize = 2;

/// Each file's path and text.
pub fn rendered(name: &str, coordinates: &Coordinates) -> Result<Vec<(String, String)>> {
    template::name(name).map_err(|why| anyhow::anyhow!("the name {name} {why}"))?;
    let application = std::fs::read_to_string(coordinates.folder.join(APPLICATION))?;
    let files = rendered::service(&Template::own(), &Names::of_application(&application)?, name)?;
    Ok(files.into_iter().map(|(path, text)| (format!("{SERVICES}/{name}/{path}"), text)).collect())
}

/// The workflow writes the tag of the first build in its place.
pub fn image_at_birth(coordinates: &Coordinates, name: &str) -> String {
    format!("{}/{name}:sha-{NEVER_BUILT}", coordinates.image)
}

/// Port, probes and sizing are those of the template's service, whatever became of the repository's own.
pub fn born_like(own: &Service) -> Result<Service> {
    let template = Template::own();
    let text = template.files.iter().find(|file| file.path == tfvars::FILE).map(|file| file.text.as_str());
    let tfvars = Tfvars::parse(text.with_context(|| format!("the template has no {}", tfvars::FILE))?)?;
    let service = tfvars.service(&template.names()?.name).context("the template has no entry of its own service")?;
    Ok(Service { image_pull_secret: own.image_pull_secret.clone(), ..service.clone() })
}

/// Whether the file is one of the service's sources.
pub fn is_of(name: &str, path: &str) -> bool {
    path.strip_prefix(SERVICES)
        .and_then(|rest| rest.strip_prefix('/')?.strip_prefix(name))
        .is_some_and(|rest| rest.starts_with('/'))
}

/// The workflow tests and builds the service as well.
pub fn built_too(changes: &mut Changes, root: &Path, name: &str) -> Result<()> {
    let folder = format!("{SERVICES}/{name}");
    edit_lists(changes, root, |folders| {
        if !folders.contains(&folder) {
            folders.push(folder.clone());
        }
    })
}

/// It does no longer.
pub fn built_no_more(changes: &mut Changes, root: &Path, name: &str) -> Result<()> {
    let folder = format!("{SERVICES}/{name}");
    let workflow = std::fs::read_to_string(root.join(WORKFLOW)).unwrap_or_default();
    if !workflow.contains(&folder) {
        return Ok(());
    }
    edit_lists(changes, root, |folders| folders.retain(|each| *each != folder))
}

fn edit_lists(changes: &mut Changes, root: &Path, edit: impl Fn(&mut Vec<String>)) -> Result<()> {
    let text = std::fs::read_to_string(root.join(WORKFLOW)).with_context(|| format!("cannot read {WORKFLOW}"))?;
    changes.set(WORKFLOW, Some(edited(&text, edit)?))
}

fn edited(workflow: &str, edit: impl Fn(&mut Vec<String>)) -> Result<String> {
    let mut found = 0;
    let lines = workflow.split_inclusive('\n').map(|line| {
        let list = line.trim().strip_prefix("folder: [").and_then(|rest| rest.strip_suffix(']'));
        let Some(list) = list else { return line.to_owned() };
        found += 1;
        let mut folders: Vec<String> = list.split(',').map(|folder| folder.trim().to_owned()).collect();
        edit(&mut folders);
        line.replacen(list, &folders.join(", "), 1)
    });
    let text: String = lines.collect();
    if found != LISTS {
        bail!(
            "{WORKFLOW} has {found} lists `folder: [...]` of a matrix, and {LISTS} are expected, in its jobs test and build; \
             `loopctl update` brings the workflow that has them"
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_put_into_both_lists_of_the_workflow_and_taken_out_without_a_trace() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let text = std::fs::read_to_string(root.join(WORKFLOW)).unwrap();
        let with = edited(&text, |folders| folders.push("services/shop".to_owned())).unwrap();
        assert_eq!(with.matches("        folder: [., services/shop]\n").count(), LISTS);
        assert_eq!(edited(&with, |folders| folders.retain(|each| each != "services/shop")).unwrap(), text);
        let one = text.replacen("folder: [.]", "folder: {}", 1);
        let refused = edited(&one, |_| {}).unwrap_err().to_string();
        assert!(refused.contains("has 1 lists `folder: [...]` of a matrix, and 2 are expected"), "{refused}");
    }

    #[test]
    fn a_file_is_of_the_service_whose_folder_it_is_in() {
        let check = |path: &str, expected: bool| assert_eq!(is_of("shop", path), expected, "{path}");
        check("services/shop/src/main.rs", true);
        check("services/shopping/src/main.rs", false);
        check("k8s/shop/deployment.yaml", false);
    }
}
