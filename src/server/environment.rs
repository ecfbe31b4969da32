use std::ffi::OsString;
use std::time::Duration;

/// A setting as the user meets it: in the environment, in `--help`, in an error.
pub struct Setting<T> {
    pub name: &'static str,
    /// What counts where the variable is not set.
    pub default: &'static str,
    pub accepts: &'static str,
    pub purpose: &'static str,
    /// None for what is not accepted.
    pub parse: fn(&str) -> Option<T>,
}

/// Why the service does not start; the text tells what would be accepted.
#[derive(Debug, thiserror::Error)]
pub enum BadSetting {
    #[error("{name}={value:?} is not valid; accepted is {accepts}")]
    NotAccepted { name: &'static str, value: String, accepts: &'static str },
    /// Two settings that are accepted alone and not together.
    #[error("{0}")]
    Contradiction(String),
}

type Variables = dyn Fn(&str) -> Option<OsString>;

/// The environment of the process. It remembers which settings were asked for: they are the list that `--help` shows.
pub struct Environment {
    variables: Box<Variables>,
    descriptions: String,
}

impl Environment {
    pub fn new(variables: impl Fn(&str) -> Option<OsString> + 'static) -> Self {
        Self { variables: Box::new(variables), descriptions: String::new() }
    }

    /// What the variable says, or the default.
    pub fn read<T>(&mut self, setting: &Setting<T>) -> Result<T, BadSetting> {
        match self.read_if_set(setting)? {
            Some(value) => Ok(value),
            None => setting.parse(setting.default),
        }
    }

    /// For a setting whose default depends on something else.
    pub fn read_if_set<T>(&mut self, setting: &Setting<T>) -> Result<Option<T>, BadSetting> {
        let Setting { name, default, accepts, purpose, .. } = setting;
        self.descriptions += &format!("\n  {name}  [default: {default}]\n      {purpose}\n      accepts {accepts}\n");
        let value = (self.variables)(name);
        value.map(|value| setting.parse(&value.to_string_lossy())).transpose()
    }

    /// Of every setting that was read, in that order.
    pub fn descriptions(&self) -> &str {
        &self.descriptions
    }
}

impl<T> Setting<T> {
    fn parse(&self, value: &str) -> Result<T, BadSetting> {
        let refusal = || BadSetting::NotAccepted { name: self.name, value: value.to_owned(), accepts: self.accepts };
        (self.parse)(value).ok_or_else(refusal)
    }
}

pub fn whole_number(text: &str, least: u64, most: u64) -> Option<u64> {
    text.parse().ok().filter(|number| (least..=most).contains(number))
}

/// A time up to an hour.
pub fn time(text: &str, least: Duration) -> Option<Duration> {
    const MOST: Duration = Duration::from_secs(3600);
    humantime::parse_duration(text).ok().filter(|time| (least..=MOST).contains(time))
}
