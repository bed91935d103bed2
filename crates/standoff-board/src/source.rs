//! Whose code is it?

/// Whether a Python file is the user's own: not the standard library's, an installed package's or the interpreter's.
///
/// Tracebacks also go through packages that were compiled with Cython, under the path that their sources had where they were compiled:
/// `src/mpi4py/MPI.src/Comm.pyx`. Such a path in a folder of its own, but relative, is taken for a package's.
#[must_use]
pub fn own_python(file: &str) -> bool {
    let cython = [".pyx", ".pxi", ".pxd"]
        .iter()
        .any(|end| file.ends_with(end));
    (!file.starts_with('<') || file == "<string>" || file == "<stdin>")
        && !(cython && !file.starts_with('/') && file.contains('/'))
        && !["/site-packages/", "/dist-packages/", "/lib/python3"]
            .iter()
            .any(|part| file.contains(part))
}

/// Whether this is the name of a launcher, or of what it starts ranks with on a node: an ancestor of all ranks of a job there.
pub fn daemon(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "hydra",
        "mpiexec",
        "mpirun",
        "prte",
        "orte",
        "srun",
        "slurmstepd",
        "pmi_proxy",
        "flux",
    ];
    NAMES.iter().any(|known| name.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::own_python;

    #[test]
    fn packages_are_not_the_users() {
        for file in [
            "/home/u/halo.py",
            "halo.py",
            "<stdin>",
            "kernel.pyx",
            "/home/u/sim/kernel.pyx",
        ] {
            assert!(own_python(file), "{file}");
        }
        for file in [
            "<frozen runpy>",
            "/usr/lib/python3.11/threading.py",
            "/x/site-packages/numpy/linalg/linalg.py",
            "src/mpi4py/MPI.src/Comm.pyx",
            "mpi4py/MPI/Exception.pyx",
            "src/mpi4py/MPI.src/pickle.pxi",
        ] {
            assert!(!own_python(file), "{file}");
        }
    }
}
