//! A real Chromium without a window, driven as people's own test tools drive it. Debian's packages are installed where
//! they are missing.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::shell;

const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-dejavu-core"];
/// WebDriver's names of keys that have no letter.
pub const TAB: char = '\u{e004}';
pub const ENTER: char = '\u{e007}';

pub struct Browser {
    driver: Child,
    client: Client,
    runtime: Runtime,
}

impl Browser {
    pub fn open(with_script: bool) -> Result<Self> {
        install()?;
        // It finds itself a port, and says which.
        let mut driver = Command::new("chromedriver");
        driver.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = driver.spawn().context("cannot run chromedriver")?;
        let output = BufReader::new(driver.stdout.take().context("its output was asked for")?);
        let port = output.lines().map_while(|line| line.ok()).find_map(|line| {
            line.strip_suffix('.')
                .unwrap_or(&line)
                .rsplit_once("successfully on port ")
                .map(|(_, port)| port.to_owned())
        });
        let port = port.context("chromedriver does not start")?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let blocked = if with_script { 1 } else { 2 };
        let options = json!({"goog:chromeOptions": {
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"],
            "prefs": {"profile.managed_default_content_settings.javascript": blocked},
        }});
        let Value::Object(capabilities) = options else { bail!("the options are an object") };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        let client = runtime.block_on(builder.connect(&format!("http://127.0.0.1:{port}")));
        match client {
            Ok(client) => Ok(Self { driver, client, runtime }),
            Err(error) => {
                drop(driver.kill());
                Err(error).context("no browser starts")
            }
        }
    }

    pub fn goto(&self, url: &str) -> Result<()> {
        self.runtime.block_on(self.client.goto(url)).with_context(|| format!("cannot open {url}"))
    }

    /// What the script returns, in the page.
    pub fn ask(&self, script: &str) -> Result<Value> {
        self.runtime
            .block_on(self.client.execute(script, vec![]))
            .with_context(|| format!("in the page: {script:.200}"))
    }

    /// The same of one that calls back.
    pub fn wait_for(&self, script: &str) -> Result<Value> {
        let answer = self.runtime.block_on(self.client.execute_async(script, vec![]));
        answer.with_context(|| format!("in the page: {script:.200}"))
    }

    pub fn text(&self) -> Result<String> {
        self.runtime.block_on(self.client.source()).context("the page's text")
    }

    pub fn size(&self, width: u32, height: u32) -> Result<()> {
        self.runtime.block_on(self.client.set_window_size(width, height)).context("cannot set the window's size")
    }

    pub fn press(&self, key: char) -> Result<()> {
        let actions = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        self.runtime.block_on(self.client.perform_actions(actions)).context("cannot press a key")
    }

    pub fn picture(&self, file: &Path) -> Result<()> {
        let picture = self.runtime.block_on(self.client.screenshot()).context("no screenshot")?;
        std::fs::write(file, picture).with_context(|| format!("cannot write {}", file.display()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.runtime.block_on(self.client.clone().close()));
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

fn install() -> Result<()> {
    let has = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|done| done.status.success());
    if has("chromedriver") && has("chromium") {
        return Ok(());
    }
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    let mut install = apt();
    install.args(["install", "-y", "--no-install-recommends"]).args(PACKAGES);
    if shell::run(&mut install).is_err() {
        shell::run(apt().arg("update"))?;
        shell::run(&mut install)?;
    }
    Ok(())
}
