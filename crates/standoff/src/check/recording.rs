//! What the ranks record: a directory of files that is gone when the check is over.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use standoff_board::layout::{LOST, RECORD_VAR};
use standoff_check::{Alternative, Outcome};
use standoff_trace::{Event, RankTrace, Trace};
use tempfile::TempDir;

use crate::error::Error;

/// A directory for the files of one run.
#[derive(Debug)]
pub struct Recording {
    directory: Rc<TempDir>,
}

/// One execution, read.
#[derive(Debug)]
pub struct Execution {
    /// What all ranks did.
    pub trace: Trace,
    /// What the record leaves out, in words.
    pub bounds: Vec<String>,
    /// By rank: its list of modules, for native call sites.
    pub modules: Vec<Option<PathBuf>>,
    /// Where they are.
    _directory: Rc<TempDir>,
}

impl Recording {
    /// An empty one in the temporary directory (not in memory: records grow with the run).
    pub fn new() -> Result<Recording, Error> {
        let directory = tempfile::Builder::new().prefix("standoff-check-").tempdir();
        let directory = directory.map_err(|error| {
            Error::Recording(format!(
                "cannot make a directory for the recording: {error}"
            ))
        })?;
        Ok(Recording {
            directory: Rc::new(directory),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// What the ranks must know.
    pub fn env(&self) -> Vec<(OsString, OsString)> {
        vec![(RECORD_VAR.into(), self.path().into())]
    }

    /// Reads what was recorded; else says why it cannot be searched.
    pub fn execution(&self) -> Result<Execution, String> {
        let mut lost = false;
        let mut worlds: BTreeMap<u64, Vec<(RankTrace, PathBuf)>> = BTreeMap::new();
        for entry in fs::read_dir(self.path())
            .map_err(|e| e.to_string())?
            .flatten()
        {
            let path = entry.path();
            lost |= path.extension().is_some_and(|e| e == LOST);
            if path.extension().is_none_or(|e| e != "trace") {
                continue;
            }
            let bytes = fs::read(&path).map_err(|e| e.to_string())?;
            let rank = RankTrace::from_bytes(&bytes).map_err(|e| e.to_string())?;
            let world = worlds.entry(rank.header.world_key).or_default();
            world.push((rank, path.with_extension("maps")));
        }
        let several = worlds.len() > 1;
        let Some(mut ranks) = worlds.into_values().max_by_key(Vec::len) else {
            return Err("nothing was recorded".to_owned());
        };
        ranks.sort_by_key(|(rank, _)| rank.header.rank);
        let (ranks, modules): (Vec<RankTrace>, Vec<PathBuf>) = ranks.into_iter().unzip();
        let mut bounds = Vec::new();
        if several {
            bounds.push("other jobs of this run (spawned ones) were not searched".to_owned());
        }
        let full = || {
            format!(
                "no room in {} for all that was recorded",
                std::env::temp_dir().display()
            )
        };
        let trace = Trace::new(ranks).map_err(|_| match lost {
            true => full(),
            false => "the records of some ranks are missing".to_owned(),
        })?;
        bounds.extend(lost.then(full));
        Ok(Execution {
            trace,
            bounds,
            modules: modules
                .into_iter()
                .map(|m| m.exists().then_some(m))
                .collect(),
            _directory: Rc::clone(&self.directory),
        })
    }
}

impl Execution {
    /// One of a test: nothing but what the ranks did.
    #[cfg(test)]
    pub(super) fn of(trace: Trace) -> Execution {
        Execution {
            modules: vec![None; trace.ranks.len()],
            trace,
            bounds: Vec::new(),
            _directory: Recording::new().expect("a directory").directory,
        }
    }

    /// Equal for executions in which every rank made the same calls and was told the same.
    pub fn identity(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for rank in &self.trace.ranks {
            for record in &rank.records {
                if !matches!(record.event, Event::Site { .. } | Event::Comm { .. }) {
                    format!("{:?}", record.event).hash(&mut hasher);
                }
            }
        }
        hasher.finish()
    }

    /// The beginnings of the execution.
    pub fn beginnings(&self) -> Beginnings {
        let of = |rank: &RankTrace| {
            let mut hasher = DefaultHasher::new();
            let mut all = vec![hasher.finish()];
            for record in &rank.records {
                if !matches!(record.event, Event::Site { .. } | Event::Comm { .. }) {
                    format!("{:?}", record.event).hash(&mut hasher);
                }
                all.push(hasher.finish());
            }
            all
        };
        Beginnings(self.trace.ranks.iter().map(of).collect())
    }
}

/// By rank and number of records: a number that is equal for the same calls with the same outcomes.
#[derive(Debug)]
pub struct Beginnings(Vec<Vec<u64>>);

impl Beginnings {
    /// Equal for executions that begin in the same way, up to a call that is told this.
    pub fn told(&self, alternative: &Alternative, outcome: &Outcome) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (all, &before) in self.0.iter().zip(&alternative.before) {
            let last = all.len() - 1;
            all[last.min(before as usize)].hash(&mut hasher);
        }
        let at = &self.0[alternative.rank as usize];
        // Records are numbered with definitions, which come where they are first needed.
        at[(at.len() - 1).min(alternative.event as usize)].hash(&mut hasher);
        format!("{} {outcome:?}", alternative.rank).hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use standoff_trace::event::{CommIndex, CommRank, Matched, Recv, SiteId, Source, TagPattern};
    use standoff_trace::{Basic, Header, Record};

    /// Receives from anybody that were told these.
    fn beginnings(told: &[u32]) -> Beginnings {
        let recv = |&source: &u32| Record {
            thread: 0,
            site: SiteId(0),
            event: Event::Recv(Recv {
                comm: CommIndex(0),
                from: Source::Any,
                tag: TagPattern::Any,
                bytes: 0,
                basic: Basic::UNKNOWN,
                request: None,
                persistent: false,
                told: Some(Matched {
                    source: CommRank(source),
                    tag: 0,
                }),
            }),
        };
        let rank = RankTrace {
            header: Header {
                rank: 0,
                world_size: 1,
                world_key: 0,
            },
            records: told.iter().map(recv).collect(),
        };
        Execution::of(Trace::new(vec![rank]).expect("it is whole")).beginnings()
    }

    fn told(run: &[u32], event: u32, source: u32) -> u64 {
        let outcome = Outcome::Message { source, tag: 0 };
        let alternative = Alternative {
            rank: 0,
            event,
            outcome: outcome.clone(),
            recorded: outcome.clone(),
            before: vec![event],
        };
        beginnings(run).told(&alternative, &outcome)
    }

    #[test]
    fn what_another_run_did_is_known_by_its_beginning() {
        // The second run did what is left open in the first, and the other way round; how they went on does not matter.
        assert_eq!(told(&[1, 2, 3], 0, 2), told(&[2, 1], 0, 2));
        assert_eq!(told(&[1, 2], 1, 3), told(&[1, 3, 2], 1, 3));
    }

    #[test]
    fn other_beginnings_are_told_apart() {
        assert_ne!(told(&[1, 2, 3], 1, 3), told(&[2, 2, 3], 1, 3));
        assert_ne!(told(&[1, 1, 1], 0, 2), told(&[1, 1, 1], 1, 2));
        assert_ne!(told(&[1, 1], 1, 2), told(&[1, 1], 1, 3));
    }
}
