//! The launcher that belongs to the MPI a program loads, and the command line that starts the job with it.
//!
//! A launcher of another MPI does not fail: it starts N jobs of size 1. So a launcher counts as found only when it
//! says itself that it is of the right family.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cli::Words;
use crate::error::Error;
use crate::mpi::{self, Family, Linked, MpiLibrary};
use crate::proc;
use crate::program::{self, Job, Kind, Program};
use crate::python;

/// Everything needed to start a job.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The words of the command.
    pub words: Vec<OsString>,
    /// Variables to add to the environment.
    pub env: Vec<(&'static str, &'static str)>,
    /// The MPI that the program will load, where it had to be found out.
    pub library: Option<MpiLibrary>,
    /// Number of ranks, where standoff decides about it.
    pub ranks: Option<u32>,
}

/// What the user asked about the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes<'a> {
    /// `-n`.
    pub ranks: Option<u32>,
    /// `--launcher`.
    pub launcher: Option<&'a Words>,
    /// `--python`.
    pub python: Option<&'a Path>,
}

/// Works out how to start `job`.
pub fn plan(job: Job, wishes: Wishes<'_>) -> Result<Plan, Error> {
    let program = match job {
        Job::Typed(words) => {
            let typed = words[0].to_string_lossy().into_owned();
            if wishes.ranks.is_some() || wishes.launcher.is_some() {
                let option = if wishes.ranks.is_some() {
                    "-n"
                } else {
                    "--launcher"
                };
                return Err(Error::Usage(format!(
                    "`{option}` before `{typed}`: either standoff finds the launcher, or it is typed with its own options"
                )));
            }
            return Ok(Plan {
                words,
                ..Plan::default()
            });
        }
        Job::Program(program) => program,
    };
    let alone = wishes.ranks.is_none() && wishes.launcher.is_none();
    let (words, library) = prepare(program, wishes, alone)?;
    if alone {
        return Ok(Plan {
            words,
            ranks: Some(1),
            ..Plan::default()
        });
    }
    let mut plan = match wishes.launcher {
        Some(typed) => chosen(typed, library.as_ref())?,
        None => found(library.as_ref())?,
    };
    if let Some(ranks) = wishes.ranks {
        plan.words.extend(["-n".into(), ranks.to_string().into()]);
    }
    plan.words.extend(words);
    plan.library = library;
    plan.ranks = wishes.ranks;
    Ok(plan)
}

/// The words that start the program itself, and the MPI it loads (not looked for if it starts alone).
fn prepare(
    program: Program,
    wishes: Wishes<'_>,
    alone: bool,
) -> Result<(Vec<OsString>, Option<MpiLibrary>), Error> {
    let mut words = program.words;
    let library = match program.kind {
        Kind::Python => {
            let (python, _) = python::find(wishes.python)?;
            words.insert(0, python.clone().into());
            match (!alone).then(|| python::mpi4py(&python)).transpose() {
                Ok(found) => found.map(|found| found.library),
                // It may load MPI in another way; whoever names a launcher knows.
                Err(_) if wishes.launcher.is_some() => None,
                Err(error) => return Err(error),
            }
        }
        Kind::WithPython(_) if alone => None,
        Kind::WithPython(python) => python::mpi4py(&python).ok().map(|found| found.library),
        Kind::Executable(path) => match mpi::of_executable(&path)? {
            Linked::Shared(library) => Some(library),
            Linked::Unknown => None,
            Linked::Static => {
                return Err(Error::StaticMpi {
                    program: path.display().to_string(),
                });
            }
        },
    };
    Ok((words, library))
}

/// The launcher of `--launcher`, as typed, if it is not known to be the wrong one.
pub fn chosen(typed: &Words, library: Option<&MpiLibrary>) -> Result<Plan, Error> {
    let Some(path) = proc::on_path(typed.0[0].as_ref()).into_iter().next() else {
        return Err(Error::ProgramNotFound {
            program: typed.0[0].clone(),
            here: false,
        });
    };
    if let (Some(library), Some(family)) = (library, family(&path))
        && !family.starts(library.family)
    {
        return Err(Error::Mismatch {
            launcher: path.display().to_string(),
            launcher_family: family,
            mpi: library.to_string(),
        });
    }
    Ok(Plan {
        words: typed.0.iter().map(OsString::from).collect(),
        env: as_root(),
        ..Plan::default()
    })
}

