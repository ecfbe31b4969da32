#[path = "../../../../tests/cases/table.rs"]
mod table;

use serde_json::Value;

use self::table::each;
use super::*;
use crate::coordinates::DEPLOYMENT;
use crate::coordinates::of_kind;
use crate::manifest::edit::{lift, roll_back};

/// As .github/scripts/manifest.bash has it.
const KEY: &str = "delivery.argo-rust/hold";

/// What a YAML parser finds: the hold among the annotations, and the images that a container may have.
fn parsed(text: &str) -> Option<(bool, Vec<String>)> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).ok()?;
    let deployment = documents.get(of_kind(&documents, "Deployment")?)?;
    let held = deployment["metadata"]["annotations"].get(KEY).is_some();
    let containers = deployment["spec"]["template"]["spec"]["containers"].as_array().cloned().unwrap_or_default();
    let images = containers.iter().filter_map(|each| each["image"].as_str().map(str::to_owned));
    Some((held, images.collect()))
}

#[test]
fn a_hold_is_found_as_the_scripts_find_it_and_wherever_yaml_does() {
    let mut held_by_yaml = std::cell::Cell::new(0);
    each(|case, text| {
        let found = hold(text).map(|hold| if hold.is_certain { hold.bad } else { "doubt".to_owned() });
        assert_eq!(found, case.hold, "{}:\n{text}", case.that);
        if parsed(text).is_some_and(|(held, _)| held) {
            held_by_yaml.set(held_by_yaml.get() + 1);
            assert!(found.is_some(), "{}: YAML finds a hold in\n{text}", case.that);
        }
    });
    assert!(*held_by_yaml.get_mut() > 15, "only {} cases are held for a YAML parser", held_by_yaml.get());
}

#[test]
fn an_image_is_read_as_the_scripts_read_it_and_as_yaml_does_or_refused_with_the_line() {
    each(|case, text| match (image(DEPLOYMENT, text), &case.refused) {
        (Ok(image), None) => {
            assert_eq!(format!("{}:sha-{}", image.name, image.revision), case.image(), "{}", case.that);
            assert_eq!(image.written, case.written.as_deref().unwrap_or(case.image()), "{}", case.that);
            let (_, images) = parsed(text).unwrap_or_else(|| panic!("{}: YAML cannot read\n{text}", case.that));
            assert!(images.contains(&image.written), "{}: YAML finds {images:?}", case.that);
        }
        (Err(error), Some(words)) => assert!(error.to_string().contains(words), "{}: {error}", case.that),
        (found, _) => panic!("{}: {found:?} of\n{text}", case.that),
    });
}

#[test]
fn a_rollback_and_its_lifting_change_the_image_and_the_hold_alone_or_nothing() {
    each(|case, text| {
        let Ok(after) = roll_back(DEPLOYMENT, text, "7777777", "0000001", KEY) else {
            let is_plain = case.refused.is_none() && case.hold.is_none();
            assert!(!is_plain || text.contains("&image"), "{} cannot be rolled back", case.that);
            return;
        };
        assert_eq!(image(DEPLOYMENT, &after).expect("it is read").revision, "7777777", "{}", case.that);
        assert_eq!(hold(&after).map(|hold| hold.bad).as_deref(), Some("0000001"), "{}", case.that);
        let Ok(lifted) = lift(DEPLOYMENT, &after) else {
            panic!("{}: a rollback that cannot be lifted:\n{after}", case.that)
        };
        assert_eq!(hold(&lifted), None, "{}", case.that);
        if case.hold.is_none() {
            let written = case.written.as_deref().unwrap_or(case.image());
            let after = format!("{}:sha-7777777", case.name());
            assert_eq!(lifted, text.replacen(written, &after, 1), "{}", case.that);
        }
    });
}
