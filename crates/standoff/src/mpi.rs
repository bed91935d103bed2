//! Which MPI a program loads.

use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use memchr::memmem;
use object::{Object, ObjectSymbol};
use standoff_report::Abi;

use crate::error::Error;
use crate::proc;

/// Whose MPI it is; decides about the launcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// MPICH and what is built from it (Cray MPICH, MVAPICH).
    Mpich,
    /// Intel MPI.
    Intel,
    /// Open MPI.
    OpenMpi,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::Mpich => "MPICH",
            Family::Intel => "Intel MPI",
            Family::OpenMpi => "Open MPI",
        })
    }
}

impl Family {
    /// From what `MPI_Get_library_version` says.
    pub fn of_version(text: &str) -> Option<Family> {
        if text.contains("Open MPI") {
            Some(Family::OpenMpi)
        } else if text.contains("Intel(R) MPI") {
            Some(Family::Intel)
        } else if text.contains("MPICH") || text.contains("MVAPICH") {
            Some(Family::Mpich)
        } else {
            None
        }
    }

    /// Whether a launcher of family `self` starts ranks of `library`. MPICH's and Intel's launchers speak the same
    /// protocol (PMI-1) and start each other's programs.
    pub fn starts(self, library: Family) -> bool {
        (self == Family::OpenMpi) == (library == Family::OpenMpi)
    }
}

/// An MPI library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MpiLibrary {
    /// The file, as the loader names it.
    pub path: PathBuf,
    /// Whose it is.
    pub family: Family,
    /// Its binary interface.
    pub abi: Abi,
    /// First line of `MPI_Get_library_version`, if it was asked.
    pub version: Option<String>,
    /// Where the Python environment that loaded it is installed.
    pub prefix: Option<PathBuf>,
}

impl fmt::Display for MpiLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.family, self.path.display())
    }
}

impl MpiLibrary {
    /// The MPI library among these files: the first that defines `MPI_Init`, C libraries (`libmpi.so`,
    /// `libmpich.so`, `libmpi_abi.so`) before others of similar names.
    pub fn among(files: impl IntoIterator<Item = PathBuf>) -> Option<MpiLibrary> {
        let mut candidates: Vec<(u8, PathBuf)> = files
            .into_iter()
            .filter_map(|file| Some((likeliness(file.file_name()?.to_str()?)?, file)))
            .collect();
        candidates.sort_by_key(|(likeliness, _)| *likeliness);
        candidates
            .into_iter()
            .find_map(|(_, file)| Self::read(&file))
    }

    /// Looks into a file. `None` if it does not define `MPI_Init`.
    pub fn read(path: &Path) -> Option<MpiLibrary> {
        let bytes = fs::read(path).ok()?;
        let file = object::File::parse(&*bytes).ok()?;
        let defines = |name: &str| {
            file.dynamic_symbols()
                .any(|s| s.is_definition() && s.name() == Ok(name))
        };
        if !defines("MPI_Init") {
            return None;
        }
        let holds = |text: &str| memmem::find(&bytes, text.as_bytes()).is_some();
        let family = if defines("ompi_mpi_comm_world") || holds("Open MPI v") {
            Family::OpenMpi
        } else if holds("Intel(R) MPI Library") {
            Family::Intel
        } else {
            Family::Mpich
        };
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        let abi = if name.starts_with("libmpi_abi.") {
            Abi::Standard
        } else if family == Family::OpenMpi {
            Abi::Openmpi
        } else {
            Abi::Mpich
        };
        Some(MpiLibrary {
            path: path.into(),
            family,
            abi,
            version: None,
            prefix: None,
        })
    }
}

/// How likely it is that a file of this name is the C library of an MPI; lower is likelier.
fn likeliness(name: &str) -> Option<u8> {
    let (stem, _) = name.split_once(".so")?;
    match stem {
        "libmpi" | "libmpich" | "libmpi_abi" => Some(0),
        _ if stem.starts_with("libmpi") => Some(1),
        _ => None,
    }
}

/// What an executable has to do with MPI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linked {
    /// It loads this library.
    Shared(MpiLibrary),
    /// It contains the library.
    Static,
    /// Nothing, as far as can be seen: a script, or it loads MPI later, or never.
    Unknown,
}