/// For a job that failed: that its launcher, as the user typed it, belongs to another MPI than the one its program loads, if that is so. The program is
/// the first of the words that loads an MPI as far as can be seen.
pub fn typed_mismatch(words: &[OsString]) -> Option<String> {
    let (first, rest) = words.split_first()?;
    let launcher = proc::on_path(first).into_iter().next()?;
    let family = family(&launcher)?;
    let loads = |word: &OsString| match program::classify(vec![word.clone()]) {
        Ok(Job::Program(Program { kind, .. })) => match kind {
            Kind::Python => None,
            Kind::WithPython(python) => python::mpi4py(&python).ok().map(|found| found.library),
            Kind::Executable(path) => match mpi::of_executable(&path) {
                Ok(Linked::Shared(library)) => Some(library),
                _ => None,
            },
        },
        _ => None,
    };
    let (word, library) = rest.iter().find_map(|word| Some((word, loads(word)?)))?;
    (!family.starts(library.family)).then(|| {
        format!(
            "`{}` is the launcher of {family}, but `{}` loads {library}: that may be why it failed. `standoff run -n N PROGRAM` \
             takes the launcher that belongs to the program",
            first.display(),
            word.display()
        )
    })
}

/// The launcher that belongs to `library`, with what local oversubscription and running as root need.
fn found(library: Option<&MpiLibrary>) -> Result<Plan, Error> {
    let (path, family) = find(library)?;
    let mut plan = Plan {
        words: vec![path.into()],
        ..Plan::default()
    };
    if family == Some(Family::OpenMpi) {
        // Known to 1.x up to 5.x; MPICH and Intel MPI need nothing.
        plan.words.push("--oversubscribe".into());
        plan.env = as_root();
    }
    Ok(plan)
}

/// Open MPI's launcher refuses to work for root unless told twice; both variables are known to 3.x up to 5.x.
fn as_root() -> Vec<(&'static str, &'static str)> {
    if !nix::unistd::geteuid().is_root() {
        return Vec::new();
    }
    vec![
        ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
        ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
    ]
}

/// Finds the launcher of `library`: next to it, else in the bin directory of the Python environment that loads it,
/// else on PATH. Without a library, the first on PATH.
pub fn find(library: Option<&MpiLibrary>) -> Result<(PathBuf, Option<Family>), Error> {
    let mut others = Vec::new();
    for path in candidates(library) {
        let Some(library) = library else {
            return Ok((path.clone(), family(&path)));
        };
        match family(&path) {
            Some(family) if family.starts(library.family) => return Ok((path, Some(family))),
            Some(family) => others.push((path, family)),
            None => {}
        }
    }
    Err(Error::NoLauncher {
        mpi: library.map_or("any MPI".into(), ToString::to_string),
        others,
    })
}

/// Where a launcher of `library` may be, nearest first, each file once.
fn candidates(library: Option<&MpiLibrary>) -> Vec<PathBuf> {
    // Debian has one of each side by side, with `mpiexec` pointing to either.
    let names: &[&str] = match library.map(|library| library.family) {
        Some(Family::OpenMpi) => &["mpiexec.openmpi", "mpiexec", "mpirun"],
        Some(Family::Mpich) => &["mpiexec.mpich", "mpiexec", "mpiexec.hydra", "mpirun"],
        Some(Family::Intel) => &["mpiexec", "mpiexec.hydra", "mpirun"],
        None => &["mpiexec", "mpirun"],
    };
    let mut dirs: Vec<PathBuf> = Vec::new();
    if let Some(library) = library {
        let real = library
            .path
            .canonicalize()
            .unwrap_or_else(|_| library.path.clone());
        for file in [&library.path, &real] {
            // From LIB up to the prefix of LIB = /usr/lib/x86_64-linux-gnu/openmpi/lib.
            dirs.extend(file.ancestors().skip(1).take(5).map(|dir| dir.join("bin")));
        }
        dirs.extend(library.prefix.iter().map(|prefix| prefix.join("bin")));
    }
    // Under its real directory, not through a link like /bin: Open MPI 4.1 takes the directory above for the prefix of the
    // installation if its launcher is started by an absolute path, and refuses `/`.
    let mut files: Vec<PathBuf> = dirs
        .iter()
        .filter_map(|dir| dir.canonicalize().ok())
        .flat_map(|dir| names.iter().map(move |name| dir.join(name)))
        .filter(|file| proc::executable(file))
        .chain(names.iter().flat_map(|name| proc::on_path(name.as_ref())))
        .collect();
    let mut seen = Vec::new();
    files.retain(|file| {
        let real = file.canonicalize().unwrap_or_else(|_| file.clone());
        let new = !seen.contains(&real);
        if new {
            seen.push(real);
        }
        new
    });
    files
}

