//! `standoff doctor`: what was found on this machine, and what does not fit together.
//!
//! It looks with the same functions that `run` uses, so that what it says holds for a run. It starts no job.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use standoff_report::Abi;

use crate::cli::EnvironmentArgs;
use crate::error::Error;
use crate::exit::{self, Status};
use crate::launcher;
use crate::mpi::Family;
use crate::probe;
use crate::proc;
use crate::python::{self, Origin};
use crate::session::Session;

/// What came of one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Good,
    /// A run works, with less.
    Weak,
    /// A run does not work.
    Bad,
}

#[derive(Debug)]
struct Line {
    mark: Mark,
    what: &'static str,
    text: String,
    help: Option<String>,
}

#[derive(Debug, Default)]
struct Findings(Vec<Line>);

impl Findings {
    fn good(&mut self, what: &'static str, text: impl Into<String>) {
        self.add(Mark::Good, what, text.into(), None);
    }

    fn error(&mut self, mark: Mark, what: &'static str, error: &Error) {
        self.add(mark, what, error.to_string(), error.help());
    }

    fn add(&mut self, mark: Mark, what: &'static str, text: String, help: Option<String>) {
        self.0.push(Line {
            mark,
            what,
            text,
            help,
        });
    }

    fn works(&self) -> bool {
        self.0.iter().all(|line| line.mark != Mark::Bad)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.0 {
            let mark = match line.mark {
                Mark::Good => "ok",
                Mark::Weak => "note",
                Mark::Bad => "BAD",
            };
            text.push_str(&format!("{mark:<5}{:<10}{}\n", line.what, line.text));
            if let Some(help) = &line.help {
                text.push_str(&format!("{:<15}help: {help}\n", ""));
            }
        }
        text.push_str(if self.works() {
            "\nstandoff can run programs here.\n"
        } else {
            "\nstandoff cannot run programs here before that is mended.\n"
        });
        text
    }
}

/// Looks at everything, prints it, and says how to exit: with 0 if a run would work.
pub fn doctor(args: &EnvironmentArgs) -> Result<Status, Error> {
    let mut found = Findings::default();
    look_at_probe(&mut found);
    look_at_python(&mut found, args);
    look_at_session(&mut found);
    look_at_system(&mut found);
    let mut stdout = io::stdout().lock();
    let _ = stdout
        .write_all(found.text().as_bytes())
        .and_then(|()| stdout.flush());
    Ok(if found.works() {
        Status::OK
    } else {
        Status::Code(exit::BROKEN)
    })
}

fn look_at_probe(found: &mut Findings) {
    match probe::find() {
        Err(error) => found.error(Mark::Bad, "probe", &error),
        Ok(path) => match try_preload(&path) {
            Ok(()) => found.good("probe", path.display().to_string()),
            Err(why) => {
                let error = Error::BadProbe { path, why };
                found.error(Mark::Bad, "probe", &error);
            }
        },
    }
}

/// Preloads the probe into a process that does nothing. The loader only warns when it cannot.
fn try_preload(probe: &Path) -> Result<(), String> {
    let (session, _) = Session::create(Some(1)).map_err(|e| e.to_string())?;
    let env = session.environment(probe).map_err(|e| e.to_string())?;
    let said = proc::ask(
        Command::new("/bin/sh").args(["-c", ":"]).envs(env),
        Duration::from_secs(30),
    )
    .map_err(|e| e.to_string())?;
    let warning = said
        .err
        .lines()
        .find(|line| line.contains("cannot be preloaded"));
    match warning {
        Some(warning) => Err(warning.trim().to_owned()),
        None if !said.status.success() => Err(said.complaint()),
        None => Ok(()),
    }
}

