//! The command line.

mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::check::Budget;
use crate::error::Error;
use crate::exit;

pub use values::{Color, Rescue, Words};
use values::{budget, bytes, duration, launcher_words};

/// Finds, explains and ends deadlocks in MPI programs.
#[derive(Debug, Parser)]
#[command(name = "standoff", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a program under watch; on a deadlock, print the diagnosis, end the job and exit with 99
    #[command(
        override_usage = "standoff run [-n N] [OPTIONS] [--] PROGRAM [ARGS]...\n       \
                          standoff run [OPTIONS] mpiexec -n N ... PROGRAM [ARGS]...",
        after_help = RUN_STATUS
    )]
    Run(RunArgs),
    /// Run one rank of a job under watch, for batch scripts: mpiexec -n 4 standoff exec -- PROGRAM
    #[command(
        override_usage = "mpiexec -n N ... standoff exec [OPTIONS] -- PROGRAM [ARGS]...",
        after_help = EXEC_STATUS
    )]
    Exec(ExecArgs),
    /// Part of exec: keeps the launcher's connection open until all wrappers have ended
    #[command(hide = true)]
    ExecHold,
    /// Show what the ranks of a watched job are doing now, without stopping it
    Dump(DumpArgs),
    /// Run a program once, recorded, and search every other execution that MPI allows for a deadlock
    #[command(
        override_usage = "standoff check [-n N] [OPTIONS] [--] PROGRAM [ARGS]...\n       \
                          standoff check [OPTIONS] mpiexec -n N ... PROGRAM [ARGS]...",
        after_help = CHECK_STATUS
    )]
    Check(CheckArgs),
    /// Propose patches of the source that cure a deadlock, each checked on a patched copy
    #[command(
        override_usage = "standoff fix [-n N] [OPTIONS] [--] PROGRAM [ARGS]...\n       \
                          standoff fix [OPTIONS] mpiexec -n N ... PROGRAM [ARGS]...",
        after_help = FIX_STATUS
    )]
    Fix(FixArgs),
    /// Force the schedule of a witness on a program again
    #[command(override_usage = "standoff replay WITNESS [OPTIONS] [--] PROGRAM [ARGS]...")]
    Replay(ReplayArgs),
    /// Run the examples that standoff carries along, on the MPI that is there
    Demo(EnvironmentArgs),
    /// Show what MPI, launcher, Python and permissions were found, and what does not fit together
    Doctor(DoctorArgs),
    /// Show a recorded result again
    Report(ReportArgs),
}

const RUN_STATUS: &str = "\
PROGRAM is an executable, a Python file, -m MODULE or -c CODE. Without -n and without a launcher it is started as one \
process. What follows PROGRAM belongs to it.

Exit status: 96 standoff could not work; 99 deadlock; 97 stalled, with --stall-exit; 124 --timeout reached; \
98 a warning, with --strict; 2 usage; else that of the launcher or program.";

const EXEC_STATUS: &str = "\
The first rank on a node watches all that were started so on that node, and ends them on a deadlock; the diagnosis is printed \
once. PROGRAM is an executable, a Python file, -m MODULE or -c CODE.

Exit status of each rank: 96 standoff could not work; 99 deadlock; 97 stalled, with --stall-exit; 2 usage; else that of \
PROGRAM. The launcher makes one of them that of the job.";

/// What `exec` takes.
#[derive(Debug, Default, Args)]
pub struct ExecArgs {
    /// Python that runs .py files, -m and -c
    #[arg(long, value_name = "EXE")]
    pub python: Option<PathBuf>,
    /// Say it in few lines
    #[arg(long)]
    pub brief: bool,
    /// On a deadlock, leave the job running
    #[arg(long)]
    pub no_kill: bool,
    /// End the job also when it only stalls
    #[arg(long)]
    pub stall_exit: bool,
    /// Exit with this status on a deadlock
    #[arg(long, value_name = "N", default_value_t = exit::DEADLOCK)]
    pub error_exitcode: u8,
    /// Milliseconds that a deadlock with sends or collectives which the MPI might still complete must have lasted
    #[arg(long, value_name = "MS", default_value_t = 200)]
    pub window: u64,
    /// Colours in the diagnosis
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// The program
    #[arg(value_name = "PROGRAM", required = true, trailing_var_arg = true)]
    pub words: Vec<OsString>,
}

