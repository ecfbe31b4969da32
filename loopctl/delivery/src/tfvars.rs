//! tofu/terraform.tfvars: the one file that knows HCL. It is read by hcl-edit and edited in its text, at the places
//! that hcl-edit names, so that every other byte stays as it is.

mod entry;
#[cfg(test)]
mod tests;

use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use hcl_edit::expr::{Expression, Object, ObjectKey, ObjectValue};
use hcl_edit::structure::Body;
use hcl_edit::{Decor, Decorate, Span};

pub use entry::Service;

/// Below the root of the repository.
pub const FILE: &str = "tofu/terraform.tfvars";
const SERVICES: &str = "services";
const NODE_HOST: &str = "node_host";

/// Some editors put it before everything else, and OpenTofu reads on behind it.
const BYTE_ORDER_MARK: char = '\u{feff}';

pub struct Tfvars {
    /// With the byte order mark, where it has one.
    text: String,
    body: Body,
    services: Vec<(String, Service)>,
    unread: Vec<Unread>,
}

/// An entry that OpenTofu may well accept, and that is not understood here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Empty where it has none that can be read.
    pub name: String,
    /// With the line.
    pub why: String,
}

impl Tfvars {
    pub fn read(checkout: &Path) -> Result<Self> {
        let path = checkout.join(FILE);
        Self::parse(&fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?)
    }

    /// Only what is no HCL at all is an error. What is not understood stops those commands that need it.
    pub fn parse(text: &str) -> Result<Self> {
        let plain = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let body: Body = plain.parse().map_err(|error| anyhow!("{FILE} is not HCL that can be read: {error}"))?;
        let mut read = Self { text: text.to_owned(), services: Vec::new(), unread: Vec::new(), body };
        let attribute = read.body.get_attribute(SERVICES);
        let attribute = attribute.with_context(|| format!("{FILE} has no map `services = {{ ... }}`"))?;
        let mut unread = Vec::new();
        let mut refuse = |name: String, value: &Expression, why: String| {
            let line = value.span().map_or(1, |span| plain[..span.start].matches('\n').count() + 1);
            unread.push(Unread { name, why: format!("{FILE}, line {line}: {why}") });
        };
        let Some(object) = attribute.value.as_object() else {
            refuse(String::new(), &attribute.value, "services must be a map written out in braces".to_owned());
            read.unread = unread;
            return Ok(read);
        };
        let mut services: Vec<(String, Service)> = Vec::new();
        for (key, value) in object.iter() {
            let Some(name) = key_text(key) else {
                refuse(String::new(), value.expr(), "a key of services is not a plain name".to_owned());
                continue;
            };
            match entry::read(value.expr()) {
                Ok(service) => services.push((name, service)),
                Err(error) => refuse(name.clone(), value.expr(), format!("services[\"{name}\"]: {error:#}")),
            }
        }
        (read.services, read.unread) = (services, unread);
        Ok(read)
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Behind a byte order mark: the places that hcl-edit names are in here.
    fn plain(&self) -> &str {
        self.text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.text)
    }

