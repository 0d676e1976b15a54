//! Times and small phrases, the same everywhere.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// `Mon 14:02` within a week, else with the date. Absolute on purpose: nothing has to be redrawn because a clock
/// moved.
pub(crate) fn day(time: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    if now.duration_since(time).abs() < SignedDuration::from_hours(6 * 24) {
        time.to_zoned(zone.clone()).strftime("%a %H:%M").to_string()
    } else {
        date(time, zone)
    }
}

/// `2026-11-22 05:07`.
pub(crate) fn date(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// `2026-11-22 05:07 UTC`: for hovers, where it must stand alone.
pub(crate) fn full(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// Text from elsewhere for a title or a message: one line, nothing that hides or turns text. Titles and messages are
/// shown as plain text, so nothing else is needed; Markdown is made by [`crate::page`] alone.
pub(crate) fn data(text: &str) -> String {
    crate::page::one_line(text)
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [many @ .., last] => format!("{} and {last}", many.join(", ")),
    }
}

/// `staging`, `staging and 2 more`.
pub(crate) fn and_more(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

/// `1 object`, `2 objects`.
pub(crate) fn count(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// The same without signs that some fonts and readers lack.
pub(crate) fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '✓' => out.push_str("[ok]"),
            '✗' => out.push_str("[x]"),
            '…' => out.push_str("..."),
            '·' => out.push('-'),
            '→' => out.push_str("->"),
            c => out.push(c),
        }
    }
    out
}