fn look_at_python(found: &mut Findings, args: &EnvironmentArgs) {
    let python = match python::find(args.python.as_deref()) {
        Ok((python, origin)) => {
            let origin = match origin {
                Origin::Option => "given with --python".to_owned(),
                Origin::Environment(variable) => format!("of the active environment, {variable}"),
                Origin::Path => "the first on PATH".to_owned(),
                Origin::Own => "the one that standoff is installed with".to_owned(),
            };
            found.good("python", format!("{} ({origin})", python.display()));
            python
        }
        Err(error) => {
            found.error(Mark::Weak, "python", &error);
            return look_at_path_launcher(found);
        }
    };
    let mpi4py = match python::mpi4py(&python) {
        Ok(mpi4py) => mpi4py,
        Err(error) => {
            found.error(Mark::Weak, "mpi4py", &error);
            return look_at_path_launcher(found);
        }
    };
    found.good(
        "mpi4py",
        format!("{} for Python {}", mpi4py.version, mpi4py.python),
    );
    let library = mpi4py.library;
    let abi = match library.abi {
        Abi::Mpich => "MPICH ABI",
        Abi::Openmpi => "Open MPI ABI",
        Abi::Standard => "standard ABI",
    };
    let version = library.version.as_deref().unwrap_or("version unknown");
    found.good(
        "mpi",
        format!("{} ({version}; {abi})", library.path.display()),
    );
    let launcher = match &args.launcher {
        None => launcher::find(Some(&library)).map(|(path, family)| describe(&path, family)),
        Some(typed) => launcher::chosen(typed, Some(&library)).map(|_| typed.0.join(" ")),
    };
    match launcher {
        Ok(text) => found.good("launcher", text),
        Err(error) => found.error(Mark::Bad, "launcher", &error),
    }
    // What people type finds the first on PATH, which need not be the one that fits.
    let first = proc::on_path("mpiexec".as_ref()).into_iter().next();
    if let Some((first, family)) =
        first.and_then(|first| Some((first.clone(), launcher::family(&first)?)))
        && !family.starts(library.family)
    {
        found.add(
                Mark::Weak,
                "PATH",
                format!(
                    "typing `mpiexec` starts {} of {family}, but mpi4py loads {}: every rank would be alone",
                    first.display(),
                    library.family
                ),
                Some("use `standoff run -n N`, which takes the launcher above, or put its directory first on PATH".into()),
            );
    }
}

/// Without mpi4py, programs in C and the like can still be run, if there is a launcher.
fn look_at_path_launcher(found: &mut Findings) {
    match launcher::find(None) {
        Ok((path, family)) => found.good("launcher", describe(&path, family)),
        Err(error) => found.error(Mark::Bad, "launcher", &error),
    }
}

fn describe(path: &Path, family: Option<Family>) -> String {
    match family {
        Some(family) => format!("{} ({family})", path.display()),
        None => format!("{} (it does not say whose it is)", path.display()),
    }
}

fn look_at_session(found: &mut Findings) {
    match Session::create(None) {
        Err(error) => found.error(Mark::Bad, "session", &error),
        Ok((_, Some(remark))) => found.add(
            Mark::Weak,
            "session",
            remark,
            Some("make /dev/shm larger; in a container, `--shm-size=1g`".into()),
        ),
        Ok((session, None)) => {
            let base = session.path().parent().unwrap_or(Path::new("/"));
            found.good("session", format!("{} has space", base.display()));
        }
    }
}

fn look_at_system(found: &mut Findings) {
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    match scope.trim() {
        "2" | "3" if !nix::unistd::geteuid().is_root() => found.add(
            Mark::Weak,
            "ptrace",
            format!("not permitted (ptrace_scope is {})", scope.trim()),
            Some("a Python rank that hangs while holding the interpreter lock is shown without its Python lines".into()),
        ),
        _ => found.good("ptrace", "permitted for one's own children"),
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let root = if nix::unistd::geteuid().is_root() {
        ", running as root"
    } else {
        ""
    };
    found.good(
        "machine",
        format!("{} on {cores} cores{root}", std::env::consts::ARCH),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_line_decides() {
        let mut found = Findings::default();
        found.good("a", "fine");
        found.add(Mark::Weak, "b", "less".into(), Some("mend".into()));
        assert!(found.works());
        found.add(Mark::Bad, "c", "broken".into(), None);
        assert!(!found.works());
        assert!(found.text().contains("help: mend"));
    }
}
