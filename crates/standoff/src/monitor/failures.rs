//! Ranks that ended: how each left, and which of them failed.

use std::collections::BTreeMap;

use standoff_board::layout::{state, wait};
use standoff_board::read::text;
use standoff_mpi::format::capital;
use standoff_report::ranks::of_so_many;
use standoff_report::signals::signal_name;
use standoff_report::{Cause, Finding, FindingKind, Frame, Traceback};

use super::picture::Reading;
use super::report::ranks;
use super::stacks::{own_first, parse, relative};
use crate::exit::JobExit;
use crate::sys::End;

/// How a rank left: `what` completes "rank 3 …".
pub fn leaving(reading: &Reading) -> Left {
    let header = &reading.copy.header;
    if let Some((error, traceback)) = exception(&header.raised) {
        return Left {
            stack: own_first(traceback.iter().rev().cloned().collect()),
            what: format!("raised {}", in_short(&error)),
            traceback: Some(Traceback {
                error,
                frames: traceback,
            }),
        };
    }
    if let Some((what, stack)) = exception(&header.left) {
        return Left {
            what: in_short(&what),
            stack: own_first(stack.into_iter().rev().collect()),
            traceback: None,
        };
    }
    let finalized = matches!(header.state, state::FINALIZING | state::FINALIZED);
    let exited = |status: i64| match finalized {
        true => format!("exited with status {status}"),
        false => format!("exited with status {status}, without MPI_Finalize"),
    };
    let what = match (header.state, header.exit, reading.gone) {
        (state::ABORTING, ..) => format!("called MPI_Abort with {}", header.abort_code),
        (state::FINALIZED, 0, true) => "finished".to_owned(),
        (_, 0, false) if finalized => "finished".to_owned(),
        (_, 1, _) if finalized => "finished".to_owned(),
        (_, 0, _) => match reading.end {
            Some(End::Signal(signal)) => by_signal(signal),
            Some(End::Status(status)) => exited(status.into()),
            None => UNKNOWN.to_owned(),
        },
        (_, status, _) => exited(i64::from(status) - 1),
    };
    Left {
        what,
        ..Left::default()
    }
}

/// How a rank left.
#[derive(Debug, Default)]
pub struct Left {
    /// In words.
    pub what: String,
    /// Where, innermost frame of the user's own code first.
    pub stack: Vec<Frame>,
    /// Of an exception.
    pub traceback: Option<Traceback>,
}

impl Left {
    /// As the cause of what became of others.
    pub fn cause(self, world: u32, rank: u32) -> Cause {
        Cause {
            rank,
            world,
            what: self.what,
            stack: self.stack,
            traceback: self.traceback,
        }
    }
}

/// Whether an interruption ended the rank: Python's KeyboardInterrupt, of a SIGINT that it or its launcher was sent.
pub fn interrupted(reading: &Reading) -> bool {
    exception(&reading.copy.header.raised).is_some_and(|(error, _)| {
        let name = error.lines().next().unwrap_or_default();
        name.split(':').next() == Some("KeyboardInterrupt")
    })
}

/// A thread of a rank, not its main one, that an exception ended.
pub fn dead_thread(reading: &Reading) -> Option<Left> {
    let (error, frames) = exception(&reading.copy.header.thread_raised)?;
    Some(Left {
        what: format!("had a helper thread that raised {}", in_short(&error)),
        stack: own_first(frames.iter().rev().cloned().collect()),
        traceback: Some(Traceback { error, frames }),
    })
}

/// An exception on a board, with all lines of its message, and its frames, innermost last.
fn exception(field: &[u8]) -> Option<(String, Vec<Frame>)> {
    let (mut error, mut frames) = placed(field)?;
    let more = text(field);
    for line in more.lines().skip(1).map_while(|l| l.strip_prefix('\t')) {
        error += "\n";
        error += line;
    }
    frames.reverse();
    Some((error, frames))
}

/// An exception in one line: the first of its message; where that only announces more (MPICH's `Other MPI error, error stack:`), the last too.
fn in_short(error: &str) -> String {
    const LONGEST: usize = 120;
    let mut lines = error.lines().map(str::trim_end);
    let first = lines.next().unwrap_or_default();
    let last = lines.rfind(|line| !line.trim().is_empty());
    let (true, Some(last)) = (first.ends_with(':'), last) else {
        return first.to_owned();
    };
    let first = first
        .strip_suffix(", error stack:")
        .map_or(first.to_owned(), |what| format!("{what}:"));
    // MPICH names one of its own functions and fills the column with dots.
    let last = match last.split_once(": ") {
        Some((function, rest)) if !function.contains(' ') && function.contains('(') => rest,
        _ => last,
    };
    let last = last.trim();
    match last.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{first} {}…", &last[..cut]),
        None => format!("{first} {last}"),
    }
}

