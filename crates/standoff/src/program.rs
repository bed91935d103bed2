//! What the words after `run` mean: a launcher, Python, or an executable.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::proc;

/// Names of programs that start parallel jobs. A suffix as in `mpiexec.hydra` or `mpirun-openmpi-mp` does not matter.
const LAUNCHERS: &[&str] = &[
    "mpiexec",
    "mpirun",
    "orterun",
    "prterun",
    "prun",
    "oshrun",
    "srun",
    "aprun",
    "jsrun",
    "lrun",
    "flux",
    "ibrun",
    "ccc_mprun",
    "runjob",
    "poe",
    "palsrun",
    "mpirun_rsh",
    "mpiexec_mpt",
    "yhrun",
];

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// A command line that starts the job itself, as the user typed it.
    Typed(Vec<OsString>),
    /// One program.
    Program(Program),
}

/// One program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The words to start it with. For [`Kind::Python`], without the interpreter.
    pub words: Vec<OsString>,
    /// What it is.
    pub kind: Kind,
}

/// What a program is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Arguments for a Python interpreter that is still to be found.
    Python,
    /// An executable that is, or starts with, this Python interpreter.
    WithPython(PathBuf),
    /// An executable file.
    Executable(PathBuf),
}

/// Whether this word is a launcher.
pub fn is_launcher(word: &OsStr) -> bool {
    let Some(name) = Path::new(word).file_name().and_then(OsStr::to_str) else {
        return false;
    };
    let stem = name.split(['.', '-']).next().unwrap_or(name);
    LAUNCHERS.contains(&name)
        || (LAUNCHERS.contains(&stem) && !name.ends_with(".py") && !name.ends_with(".sh"))
}

/// Sorts out `words` (not empty) and checks that what they name is there.
pub fn classify(words: Vec<OsString>) -> Result<Job, Error> {
    let first = &words[0];
    if is_launcher(first) {
        if proc::on_path(first).is_empty() {
            return Err(not_found(first));
        }
        return Ok(Job::Typed(words));
    }
    let kind = kind(first)?;
    Ok(Job::Program(Program { words, kind }))
}

fn kind(first: &OsStr) -> Result<Kind, Error> {
    let bytes = first.as_bytes();
    if bytes.starts_with(b"-m") || bytes.starts_with(b"-c") {
        return Ok(Kind::Python);
    }
    if bytes.ends_with(b".py") || bytes.ends_with(b".pyz") {
        // Python takes a directory too, but not one of this name by accident.
        return if Path::new(first).exists() {
            Ok(Kind::Python)
        } else {
            Err(not_found(first))
        };
    }
    let Some(path) = proc::on_path(first).into_iter().next() else {
        let path = Path::new(first);
        if !bytes.contains(&b'/') || !path.exists() {
            return Err(not_found(first));
        }
        return Err(Error::NotExecutable {
            program: first.to_string_lossy().into_owned(),
            why: if path.is_dir() {
                "it is a directory".into()
            } else {
                "no permission".into()
            },
        });
    };
    if is_python(&path) {
        return Ok(Kind::WithPython(path));
    }
    Ok(match python_of_script(&path) {
        Some(python) => Kind::WithPython(python),
        None => Kind::Executable(path),
    })
}

fn not_found(word: &OsStr) -> Error {
    Error::ProgramNotFound {
        program: word.to_string_lossy().into_owned(),
        here: !word.as_bytes().contains(&b'/') && proc::executable(Path::new(word)),
    }
}

/// `python`, `python3`, `python3.14t`, `pypy3`.
pub fn is_python(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let version = name
        .strip_prefix("python")
        .or_else(|| name.strip_prefix("pypy"));
    version.is_some_and(|v| {
        v.trim_end_matches('t')
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'.')
    })
}

/// The interpreter of a script that begins with `#!…python…`.
fn python_of_script(path: &Path) -> Option<PathBuf> {
    let mut head = [0; 512];
    let read = std::fs::File::open(path).ok()?.read(&mut head).ok()?;
    let line = head[..read]
        .strip_prefix(b"#!")?
        .split(|&b| b == b'\n')
        .next()?;
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace();
    let mut interpreter = Path::new(words.next()?);
    if interpreter.file_name() == Some(OsStr::new("env")) {
        interpreter = Path::new(words.find(|word| !word.starts_with('-') && !word.contains('='))?);
    }
    let found = proc::on_path(interpreter.as_os_str()).into_iter().next()?;
    is_python(&found).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launchers() {
        for name in [
            "mpiexec",
            "/opt/x/bin/mpirun",
            "mpiexec.hydra",
            "mpiexec.openmpi",
            "srun",
            "flux",
            "mpirun-mpich-mp",
        ] {
            assert!(is_launcher(OsStr::new(name)), "{name}");
        }
        for name in [
            "python",
            "mpiexec.py",
            "./mpirun.sh",
            "a.out",
            "srunner",
            "-m",
            "-c",
        ] {
            assert!(!is_launcher(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn pythons() {
        for name in ["python", "/usr/bin/python3", "python3.14t", "pypy3"] {
            assert!(is_python(Path::new(name)), "{name}");
        }
        for name in ["python3-config", "ipython", "pythonic"] {
            assert!(!is_python(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn words() {
        let kind_of = |word: &str| kind(OsStr::new(word));
        assert_eq!(kind_of("-m").unwrap(), Kind::Python);
        assert_eq!(kind_of("-cprint()").unwrap(), Kind::Python);
        assert!(matches!(
            kind_of("nowhere.py"),
            Err(Error::ProgramNotFound { .. })
        ));
        assert!(matches!(
            kind_of("no-such-program-anywhere"),
            Err(Error::ProgramNotFound { .. })
        ));
        assert!(matches!(kind_of("/"), Err(Error::NotExecutable { .. })));
        assert!(matches!(kind_of("/bin/sh").unwrap(), Kind::Executable(_)));
    }

    #[test]
    fn scripts() {
        let dir = tempfile::tempdir().unwrap();
        let python = dir.path().join("python3");
        let tool = dir.path().join("tool");
        for (file, text) in [
            (&python, "#!/bin/sh\n".to_owned()),
            (&tool, format!("#!{}\nprint()\n", python.display())),
        ] {
            use std::os::unix::fs::PermissionsExt;
            std::fs::write(file, text).unwrap();
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        assert_eq!(kind(tool.as_os_str()).unwrap(), Kind::WithPython(python));
    }
}