    /// Those that are understood, in the order of the file.
    pub fn services(&self) -> &[(String, Service)] {
        &self.services
    }

    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// For whoever needs every entry: fails with the lines that are not understood.
    pub fn complete(&self) -> Result<&[(String, Service)]> {
        let lines: Vec<&str> = self.unread.iter().map(|unread| unread.why.as_str()).collect();
        if lines.is_empty() { Ok(&self.services) } else { bail!("{}", lines.join("\n")) }
    }

    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|(known, _)| known == name).map(|(_, service)| service)
    }

    /// Where the node's ports are reached, for those who read the outputs.
    pub fn node_host(&self) -> Option<&str> {
        self.body.get_attribute(NODE_HOST).and_then(|attribute| attribute.value.as_str())
    }

    /// The file with one entry more, behind the others.
    pub fn with(&self, name: &str, service: &Service) -> Result<Self> {
        if self.service(name).is_some() {
            bail!("{FILE} has an entry {name} already");
        }
        if let Some(unread) = self.unread.iter().find(|unread| unread.name == name) {
            bail!("{}", unread.why);
        }
        let brace = span(self.services_expression()?)?.end - 1;
        let before = &self.plain()[..brace];
        let indent = indent_of(before);
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        let entry = entry::write(name, service, &format!("{indent}  "));
        let edited = if before[line..].trim().is_empty() {
            splice(self.plain(), line..line, &entry, self.newline())
        } else {
            // All on one line: the entry gets lines of its own, and the brace too.
            splice(self.plain(), brace..brace, &format!("\n{entry}{indent}"), self.newline())
        };
        let mut expected = self.services.clone();
        expected.push((name.to_owned(), service.clone()));
        self.checked(&edited, &expected)
    }

    /// The file without that entry. Comments above it stay: whose they are cannot be told.
    pub fn without(&self, name: &str) -> Result<Self> {
        let object = services(&self.body)?;
        let found = object.iter().find(|(key, _)| key_text(key).as_deref() == Some(name));
        let (key, value) = found.with_context(|| format!("{FILE} has no entry {name}"))?;
        let edited = splice(self.plain(), self.place_of(key, value)?, "", "\n");
        let expected: Vec<_> = self.services.iter().filter(|(known, _)| known != name).cloned().collect();
        self.checked(&edited, &expected)
    }

    /// The file with another node_host, at its place or as a last line.
    pub fn with_node_host(&self, host: &str) -> Result<Self> {
        let value = format!("\"{host}\"");
        let edited = if let Some(attribute) = self.body.get_attribute(NODE_HOST) {
            splice(self.plain(), span(&attribute.value)?, &value, "\n")
        } else {
            let end = self.plain().len();
            let gap = if self.plain().is_empty() || self.text.ends_with('\n') { "" } else { "\n" };
            let line = format!("{gap}\n# Where the node's ports are reached.\n{NODE_HOST} = {value}\n");
            splice(self.plain(), end..end, &line, self.newline())
        };
        let edited = self.checked(&edited, &self.services)?;
        if edited.node_host() != Some(host) {
            bail!("{FILE} could not be given node_host = {value}; add that line by hand");
        }
        Ok(edited)
    }

    fn services_expression(&self) -> Result<&Expression> {
        services(&self.body)?;
        self.body.get_attribute(SERVICES).map(|attribute| &attribute.value).context("services is there")
    }

    /// All that belongs to an entry: whole lines, where it has lines of its own.
    fn place_of(&self, key: &ObjectKey, value: &ObjectValue) -> Result<Range<usize>> {
        let value_at = span(value.expr())?;
        let length = |decor: &Decor| decor.suffix().map_or(0, |suffix| suffix.to_string().len());
        let before_value = value.expr().decor().prefix().map_or(0, |prefix| prefix.to_string().len());
        let key_length = match key {
            ObjectKey::Ident(name) => name.len(),
            ObjectKey::Expression(key) => span(key)?.len(),
        };
        // hcl-edit keeps no place for a key without quotes, but all that stands between it and its value.
        let start = value_at.start.checked_sub(before_value + 1 + length(key.decor()) + key_length);
        let start = start.context("an entry starts behind the start of the file")?;

        let line = self.plain()[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let rest = &self.plain()[value_at.end..];
        let rest_of_line = rest.find('\n').map_or(rest, |newline| &rest[..=newline]);
        let behind = rest_of_line.trim_start_matches([' ', '\t', ',']);
        let ends_its_line = ["\n", "\r\n", "#", "//"].iter().any(|end| behind.starts_with(end));
        if self.plain()[line..start].trim().is_empty() && ends_its_line {
            return Ok(line..value_at.end + rest_of_line.len());
        }
        let comma = rest.trim_start().starts_with(',');
        let end = value_at.end + if comma { rest.find(',').map_or(0, |comma| comma + 1) } else { 0 };
        Ok(start..end)
    }

    /// An edit is handed out only when it reads back as what was meant.
    fn checked(&self, edited: &str, expected: &[(String, Service)]) -> Result<Self> {
        let mark = if self.text.starts_with(BYTE_ORDER_MARK) { "\u{feff}" } else { "" };
        let edited = Self::parse(&format!("{mark}{edited}")).context("the edit would have spoilt the file")?;
        let is_new = |unread: &Unread| !self.unread.iter().any(|before| before.name == unread.name);
        if edited.services != expected || edited.unread.iter().any(is_new) {
            bail!("the layout of {FILE} is not one that can be edited safely; change its services by hand");
        }
        Ok(edited)
    }

    fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }
}

fn services(body: &Body) -> Result<&Object> {
    let attribute =
        body.get_attribute(SERVICES).with_context(|| format!("{FILE} has no map `services = {{ ... }}`"))?;
    attribute.value.as_object().with_context(|| format!("{FILE}: services must be a map written out in braces"))
}

fn key_text(key: &ObjectKey) -> Option<String> {
    match key {
        ObjectKey::Ident(name) => Some(name.to_string()),
        ObjectKey::Expression(key) => key.as_str().map(str::to_owned),
    }
}

fn span(expression: &Expression) -> Result<Range<usize>> {
    expression.span().context("hcl-edit names no place in the file")
}

fn splice(text: &str, at: Range<usize>, new: &str, newline: &str) -> String {
    [&text[..at.start], &new.replace('\n', newline), &text[at.end..]].concat()
}

/// The indentation of the line that an opening or closing brace belongs to: that of `services`, in practice none.
fn indent_of(before: &str) -> &str {
    let line = before.rfind('\n').map_or(before, |newline| &before[newline + 1..]);
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}
