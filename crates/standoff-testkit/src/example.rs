//! The example programs.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::header::{Header, Need};
use crate::workspace;

/// Languages of examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// Compiled with the environment's `mpicc`.
    C,
    /// C++, compiled with the environment's `mpicxx`.
    Cpp,
    /// Compiled with the environment's `mpifort`.
    Fortran,
    /// Run with the environment's `python`.
    Python,
    /// Built by cargo, with rsmpi (the crate `mpi`), for the environment's `mpicc`.
    Rust,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 5] = [
        Language::C,
        Language::Cpp,
        Language::Fortran,
        Language::Python,
        Language::Rust,
    ];

    /// The directory under `examples/`, and the word in the names of tests.
    pub fn name(self) -> &'static str {
        match self {
            Language::C => "c",
            Language::Cpp => "cpp",
            Language::Fortran => "fortran",
            Language::Python => "python",
            Language::Rust => "rust",
        }
    }

    /// Where its source files are, below `examples/`.
    fn directory(self) -> &'static str {
        match self {
            // A package: each file is a program of it.
            Language::Rust => "rust/src/bin",
            other => other.name(),
        }
    }

    /// The suffix of its source files.
    fn suffix(self) -> &'static str {
        match self {
            Language::C => "c",
            Language::Cpp => "cpp",
            Language::Fortran => "f90",
            Language::Python => "py",
            Language::Rust => "rs",
        }
    }
}

/// One example.
#[derive(Clone, Debug)]
pub struct Example {
    /// Its name: the file name without the suffix.
    pub name: String,
    /// Its language.
    pub language: Language,
    /// Its source file.
    pub source: PathBuf,
    /// What it promises, or why that cannot be read.
    pub header: Result<Header, String>,
}

impl Example {
    /// All examples of the workspace, in order. A source file without a header is one, too (and fails), unless its name
    /// starts with an underscore.
    pub fn all() -> Vec<Example> {
        Language::ALL
            .into_iter()
            .flat_map(|language| {
                let directory = workspace().join("examples").join(language.directory());
                Example::within(&directory, language)
            })
            .collect()
    }

    fn within(directory: &Path, language: Language) -> Vec<Example> {
        let mut sources: Vec<PathBuf> = std::fs::read_dir(directory)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                path.extension()
                    .is_some_and(|suffix| suffix == language.suffix())
            })
            .collect();
        sources.sort();
        sources
            .into_iter()
            .filter_map(|source| {
                let name = source.file_stem()?.to_str()?.to_owned();
                let header = std::fs::read_to_string(&source)
                    .map_err(|e| e.to_string())
                    .and_then(|text| Header::parse(&text).map_err(|e| e.to_string()));
                (!name.starts_with('_')).then_some(Example {
                    name,
                    language,
                    source,
                    header,
                })
            })
            .collect()
    }

    /// Whether it is meant for this environment. One with an unreadable header is for all, so that each test says so.
    pub fn is_for(&self, environment: &Environment) -> bool {
        match self.language {
            Language::Python if environment.without_python() => return false,
            Language::Fortran if environment.without_fortran() => return false,
            _ => {}
        }
        match &self.header {
            Ok(header) => {
                let family = environment.family();
                let families = &header.families;
                (families.is_empty() || families.iter().any(|wanted| wanted == family))
                    && !(header.needs.contains(&Need::Mpi4)
                        && crate::compile::before_mpi_4(environment))
            }
            Err(_) => true,
        }
    }

    /// Whether it says what `standoff check` must find.
    pub fn is_checked(&self) -> bool {
        self.header.as_ref().is_ok_and(|h| h.check.is_some())
    }

    /// The name of its test: `mpich::python::opening`.
    pub fn test_name(&self, environment: &Environment) -> String {
        format!(
            "{}::{}::{}",
            environment.name,
            self.language.name(),
            self.name
        )
    }
}

#[cfg(test)]
mod tests {
    use standoff_report::Verdict;

    use super::*;

    #[test]
    fn every_header_is_readable_and_every_cure_is_clean() {
        let all = Example::all();
        for example in &all {
            let place = example.source.display();
            let header = example
                .header
                .as_ref()
                .unwrap_or_else(|e| panic!("{place}: {e}"));
            for cure in &header.cured {
                let stem = Path::new(cure).file_stem().unwrap_or_default();
                let twin = all
                    .iter()
                    .find(|other| other.language == example.language && *other.name == *stem)
                    .unwrap_or_else(|| panic!("{place}: its cure {cure} does not exist"));
                let expected = twin.header.as_ref().map(|header| header.expect);
                assert_eq!(
                    expected,
                    Ok(Verdict::Clean),
                    "{place}: its cure {cure} is not clean"
                );
                let said = |h: &Header| h.check.as_ref().map(|check| check.verdict);
                if said(header) == Some(Verdict::PotentialDeadlock) {
                    let cure = twin.header.as_ref().map(said);
                    assert_eq!(cure, Ok(Some(Verdict::Clean)), "{place}: its cure");
                }
            }
        }
    }
}
