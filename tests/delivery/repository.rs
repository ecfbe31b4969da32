use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

pub fn text(relative: &str) -> String {
    fs::read_to_string(path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

pub fn yaml(relative: &str) -> Value {
    serde_saphyr::from_str(&text(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

pub fn yaml_documents(relative: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&text(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

pub fn tfvars() -> Value {
    hcl::from_str(&text("tofu/terraform.tfvars")).expect("tofu/terraform.tfvars is HCL")
}

/// The names in a folder, sorted.
pub fn folder(relative: &str) -> Vec<String> {
    let entries = fs::read_dir(path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"));
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Follows a path such as `/spec/template`; a missing step fails with the file's name.
pub fn at<'a>(document: &'a Value, file: &str, pointer: &str) -> &'a Value {
    document.pointer(pointer).unwrap_or_else(|| panic!("{file} has no {pointer}"))
}

pub fn deployment() -> Value {
    yaml("k8s/deployment.yaml")
}

/// Of the repository's own service.
pub fn container() -> Value {
    delivered()[0].container()
}

/// A service that git delivers: where its manifests and its part of argocd/ are.
pub struct Delivered {
    pub name: String,
    pub manifests: String,
    pub argocd: String,
}

impl Delivered {
    pub fn manifest(&self, file: &str) -> String {
        format!("{}/{file}", self.manifests)
    }

    pub fn argocd(&self, file: &str) -> String {
        format!("{}/{file}", self.argocd)
    }

    pub fn container(&self) -> Value {
        let file = self.manifest("deployment.yaml");
        let deployment = yaml(&file);
        let containers = at(&deployment, &file, "/spec/template/spec/containers").as_array().unwrap();
        // OpenTofu owns containers[0].resources by position: a second container could take that place.
        assert_eq!(containers.len(), 1, "{file} must have one container");
        containers[0].clone()
    }
}

/// The repository's own service, then those of `loopctl service add`, each in folders of its name.
pub fn delivered() -> Vec<Delivered> {
    let own = deployment()["metadata"]["name"].as_str().unwrap().to_owned();
    let mut services = vec![Delivered { name: own, manifests: "k8s".into(), argocd: "argocd".into() }];
    for name in folder("k8s").into_iter().filter(|name| path(&format!("k8s/{name}")).is_dir()) {
        services.push(Delivered { manifests: format!("k8s/{name}"), argocd: format!("argocd/{name}"), name });
    }
    services
}

/// The names of the files in a folder, sorted; folders in it are left out.
pub fn files(relative: &str) -> Vec<String> {
    folder(relative).into_iter().filter(|name| path(&format!("{relative}/{name}")).is_file()).collect()
}
