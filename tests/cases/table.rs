//! Reads manifest.yaml for whoever is held to it: the workflow's scripts in tests/bump/, and loopctl's `delivery` library.
#![allow(dead_code, reason = "not every reader of the manifest asks for each of these")]

use serde::Deserialize;

#[derive(Deserialize)]
struct Table {
    base: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
pub struct Case {
    pub that: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    crlf: bool,
    image: Option<String>,
    pub written: Option<String>,
    pub refused: Option<String>,
    pub hold: Option<String>,
    pub probe: Option<String>,
}

impl Case {
    fn text(&self, base: &str) -> String {
        assert!(
            self.from.is_empty() || base.matches(&self.from).count() == 1,
            "{}: `from` is not there once",
            self.that
        );
        let text = if self.from.is_empty() { base.to_owned() } else { base.replacen(&self.from, &self.to, 1) };
        if self.crlf { text.replace('\n', "\r\n") } else { text }
    }

    pub fn image(&self) -> &str {
        self.image.as_deref().unwrap_or("ghcr.io/someone/app:sha-0000001")
    }

    pub fn name(&self) -> &str {
        self.image().rsplit_once(':').expect("an image has a tag").0
    }
}

/// Calls `check` for each case, with the manifest's text.
pub fn each(check: impl Fn(&Case, &str)) {
    let table: Table = serde_saphyr::from_str(include_str!("manifest.yaml")).expect("the table of cases is valid");
    assert!(table.cases.len() > 50, "only {} cases were read", table.cases.len());
    for case in &table.cases {
        check(case, &case.text(&table.base));
    }
}
