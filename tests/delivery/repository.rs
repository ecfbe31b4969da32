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

pub fn container() -> Value {
    let containers = at(&deployment(), "k8s/deployment.yaml", "/spec/template/spec/containers").clone();
    let containers = containers.as_array().unwrap();
    // OpenTofu owns containers[0].resources by position: a second container could take that place.
    assert_eq!(containers.len(), 1, "k8s/deployment.yaml must have one container");
    containers[0].clone()
}
