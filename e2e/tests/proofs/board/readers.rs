//! Readers without a script, without a mouse, or with a small window.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use e2e::browser::{Browser, ENTER, TAB};
use e2e::report::{Report, ensure, expect};
use e2e::shell;
use serde_json::Value;
use tempfile::TempDir;

use super::BOARD;

const AXE: &str = "axe-core@4.13.0";

pub fn without_a_mouse_or_in_a_small_window(browser: &Browser, report: &mut Report) -> Result<()> {
    // By keyboard alone: the next thing that can be opened, and the key that opens it.
    browser.goto(BOARD)?;
    let focused = "const at = document.activeElement; return at ? at.tagName : ''";
    let mut presses = 0;
    while browser.ask(focused)? != "SUMMARY" {
        presses += 1;
        ensure("a row is reached by tabulators", presses < 20, presses)?;
        browser.press(TAB)?;
    }
    browser.press(ENTER)?;
    expect("an open row", browser.ask("return document.activeElement.parentElement.open")?, Value::from(true))?;

    let axe = axe()?;
    for (scheme, width) in [("light", 1280), ("dark", 320)] {
        browser.size(width, 800)?;
        let _ = browser.ask(&format!("document.documentElement.style.colorScheme = '{scheme}'; return true"))?;
        let found = browser.wait_for(&format!(
            "{axe}; const done = arguments[arguments.length - 1]; axe.run().then((found) => done(found.violations.map((each) => each.id + ': ' + each.nodes.map((node) => node.target).join(' '))));"
        ))?;
        expect(&format!("what axe-core finds at {width} px"), found, Value::Array(Vec::new()))?;
    }
    let width = browser.ask("return document.documentElement.scrollWidth")?;
    ensure("the page itself does not scroll sideways", width.as_u64().is_some_and(|width| width <= 512), width)?;
    report.measured(format!("opened by {presses} tabulators and a key; axe-core found nothing, wide or narrow"));
    if let Some(folder) = std::env::var_os("E2E_PICTURES") {
        browser.size(1280, 900)?;
        browser.goto(BOARD)?;
        std::thread::sleep(Duration::from_secs(1));
        browser.picture(&std::path::Path::new(&folder).join("board.png"))?;
    }
    Ok(())
}

/// Its source, from npm.
fn axe() -> Result<String> {
    let folder = TempDir::with_prefix("argo-rust-e2e-axe-")?;
    shell::run(Command::new("npm").current_dir(folder.path()).args([
        "install",
        "--no-audit",
        "--no-fund",
        "--silent",
        AXE,
    ]))?;
    std::fs::read_to_string(folder.path().join("node_modules/axe-core/axe.min.js"))
        .context("axe-core has no axe.min.js")
}

pub fn without_a_script(report: &mut Report) -> Result<()> {
    let browser = Browser::open(false)?;
    browser.goto(BOARD)?;
    let text = browser.text()?;
    for word in ["Live: ", "Deploys", "answering", "row-argo-rust-"] {
        ensure(&format!("{word} without a script"), text.contains(word), "it is missing")?;
    }
    ensure("it is loaded again by itself", text.contains("http-equiv=\"refresh\""), "it is not")?;
    report.measured("without a script the page had all rows and deploys");
    Ok(())
}
