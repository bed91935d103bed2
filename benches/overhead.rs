//! What `standoff run` costs, and how soon it speaks: the `run` rows of the README's speed table.
//!
//! `cargo bench -p standoff --bench overhead -- [--pairs N] [WORD]...` runs the rows whose names contain one of the words (all
//! rows without a word) on every MPI environment that is present (see `standoff_testkit::environment`) and prints a table;
//! the exit status is 1 when a bound is missed.
//!
//! Each figure is against the same program without standoff, under the same launcher. The two run in turn, so that what
//! else the machine does meets both; the table shows the median and the range of the pairs' ratios (or differences), and
//! the medians of the runs themselves. Programs time themselves, after a warm-up, and print one number: that of their
//! fastest batch, which other load disturbs least.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

mod rows;

use rows::{Bound, DETECTION_MS, DETECTIONS, Detection, RECORDED, ROWS, Row};
use standoff_testkit::artifacts::Artifacts;
use standoff_testkit::environment::Environment;
use standoff_testkit::workspace;

type Error = Box<dyn std::error::Error>;

/// Pairs of runs for each row, unless `--pairs` says otherwise.
const PAIRS: usize = 7;
/// A run that takes longer has failed.
const BACKSTOP: &str = "90";

/// Median and range.
#[derive(Clone, Copy)]
struct Summary {
    median: f64,
    least: f64,
    most: f64,
}

impl Summary {
    fn of(mut values: Vec<f64>) -> Summary {
        values.sort_by(f64::total_cmp);
        let n = values.len();
        Summary {
            median: f64::midpoint(values[(n - 1) / 2], values[n / 2]),
            least: values[0],
            most: values[n - 1],
        }
    }
}

/// Whether a figure is within its bound.
enum Judged {
    Met,
    Missed,
    /// There is nothing to miss: the bound is another row's, shown for comparison.
    Watched,
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Judged::Met => "met",
            Judged::Missed => "NOT MET",
            Judged::Watched => "-",
        })
    }
}

/// One MPI library, and how its jobs are started.
struct Bench<'a> {
    environment: &'a Environment,
    artifacts: &'a Artifacts,
    /// Where compiled programs and the ranks' files go.
    scratch: PathBuf,
}

impl Bench<'_> {
    /// The program's words; C is compiled first.
    fn program(&self, file: &str) -> Result<Vec<PathBuf>, Error> {
        let source = workspace().join("benches/programs").join(file);
        if file.ends_with(".py") {
            return Ok(vec![self.environment.program("python"), source]);
        }
        let program = self.scratch.join(file.trim_end_matches(".c"));
        let mut mpicc = self.command(&self.environment.program("mpicc"));
        mpicc.args(["-std=gnu11", "-O2", "-Wall", "-Werror"]);
        mpicc.arg(source).arg("-o").arg(&program).arg("-lm");
        if !mpicc.status()?.success() {
            return Err(format!("cannot compile {file}").into());
        }
        Ok(vec![program])
    }

    /// A command in the environment, as after activating it.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("PATH", self.environment.path());
        command.env("STANDOFF_PROBE", &self.artifacts.probe);
        command.stdin(Stdio::null());
        for name in ["VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH"] {
            command.env_remove(name);
        }
        // Open MPI's launcher refuses to work for root unless told twice.
        command.env("OMPI_ALLOW_RUN_AS_ROOT", "1");
        command.env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        command
    }

    /// The job's command line, under standoff or bare.
    fn job(&self, watched: Option<&[&str]>, ranks: u32) -> Command {
        let mut command = self.command(Path::new("timeout"));
        command.args(["-k", "5", BACKSTOP]);
        if let Some(options) = watched {
            command.arg(&self.artifacts.standoff);
            command.args(["run", "--quiet", "--color", "never"]);
            command.args(options).arg("--");
        }
        command.arg(self.environment.program("mpiexec"));
        if self.environment.family() == "openmpi" {
            command.arg("--oversubscribe");
        }
        command.args(["-n", &ranks.to_string()]);
        // Two ranks that spin on one processor measure the scheduler.
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        if ranks as usize <= processors {
            command.args(["--bind-to", "core"]);
        }
        command
    }

    /// Runs a program and returns the number it prints.
    fn number(&self, row: &Row, program: &[PathBuf], watched: bool) -> Result<f64, Error> {
        let options: Vec<&str> = row
            .option
            .into_iter()
            .filter(|o| o.starts_with('-'))
            .collect();
        let mut job = self.job(watched.then_some(&options), row.ranks);
        let directory = self.scratch.join("recording");
        if watched && row.option == Some(RECORDED) {
            let _ = std::fs::remove_dir_all(&directory);
            std::fs::create_dir(&directory)?;
            job.env(standoff_board::layout::RECORD_VAR, &directory);
        }
        let output = job.args(program).args(row.args).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        match text.trim().parse() {
            Ok(number) if output.status.success() => Ok(number),
            _ => Err(format!(
                "{} on {}: {}: {}{}",
                row.file,
                self.environment.name,
                output.status,
                text,
                String::from_utf8_lossy(&output.stderr)
            )
            .into()),
        }
    }

    fn measure(&self, row: &Row, pairs: usize) -> Result<Judged, Error> {
        let program = self.program(row.file)?;
        let (mut bare, mut watched, mut compared) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..pairs {
            let a = self.number(row, &program, false)?;
            let b = self.number(row, &program, true)?;
            bare.push(a);
            watched.push(b);
            compared.push(match row.bound {
                Bound::Ratio(_) => b / a,
                Bound::Added(_) => b - a,
            });
        }
        let (bare, watched) = (Summary::of(bare).median, Summary::of(watched).median);
        let found = Summary::of(compared);
        let unit = row.unit;
        let (figure, range, bound, limit) = match row.bound {
            Bound::Ratio(limit) => (
                format!("{:.3}x", found.median),
                format!("{:.3}-{:.3}", found.least, found.most),
                format!("<= {limit}x"),
                limit,
            ),
            Bound::Added(limit) => (
                format!("{:+.1} {unit}", found.median),
                format!("{:+.1}..{:+.1}", found.least, found.most),
                format!("<= {limit} {unit}"),
                limit,
            ),
        };
        let judged = match found.median <= limit {
            _ if !row.promised => Judged::Watched,
            true => Judged::Met,
            false => Judged::Missed,
        };
        let bound = if row.promised { &bound } else { "-" };
        self.line(
            row.name,
            [
                &format!("{bare:.1} {unit}"),
                &format!("{watched:.1} {unit}"),
                &figure,
                &range,
                bound,
            ],
            &judged,
        );
        Ok(judged)
    }

    fn detect(&self, row: &Detection) -> Result<Judged, Error> {
        let program = self.program(row.file)?;
        let mut times = Vec::new();
        for _ in 0..row.runs {
            times.push(self.detection(row, &program)?);
        }
        let found = Summary::of(times);
        let judged = if found.median <= DETECTION_MS {
            Judged::Met
        } else {
            Judged::Missed
        };
        self.line(
            row.name,
            [
                "-",
                "-",
                &format!("{:.0} ms", found.median),
                &format!("{:.0}-{:.0}", found.least, found.most),
                &format!("<= {DETECTION_MS} ms"),
            ],
            &judged,
        );
        Ok(judged)
    }

    /// One run of the ring: milliseconds.
    fn detection(&self, row: &Detection, program: &[PathBuf]) -> Result<f64, Error> {
        let ranks = self.scratch.join("ranks");
        if ranks.exists() {
            std::fs::remove_dir_all(&ranks)?;
        }
        std::fs::create_dir_all(&ranks)?;
        let mut job = self.job(Some(&[]), row.ranks);
        let mut child = job
            .args(program)
            .arg(&ranks)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no standard error")?);
        let mut said = None;
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            if said.is_none() && line.starts_with(b"standoff: deadlock") {
                said = Some(SystemTime::now());
                // The rest must be taken, or the writer would wait.
                lines.read_to_end(&mut Vec::new())?;
            }
            if said.is_none() {
                eprint!("{}", String::from_utf8_lossy(&line));
            }
            line.clear();
        }
        child.wait()?;
        let said = said.ok_or_else(|| format!("{}: no deadlock was found", row.name))?;
        let mut last: f64 = 0.0;
        for rank in 0..row.ranks {
            let text = std::fs::read_to_string(ranks.join(rank.to_string()))?;
            last = last.max(text.trim().parse()?);
        }
        Ok((said.duration_since(UNIX_EPOCH)?.as_secs_f64() - last) * 1e3)
    }

    fn line(&self, name: &str, columns: [&str; 5], judged: &Judged) {
        print_line(&self.environment.name, name, columns, &judged.to_string());
    }
}

