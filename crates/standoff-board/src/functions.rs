//! The table of wrapped MPI procedures; the probe's wrappers are generated from it at build time.

use std::sync::LazyLock;

/// The table's text (format in its head).
pub const TABLE: &str = include_str!("../mpi.table");

static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    TABLE
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .map(|l| format!("MPI_{}", l.split(['(', '/']).next().unwrap_or_default()))
        .collect()
});

/// Name of a procedure by its number on the board, e.g. `MPI_Recv`. The large-count form goes by the plain name.
pub fn name(number: u32) -> Option<&'static str> {
    NAMES.get(number as usize).map(String::as_str)
}

/// Number of a procedure, by the name that [`name`] gives.
pub fn number(name: &str) -> Option<u32> {
    let i = NAMES.iter().position(|n| n == name)?;
    u32::try_from(i).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_distinct_and_numbered() {
        let mut all = super::NAMES.clone();
        assert_eq!(super::name(0), Some("MPI_Init"));
        assert_eq!(super::name(u32::MAX), None);
        assert_eq!(
            super::number("MPI_Recv").and_then(super::name),
            Some("MPI_Recv")
        );
        all.sort();
        all.dedup();
        assert_eq!(all.len(), super::NAMES.len());
    }
}