/// Whose launcher this is, from what it answers to `--version`. `None`: it does not say, or is no mpiexec.
pub fn family(path: &Path) -> Option<Family> {
    let name = path.file_name()?.to_str()?;
    if !["mpiexec", "mpirun", "orterun", "prterun"]
        .iter()
        .any(|known| name.starts_with(known))
    {
        return None;
    }
    let mut question = Command::new(path);
    question.arg("--version");
    let said = proc::ask(&mut question, Duration::from_secs(30)).ok()?;
    family_of_answer(&said.out).or_else(|| family_of_answer(&said.err))
}

fn family_of_answer(text: &str) -> Option<Family> {
    let has = |word: &str| text.contains(word);
    if has("Intel(R) MPI") {
        Some(Family::Intel)
    } else if has("HYDRA") || has("MPICH") || has("MVAPICH") {
        Some(Family::Mpich)
    } else if has("Open MPI") || has("OpenRTE") || has("PRRTE") || has("prterun") {
        Some(Family::OpenMpi)
    } else {
        None
    }
}

/// Removes what the launcher with this process number left behind when it was killed.
///
/// Open MPI 5.0 (PRRTE 3) keeps its rendezvous files in `ompi.PID` in the temporary directory, and removes them only
/// when it ends by itself. A later launcher that happens to get the same number finds them and does not start: "The
/// PMIx server's listener thread failed to start". Other launchers have no such directory.
pub fn clear_after_kill(pid: i32) {
    // In PMIx's order.
    let place = ["TMPDIR", "TEMP", "TMP"]
        .into_iter()
        .find_map(std::env::var_os)
        .unwrap_or_else(|| "/tmp".into());
    let left = Path::new(&place).join(format!("ompi.{pid}"));
    // Not through a link, which is not what the launcher made.
    if fs::symlink_metadata(&left).is_ok_and(|file| file.is_dir()) {
        // Without it all is as it would be without standoff.
        let _ = fs::remove_dir_all(&left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use standoff_report::Abi;
    use std::os::unix::fs::PermissionsExt;

    fn fake(dir: &Path, name: &str, answer: &str) -> PathBuf {
        let file = dir.join(name);
        std::fs::create_dir_all(dir).unwrap();
        std::fs::write(&file, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    fn library(path: PathBuf, family: Family) -> MpiLibrary {
        MpiLibrary {
            path,
            family,
            abi: Abi::Mpich,
            version: None,
            prefix: None,
        }
    }

    #[test]
    fn answers() {
        assert_eq!(
            family_of_answer("mpiexec (Open MPI) 5.0.11"),
            Some(Family::OpenMpi)
        );
        assert_eq!(
            family_of_answer("mpiexec (OpenRTE) 4.1.4"),
            Some(Family::OpenMpi)
        );
        assert_eq!(
            family_of_answer("HYDRA build details:"),
            Some(Family::Mpich)
        );
        assert_eq!(
            family_of_answer("Intel(R) MPI Library for Linux* OS, Version 2021.17"),
            Some(Family::Intel)
        );
        assert_eq!(family_of_answer("slurm 23.02"), None);
    }

    #[test]
    fn the_right_one_of_two_side_by_side() {
        let dir = tempfile::tempdir().unwrap();
        let bin = dir.path().join("bin");
        fake(&bin, "mpiexec", "HYDRA build details:");
        fake(&bin, "mpiexec.mpich", "HYDRA build details:");
        let right = fake(&bin, "mpiexec.openmpi", "mpiexec (OpenRTE) 4.1.4");
        let lib = dir
            .path()
            .join("lib/x86_64-linux-gnu/openmpi/lib/libmpi.so.40");
        let (found, family) = find(Some(&library(lib, Family::OpenMpi))).unwrap();
        assert_eq!((found, family), (right, Some(Family::OpenMpi)));
    }

    #[test]
    fn the_wrong_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let wrong = fake(dir.path(), "mpiexec", "HYDRA build details:");
        let library = library("/x/libmpi.so.40".into(), Family::OpenMpi);
        let typed = Words(vec![wrong.to_str().unwrap().into()]);
        assert!(matches!(
            chosen(&typed, Some(&library)),
            Err(Error::Mismatch { .. })
        ));
        let same = MpiLibrary {
            family: Family::Mpich,
            ..library
        };
        assert!(chosen(&typed, Some(&same)).is_ok());
    }

    #[test]
    fn two_ways_to_say_the_number() {
        let typed = Job::Typed(vec!["mpiexec".into()]);
        let wishes = Wishes {
            ranks: Some(2),
            ..Wishes::default()
        };
        assert!(matches!(plan(typed.clone(), wishes), Err(Error::Usage(_))));
        assert!(plan(typed, Wishes::default()).is_ok());
    }
}
