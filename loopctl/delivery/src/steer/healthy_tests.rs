use super::*;

const IMAGE: &str = "ghcr.io/a/b";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a time")
}

/// The revisions that the manifest named, the newest first, a minute each; `x!` has a hold that calls x bad.
fn history(revisions: &str) -> Vec<Named> {
    let words: Vec<&str> = revisions.split(' ').collect();
    let count = i64::try_from(words.len()).expect("a few");
    let mut named = Vec::new();
    for (word, before) in words.iter().zip(1..) {
        let (revision, held) = word.split_once('!').map_or((*word, None), |(revision, held)| (revision, Some(held)));
        named.push(Named {
            image: IMAGE.into(),
            revision: revision.into(),
            since: at(60 * (count - before)),
            held: held.map(Into::into),
        });
    }
    named
}

fn serving(sets: &[(&str, i32)]) -> Vec<Serving> {
    let set = |(revision, available): &(&str, i32)| Serving {
        image: format!("{IMAGE}:sha-{revision}"),
        available: *available,
        created: None,
        number: None,
    };
    sets.iter().map(set).collect()
}

fn synced(syncs: &[(&str, i64)]) -> Vec<Synced> {
    syncs.iter().map(|(revision, second)| Synced { revision: (*revision).into(), at: at(*second) }).collect()
}

fn check(evidence: &Evidence, expected: Option<(&str, &str)>) {
    let bad = evidence.named[0].revision.clone();
    let found =
        evidence.healthy_before(IMAGE, &bad).into_iter().next().map(|(revision, seen)| (revision, seen.to_string()));
    assert_eq!(found, expected.map(|(revision, seen)| (revision.into(), seen.into())), "{evidence:#?}");
}

#[test]
fn the_revision_whose_pods_serve_on_is_the_one_to_go_back_to() {
    let mut evidence =
        Evidence { named: history("c b a"), serving: serving(&[("c", 0), ("b", 2)]), ..Evidence::default() };
    check(&evidence, Some(("b", "2 pods of it are available now")));
    // b was superseded before it had a pod; a serves.
    evidence.serving = serving(&[("b", 0), ("a", 1)]);
    check(&evidence, Some(("a", "a pod of it is available now")));
    // Pods of another image with the same tag say nothing.
    evidence.serving[1].image = "ghcr.io/fork/b:sha-a".into();
    check(&evidence, None);
    evidence.serving.clear();
    check(&evidence, None);
}

#[test]
fn without_pods_argo_cds_word_counts_for_the_revision_that_was_synced_then() {
    let healthy = "Argo CD said Healthy of it at 2027-01-15 08:01:10 UTC";
    let syncs = synced(&[("a", 0), ("b", 60), ("c", 120)]);
    let mut evidence =
        Evidence { named: history("c b a"), synced: syncs, healthy: vec![at(10), at(70)], ..Evidence::default() };
    check(&evidence, Some(("b", healthy)));
    // Healthy was said of c alone, which is the bad one.
    evidence.healthy = vec![at(130)];
    check(&evidence, None);
    // In the second of the sync of b it may still have been said of a.
    evidence.healthy = vec![at(60)];
    check(&evidence, None);
    // Said before the first sync that is known of: of whom?
    evidence.healthy = vec![at(-5)];
    check(&evidence, None);
}

#[test]
fn what_a_hold_has_called_bad_what_was_never_built_and_the_bad_one_itself_are_no_way_back() {
    let all = serving(&[("d", 1), ("c", 1), ("b", 1), ("a", 1), ("0000000", 1)]);
    let mut evidence = Evidence { named: history("d b!c c a"), serving: all.clone(), ..Evidence::default() };
    check(&evidence, Some(("b", "a pod of it is available now")));
    evidence.serving.retain(|set| !set.image.ends_with("-b"));
    check(&evidence, Some(("a", "a pod of it is available now")));
    evidence.named = history("d 0000000");
    check(&evidence, None);
}

#[test]
fn where_nothing_was_seen_the_person_is_asked_to_choose() {
    let mut evidence = Evidence { named: history("c b a"), ..Evidence::default() };
    evidence.unseen.push("events of Application argo-rust: forbidden".into());
    insta::assert_snapshot!(evidence.none(IMAGE, "c", &BTreeSet::new()), @r"
    no revision before sha-c was seen healthy by this cluster, and none is guessed
    not seen: events of Application argo-rust: forbidden
    choose one that you know to be good with --to; the manifest named before:
      --to b  since 2027-01-15 08:01:00 UTC
      --to a  since 2027-01-15 08:00:00 UTC
    ");
    let ends = |evidence: &Evidence, gone: &[&str], expected: &str| {
        let gone = gone.iter().map(|revision| (*revision).to_owned()).collect();
        let said = evidence.none(IMAGE, "c", &gone);
        assert!(said.ends_with(expected), "{said}");
    };
    ends(&evidence, &["b"], "named before:\n  --to a  since 2027-01-15 08:00:00 UTC");
    ends(&evidence, &["a", "b"], "has the image of none that k8s/deployment.yaml named before");
    evidence.named.truncate(1);
    ends(&evidence, &[], "never named another one of this image");
}

#[test]
fn where_no_sync_is_remembered_the_replica_sets_tell_what_was_live() {
    let set = |revision: &str, second: i64, number: u64| Serving {
        image: format!("{IMAGE}:sha-{revision}"),
        available: 0,
        created: Some(at(second)),
        number: Some(number),
    };
    let check = |sets: Vec<Serving>, healthy: &[i64], expected: Option<&str>| {
        let healthy = healthy.iter().map(|second| at(*second)).collect();
        let evidence = Evidence { named: history("c b a"), serving: sets, healthy, ..Evidence::default() };
        let found = evidence.healthy_before(IMAGE, "c").into_iter().next().map(|(revision, _)| revision);
        assert_eq!(found.as_deref(), expected, "{evidence:#?}");
    };
    let three = || vec![set("a", 0, 1), set("b", 60, 2), set("c", 120, 3)];
    check(three(), &[10, 70], Some("b"));
    check(three(), &[10], Some("a"));
    check(three(), &[130], None);
    // In the second in which the state was made it may still have been said of the one before.
    check(three(), &[60], None);
    // a was taken up again at a time that nobody knows.
    check(vec![set("a", 0, 4), set("b", 60, 2), set("c", 120, 3)], &[70], None);
    check(vec![Serving { number: None, ..set("b", 60, 2) }], &[70], None);
}

#[test]
fn every_revision_that_was_seen_healthy_is_offered_in_its_turn() {
    let evidence =
        Evidence { named: history("d c b a"), serving: serving(&[("a", 1), ("c", 2)]), ..Evidence::default() };
    let offered: Vec<String> = evidence.healthy_before(IMAGE, "d").into_iter().map(|(revision, _)| revision).collect();
    assert_eq!(offered, ["c", "a"]);
}

#[test]
fn ten_later_syncs_do_not_hide_what_the_events_of_the_hour_tell() {
    // What Argo CD remembers are ten syncs of c; its events have those of a and b as well.
    let remembered = (0..10).map(|each| ("c", 200 + each)).collect::<Vec<_>>();
    let told = [("a", 0), ("b", 60)];
    let synced = synced(&[&told[..], &remembered].concat());
    let evidence = Evidence { named: history("c b a"), synced, healthy: vec![at(70), at(230)], ..Evidence::default() };
    check(&evidence, Some(("b", "Argo CD said Healthy of it at 2027-01-15 08:01:10 UTC")));
}
