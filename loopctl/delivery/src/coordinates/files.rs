//! Where a service of the repository has what its delivery reads: the own one at the top, each other in folders of its
//! name. `.github/scripts/manifest.bash` goes by the same rule.

use super::{APPLICATION, DEPLOYMENT, IMAGE_INPUTS, SERVICE};

/// Below it are the sources of each further service that is built in this repository.
pub const SERVICES: &str = "services";

/// The files that each service has of its own.
const OWN: [&str; 6] =
    [DEPLOYMENT, SERVICE, APPLICATION, "k8s/namespace.yaml", "argocd/project.yaml", "argocd/sync-account.yaml"];

/// The commands that are about one service.
const COMMANDS: [&str; 9] = ["where", "wait", "verify", "sync", "rollback", "resume", "guard", "doctor", "pull-secret"];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// None for the repository's own service.
    pub of: Option<String>,
}

impl Files {
    pub fn of(service: &str) -> Self {
        Self { of: Some(service.to_owned()) }
    }

    /// k8s/deployment.yaml, or k8s/NAME/deployment.yaml.
    pub fn deployment(&self) -> String {
        self.below(DEPLOYMENT)
    }

    pub fn service(&self) -> String {
        self.below(SERVICE)
    }

    pub fn application(&self) -> String {
        self.below(APPLICATION)
    }

    /// What Argo CD is to read.
    pub fn manifests(&self) -> String {
        let deployment = self.deployment();
        deployment.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned()
    }

    /// Of the root, where the sources are.
    pub fn sources(&self) -> String {
        self.of.as_ref().map_or_else(|| ".".to_owned(), |name| format!("{SERVICES}/{name}"))
    }

    /// What its image is made of.
    pub fn inputs(&self) -> Vec<String> {
        let sources = self.sources();
        IMAGE_INPUTS
            .iter()
            .map(|file| if self.of.is_none() { (*file).into() } else { format!("{sources}/{file}") })
            .collect()
    }

    /// What is said of the repository's own service, said of this one: its files, and the commands about it.
    pub fn said(&self, text: &str) -> String {
        let Some(name) = &self.of else { return text.to_owned() };
        let own = OWN.iter().fold(text.to_owned(), |said, file| said.replace(file, &self.below(file)));
        COMMANDS.iter().fold(own, |said, command| {
            let typed = format!("loopctl {command}");
            said.replace(&typed, &format!("{typed} --service {name}"))
        })
    }

    fn below(&self, file: &str) -> String {
        match (&self.of, file.split_once('/')) {
            (Some(name), Some((folder, file))) => format!("{folder}/{name}/{file}"),
            _ => file.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_service_has_its_files_at_the_top_and_another_one_in_folders_of_its_name() {
        let check = |files: Files, expected: [&str; 5]| {
            let input = files.inputs().remove(0);
            assert_eq!([files.deployment(), files.application(), files.manifests(), files.sources(), input], expected);
        };
        check(Files::default(), ["k8s/deployment.yaml", "argocd/application.yaml", "k8s", ".", "Dockerfile"]);
        check(
            Files::of("shop"),
            [
                "k8s/shop/deployment.yaml",
                "argocd/shop/application.yaml",
                "k8s/shop",
                "services/shop",
                "services/shop/Dockerfile",
            ],
        );
    }

    #[test]
    fn what_is_said_of_the_own_service_is_said_of_another_one_with_its_files_and_commands() {
        let said =
            "line 5 of k8s/deployment.yaml; `cargo loopctl resume` lifts it, kubectl apply -f argocd/project.yaml";
        assert_eq!(Files::default().said(said), said);
        assert_eq!(
            Files::of("shop").said(said),
            "line 5 of k8s/shop/deployment.yaml; `cargo loopctl resume --service shop` lifts it, \
             kubectl apply -f argocd/shop/project.yaml"
        );
    }
}
