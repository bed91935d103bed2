//! The words of a finding, with what the user wrote beside MPI's names.

use std::collections::BTreeMap;

use standoff_mpi::Spelling;
use standoff_report::AgentEntry;

/// The user's own words for the procedures that a core is in, where all who are in it wrote the same. mpi4py's lower-case methods lead to procedures
/// that nobody wrote.
pub struct Words(BTreeMap<String, String>);

impl Words {
    pub fn new(core: &[AgentEntry]) -> Words {
        let mut words: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for entry in core.iter().filter(|e| e.call != "MPI_Finalize") {
            let word = entry.user_call.as_deref();
            let word = word.map(|call| call.split('(').next().unwrap_or(call));
            let known = words.entry(&entry.call).or_insert(word);
            if *known != word {
                *known = None;
            }
        }
        let told = |(call, word): (&str, Option<&str>)| {
            (!call.is_empty()).then_some((call.to_owned(), word?.to_owned()))
        };
        Words(words.into_iter().filter_map(told).collect())
    }

    /// The word for a procedure, if that is called otherwise: `comm.allreduce` for `MPI_Comm_dup`.
    pub fn other(&self, call: &str) -> Option<&str> {
        let word = self.0.get(call)?;
        let method = word.rsplit('.').next()?;
        let same = call.strip_prefix("MPI_")?.eq_ignore_ascii_case(method);
        (!same).then_some(word)
    }

    /// A text with the word beside the first mention of each procedure.
    pub fn spoken(&self, mut text: String) -> String {
        for (call, word) in &self.0 {
            let whole = |at: usize| {
                let next = text[at + call.len()..].chars().next();
                !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
            };
            if let Some(at) = text.match_indices(call).map(|m| m.0).find(|&at| whole(at)) {
                text.replace_range(at..at + call.len(), &format!("{word} ({call})"));
            }
        }
        text
    }

    /// Has an advice say what the user wrote, not all that could lead to a procedure.
    pub fn advise(&self, text: &mut String, spelling: Spelling) {
        for call in self.0.keys() {
            if let Some(word) = self.other(call) {
                *text = text.replace(&spelling.both(call), &format!("{word} ({call})"));
            }
        }
    }
}
