//! Compiled examples: made with the compiler wrappers of an environment, and kept in the target directory.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::environment::Environment;
use crate::example::{Example, Language};
use crate::workspace;

/// The wrapper that compiles a language, and its flags: with debug information, as an `@core` mark needs it.
///
/// Warnings are no errors: MPICH 4.0's mpi.h makes GCC 12 warn of every `MPI_STATUSES_IGNORE`. GCC 10 and newer want to be told
/// that `mpif.h` takes buffers of any type.
fn wrapper(language: Language) -> Option<(&'static str, &'static [&'static str])> {
    match language {
        Language::C => Some(("mpicc", &["-std=gnu11", "-g", "-O1", "-Wall", "-pthread"])),
        Language::Cpp => Some((
            "mpicxx",
            &["-std=gnu++17", "-g", "-O1", "-Wall", "-pthread"],
        )),
        Language::Fortran => Some((
            "mpifort",
            &["-g", "-O1", "-Wall", "-fallow-argument-mismatch"],
        )),
        Language::Python | Language::Rust => None,
    }
}

/// What is missing for examples of this language on this (present) environment.
pub fn lacks(language: Language, environment: &Environment) -> Option<String> {
    let works = |wrapper: &str| {
        let mut command = Command::new(environment.program(wrapper));
        command.arg("--version").env("PATH", environment.path());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    match language {
        Language::Python => None,
        Language::Rust => (!has_libclang()).then(|| "no libclang (libclang-dev)".to_owned()),
        _ => {
            let (name, _) = wrapper(language)?;
            (!works(name)).then(|| format!("no working {name}"))
        }
    }
}

/// Whether the environment's library is known to lack what MPI 4 has added. Its version does not tell: Open MPI 5 says 3.1.
pub fn before_mpi_4(environment: &Environment) -> bool {
    let mut command = Command::new(environment.program("mpicc"));
    command.args(["-E", "-include", "mpi.h", "-x", "c", "/dev/null"]);
    command
        .env("PATH", environment.path())
        .stderr(Stdio::null());
    let Ok(out) = command.output() else {
        return false;
    };
    out.status.success() && !String::from_utf8_lossy(&out.stdout).contains("MPI_Barrier_init(")
}

/// Whether rsmpi's build (bindgen, which loads it) will find libclang.
fn has_libclang() -> bool {
    let holds = |directory: &Path| {
        let mut names = std::fs::read_dir(directory).into_iter().flatten().flatten();
        names.any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libclang.so")
                || (name.starts_with("libclang-") && name.contains(".so"))
        })
    };
    let given = std::env::var_os("LIBCLANG_PATH").map(PathBuf::from);
    if let Some(given) = given {
        return given.is_file() || holds(&given);
    }
    let llvm = ["/usr/lib", "/usr/local", "/opt"]
        .into_iter()
        .flat_map(|base| std::fs::read_dir(base).into_iter().flatten().flatten())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("llvm"))
        .map(|entry| entry.path().join("lib"));
    [
        "/usr/lib",
        "/usr/lib64",
        "/usr/local/lib",
        "/usr/lib/x86_64-linux-gnu",
    ]
    .into_iter()
    .map(PathBuf::from)
    .chain(llvm)
    .any(|directory| holds(&directory))
}

/// The program of an example, compiled for this environment if it is not there yet.
pub fn program(
    example: &Example,
    environment: &Environment,
    cache: &Path,
) -> Result<PathBuf, String> {
    match wrapper(example.language) {
        Some((name, flags)) => {
            let compiler = environment.program(name);
            one(&example.source, &compiler, flags, environment, cache)
        }
        None => Ok(rust_programs(environment, cache)?.join(&example.name)),
    }
}

