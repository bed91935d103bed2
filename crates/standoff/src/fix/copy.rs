//! A copy of a program with patched files, made so that imports and data files keep working.
//!
//! *Python*: a directory in which everything that stands beside the script is linked, but for the patched files and the script itself (Python looks
//! for modules where the script really is), which are files. The working directory stays the user's. A patched module outside of the script's
//! directory gets such a directory of its own, in front of `PYTHONPATH`. What `-m` names is started by a script of ours, which imports from the copy. Nothing is written through the links: `__pycache__` is left out.
//!
//! *C*: a copy, not links (a build writes beside its sources), of the current directory, in which the source is compiled again: by `--build`, else
//! by `mpicc` alone.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use standoff_fix::Language;
use standoff_report::Finding;
use tempfile::TempDir;

use crate::error::Error;
use crate::monitor::stacks::relative;

/// Bytes and files that are copied at most.
const MOST: (u64, u32) = (64 << 20, 5000);

/// What is to be patched: which of the words is the program, and what it is.
#[derive(Clone, Debug)]
pub struct Program {
    pub(super) words: Vec<OsString>,
    /// The words that name it begin here.
    pub(super) at: usize,
    /// So many: `-m` and a module are two.
    pub(super) named: usize,
    /// The directory from which Python imports what belongs to it.
    pub(super) root: PathBuf,
    /// The module that `-m` names.
    pub(super) module: Option<String>,
    /// The script or executable, as it is found.
    pub path: PathBuf,
    /// What its sources are written in.
    pub language: Language,
}

/// Texts of patched files, by their real paths.
pub type Texts = BTreeMap<PathBuf, String>;

/// A patched program, there until this is dropped.
#[derive(Debug)]
pub struct Copy {
    dir: TempDir,
    /// The command.
    pub words: Vec<OsString>,
    /// Variables that it needs.
    pub env: Vec<(OsString, OsString)>,
}

impl Copy {
    /// Calls files of the copy what they are copies of.
    pub fn rename(&self, program: &Program, finding: &mut Finding) {
        let here = self.dir.path().join("program");
        let cwd = std::env::current_dir().unwrap_or_default();
        let root = &program.root;
        let entries = finding.core.iter_mut().chain(&mut finding.victims);
        let stacks = entries.map(|e| &mut e.stack);
        for stack in stacks.chain(finding.causes.iter_mut().map(|c| &mut c.stack)) {
            for frame in stack.iter_mut() {
                let file = frame.file.as_deref().map(|f| cwd.join(f));
                let inner = file.as_deref().and_then(|f| f.strip_prefix(&here).ok());
                if let Some(inner) = inner {
                    frame.file = Some(root.join(inner).to_string_lossy().into_owned());
                }
            }
            relative(stack);
        }
    }

    /// A file for the program's output.
    pub fn output(&self) -> PathBuf {
        self.dir.path().join("output")
    }
}

pub(super) fn failed(what: &str) -> impl Fn(io::Error) -> Error + '_ {
    move |error| Error::Fix(format!("{what}: {error}"))
}

impl Program {
    /// Finds it among the words.
    pub fn find(words: &[OsString]) -> Result<Program, Error> {
        super::which::find(words, &super::which::places())
    }

    /// A copy with these texts.
    pub fn copy(&self, texts: &Texts, build: Option<&str>) -> Result<Copy, Error> {
        let cannot = failed("cannot make a copy of the program");
        let dir = tempfile::Builder::new()
            .prefix("standoff-fix-")
            .tempdir()
            .map_err(&cannot)?;
        let (at, env) = match self.language {
            Language::Python => self.linked(texts, dir.path()).map_err(&cannot)?,
            Language::C => (self.built(texts, dir.path(), build)?, Vec::new()),
        };
        let mut words = self.words.clone();
        words.splice(self.at..self.at + self.named, [at.into()]);
        Ok(Copy { dir, words, env })
    }

    fn linked(
        &self,
        texts: &Texts,
        dir: &Path,
    ) -> io::Result<(PathBuf, Vec<(OsString, OsString)>)> {
        let root = &self.root;
        let mut all = Texts::new();
        all.insert(self.path.clone(), fs::read_to_string(&self.path)?);
        all.extend(texts.clone());
        let here = dir.join("program");
        mirror(root, &here, &all)?;
        let mut path = Vec::new();
        for file in texts.keys().filter(|f| !f.starts_with(root)) {
            // Where the package begins.
            let mut top = file.parent().unwrap_or(Path::new("/"));
            while top.join("__init__.py").is_file()
                && let Some(up) = top.parent()
            {
                top = up;
            }
            let copy = dir.join(format!("path{}", path.len()));
            mirror(top, &copy, texts)?;
            path.push(copy);
        }
        let mut env = Vec::new();
        if !path.is_empty() {
            let old = std::env::var_os("PYTHONPATH").unwrap_or_default();
            let old = std::env::split_paths(&old).filter(|p| !p.as_os_str().is_empty());
            path.extend(old);
            let joined = std::env::join_paths(path).map_err(io::Error::other)?;
            env.push(("PYTHONPATH".into(), joined));
        }
        let start = match &self.module {
            Some(module) => {
                // Alone in its directory, which Python looks through for modules.
                let alone = dir.join("start");
                fs::create_dir(&alone)?;
                let start = alone.join("__standoff__.py");
                fs::write(&start, starter(module, &here, root))?;
                start
            }
            None => here.join(self.path.file_name().unwrap_or_default()),
        };
        Ok((start, env))
    }

