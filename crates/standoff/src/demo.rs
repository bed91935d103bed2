//! `standoff demo`: the opening example, its cures and its half-cure, on the MPI that is there.

use std::fs;
use std::io::{self, Write};
use std::time::Duration;

use standoff_report::Verdict;

use crate::check;
use crate::cli::{CheckArgs, EnvironmentArgs, RunArgs};
use crate::error::Error;
use crate::exit::{self, Status};
use crate::job::Outcome;
use crate::output::{self, Style};
use crate::run::{self, How};

struct Scene {
    command: Command,
    file: &'static str,
    source: &'static str,
    title: &'static str,
    look: &'static str,
    expected: Verdict,
}

/// What is put in front of the program.
#[derive(Clone, Copy)]
enum Command {
    Run,
    Check,
}

const SCENES: &[Scene] = &[
    Scene {
        command: Command::Run,
        file: "opening.py",
        source: include_str!("../../../examples/python/opening.py"),
        title: "Ranks 1 and 5 each receive before they send.",
        look: "Without standoff this hangs in silence. Look for the two lines that wait for each other; the seven other \
               ranks finished, and are neither cause nor core.",
        expected: Verdict::Deadlock,
    },
    Scene {
        command: Command::Run,
        file: "opening_swapped.py",
        source: include_str!("../../../examples/python/opening_swapped.py"),
        title: "First cure: one side swaps its order.",
        look: "It ends by itself, and standoff has nothing to say.",
        expected: Verdict::Clean,
    },
    Scene {
        command: Command::Run,
        file: "opening_sendrecv.py",
        source: include_str!("../../../examples/python/opening_sendrecv.py"),
        title: "Second cure: both sides use sendrecv.",
        look: "It ends by itself too, whatever the size of the messages.",
        expected: Verdict::Clean,
    },
    Scene {
        command: Command::Run,
        file: "opening_half_cured.py",
        source: include_str!("../../../examples/python/opening_half_cured.py"),
        title: "Half a cure: both sides send first.",
        look: "It passes today, only because MPI buffers small messages. With larger ones it hangs as the first did.",
        expected: Verdict::Clean,
    },
    Scene {
        command: Command::Check,
        file: "opening_half_cured.py",
        source: include_str!("../../../examples/python/opening_half_cured.py"),
        title: "The half-cure again, and every other execution that MPI allows.",
        look: "Look for the size above which it hangs on this MPI.",
        expected: Verdict::PotentialDeadlock,
    },
];

/// Ranks of each run.
const RANKS: u32 = 9;

/// Runs the scenes and says how to exit: with 0 if each came out as expected.
pub fn demo(args: &EnvironmentArgs) -> Result<Status, Error> {
    let system = |source| Error::System {
        what: "cannot write the examples to a temporary directory",
        source,
    };
    let dir = tempfile::Builder::new()
        .prefix("standoff-demo-")
        .tempdir()
        .map_err(system)?;
    let mut surprises = Vec::new();
    for (number, scene) in (1..).zip(SCENES) {
        let path = dir.path().join(scene.file);
        fs::write(&path, as_written(scene.source)).map_err(system)?;
        tell(&format!(
            "\n[{number}/{total}] {title}\n    standoff {command} -n {RANKS} {file}\n    {look}\n",
            total = SCENES.len(),
            command = match scene.command {
                Command::Run => "run",
                Command::Check => "check",
            },
            title = scene.title,
            file = scene.file,
            look = scene.look,
        ));
        let run = RunArgs {
            ranks: Some(RANKS),
            python: args.python.clone(),
            launcher: args.launcher.clone(),
            color: args.color,
            // A backstop: nothing here takes that long.
            timeout: Some(Duration::from_secs(60)),
            window: 200,
            words: vec![path.into()],
            ..RunArgs::default()
        };
        let outcome = match scene.command {
            Command::Run => run::execute(run)?,
            Command::Check => checked(run)?,
        };
        if outcome.interrupted {
            return Ok(outcome.happened.status(exit::DEADLOCK));
        }
        let verdict = outcome.report.verdict;
        if verdict == scene.expected {
            tell(&format!("    => {}, as expected\n", word(verdict)));
        } else {
            tell(&format!(
                "    => {}; expected: {}\n",
                word(verdict),
                word(scene.expected)
            ));
            surprises.push(scene.file);
        }
    }
    if surprises.is_empty() {
        tell("\nPut `standoff run` in front of your own program in the same way.\n");
        return Ok(Status::OK);
    }
    tell(&format!(
        "\nNot as expected: {}. `standoff doctor` shows what was found on this machine.\n",
        surprises.join(", ")
    ));
    Ok(Status::Code(1))
}

/// A program without what the tests read in it.
fn as_written(source: &str) -> String {
    let lines = source.lines().skip_while(|l| l.starts_with('#'));
    let code = lines.map(|l| l.split("  # @").next().unwrap_or(l));
    code.flat_map(|l| [l, "\n"]).collect()
}

/// Checks without leaving a witness behind, and shows what was found.
fn checked(run: RunArgs) -> Result<Outcome, Error> {
    let style = Style::for_stream(run.brief, run.color, &io::stderr());
    let args = CheckArgs {
        run,
        ..CheckArgs::default()
    };
    let silent = How {
        silent: true,
        ..How::default()
    };
    let outcome = check::examine(&args, &silent)?;
    output::diagnosis(&outcome.report, style);
    Ok(outcome)
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Deadlock => "deadlock",
        Verdict::Stalled => "stalled",
        Verdict::PotentialDeadlock => "potential deadlock",
        Verdict::Clean => "clean",
        Verdict::Failed => "failed",
    }
}

fn tell(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}
