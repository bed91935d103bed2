//! The numbers that the probe takes for an MPI ABI are those of each library's own `mpi.h`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Trial};
use standoff_board::abi::{MPICH, Numbers, OPENMPI, STANDARD};
use standoff_testkit::environment::Environment;
use standoff_testkit::in_ci;

/// Prints what `mpi.h` says, a name and a number a line. Never runs MPI.
const SOURCE: &str = r#"
#include <mpi.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#define SHOW(what) printf("%s %lld\n", #what, (long long)(what))
/* A handle is an int or a pointer; as an int it must not be widened with its sign. */
#define HANDLE(what) printf("%s %lld\n", #what, \
    sizeof(what) == 4 ? (long long)(uint32_t)(uintptr_t)(what) : (long long)(uintptr_t)(what))
int main(void)
{
    SHOW(MPI_ANY_SOURCE);
    SHOW(MPI_ANY_TAG);
    SHOW(MPI_PROC_NULL);
    SHOW(MPI_ROOT);
    SHOW(MPI_UNDEFINED);
    SHOW(MPI_SUCCESS);
    SHOW(MPI_THREAD_SINGLE);
    SHOW(MPI_THREAD_FUNNELED);
    SHOW(MPI_THREAD_SERIALIZED);
    SHOW(MPI_THREAD_MULTIPLE);
    SHOW(sizeof(MPI_Status));
    SHOW(offsetof(MPI_Status, MPI_SOURCE));
    SHOW(offsetof(MPI_Status, MPI_TAG));
    SHOW((intptr_t)MPI_STATUS_IGNORE);
    SHOW((intptr_t)MPI_STATUSES_IGNORE);
    SHOW((intptr_t)MPI_IN_PLACE);
    SHOW(sizeof(MPI_Comm));
    SHOW(sizeof(MPI_Request));
#ifndef OPEN_MPI
    HANDLE(MPI_COMM_WORLD);
    HANDLE(MPI_COMM_SELF);
    HANDLE(MPI_COMM_NULL);
    HANDLE(MPI_REQUEST_NULL);
    HANDLE(MPI_BYTE);
    HANDLE(MPI_PACKED);
    HANDLE(MPI_DATATYPE_NULL);
#endif
    return 0;
}
"#;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for environment in Environment::wanted() {
        let missing = environment.missing().is_some() && !in_ci();
        let table = match environment.family() {
            "openmpi" => OPENMPI,
            _ => MPICH,
        };
        // The second compiler builds for the MPI-5 standard ABI, where the library has that too.
        for (compiler, table) in [("mpicc", table), ("mpicc_abi", STANDARD)] {
            if compiler == "mpicc_abi" && !environment.program(compiler).exists() {
                continue;
            }
            let name = format!("{}::{compiler}", environment.name);
            let environment = environment.clone();
            let test = move || compare(&environment, compiler, &table).map_err(Into::into);
            trials.push(Trial::test(name, test).with_ignored_flag(missing));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn compare(environment: &Environment, compiler: &str, table: &Numbers) -> Result<(), String> {
    let library = ask(environment, compiler)?;
    let mut wrong = Vec::new();
    for (name, ours) in expected(table) {
        match library.get(name) {
            Some(theirs) if *theirs == ours => {}
            Some(theirs) => wrong.push(format!(
                "{name}: {ours} in the table, {theirs} in its mpi.h"
            )),
            None => wrong.push(format!("{name}: not in the program's output")),
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

/// What the table says, by the names that the program prints.
fn expected(table: &Numbers) -> Vec<(&'static str, i64)> {
    let size = |n: usize| i64::try_from(n).expect("a small number");
    let [single, funneled, serialized, multiple] = table.thread_levels.map(i64::from);
    let handle = if table.small_handles { 4 } else { 8 };
    let mut all = vec![
        ("MPI_ANY_SOURCE", table.any_source.into()),
        ("MPI_ANY_TAG", table.any_tag.into()),
        ("MPI_PROC_NULL", table.proc_null.into()),
        ("MPI_ROOT", table.root.into()),
        ("MPI_UNDEFINED", table.undefined.into()),
        ("MPI_SUCCESS", 0),
        ("MPI_THREAD_SINGLE", single),
        ("MPI_THREAD_FUNNELED", funneled),
        ("MPI_THREAD_SERIALIZED", serialized),
        ("MPI_THREAD_MULTIPLE", multiple),
        ("sizeof(MPI_Status)", size(table.status_size)),
        (
            "offsetof(MPI_Status, MPI_SOURCE)",
            size(table.status_source),
        ),
        ("offsetof(MPI_Status, MPI_TAG)", size(table.status_tag)),
        ("(intptr_t)MPI_STATUS_IGNORE", size(table.status_ignore)),
        ("(intptr_t)MPI_STATUSES_IGNORE", size(table.status_ignore)),
        ("(intptr_t)MPI_IN_PLACE", table.in_place as i64),
        ("sizeof(MPI_Comm)", handle),
        ("sizeof(MPI_Request)", handle),
    ];
    if let Some(handles) = table.handles {
        all.extend([
            ("MPI_COMM_WORLD", size(handles.comm_world)),
            ("MPI_COMM_SELF", size(handles.comm_self)),
            ("MPI_COMM_NULL", size(handles.comm_null)),
            ("MPI_REQUEST_NULL", size(handles.request_null)),
            ("MPI_BYTE", size(handles.byte)),
            ("MPI_PACKED", size(handles.packed)),
            ("MPI_DATATYPE_NULL", size(handles.datatype_null)),
        ]);
    }
    all
}

/// What the library says: compiles the program and runs it.
fn ask(environment: &Environment, compiler: &str) -> Result<BTreeMap<String, i64>, String> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("abi")
        .join(&environment.name);
    std::fs::create_dir_all(&place).map_err(|e| format!("{}: {e}", place.display()))?;
    let (source, program) = (
        place.join(format!("{compiler}.c")),
        place.join(format!("{compiler}.out")),
    );
    std::fs::write(&source, SOURCE).map_err(|e| format!("{}: {e}", source.display()))?;
    run(Command::new(environment.program(compiler))
        .arg("-o")
        .args([&program, &source])
        .env("PATH", environment.path()))?;
    let output = run(Command::new(&program).env_remove("LD_PRELOAD"))?;
    let number = |line: &str| {
        let (name, n) = line.rsplit_once(' ')?;
        Some((name.to_owned(), n.parse().ok()?))
    };
    output
        .lines()
        .map(|line| number(line).ok_or_else(|| format!("unexpected output: {line}")))
        .collect()
}

fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| format!("{name}: {e}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{name}: {}\n{said}", output.status))
    }
}
