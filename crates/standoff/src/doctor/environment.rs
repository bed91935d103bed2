//! Probe, Python, MPI, launcher, and the place of a session.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use standoff_report::Abi;

use super::found::{Findings, Mark};
use crate::cli::EnvironmentArgs;
use crate::error::Error;
use crate::launcher;
use crate::mpi::Family;
use crate::probe;
use crate::proc;
use crate::python::{self, Origin};
use crate::session::{self, Session};

pub(super) fn look_at_probe(found: &mut Findings) {
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

pub(super) fn look_at_python(found: &mut Findings, args: &EnvironmentArgs) {
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

pub(super) fn describe(path: &Path, family: Option<Family>) -> String {
    match family {
        Some(family) => format!("{} ({family})", path.display()),
        None => format!("{} (it does not say whose it is)", path.display()),
    }
}

pub(super) fn look_at_session(found: &mut Findings) {
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
            look_at_room(found, base, session::room(session.path()));
        }
    }
}

/// How many ranks have room for their boards, beside what MPI libraries keep there.
fn look_at_room(found: &mut Findings, base: &Path, ranks: Option<u64>) {
    let Some(ranks) = ranks else {
        return found.good("session", format!("{} has space", base.display()));
    };
    let text = format!("{} has room for {ranks} ranks", base.display());
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    // Containers get 64 MiB as a rule.
    if ranks < 64.max(2 * cores) {
        let help = "for more, make /dev/shm larger (in a container, `--shm-size=1g`); the boards of ranks that find no room lie in the \
                    temporary directory, which is slower";
        found.add(Mark::Weak, "session", text, Some(help.into()));
    } else {
        found.good("session", text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room() {
        let mut found = Findings::default();
        look_at_room(&mut found, Path::new("/dev/shm"), Some(24));
        look_at_room(&mut found, Path::new("/dev/shm"), Some(1 << 20));
        let text = found.text();
        assert!(
            text.contains("note session   /dev/shm has room for 24 ranks")
                && text.contains("--shm-size=1g"),
            "{text}"
        );
        assert!(
            text.contains("ok   session   /dev/shm has room for 1048576 ranks"),
            "{text}"
        );
    }
}