/// What `dump` takes.
#[derive(Debug, Args)]
pub struct DumpArgs {
    /// The job: process number of standoff, of the launcher or of a rank; without it, the only one there is
    pub pid: Option<i32>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Say it in few lines
    #[arg(long)]
    pub brief: bool,
    /// Colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const CHECK_STATUS: &str = "\
The program runs as under `run`. If it passes, what it did is searched: messages taken in another order, sends that the library need not \
buffer, collectives that need not synchronize. What is found is forced on the program in further runs, whose output is not shown.

Exit status: as of `run`; and 98 if another execution can deadlock though the run passed.";

/// What `check` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct CheckArgs {
    /// Do not run the program again to confirm what is found, or to see other executions
    #[arg(long)]
    pub no_rerun: bool,
    /// How many further runs and how much time to spend, as in runs=30,time=2m
    #[arg(long, value_name = "runs=N,time=T", value_parser = budget)]
    pub budget: Option<Budget>,
    /// Run the program again in directories of their own, with copies of what the current directory holds
    #[arg(long)]
    pub scratch: bool,
    /// As of `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

const FIX_STATUS: &str = "\
The program is checked as under `check`; for what is found first, patches are made of its source, and each is checked on a copy. The program runs many \
times; its output is not shown. PROGRAM is a Python file, or an executable compiled from C with -g.

Exit status: 0 nothing to fix, or a patch was found; else as of `check`.";

/// What `fix` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct FixArgs {
    /// Numbers of ranks to check patches with, besides that of -n; those at which the program itself fails do not count
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', default_values_t = [2, 3, 4], value_parser = clap::value_parser!(u32).range(1..))]
    pub sizes: Vec<u32>,
    /// Write the best patch into the file; what was there is kept as FILE.orig, unless version control has it
    #[arg(long)]
    pub apply: bool,
    /// For C: how the program is compiled, in a copy of the current directory
    #[arg(long, value_name = "CMD")]
    pub build: Option<String>,
    /// As of `check`: how many forced runs and how much time each check may take
    #[arg(long, value_name = "runs=N,time=T", value_parser = budget)]
    pub budget: Option<Budget>,
    /// As of `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What `replay` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct ReplayArgs {
    /// What `check` wrote
    pub witness: PathBuf,
    /// Run in a directory of its own, with a copy of what the current one holds
    #[arg(long)]
    pub scratch: bool,
    /// As of `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What `run` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    /// Number of ranks, started with the launcher of the MPI that the program loads
    #[arg(short = 'n', long = "np", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub ranks: Option<u32>,
    /// Write the result as JSON, also when nothing was found
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Say it in few lines
    #[arg(long)]
    pub brief: bool,
    /// Start with this command instead of the launcher found: "mpiexec", "srun --mpi=pmix"
    #[arg(long, value_name = "CMD", value_parser = launcher_words)]
    pub launcher: Option<Words>,
    /// Python that runs .py files, -m and -c
    #[arg(long, value_name = "EXE")]
    pub python: Option<PathBuf>,
    /// On a deadlock, leave the job running
    #[arg(long)]
    pub no_kill: bool,
    /// On a deadlock: abort (end the job), wait (leave it running), raise (blocked calls return an MPI error, in Python an exception), or a command to run before the job is ended; it gets the path of the JSON report as its last word
    #[arg(long, value_name = "abort|wait|raise|CMD", value_parser = launcher_words, conflicts_with = "no_kill")]
    pub on_deadlock: Option<Words>,
    /// End the job after this time (30, 30s, 5m, 1h) and say what every rank was doing
    #[arg(long, value_name = "T", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// End the job also when it only stalls
    #[arg(long)]
    pub stall_exit: bool,
    /// Exit with 98 if there are warnings
    #[arg(long)]
    pub strict: bool,
    /// Exit with this status on a deadlock
    #[arg(long, value_name = "N", default_value_t = exit::DEADLOCK)]
    pub error_exitcode: u8,
    /// Let standard sends that would wait for ever return from a copy, as MPI allows; `always`: every standard send
    #[arg(long, value_name = "always", num_args = 0..=1, require_equals = true, default_missing_value = "needed", value_enum)]
    pub rescue: Option<Rescue>,
    /// Bytes of copies that a rank may keep for --rescue and --on-deadlock raise (512M, 2G)
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = bytes)]
    pub rescue_memory: u64,
    /// Milliseconds that a deadlock with sends or collectives which the MPI might still complete must have lasted
    #[arg(long, value_name = "MS", default_value_t = 200)]
    pub window: u64,
    /// Print nothing but a diagnosis
    #[arg(long, short)]
    pub quiet: bool,
    /// Colours in the diagnosis
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// The program, or a launcher with everything that belongs to it
    #[arg(value_name = "PROGRAM", required = true, trailing_var_arg = true)]
    pub words: Vec<OsString>,
}

