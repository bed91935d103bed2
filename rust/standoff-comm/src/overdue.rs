//! What a receive that waits no longer says.

use std::fmt;
use std::time::Duration;

use mpi::{Rank, Tag};

/// A message did not come in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// Who waited.
    pub rank: Rank,
    /// For whom; `None`: for anybody.
    pub source: Option<Rank>,
    /// For which tag.
    pub tag: Tag,
    /// How long.
    pub deadline: Duration,
}

impl fmt::Display for Overdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {} got no message from ", self.rank)?;
        match self.source {
            Some(source) => write!(f, "rank {source}")?,
            None => write!(f, "any rank")?,
        }
        write!(f, " (tag {}) within {:?}", self.tag, self.deadline)
    }
}

impl std::error::Error for Overdue {}
