//! What is compared here is compiled as it is shipped.

use std::fs;

fn release_profile(manifest: &str) -> toml::Value {
    let path = format!("{}/{manifest}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).expect("the package has a manifest");
    let manifest: toml::Value = toml::from_str(&text).expect("the manifest is TOML");
    manifest["profile"]["release"].clone()
}

#[test]
fn the_release_profile_is_the_services_own() {
    assert_eq!(
        release_profile("Cargo.toml"),
        release_profile("../Cargo.toml"),
        "copy [profile.release] of Cargo.toml to bench/Cargo.toml"
    );
}