/// What `demo` takes, and `doctor` too.
#[derive(Debug, Default, Args)]
pub struct EnvironmentArgs {
    /// Python to look at, instead of the one of the active environment
    #[arg(long, value_name = "EXE")]
    pub python: Option<PathBuf>,
    /// Start with this command instead of the launcher found
    #[arg(long, value_name = "CMD", value_parser = launcher_words)]
    pub launcher: Option<Words>,
    /// Colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

/// What `doctor` takes.
#[derive(Debug, Default, Args)]
pub struct DoctorArgs {
    /// Where to look.
    #[command(flatten)]
    pub environment: EnvironmentArgs,
    /// A program to look at, too: what it loads, and whether its lines can be told
    pub program: Option<OsString>,
}

/// What `report` takes.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// What `--json` wrote
    pub file: PathBuf,
    /// As text (the default)
    #[arg(long)]
    pub text: bool,
    /// As JSON, normalized
    #[arg(long, conflicts_with = "text")]
    pub json: bool,
    /// Say it in few lines
    #[arg(long)]
    pub brief: bool,
    /// Colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

impl RunArgs {
    /// A deadlocked job is left as it is.
    pub fn leaves(&self) -> bool {
        self.no_kill || self.on_deadlock.as_ref().is_some_and(|w| w.0 == ["wait"])
    }

    /// Blocked calls of a deadlocked job return errors.
    pub fn raises(&self) -> bool {
        self.on_deadlock.as_ref().is_some_and(|w| w.0 == ["raise"])
    }

    /// The command for a deadlocked job.
    pub fn beside(&self) -> Option<&Words> {
        let word =
            |w: &&Words| !matches!(&w.0[..], [w] if ["wait", "abort", "raise"].contains(&&w[..]));
        self.on_deadlock.as_ref().filter(word)
    }
}

impl Cli {
    /// Parses a command line; the first word is the program's own name.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
        let mut args: Vec<OsString> = args.into_iter().collect();
        let command = args
            .get(1)
            .and_then(|word| word.to_str())
            .unwrap_or_default();
        if ["run", "exec", "check", "fix", "replay"].contains(&command)
            && let Some(program) = program_at(command, &args)
        {
            args.insert(program, "--".into());
        }
        Cli::try_parse_from(args)
    }
}

/// Where PROGRAM begins in a command line of `run` or `exec`, if no `--` says so.
///
/// The parser cannot tell by itself, as a program may begin with `-m` or `-c`: told to allow words that begin with a
/// hyphen there, clap 4 takes `-n4` and every mistyped option for the program.
fn program_at(command: &str, args: &[OsString]) -> Option<usize> {
    let definition = <Cli as clap::CommandFactory>::command();
    let run = definition.find_subcommand(command)?;
    let with_value: Vec<&clap::Arg> = run
        .get_arguments()
        .filter(|arg| arg.get_action().takes_values() && !arg.is_require_equals_set())
        .collect();
    let takes_next = |word: &str| match word.strip_prefix("--") {
        Some(long) => with_value.iter().any(|arg| arg.get_long() == Some(long)),
        // `-qn 4`: the next word, if the first letter that takes a value has nothing behind it.
        None => {
            let letters = &word[1..];
            let first = letters.find(|c| with_value.iter().any(|arg| arg.get_short() == Some(c)));
            first.is_some_and(|at| letters[at..].chars().count() == 1)
        }
    };
    // Of `replay`, the first word is the witness.
    let mut witness = command == "replay";
    let mut at = 2;
    while let Some(word) = args.get(at) {
        let word = word.to_string_lossy();
        let python = word.starts_with("-m") || word.starts_with("-c");
        if word == "--" {
            return None;
        }
        if witness && !word.starts_with('-') {
            witness = false;
            at += 1;
            continue;
        }
        if python || !word.starts_with('-') {
            return Some(at);
        }
        at += if takes_next(&word) { 2 } else { 1 };
    }
    None
}

