//! Whose code is it?

/// Whether a Python file is the user's own: not the standard library's, an installed package's or the interpreter's.
#[must_use]
pub fn own_python(file: &str) -> bool {
    (!file.starts_with('<') || file == "<string>" || file == "<stdin>")
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
