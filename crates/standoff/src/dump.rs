//! `standoff dump`: what a running watched job waits for, now.
//!
//! It reads the boards of the job's session as the job's own monitor does, beside it, and asks ranks for their Python stacks by the same
//! command word. Nothing is stopped.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use standoff_report::Report;

use crate::cli::DumpArgs;
use crate::error::Error;
use crate::exit::Status;
use crate::monitor::watch::Monitor;
use crate::output::{self, Style};
use crate::session::{self, Running};
use crate::watch::{Settings, Tick, Watcher, Why};

/// How long a set must have stood still that only the library could release, as for `run`.
const WINDOW: Duration = Duration::from_millis(200);
/// A deadlock that stands is seen within the window and the time for the rest to settle.
const PATIENCE: Duration = Duration::from_millis(700);

/// Does it.
pub fn dump(args: &DumpArgs) -> Result<Status, Error> {
    let mut running = session::running();
    if let Some(pid) = args.pid {
        running.retain(|job| belongs(pid, job));
    }
    let text = match &running[..] {
        [] => return Err(Error::NoJob { pid: args.pid }),
        [job] => {
            let report = look(&job.path);
            if args.json {
                let mut bytes = Vec::new();
                // A vector takes everything.
                let _ = standoff_report::json::write(&report, &mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            } else {
                let style = Style::for_stream(args.brief, args.color, &io::stdout());
                output::text(&report, style)
            }
        }
        several => {
            let mut text = format!(
                "{} jobs are being watched; `standoff dump PID` shows one:\n",
                several.len()
            );
            for job in several {
                text += &format!("{:>9}  {}\n", job.owner, command(job.owner));
            }
            text
        }
    };
    let mut stdout = io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    Ok(Status::OK)
}

/// The deadlock, if one stands, or else what everybody does.
fn look(session: &Path) -> Report {
    let mut monitor = Monitor::new(Settings {
        session: session.to_owned(),
        window: WINDOW,
        ends: false,
        rescue: false,
        raises: false,
    });
    let until = Instant::now() + PATIENCE;
    let mut report = loop {
        match monitor.tick() {
            Tick::Deadlock(report) => break *report,
            Tick::Continue { next } if Instant::now() + next < until => std::thread::sleep(next),
            Tick::Stalled(_) if Instant::now() < until => {}
            _ => break monitor.snapshot(Why::Asked),
        }
    };
    report.standoff = Some(env!("CARGO_PKG_VERSION").into());
    report.directory = crate::run::here();
    report
}

/// Whether a process is the one that watches, or one of the job's: it has the session in its environment, or a file of it open.
fn belongs(pid: i32, job: &Running) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let marker = job.marker();
    let files = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten();
    pid == job.owner
        || environment.split(|&b| b == 0).any(|v| v == marker)
        || files
            .flatten()
            .any(|f| fs::read_link(f.path()).is_ok_and(|to| to.starts_with(&job.path)))
}

fn command(pid: i32) -> String {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&words).replace('\0', " ");
    words.trim_end().to_owned()
}
