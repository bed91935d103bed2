//! C examples, compiled with the compiler wrapper of an environment and kept in the target directory.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment::Environment;

/// With debug information, as an `@core` mark needs it. (Warnings are no errors: MPICH 4.0's mpi.h makes GCC 12 warn of
/// every `MPI_STATUSES_IGNORE`.)
const FLAGS: [&str; 5] = ["-std=gnu11", "-g", "-O1", "-Wall", "-pthread"];

/// The program compiled from `source` for this environment. Compiles only what has not been compiled before: the name
/// holds a digest of the source, the compiler and the flags.
pub fn c_program(
    source: &Path,
    environment: &Environment,
    cache: &Path,
) -> Result<PathBuf, String> {
    let text = std::fs::read(source).map_err(|e| format!("{}: {e}", source.display()))?;
    let mpicc = environment.program("mpicc");
    let stamp = std::fs::metadata(&mpicc)
        .and_then(|meta| meta.modified())
        .ok();
    let mut digest = DefaultHasher::new();
    (&text, source, &mpicc, stamp, FLAGS).hash(&mut digest);

    let stem = source.file_stem().unwrap_or_default().to_string_lossy();
    let directory = cache
        .join(&environment.name)
        .join(format!("{:016x}", digest.finish()));
    let program = directory.join(&*stem);
    if program.is_file() {
        return Ok(program);
    }
    std::fs::create_dir_all(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    // Written aside and renamed, so that a concurrent or broken compilation never leaves half a program.
    let aside = directory.join(format!("{stem}.{}", std::process::id()));
    let output = Command::new(&mpicc)
        .args(FLAGS)
        .arg(source)
        .arg("-o")
        .arg(&aside)
        .env("PATH", environment.path())
        .output()
        .map_err(|e| format!("{}: {e}", mpicc.display()))?;
    if !output.status.success() {
        return Err(format!(
            "{}: {}\n{}",
            mpicc.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    std::fs::rename(&aside, &program).map_err(|e| format!("{}: {e}", program.display()))?;
    Ok(program)
}
