//! Where the library is that gets preloaded into ranks.

use std::path::{Path, PathBuf};

use object::{Architecture, Object, ObjectKind};

use crate::error::Error;

/// Its file name.
pub const FILE: &str = "libstandoff_probe.so";
/// The variable that names it outright.
pub const VARIABLE: &str = "STANDOFF_PROBE";

/// Finds the probe and checks that it is a shared library for this machine.
pub fn find() -> Result<PathBuf, Error> {
    let tried = places();
    let Some(found) = tried.iter().find(|place| place.is_file()) else {
        return Err(Error::NoProbe { tried });
    };
    let found = std::path::absolute(found).unwrap_or_else(|_| found.clone());
    match check(&found) {
        Ok(()) => Ok(found),
        Err(why) => Err(Error::BadProbe { path: found, why }),
    }
}

/// Where to look, in order.
fn places() -> Vec<PathBuf> {
    if let Some(given) = std::env::var_os(VARIABLE).filter(|v| !v.is_empty()) {
        return vec![given.into()];
    }
    let executable = std::env::current_exe().unwrap_or_default();
    places_near(executable.parent().unwrap_or(Path::new("/")))
}

fn places_near(bin: &Path) -> Vec<PathBuf> {
    // Next to the executable: an archive, or Cargo's target directory.
    let mut places = vec![bin.join(FILE)];
    if let Some(prefix) = bin.parent() {
        // Cargo's tests lie one directory deeper.
        if bin.ends_with("deps") {
            places.push(prefix.join(FILE));
        }
        places.push(prefix.join("lib/standoff").join(FILE));
        // A Python environment: the executable in bin/, the probe in the package.
        for lib in ["lib", "lib64"] {
            let mut pythons: Vec<PathBuf> = std::fs::read_dir(prefix.join(lib))
                .into_iter()
                .flatten()
                .flatten()
                .filter(|entry| entry.file_name().to_string_lossy().starts_with("python3"))
                .map(|entry| entry.path().join("site-packages/standoff").join(FILE))
                .collect();
            pythons.sort();
            places.extend(pythons);
        }
    }
    places
}

fn check(path: &Path) -> Result<(), String> {
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    let file = object::File::parse(&*bytes).map_err(|_| "it is not a shared library")?;
    if file.kind() != ObjectKind::Dynamic {
        return Err("it is not a shared library".into());
    }
    let here = match std::env::consts::ARCH {
        "x86_64" => Architecture::X86_64,
        "aarch64" => Architecture::Aarch64,
        "riscv64" => Architecture::Riscv64,
        _ => return Ok(()),
    };
    if file.architecture() != here {
        return Err(format!(
            "it is for another processor ({:?})",
            file.architecture()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_of_python() {
        let prefix = tempfile::tempdir().unwrap();
        let package = prefix.path().join("lib/python3.12/site-packages/standoff");
        std::fs::create_dir_all(&package).unwrap();
        let places = places_near(&prefix.path().join("bin"));
        assert!(places.contains(&package.join(FILE)), "{places:?}");
        assert_eq!(places[0], prefix.path().join("bin").join(FILE));
    }

    #[test]
    fn not_everything_can_be_preloaded() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        assert!(check(&file).is_err());
        std::fs::write(&file, "text").unwrap();
        assert_eq!(check(&file).unwrap_err(), "it is not a shared library");
    }
}