/// A line and a stack on a board.
fn placed(field: &[u8]) -> Option<(String, Vec<Frame>)> {
    let text = text(field);
    let (first, stack) = text
        .split_once('\n')
        .filter(|(first, _)| !first.is_empty())?;
    let mut frames = parse(stack.lines());
    relative(&mut frames);
    Some((first.to_owned(), frames))
}

/// The system does not tell how it ended.
const UNKNOWN: &str = "was killed or crashed";

/// The name of the signal that a launcher's exit status stands for: MPICH gives its number, others 128 more.
fn told_by(status: i32) -> Option<&'static str> {
    let signal = if status > 128 { status - 128 } else { status };
    CRASHES
        .contains(&signal)
        .then(|| signal_name(signal))
        .flatten()
}

/// Signals that a program brings upon itself.
const CRASHES: [i32; 7] = [4, 5, 6, 7, 8, 11, 31];

fn by_signal(signal: i32) -> String {
    let how = if CRASHES.contains(&signal) {
        "crashed with signal"
    } else {
        "was killed by signal"
    };
    match signal_name(signal) {
        Some(name) => format!("{how} {signal} ({name})"),
        None => format!("{how} {signal}"),
    }
}

/// A rank that ended badly.
#[derive(Debug)]
pub struct Failure {
    cause: Cause,
    /// The more telling the smaller.
    class: u8,
    /// It was in no MPI call.
    outside: bool,
    /// By a signal that no launcher sends to end a job.
    crashed: bool,
    /// It had come to MPI_Finalize.
    finalizing: bool,
    /// A signal ended it before it came there.
    cut_short: bool,
}

impl Failure {
    /// Whether it had come to `MPI_Finalize`.
    pub fn finalizing(&self) -> bool {
        self.finalizing
    }
}

/// Whether a rank left before it came to `MPI_Finalize`, and a signal ended another of its job there: MPICH's launcher does that, and may say 0.
pub fn cut_short(failures: &[Failure]) -> bool {
    let left = |world| {
        let mut there = failures.iter().filter(move |f| f.cause.world == world);
        there.any(|f| f.class == LEFT)
    };
    failures.iter().any(|f| f.cut_short && left(f.cause.world))
}

/// It left with a status of its own, before it came to MPI_Finalize.
const LEFT: u8 = 2;
/// It ended without a word.
const KILLED: u8 = 3;
/// It had done its part, and left with a status of its own that says no.
const OWN_STATUS: u8 = 4;

/// Launchers end the others when a rank dies or says no; those have not failed. Given are the places in the order of
/// deaths, as far as known.
pub fn first(mut failures: Vec<Failure>, order: &BTreeMap<(u32, u32), usize>) -> Vec<Failure> {
    let place = |f: &Failure| order.get(&(f.cause.world, f.cause.rank)).copied();
    let quiet = |f: &Failure| f.class >= LEFT;
    // Launchers see a rank's connection close before the kernel counts it as dead: another that they killed for it may come first.
    if failures.iter().any(|f| quiet(f) && f.crashed) {
        failures.retain(|f| !quiet(f) || f.crashed);
    }
    let first = failures.iter().filter(|f| quiet(f)).filter_map(place).min();
    if first.is_some() {
        failures.retain(|f| !quiet(f) || place(f) == first);
    }
    if failures.iter().filter(|f| quiet(f)).count() > 1 {
        let said_no = failures.iter().any(|f| f.class == OWN_STATUS);
        failures.retain(|f| !(said_no && f.class == KILLED && f.finalizing));
        // Whoever waits in MPI does not crash there as a rule.
        if failures.iter().any(|f| f.class == KILLED && f.outside) {
            failures.retain(|f| f.class != KILLED || f.outside);
        }
    }
    failures.retain(|f| f.class != OWN_STATUS);
    failures
}

