//! Whose code is it?

/// Whether a Python file is the user's own: not the standard library's, an installed package's or the interpreter's.
#[must_use]
pub fn own_python(file: &str) -> bool {
    (!file.starts_with('<') || file == "<string>" || file == "<stdin>")
        && !["/site-packages/", "/dist-packages/", "/lib/python3"]
            .iter()
            .any(|part| file.contains(part))
}
