//! Which of the words is the program that is to be patched.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use standoff_fix::Language;

use super::copy::Program;
use crate::error::Error;
use crate::proc;
use crate::program;

/// Modules that run the script that follows them.
const RUNNERS: &[&str] = &["mpi4py", "mpi4py.run"];
/// Options of Python that take the next word.
const WITH_WORD: &[&str] = &["-W", "-X", "--check-hash-based-pycs"];

/// A module that `python -m` starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// As typed: `package.module`.
    pub name: String,
    /// The file that runs.
    pub path: PathBuf,
    /// The directory from which it is imported.
    pub root: PathBuf,
}

impl Module {
    /// Looks where Python would, but for its own installation: what is installed is not patched.
    fn find(name: &str, places: &[PathBuf]) -> Option<Module> {
        let inner: PathBuf = name.split('.').collect();
        let found = |root: &PathBuf| {
            let package = root.join(&inner).join("__main__.py");
            let plain = root.join(&inner).with_extension("py");
            let path = [package, plain].into_iter().find(|p| p.is_file())?;
            Some(Module {
                name: name.to_owned(),
                path: path.canonicalize().ok()?,
                root: root.canonicalize().ok()?,
            })
        };
        places.iter().find_map(found)
    }
}

/// What Python is told to start: a word, or a module and how many words name it.
#[derive(Debug, PartialEq, Eq)]
enum Start {
    Script(usize),
    Module {
        at: usize,
        words: usize,
        name: String,
    },
    Code,
}

/// `words` from `at` on, behind an interpreter or instead of one.
fn start(words: &[OsString], mut at: usize) -> Option<Start> {
    loop {
        let word = words.get(at)?;
        let bytes = word.as_bytes();
        if bytes.starts_with(b"-c") {
            return Some(Start::Code);
        }
        if let Some(rest) = bytes.strip_prefix(b"-m") {
            let (name, count) = match rest {
                [] => (words.get(at + 1)?.as_os_str(), 2),
                name => (OsStr::from_bytes(name), 1),
            };
            let name = name.to_str()?.to_owned();
            if RUNNERS.contains(&name.as_str()) {
                at += count;
                continue;
            }
            return Some(Start::Module {
                at,
                words: count,
                name,
            });
        }
        if !bytes.starts_with(b"-") {
            return Some(Start::Script(at));
        }
        at += match WITH_WORD.iter().any(|o| word == *o) {
            true => 2,
            false => 1,
        };
    }
}

fn is_script(word: &OsStr) -> bool {
    Path::new(word).extension() == Some(OsStr::new("py")) && Path::new(word).is_file()
}

/// Finds it. `here`: the directories in which Python looks for modules first.
pub fn find(words: &[OsString], here: &[PathBuf]) -> Result<Program, Error> {
    let first = words.first().map(OsString::as_os_str).unwrap_or_default();
    let launcher = program::is_launcher(first);
    let python = |w: &OsString| {
        let name = Path::new(w).file_name().unwrap_or_default();
        program::is_python(Path::new(name))
    };
    let told = match words.iter().position(python) {
        Some(at) => start(words, at + 1),
        None if launcher => None,
        None => start(words, 0),
    };
    let make = |at: usize, path: PathBuf, language| {
        let path = path
            .canonicalize()
            .map_err(super::copy::failed("cannot find the program"))?;
        let root = path.parent().unwrap_or(Path::new("/")).to_owned();
        Ok(Program {
            words: words.to_vec(),
            at,
            named: 1,
            root,
            module: None,
            path,
            language,
        })
    };
    match told {
        Some(Start::Code) => {
            return Err(Error::Fix(
                "code that is given with -c is in no file that could be patched: put it into one"
                    .into(),
            ));
        }
        Some(Start::Module {
            at,
            words: named,
            name,
        }) => {
            let Some(module) = Module::find(&name, here) else {
                return Err(Error::Fix(format!(
                    "the module {name} is neither in the current directory nor in PYTHONPATH, and what is installed is not patched"
                )));
            };
            return Ok(Program {
                words: words.to_vec(),
                at,
                named,
                root: module.root,
                module: Some(module.name),
                path: module.path,
                language: Language::Python,
            });
        }
        Some(Start::Script(at)) if is_script(&words[at]) => {
            return make(at, PathBuf::from(&words[at]), Language::Python);
        }
        _ => {}
    }
    if let Some(at) = words.iter().position(|w| is_script(w)) {
        return make(at, PathBuf::from(&words[at]), Language::Python);
    }
    let found = words
        .iter()
        .enumerate()
        .skip(usize::from(launcher))
        .find_map(|(n, w)| {
            let path = match w.to_string_lossy().contains('/') {
                true => Some(PathBuf::from(w)).filter(|p| proc::executable(p)),
                false => proc::on_path(w).into_iter().next(),
            };
            Some((n, path?))
        });
    match found {
        Some((at, path)) => make(at, path, Language::C),
        None => Err(Error::Fix(
            "which of the words is the program cannot be told".into(),
        )),
    }
}

/// The current directory and what `PYTHONPATH` names.
pub fn places() -> Vec<PathBuf> {
    let more = std::env::var_os("PYTHONPATH").unwrap_or_default();
    let more: Vec<PathBuf> = std::env::split_paths(&more)
        .filter(|p| !p.as_os_str().is_empty())
        .collect();
    std::env::current_dir().into_iter().chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn what_python_starts() {
        let module = |at, words, name: &str| {
            let name = name.to_owned();
            Some(Start::Module { at, words, name })
        };
        assert_eq!(start(&words("-m a.b 3"), 0), module(0, 2, "a.b"));
        assert_eq!(
            start(&words("python -u -X dev -ma.b"), 1),
            module(4, 1, "a.b")
        );
        assert_eq!(start(&words("x.py -m 3"), 0), Some(Start::Script(0)));
        assert_eq!(
            start(&words("python -m mpi4py x.py -c 3"), 1),
            Some(Start::Script(3))
        );
        assert_eq!(start(&words("-c print()"), 0), Some(Start::Code));
        assert_eq!(start(&words("python -u"), 1), None);
    }

    #[test]
    fn modules() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("pkg/sub")).unwrap();
        for file in ["pkg/run.py", "pkg/sub/__main__.py", "alone.py"] {
            std::fs::write(root.join(file), "").unwrap();
        }
        let places = [PathBuf::from("/nowhere"), root.clone()];
        let path = |name: &str| Module::find(name, &places).map(|m| m.path);
        assert_eq!(path("alone"), Some(root.join("alone.py")));
        assert_eq!(path("pkg.run"), Some(root.join("pkg/run.py")));
        assert_eq!(path("pkg.sub"), Some(root.join("pkg/sub/__main__.py")));
        assert_eq!(path("pkg"), None);
        assert_eq!(find(&words("-m pkg.run"), &places).unwrap().root, root);
        assert!(find(&words("python3 -m nothing"), &places).is_err());
        // Not an option of Python's.
        assert_eq!(
            find(&words("mpiexec -m 2 /bin/true"), &places).unwrap().at,
            3
        );
    }
}
