//! The `standoff` command: arguments, the launch of a job, its watch, and exit statuses. Glue between the crates that
//! know what a deadlock is and the processes that may be in one.
//!
//! Reading order: [`cli`] says what can be asked; [`run`] does it: [`program`] and [`mpi`] find out what is to be
//! started, [`launcher`] with what, [`session`] and [`probe`] prepare the watch, [`job`] starts, waits and ends. What
//! is watched, and how, is behind [`watch::Watcher`].
#![deny(unsafe_code)]

pub mod check;
pub mod cli;
pub mod demo;
pub mod doctor;
pub mod dump;
pub mod error;
pub mod exec;
pub mod exit;
pub mod fix;
pub mod input;
pub mod interrupt;
pub mod job;
pub mod launcher;
pub mod monitor;
pub mod mpi;
pub mod output;
pub mod probe;
pub mod proc;
pub mod program;
pub mod python;
pub mod run;
pub mod session;
pub mod sys;
pub mod watch;

use std::ffi::OsString;

use crate::cli::{Cli, Command};
use crate::error::Error;
use crate::exit::Status;

/// Runs the command given by `args` (the first is the program's own name) and says how the process is to end.
pub fn main(args: impl IntoIterator<Item = OsString>) -> Status {
    let cli = match Cli::read(args) {
        Ok(cli) => cli,
        Err(said) => {
            // Help and version go to standard output with 0, the rest to standard error with 2: both are clap's.
            let _ = said.print();
            return Status::Code(u8::try_from(said.exit_code()).unwrap_or(exit::USAGE));
        }
    };
    let done = match cli.command {
        Command::Run(args) => run::run(args),
        Command::Check(args) => check::check(args),
        Command::Fix(args) => fix::fix(args),
        Command::Replay(args) => check::replay(args),
        Command::Exec(args) => exec::exec(args),
        Command::ExecHold => exec::hold(),
        Command::Dump(args) => dump::dump(&args),
        Command::Demo(args) => demo::demo(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Report(args) => output::report(&args),
    };
    done.unwrap_or_else(|error| {
        output::error(&error);
        error.status()
    })
}

impl Error {
    /// The status that standoff exits with because of this error.
    pub fn status(&self) -> Status {
        Status::Code(match self {
            Error::Usage(_) => exit::USAGE,
            _ => exit::BROKEN,
        })
    }
}
