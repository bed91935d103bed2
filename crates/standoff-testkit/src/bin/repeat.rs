//! Runs the examples many times and counts how often each was right.
//!
//! ```sh
//! cargo run -p standoff-testkit --bin repeat -- --runs 20 [--load] [FILTER …]
//! ```
//!
//! A filter is a part of a test's name (`mpich::python::opening`). With `--load` as many busy loops as there are
//! processors run beside. The exit status is 1 if any run was wrong.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use standoff_testkit::environment::Environment;
use standoff_testkit::example::Example;
use standoff_testkit::execute;
use standoff_testkit::load::Load;

const USAGE: &str = "usage: repeat [--runs N] [--load] [FILTER …]";

fn main() -> ExitCode {
    let Some(options) = Options::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let load = options.load.then(|| Load::start(execute::busy_loops()));
    let mut all_right = true;
    let mut programs = 0;
    println!(
        "{:<52} {:>7} {:>7} {:>9} {:>9}",
        "program", "right", "wrong", "median s", "slowest s"
    );
    for environment in Environment::present() {
        for example in Example::all() {
            let name = example.test_name(&environment);
            if example.is_for(&environment) && options.wants(&name) {
                programs += 1;
                all_right &= repeat(&name, &example, &environment, options.runs);
            }
        }
    }
    drop(load);
    if programs == 0 {
        eprintln!("nothing to run: no such test, or no environment (`make envs` makes them)");
        return ExitCode::from(2);
    }
    if all_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs one example and prints its line, and each different reason for which it was wrong. True if it never was.
fn repeat(name: &str, example: &Example, environment: &Environment, runs: usize) -> bool {
    let mut times = Vec::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = 0;
    for _ in 0..runs {
        match execute::run(example, environment) {
            Ok(outcome) => {
                times.push(outcome.took);
                wrong += usize::from(!outcome.wrong.is_empty());
                for mismatch in outcome.wrong {
                    *reasons.entry(mismatch.to_string()).or_default() += 1;
                }
            }
            Err(reason) => {
                wrong += 1;
                *reasons.entry(reason).or_default() += 1;
            }
        }
    }
    times.sort();
    let seconds = |time: Option<&Duration>| {
        time.map_or("-".to_owned(), |time| format!("{:.2}", time.as_secs_f64()))
    };
    let (median, slowest) = (seconds(times.get(times.len() / 2)), seconds(times.last()));
    println!(
        "{name:<52} {:>7} {wrong:>7} {median:>9} {slowest:>9}",
        runs - wrong
    );
    for (reason, times) in &reasons {
        println!("    {times} × {reason}");
    }
    wrong == 0
}

struct Options {
    runs: usize,
    load: bool,
    filters: Vec<String>,
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Option<Options> {
        let mut options = Options {
            runs: 20,
            load: false,
            filters: Vec::new(),
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--runs" => options.runs = words.next()?.parse().ok()?,
                "--load" => options.load = true,
                flag if flag.starts_with('-') => return None,
                _ => options.filters.push(word),
            }
        }
        Some(options)
    }

    fn wants(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter))
    }
}
