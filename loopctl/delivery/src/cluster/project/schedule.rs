//! When a window opens: the five fields of cron, as Argo CD reads them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// A window that is open for longer than a year is one of another kind.
const LONGEST: u64 = 366 * 24 * 60;

pub(super) struct Schedule {
    minutes: Vec<i8>,
    hours: Vec<i8>,
    days: Vec<i8>,
    months: Vec<i8>,
    weekdays: Vec<i8>,
    /// A day of the month and one of the week are said: either will do.
    either: bool,
}

impl Schedule {
    /// None for what is not understood.
    pub fn of(text: &str) -> Option<Self> {
        let text = match text.trim() {
            "@hourly" => "0 * * * *",
            "@daily" | "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            text => text,
        };
        let [minutes, hours, days, months, weekdays] = text.split_whitespace().collect::<Vec<_>>().try_into().ok()?;
        let is_any = |field: &str| field.starts_with(['*', '?']);
        Some(Self {
            either: !is_any(days) && !is_any(weekdays),
            minutes: field(minutes, 0, 59, &[])?,
            hours: field(hours, 0, 23, &[])?,
            days: field(days, 1, 31, &[])?,
            months: field(months, 1, 12, &MONTHS)?,
            weekdays: field(weekdays, 0, 6, &DAYS)?,
        })
    }

    /// Whether there is a time that it names which is no longer ago than that.
    pub fn began_within(&self, now: Timestamp, zone: &TimeZone, duration: Duration) -> bool {
        let minutes = (duration.as_secs() / 60).min(LONGEST);
        let this = now.as_second() - now.as_second().rem_euclid(60);
        // One that began exactly `duration` ago is over.
        (0..minutes)
            .filter_map(|ago| Timestamp::from_second(this - i64::try_from(ago).ok()? * 60).ok())
            .any(|at| self.names(zone.to_datetime(at)))
    }

    fn names(&self, at: DateTime) -> bool {
        let day = self.days.contains(&at.day());
        let weekday = self.weekdays.contains(&at.weekday().to_sunday_zero_offset());
        let is_day = if self.either { day || weekday } else { day && weekday };
        self.minutes.contains(&at.minute())
            && self.hours.contains(&at.hour())
            && self.months.contains(&at.month())
            && is_day
    }
}

/// `*`, `7`, `1-5`, `*/15`, `10-30/5`, names, and lists of them.
fn field(text: &str, first: i8, last: i8, names: &[&str]) -> Option<Vec<i8>> {
    let number = |word: &str| -> Option<i8> {
        let named = names.iter().position(|name| word.eq_ignore_ascii_case(name));
        let named = named.and_then(|at| i8::try_from(at).ok()).map(|at| at + first);
        named.or_else(|| word.parse().ok()).filter(|number| (first..=last).contains(number))
    };
    let mut all = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<usize>().ok().filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None if matches!(range, "*" | "?") => (first, last),
            // `5/15` goes on to the end.
            None => (number(range)?, if step.is_some() { last } else { number(range)? }),
        };
        all.extend((from..=to).step_by(step.unwrap_or(1)));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_field_names_its_numbers() {
        let check =
            |text: &str, expected: Option<&[i8]>| assert_eq!(field(text, 0, 6, &DAYS).as_deref(), expected, "{text}");
        check("*", Some(&[0, 1, 2, 3, 4, 5, 6]));
        check("1-3,6", Some(&[1, 2, 3, 6]));
        check("*/3", Some(&[0, 3, 6]));
        check("2/2", Some(&[2, 4, 6]));
        check("Mon-FRI/2", Some(&[1, 3, 5]));
        for wrong in ["7", "x", "", "1-", "*/0"] {
            check(wrong, None);
        }
    }

    #[test]
    fn with_a_day_of_the_month_and_one_of_the_week_either_will_do() {
        let check = |text: &str, at: &str, expected: bool| {
            let at: DateTime = at.parse().expect("a time");
            assert_eq!(Schedule::of(text).map(|schedule| schedule.names(at)), Some(expected), "{text} at {at}");
        };
        // A Monday.
        check("0 10 * * 1", "2027-02-01T10:00", true);
        check("0 10 1 * 5", "2027-02-01T10:00", true);
        check("0 10 2 * 5", "2027-02-01T10:00", false);
        check("0 10 2 * *", "2027-02-01T10:00", false);
        check("@daily", "2027-02-01T00:00", true);
        assert!(Schedule::of("0 10 * *").is_none(), "it has four fields");
    }
}