/// Which MPI the executable at `path` loads when it starts.
pub fn of_executable(path: &Path) -> Result<Linked, Error> {
    let mut magic = [0; 4];
    let is_elf = fs::File::open(path)
        .and_then(|mut f| f.read_exact(&mut magic))
        .is_ok()
        && magic == *b"\x7fELF";
    if !is_elf {
        return Ok(Linked::Unknown);
    }
    let bad = |why: String| Error::NotExecutable {
        program: path.display().to_string(),
        why,
    };
    let bytes = fs::read(path).map_err(|e| bad(e.to_string()))?;
    let file = object::File::parse(&*bytes).map_err(|e| bad(e.to_string()))?;
    // Asked of the loader by name, and not by LD_TRACE_LOADED_OBJECTS, with which an executable that has no loader,
    // or another one than glibc's, would simply run.
    if let Some(loader) = loader(&bytes) {
        let mut list = Command::new(&loader);
        list.arg("--list").arg(path).env_remove("LD_PRELOAD");
        if let Ok(said) = proc::ask(&mut list, Duration::from_secs(30)) {
            let files = said.out.lines().filter_map(|line| {
                let (_, rest) = line.split_once("=> ")?;
                Some(PathBuf::from(rest.rsplit_once(" (")?.0))
            });
            if let Some(library) = MpiLibrary::among(files) {
                return Ok(Linked::Shared(library));
            }
        }
    }
    let contains = |name: &str| {
        file.symbols()
            .chain(file.dynamic_symbols())
            .any(|s| s.is_definition() && s.name() == Ok(name))
    };
    Ok(if contains("MPI_Init") || contains("PMPI_Init") {
        Linked::Static
    } else {
        Linked::Unknown
    })
}

/// The program interpreter that an executable names: the contents of its PT_INTERP segment.
fn loader(bytes: &[u8]) -> Option<PathBuf> {
    use object::elf::{FileHeader32, FileHeader64, PT_INTERP};
    use object::read::elf::{FileHeader, ProgramHeader};
    fn find<H: FileHeader<Endian = object::Endianness>>(bytes: &[u8]) -> Option<PathBuf> {
        use std::os::unix::ffi::OsStrExt;
        let header = H::parse(bytes).ok()?;
        let endian = header.endian().ok()?;
        let segments = header.program_headers(endian, bytes).ok()?;
        let segment = segments.iter().find(|s| s.p_type(endian) == PT_INTERP)?;
        let text = segment
            .data(endian, bytes)
            .ok()?
            .split(|&b| b == 0)
            .next()?;
        Some(PathBuf::from(std::ffi::OsStr::from_bytes(text)))
    }
    match object::FileKind::parse(bytes).ok()? {
        object::FileKind::Elf32 => find::<FileHeader32<object::Endianness>>(bytes),
        object::FileKind::Elf64 => find::<FileHeader64<object::Endianness>>(bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families() {
        assert_eq!(
            Family::of_version("Open MPI v5.0.11, package: x"),
            Some(Family::OpenMpi)
        );
        assert_eq!(
            Family::of_version("MPICH Version:      5.0.2"),
            Some(Family::Mpich)
        );
        assert_eq!(
            Family::of_version("Intel(R) MPI Library 2021.17"),
            Some(Family::Intel)
        );
        assert_eq!(
            Family::of_version("MVAPICH Version: 4.0"),
            Some(Family::Mpich)
        );
        assert_eq!(Family::of_version("another"), None);
        assert!(Family::Mpich.starts(Family::Intel) && !Family::OpenMpi.starts(Family::Mpich));
    }

    #[test]
    fn names() {
        assert_eq!(likeliness("libmpi.so.40"), Some(0));
        assert_eq!(likeliness("libmpich.so.12"), Some(0));
        assert_eq!(likeliness("libmpi_mpifh.so.40"), Some(1));
        assert_eq!(likeliness("libm.so.6"), None);
        assert_eq!(likeliness("libmpi.a"), None);
    }

    #[test]
    fn programs_without_mpi() {
        let me = std::env::current_exe().unwrap();
        assert!(loader(&fs::read(&me).unwrap()).is_some());
        assert_eq!(of_executable(&me).unwrap(), Linked::Unknown);
        assert_eq!(
            of_executable(Path::new("/etc/passwd")).unwrap(),
            Linked::Unknown
        );
    }
}
