//! Applications as Argo CD writes them, and what is read from each.

use super::*;
use crate::coordinates::DEPLOYMENT;

#[test]
fn of_several_sources_the_one_with_the_manifests_counts_whatever_its_place() {
    let check = |paths: [&str; 2], expected: &str| {
        let sources = paths.map(|path| json!({"repoURL": "https://a.example/b/c", "path": path}));
        let (newest, before) = (json!(["1", "2"]), json!(["3", "4"]));
        let object = json!({
            "spec": {"sources": sources},
            "status": {
                "sync": {"status": "Synced", "revisions": newest},
                "history": [{"revisions": before, "sources": sources}],
                "operationState": {"syncResult": {"revisions": newest}},
            },
        });
        let application = Application::of(object, &Files::default()).expect("an Application");
        let status = &application.status;
        let operation = status.operation_state.as_ref().map(Operation::revision).unwrap_or_default();
        let found = format!("{} {} {operation}", status.sync.revision, status.history[0].revision);
        assert_eq!(found.trim(), expected, "{paths:?}");
    };
    check(["charts", "k8s"], "2 4 2");
    check(["./k8s/", "charts"], "1 3 1");
    check(["charts", "values"], "");
}

#[test]
fn a_source_has_the_files_of_its_folder_and_with_recurse_those_below() {
    let check = |path: &str, recurse: bool, expected: bool| {
        let source = Source { path: path.into(), directory: Directory { recurse }, ..Source::default() };
        assert_eq!(source.has(DEPLOYMENT), expected, "{path} {recurse}");
    };
    check("k8s", false, true);
    check("./k8s/", false, true);
    check("k8s2", true, false);
    check(".", false, false);
    check(".", true, true);
    check("", true, true);
    check("k8s/overlay", true, false);
}

#[test]
fn an_object_that_is_no_application_is_an_error_and_null_fields_are_none() {
    Application::of(json!({"spec": 1}), &Files::default()).expect_err("it has no spec");
    assert!(
        !Application::of(json!({"spec": {"syncPolicy": {}}}), &Files::default()).expect("it is one").is_automated()
    );
    let off = json!({"spec": {"syncPolicy": {"automated": {"enabled": false}}}});
    assert!(!Application::of(off, &Files::default()).expect("it is one").is_automated());
    let on = json!({"spec": {"syncPolicy": {"automated": {}}}});
    assert!(Application::of(on, &Files::default()).expect("it is one").is_automated());
}