fn print_line(environment: &str, name: &str, columns: [&str; 5], judged: &str) {
    let [bare, watched, figure, range, bound] = columns;
    println!(
        "{environment:<10} {name:<41} {bare:>12} {watched:>12} {figure:>13} {range:>18} {bound:>12}  {judged}"
    );
}

/// `--pairs N` and words; what Cargo adds is not for us.
fn arguments() -> Result<(usize, Vec<String>), Error> {
    let (mut pairs, mut words) = (PAIRS, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--pairs" => pairs = args.next().ok_or("--pairs needs a number")?.parse()?,
            "--bench" => {}
            _ => words.push(arg),
        }
    }
    Ok((pairs.max(1), words))
}

fn run() -> Result<bool, Error> {
    let (pairs, words) = arguments()?;
    let wanted = |name: &str| words.is_empty() || words.iter().any(|w| name.contains(w.as_str()));
    let artifacts = Artifacts::get()?;
    let environments = Environment::present();
    if environments.is_empty() {
        return Err("no MPI environment is present: `make envs` makes them".into());
    }
    let start = std::time::Instant::now();
    print_line(
        "mpi",
        "what",
        ["without", "with", "median", "range", "bound"],
        "",
    );
    let (mut missed, mut failed) = (0, 0);
    for environment in &environments {
        let scratch =
            std::env::temp_dir().join(format!("standoff-overhead-{}", std::process::id()));
        std::fs::create_dir_all(&scratch)?;
        let bench = Bench {
            environment,
            artifacts,
            scratch,
        };
        let rows = ROWS.iter().map(|row| (row.name, row.file));
        let detections = DETECTIONS.iter().map(|row| (row.name, row.file));
        for (i, (name, file)) in rows.chain(detections).enumerate() {
            if !wanted(name) || file.ends_with(".py") && environment.without_python() {
                continue;
            }
            let judged = match ROWS.get(i) {
                Some(row) => bench.measure(row, pairs),
                None => bench.detect(&DETECTIONS[i - ROWS.len()]),
            };
            match judged {
                Ok(Judged::Missed) => missed += 1,
                Ok(Judged::Met | Judged::Watched) => {}
                Err(e) => {
                    eprintln!("{name}: {e}");
                    failed += 1;
                }
            }
        }
        std::fs::remove_dir_all(&bench.scratch)?;
    }
    println!(
        "{missed} missed, {failed} failed; {:.0} s",
        start.elapsed().as_secs_f64()
    );
    Ok(missed + failed == 0)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("overhead: {e}");
            ExitCode::FAILURE
        }
    }
}