/// Ranks that ended badly. `line` gives the source line of a rank's place.
pub fn failures(
    world: u32,
    readings: &[Option<Reading>],
    line: &dyn Fn(usize, u32) -> Option<Frame>,
) -> Vec<Failure> {
    let mut out = Vec::new();
    for (rank, reading) in (0u32..).zip(readings) {
        let Some(reading) = reading else { continue };
        let header = &reading.copy.header;
        let class = match header.state {
            _ if header.raised[0] != 0 => 0,
            state::ABORTING => 1,
            _ if header.end_place != 0 => 1,
            state::FINALIZED if header.exit > 1 => OWN_STATUS,
            state::FINALIZED => continue,
            // What a launcher does on a rank's end, it does when a rank has left without MPI_Finalize, with whatever status.
            _ if header.exit > 0 || matches!(reading.end, Some(End::Status(_))) => LEFT,
            _ => KILLED,
        };
        let mut live = reading.copy.threads.iter().filter(|t| t.used == 1);
        let outside = live.all(|t| t.wait == wait::OUTSIDE);
        let mut cause = leaving(reading).cause(world, rank);
        if header.raised[0] == 0 && cause.stack.is_empty() {
            cause.stack.extend(line(rank as usize, header.end_place));
        }
        let crashed = matches!(reading.end, Some(End::Signal(signal)) if CRASHES.contains(&signal));
        out.push(Failure {
            cause,
            class,
            outside,
            crashed,
            finalizing: matches!(header.state, state::FINALIZING | state::FINALIZED),
            cut_short: header.state == state::RUNNING
                && matches!(reading.end, Some(End::Signal(_))),
        });
    }
    out
}

/// The finding of a job that failed.
pub fn crash(failures: Vec<Failure>, exit: JobExit) -> Option<Finding> {
    let worst = failures.iter().map(|f| f.class).min()?;
    let mut out = Finding::new(FindingKind::Crash);
    out.causes = failures
        .into_iter()
        .filter(|f| f.class == worst)
        .map(|f| f.cause)
        .collect();
    let unknown = out.causes.iter().any(|c| c.what == UNKNOWN);
    let how = match exit {
        JobExit::Code(code) => match told_by(code).filter(|_| unknown) {
            Some(name) => {
                format!("The job ended with exit status {code}, by which launchers tell of {name}.")
            }
            None => format!("The job ended with exit status {code}."),
        },
        JobExit::Signal(signal) => format!("The job was ended by signal {signal}."),
    };
    let mut alike: Vec<(&str, Vec<u32>)> = Vec::new();
    for cause in &out.causes {
        match alike.iter_mut().find(|(what, _)| *what == cause.what) {
            Some((_, who)) => who.push(cause.rank),
            None => alike.push((&cause.what, vec![cause.rank])),
        }
    }
    let who: Vec<String> = alike
        .iter()
        .take(4)
        .map(|(what, who)| {
            let what = of_so_many(what, who.len());
            format!("{} {what}.", capital(&ranks(who)))
        })
        .collect();
    out.explanation = format!("{} {how}", who.join(" "));
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_by_name() {
        assert_eq!(by_signal(9), "was killed by signal 9 (SIGKILL)");
        assert_eq!(by_signal(11), "crashed with signal 11 (SIGSEGV)");
        assert_eq!(by_signal(40), "was killed by signal 40");
        assert_eq!(told_by(11), Some("SIGSEGV"));
        assert_eq!(told_by(139), Some("SIGSEGV"));
        assert_eq!((told_by(3), told_by(143), told_by(255)), (None, None, None));
    }

    #[test]
    fn a_line_and_a_stack() {
        let field = b"KeyError: 'steps'\n3\tinner\t/x/a.py\n9\t<module>\t/x/a.py\n\0garbage";
        let (error, frames) = exception(field).unwrap();
        assert_eq!(error, "KeyError: 'steps'");
        assert_eq!(frames[1], Frame::at("/x/a.py", 3, "inner"));
        assert!(exception(b"\0").is_none());
    }

    #[test]
    fn a_message_of_several_lines() {
        let field = b"Exception: Other MPI error, error stack:\n\tinternal_Bcast(292)....: failed\n\t\n\
            \tMPIR_Bcast_intra(102)....: message sizes do not match\n9\tBcast\tsrc/mpi4py/MPI.src/Comm.pyx\n3\tstep\t/x/a.py\n\0";
        let (error, frames) = exception(field).unwrap();
        assert_eq!(error.lines().count(), 4);
        assert_eq!(
            in_short(&error),
            "Exception: Other MPI error: message sizes do not match"
        );
        assert_eq!(frames.len(), 2);
        // The place is where the user's code called.
        let stack = own_first(frames.into_iter().rev().collect());
        assert_eq!(stack[0], Frame::at("/x/a.py", 3, "step"));
        assert_eq!(in_short("ValueError: one\ntwo"), "ValueError: one");
        let long = format!("E: so:\n{}", "é".repeat(500));
        assert_eq!(in_short(&long).chars().count(), 7 + 120 + 1);
        assert_eq!(in_short("E: so:\n \n"), "E: so:");
    }
}