/// Compiles only what has not been compiled before: the name holds a digest of the source, the compiler and the flags.
fn one(
    source: &Path,
    compiler: &Path,
    flags: &[&str],
    environment: &Environment,
    cache: &Path,
) -> Result<PathBuf, String> {
    let text = std::fs::read(source).map_err(|e| format!("{}: {e}", source.display()))?;
    let mut digest = DefaultHasher::new();
    (&text, source, compiler, stamp(compiler), flags).hash(&mut digest);

    let stem = source.file_stem().unwrap_or_default().to_string_lossy();
    let directory = cache
        .join(&environment.name)
        .join(format!("{:016x}", digest.finish()));
    let program = directory.join(&*stem);
    // One at a time: an example is run and checked by two tests, and a program that is replaced while it runs has no lines any more.
    let turn = turn(&program)?;
    let _turn = turn.lock().map_err(|e| e.to_string())?;
    if program.is_file() {
        return Ok(program);
    }
    std::fs::create_dir_all(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    // Written aside and renamed, so that a concurrent or broken compilation never leaves half a program. Modules of Fortran are
    // written where the compiler runs.
    let aside = directory.join(format!("{stem}.{}", std::process::id()));
    let mut command = Command::new(compiler);
    command.args(flags).arg(source).arg("-o").arg(&aside);
    command.env("PATH", environment.path());
    run(command.current_dir(&directory))?;
    std::fs::rename(&aside, &program).map_err(|e| format!("{}: {e}", program.display()))?;
    Ok(program)
}

/// Whoever holds it may make the program.
fn turn(program: &Path) -> Result<Arc<Mutex<()>>, String> {
    static TURNS: Mutex<BTreeMap<PathBuf, Arc<Mutex<()>>>> = Mutex::new(BTreeMap::new());
    let mut turns = TURNS.lock().map_err(|e| e.to_string())?;
    Ok(Arc::clone(turns.entry(program.to_owned()).or_default()))
}

/// Where the programs of `examples/rust` are, built by cargo for this environment, once in a process.
fn rust_programs(environment: &Environment, cache: &Path) -> Result<PathBuf, String> {
    static BUILT: Mutex<BTreeMap<String, Result<PathBuf, String>>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().map_err(|e| e.to_string())?;
    built
        .entry(environment.name.clone())
        .or_insert_with(|| build_rust(environment, cache))
        .clone()
}

fn build_rust(environment: &Environment, cache: &Path) -> Result<PathBuf, String> {
    let mpicc = environment.program("mpicc");
    // Another library under the same name is not seen by cargo.
    let mut digest = DefaultHasher::new();
    (&mpicc, stamp(&mpicc)).hash(&mut digest);
    let target = cache
        .join(&environment.name)
        .join(format!("rust-{:016x}", digest.finish()));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--quiet", "--locked", "--bins", "--manifest-path"])
        .arg(workspace().join("examples/rust/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .current_dir(workspace())
        .env("PATH", environment.path())
        .env("MPICC", &mpicc)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        // The wrapper tells the program where its library is, as it does for C programs.
        .env("RUSTFLAGS", format!("-Clinker={}", mpicc.display()));
    run(&mut command)?;
    Ok(target.join("debug"))
}

/// When a compiler was installed.
fn stamp(compiler: &Path) -> Option<std::time::SystemTime> {
    std::fs::metadata(compiler)
        .and_then(|meta| meta.modified())
        .ok()
}

/// Runs a compiler; what it says is shown if it fails.
fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|e| format!("{}: {e}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{}: {}\n{}",
        command.get_program().display(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_wrapper_is_named() {
        let nothing = Environment {
            name: "mpich-system".into(),
            root: "/nonexistent".into(),
        };
        let lack = |language| lacks(language, &nothing);
        assert_eq!(
            lack(Language::Fortran).as_deref(),
            Some("no working mpifort")
        );
        assert_eq!(lack(Language::Cpp).as_deref(), Some("no working mpicxx"));
        assert_eq!(lack(Language::Python), None);
    }

    #[test]
    fn what_a_compiler_says_is_shown() {
        let said = run(Command::new("sh").args(["-c", "echo no such module >&2; exit 3"]));
        assert!(said.is_err_and(|e| e.contains("no such module") && e.contains("3")));
    }
}
