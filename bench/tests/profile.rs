//! The service's arithmetic is compared as it is shipped.

use std::fs;

fn release_profile(manifest: &str) -> toml::Value {
    let path = format!("{}/{manifest}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).expect("the package has a manifest");
    let manifest: toml::Value = toml::from_str(&text).expect("the manifest is TOML");
    manifest["profile"]["release"].clone()
}

#[test]
fn the_arithmetic_is_compiled_as_the_service_compiles_it() {
    let (here, there) = (release_profile("../loopctl/Cargo.toml"), release_profile("../Cargo.toml"));
    let fix = "loopctl/Cargo.toml must say of argo-rust what Cargo.toml says of itself";
    assert_eq!(here["package"]["argo-rust"]["opt-level"], there["opt-level"], "{fix}");
    for setting in ["lto", "codegen-units"] {
        assert_eq!(here[setting], there[setting], "{fix}: {setting}");
    }
}