    fn built(&self, texts: &Texts, dir: &Path, build: Option<&str>) -> Result<PathBuf, Error> {
        let cannot = failed("cannot make a copy of the program");
        let here = std::env::current_dir()
            .and_then(|d| d.canonicalize())
            .map_err(&cannot)?;
        let Some(source) = texts.keys().next() else {
            return Err(Error::Fix("no source".into()));
        };
        let root = match (build, source.parent()) {
            (None, Some(parent)) => parent.to_owned(),
            _ => here,
        };
        let tree = dir.join("program");
        let outside = |path: &Path| {
            Error::Fix(format!(
                "{} is not below {}",
                path.display(),
                root.display()
            ))
        };
        let inner = source.strip_prefix(&root).map_err(|_| outside(source))?;
        let mut command = match build {
            Some(text) => {
                duplicate(&root, &tree, &mut (0, 0)).map_err(&cannot)?;
                let mut command = Command::new("sh");
                command.arg("-c").arg(text);
                command
            }
            None => {
                fs::create_dir_all(&tree).map_err(&cannot)?;
                let mut command = Command::new("mpicc");
                let name = inner.file_name().unwrap_or_default();
                command
                    .arg("-g")
                    .arg("-I")
                    .arg(&root)
                    .arg(tree.join(name))
                    .arg("-o")
                    .arg("patched")
                    .arg("-lm");
                command
            }
        };
        for (path, text) in texts {
            let inner = path.strip_prefix(&root).map_err(|_| outside(path))?;
            fs::write(tree.join(inner), text).map_err(&cannot)?;
        }
        let done = command.current_dir(&tree).stdin(Stdio::null()).output();
        let done = done.map_err(failed(
            "cannot start the compiler (`mpicc`, or that of --build)",
        ))?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            let line = said
                .lines()
                .find(|l| l.contains("error") || l.contains("undefined"));
            let line = line.or(said.lines().next()).unwrap_or("it says nothing");
            let help = if build.is_none() {
                "; say how the program is compiled with --build"
            } else {
                ""
            };
            return Err(Error::Fix(format!(
                "the patched source does not compile: {line}{help}"
            )));
        }
        match build {
            None => Ok(tree.join("patched")),
            Some(_) => {
                let program = self.path.strip_prefix(&root);
                program
                    .map(|p| tree.join(p))
                    .map_err(|_| outside(&self.path))
            }
        }
    }
}

/// A script that starts a module as `python -m` does, but imports from `here` instead of `root`.
fn starter(module: &str, here: &Path, root: &Path) -> String {
    // Quoted as JSON, which Python reads the same way.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let here = quoted(&here.to_string_lossy());
    let cwd = std::env::current_dir().and_then(|d| d.canonicalize());
    let places = match cwd.is_ok_and(|d| d == root) {
        true => format!("{here}, os.getcwd()"),
        false => format!("os.getcwd(), {here}"),
    };
    let name = quoted(module);
    format!(
        "import os, runpy, sys\nsys.path[0:1] = [{places}]\nrunpy.run_module({name}, run_name='__main__', alter_sys=True)\n"
    )
}

/// A directory that shows another, with some files' texts replaced.
fn mirror(from: &Path, to: &Path, texts: &Texts) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if name == "__pycache__" {
            continue;
        }
        if let Some(text) = texts.get(&path) {
            fs::write(to.join(&name), text)?;
        } else if texts.keys().any(|t| t.starts_with(&path)) {
            mirror(&path, &to.join(&name), texts)?;
        } else {
            symlink(&path, to.join(&name))?;
        }
    }
    Ok(())
}

fn duplicate(from: &Path, to: &Path, so_far: &mut (u64, u32)) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            // Not itself, where the temporary directory is below the current one.
            if entry.file_name() != ".git" && !to.starts_with(entry.path()) {
                duplicate(&entry.path(), &target, so_far)?;
            }
            continue;
        }
        let meta = fs::metadata(entry.path());
        let Ok(meta) = meta.and_then(|m| {
            if m.is_file() {
                Ok(m)
            } else {
                Err(io::ErrorKind::Other.into())
            }
        }) else {
            continue;
        };
        *so_far = (so_far.0 + meta.len(), so_far.1 + 1);
        if so_far.0 > MOST.0 || so_far.1 > MOST.1 {
            return Err(io::Error::other(
                "the current directory is larger than 64 MiB or 5000 files",
            ));
        }
        fs::copy(entry.path(), target)?;
    }
    Ok(())
}
