//! A whole run.

use crate::event::{Event, Place, Record, SiteId};
use crate::header::{HEADER_BYTES, Header};
use crate::read::{ReadError, Reader};

/// What one rank recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankTrace {
    /// Who wrote it.
    pub header: Header,
    /// In program order (of each thread), definitions included.
    pub records: Vec<Record<'static>>,
}

/// What all ranks of one job recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// By world rank; one for each rank of the job.
    pub ranks: Vec<RankTrace>,
}

impl RankTrace {
    /// Reads a file's content.
    ///
    /// # Errors
    /// See [`ReadError`]. A file that ends early is none.
    pub fn from_bytes(bytes: &[u8]) -> Result<RankTrace, ReadError> {
        let header = Header::from_bytes(bytes)?;
        let records = Reader::records(&bytes[HEADER_BYTES..]).collect::<Result<_, _>>()?;
        Ok(RankTrace { header, records })
    }

    /// The definition of a call site.
    #[must_use]
    pub fn place(&self, site: SiteId) -> Option<&Place<'static>> {
        self.records.iter().find_map(|record| match &record.event {
            Event::Site { id, place } if *id == site => Some(place),
            _ => None,
        })
    }

    /// The rank reached `MPI_Finalize`.
    #[must_use]
    pub fn finalized(&self) -> bool {
        self.records
            .iter()
            .rev()
            .any(|record| record.event == Event::Finalize)
    }
}

impl Trace {
    /// Puts the ranks of one job together, in any order.
    ///
    /// # Errors
    /// [`ReadError::Job`] if a rank is missing or there twice, or is of another job.
    pub fn new(mut ranks: Vec<RankTrace>) -> Result<Trace, ReadError> {
        ranks.sort_by_key(|rank| rank.header.rank);
        let first = ranks.first().ok_or(ReadError::Job)?.header;
        let complete = ranks.len() == first.world_size as usize;
        let fits = |(at, rank): (usize, &RankTrace)| {
            rank.header.rank as usize == at
                && (rank.header.world_size, rank.header.world_key)
                    == (first.world_size, first.world_key)
        };
        if complete && ranks.iter().enumerate().all(fits) {
            Ok(Trace { ranks })
        } else {
            Err(ReadError::Job)
        }
    }
}
