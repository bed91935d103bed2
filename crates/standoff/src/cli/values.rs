//! Values of options: sizes, times, budgets, commands.

use std::ffi::OsString;
use std::time::Duration;

use clap::ValueEnum;
use standoff_board::layout::RESCUE_VAR;

use crate::check::Budget;

/// Which standard sends `--rescue` lets return from a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rescue {
    /// Those that would wait for ever, and later ones at the same place
    Needed,
    /// Every one
    Always,
}

impl Rescue {
    /// What tells the ranks, which may keep so many bytes each.
    pub fn variable(self, memory: u64) -> (OsString, OsString) {
        let mode = match self {
            Rescue::Needed => "needed",
            Rescue::Always => "always",
        };
        (RESCUE_VAR.into(), format!("{mode} {memory}").into())
    }
}

/// `1000`, `64k`, `512M`, `2G`: powers of 1,024.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let expected = || "expected a size such as 64k, 512M or 2G".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(expected()),
    };
    let number: u64 = digits.parse().map_err(|_| expected())?;
    number.checked_mul(1 << shift).ok_or_else(expected)
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// A command as words: never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(pub Vec<String>);

pub(super) fn launcher_words(text: &str) -> Result<Words, String> {
    let words = shell_words::split(text).map_err(|e| e.to_string())?;
    if words.is_empty() {
        return Err("it is empty".into());
    }
    Ok(Words(words))
}

/// `30`, `1.5`, `30s`, `5m`, `1h`, `200ms`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim() {
        "ms" => 0.001,
        "" | "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return Err("expected a time such as 30, 30s, 5m or 1h".into()),
    };
    let number: f64 = number
        .parse()
        .map_err(|_| "expected a time such as 30, 30s, 5m or 1h")?;
    let time = Duration::try_from_secs_f64(number * unit).map_err(|e| e.to_string())?;
    if time.is_zero() {
        return Err("it must be more than zero".into());
    }
    Ok(time)
}

/// `runs=30,time=2m`, either or both.
pub(super) fn budget(text: &str) -> Result<Budget, String> {
    let mut budget = Budget::default();
    for part in text.split(',') {
        match part.split_once('=') {
            Some(("runs", n)) => {
                budget.runs = n
                    .parse()
                    .map_err(|_| format!("`{n}` is no number of runs"))?;
            }
            Some(("time", t)) => budget.time = duration(t)?,
            _ => return Err("expected runs=N,time=T".into()),
        }
    }
    Ok(budget)
}