impl RunArgs {
    /// What the parser alone cannot see.
    pub fn check(&self) -> Result<(), Error> {
        let first = self.words.first().map(|w| w.to_string_lossy());
        let first = first.as_deref().unwrap_or_default();
        if matches!(first, "-m" | "-c") && self.words.len() < 2 {
            let what = if first == "-m" { "module" } else { "code" };
            return Err(Error::Usage(format!("`{first}` needs a {what}")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str]) -> RunArgs {
        match read(args).unwrap_or_else(|e| panic!("{e}")).command {
            Command::Run(run) => run,
            other => panic!("{other:?}"),
        }
    }

    fn read(args: &[&str]) -> Result<Cli, clap::Error> {
        Cli::read(["standoff", "run"].iter().chain(args).map(OsString::from))
    }

    fn words(args: &[&str]) -> Vec<String> {
        let words = run(args).words;
        words.iter().map(|w| w.to_str().unwrap().into()).collect()
    }

    #[test]
    fn definition_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn options_end_at_the_program() {
        let args = run(&[
            "-n", "9", "--brief", "prog.py", "-n", "3", "--json", "--", "x",
        ]);
        assert_eq!(args.ranks, Some(9));
        assert!(args.brief && args.json.is_none());
        assert_eq!(args.words, ["prog.py", "-n", "3", "--json", "--", "x"]);
        assert_eq!(
            words(&["-n4", "--", "prog", "--brief"]),
            ["prog", "--brief"]
        );
        assert_eq!(
            words(&["prog", "--help", "--version"]),
            ["prog", "--help", "--version"]
        );
    }

    #[test]
    fn module_and_code_are_programs() {
        assert_eq!(
            words(&["-n", "2", "-m", "pkg.mod", "-n", "5"]),
            ["-m", "pkg.mod", "-n", "5"]
        );
        assert_eq!(
            words(&["-c", "print(1)", "-q", "--quiet"]),
            ["-c", "print(1)", "-q", "--quiet"]
        );
        assert_eq!(
            words(&["--quiet", "--", "-m", "pkg", "-m"]),
            ["-m", "pkg", "-m"]
        );
        assert_eq!(run(&["-qn4", "-m", "pkg"]).ranks, Some(4));
        assert_eq!(run(&["-qn", "4", "-m", "pkg"]).ranks, Some(4));
        assert_eq!(
            words(&["--json=out", "--np", "3", "-m", "pkg", "--np"]),
            ["-m", "pkg", "--np"]
        );
        assert_eq!(words(&["-mpkg", "--strict"]), ["-mpkg", "--strict"]);
        assert!(run(&["-n", "2", "-m", "pkg", "--strict"]).check().is_ok());
        assert!(!run(&["-n", "2", "-m", "pkg", "--strict"]).strict);
    }

    #[test]
    fn a_launcher_keeps_its_options() {
        let line = ["mpiexec", "-n", "4", "--bind-to", "none", "python", "x.py"];
        let args = run(&[&["--json", "out.json"], &line[..]].concat());
        assert_eq!(args.ranks, None);
        assert_eq!(args.words, line);
    }

    #[test]
    fn mistakes() {
        for line in [
            &["-n", "0", "x"][..],
            &["-n", "two", "x"],
            &["--timeout", "soon", "x"],
            &["--timeout", "0", "x"],
            &["--error-exitcode", "256", "x"],
            &["--launcher", "", "x"],
            &["--jsno", "out", "x.py"],
            &["-x4", "x.py"],
            &[],
        ] {
            let error = read(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line:?}");
        }
        assert!(run(&["-m"]).check().is_err());
    }

    #[test]
    fn times() {
        for (text, seconds) in [
            ("30", 30.0),
            ("30s", 30.0),
            ("5m", 300.0),
            ("1h", 3600.0),
            ("1.5", 1.5),
            ("200ms", 0.2),
        ] {
            assert_eq!(
                duration(text),
                Ok(Duration::from_secs_f64(seconds)),
                "{text}"
            );
        }
        assert!(duration("5 parsecs").is_err() && duration("-1").is_err() && duration("").is_err());
    }

    #[test]
    fn launcher_is_split_as_a_shell_would() {
        let args = run(&["--launcher", "srun --mpi=pmix -J 'a b'", "-n", "2", "x"]);
        assert_eq!(
            args.launcher.unwrap().0,
            ["srun", "--mpi=pmix", "-J", "a b"]
        );
    }
}
