//! Which Python starts `.py` files, and which MPI its mpi4py loads.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::Error;
use crate::mpi::MpiLibrary;
use crate::proc;

/// Where an interpreter came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `--python`.
    Option,
    /// The active venv or conda environment, named by this variable.
    Environment(&'static str),
    /// `python3` on PATH.
    Path,
    /// The Python in whose environment standoff is installed.
    Own,
}

/// Finds the interpreter: `--python`, else the active environment's, else `python3` on PATH, else the one that
/// standoff is installed with.
pub fn find(option: Option<&Path>) -> Result<(PathBuf, Origin), Error> {
    if let Some(given) = option {
        let Some(found) = proc::on_path(given.as_os_str()).into_iter().next() else {
            return Err(Error::BadPython {
                python: given.into(),
                why: "no such executable".into(),
            });
        };
        return Ok((found, Origin::Option));
    }
    for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        let Some(prefix) = std::env::var_os(variable).filter(|p| !p.is_empty()) else {
            continue;
        };
        if let Some(python) = in_bin(&Path::new(&prefix).join("bin")) {
            return Ok((python, Origin::Environment(variable)));
        }
    }
    if let Some(python) = proc::on_path("python3".as_ref()).into_iter().next() {
        return Ok((python, Origin::Path));
    }
    let own = std::env::current_exe().ok();
    let own = own.as_deref().and_then(Path::parent).and_then(in_bin);
    own.map(|python| (python, Origin::Own))
        .ok_or(Error::NoPython)
}

fn in_bin(bin: &Path) -> Option<PathBuf> {
    ["python", "python3"]
        .iter()
        .map(|name| bin.join(name))
        .find(|file| proc::executable(file))
}

/// What an interpreter says about its MPI.
#[derive(Clone, Debug)]
pub struct Mpi4py {
    /// Version of Python.
    pub python: String,
    /// Version of mpi4py.
    pub version: String,
    /// What mpi4py loaded.
    pub library: MpiLibrary,
}

/// Loads mpi4py, without initializing MPI, and says which files are mapped then. The current directory is taken off
/// the module path, as `-c` puts it there and a script does not.
const QUESTION: &str = r#"
import sys
if sys.path and sys.path[0] == "": del sys.path[0]
import mpi4py
mpi4py.rc.initialize = False
mpi4py.rc.finalize = False
from mpi4py import MPI
say = lambda key, value: print("standoff:" + key + "=" + value.strip("\0\n"))
say("python", sys.version.split()[0])
say("mpi4py", mpi4py.__version__)
say("version", " ".join(MPI.Get_library_version().splitlines()[0].split()))
say("prefix", sys.prefix)
for path in sorted({line.split(None, 5)[5].strip() for line in open("/proc/self/maps", errors="surrogateescape") if line.count("/")}):
    if "libmpi" in path.rsplit("/", 1)[-1]: say("map", path)
"#;

/// Asks `python` which MPI its mpi4py loads.
pub fn mpi4py(python: &Path) -> Result<Mpi4py, Error> {
    let mut question = Command::new(python);
    question
        .arg("-c")
        .arg(QUESTION)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    // A minute, for a cold network file system.
    let said = proc::ask(&mut question, Duration::from_secs(60)).map_err(|e| Error::BadPython {
        python: python.into(),
        why: e.to_string(),
    })?;
    if !said.status.success() {
        return Err(Error::NoMpi4py {
            python: python.into(),
            why: said.complaint(),
        });
    }
    parse(&said.out).ok_or_else(|| Error::NoMpi4py {
        python: python.into(),
        why: "its MPI library is not to be seen in the process".into(),
    })
}

fn parse(out: &str) -> Option<Mpi4py> {
    let answers: Vec<(&str, &str)> = out
        .lines()
        .filter_map(|line| line.strip_prefix("standoff:")?.split_once('='))
        .collect();
    let answer = |key: &str| {
        answers
            .iter()
            .find(|(k, _)| *k == key)
            .map(|(_, v)| (*v).to_owned())
    };
    let maps = answers
        .iter()
        .filter(|(k, _)| *k == "map")
        .map(|(_, v)| PathBuf::from(v));
    let mut library = MpiLibrary::among(maps)?;
    library.version = answer("version");
    library.prefix = answer("prefix").map(PathBuf::from);
    if let Some(version) = &library.version {
        library.family = crate::mpi::Family::of_version(version).unwrap_or(library.family);
    }
    Some(Mpi4py {
        python: answer("python")?,
        version: answer("mpi4py")?,
        library,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_python_must_exist() {
        assert!(matches!(
            find(Some(Path::new("/no/python"))),
            Err(Error::BadPython { .. })
        ));
        let (found, origin) = find(Some(Path::new("/bin/sh"))).unwrap();
        assert_eq!(
            (found.as_path(), origin),
            (Path::new("/bin/sh"), Origin::Option)
        );
    }

    #[test]
    fn no_library_among_the_maps() {
        assert!(parse("noise\nstandoff:python=3.11.7\nstandoff:mpi4py=4.1.2\n").is_none());
    }

    #[test]
    fn a_python_without_mpi4py() {
        // `sh -c QUESTION` fails as a Python without mpi4py does.
        assert!(matches!(
            mpi4py(Path::new("/bin/sh")),
            Err(Error::NoMpi4py { .. })
        ));
    }
}
