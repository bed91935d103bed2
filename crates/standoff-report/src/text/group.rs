//! Agents that do the same at the same place, as one row.

use std::collections::BTreeMap;

use super::line::clean;
use crate::model::{AgentEntry, Frame, Op, WaitKind};
use crate::ranks::{self, Listing};

/// Agents that are shown together.
#[derive(Clone, Debug)]
pub(crate) struct Group<'a> {
    /// In the order of the report; never empty.
    pub members: Vec<&'a AgentEntry>,
    /// Whom they wait for.
    pub targets: Targets<'a>,
}

/// Whom the members of a group wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Targets<'a> {
    /// All for the same agents.
    Same(Vec<&'a str>),
    /// Each for the rank so far from its own (around the end).
    Offset(i64),
    /// Each for others.
    Various,
}

/// What members of a group have in common but whom they wait for.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    call: &'a str,
    user_call: &'a str,
    op: &'static str,
    comm: Option<&'a str>,
    tag: Option<i32>,
    state: Option<&'a str>,
    wait: Option<u32>,
    stack: Vec<(Option<&'a str>, Option<u32>, Option<&'a str>)>,
}

impl<'a> Key<'a> {
    fn of(entry: &'a AgentEntry) -> Self {
        let frame = |f: &'a Frame| (f.file.as_deref(), f.line, f.function.as_deref());
        Key {
            call: &entry.call,
            user_call: without_arguments(entry.user_call.as_deref().unwrap_or("")),
            op: if left(entry) { "left" } else { "" },
            comm: entry.comm.as_deref(),
            tag: entry.tag,
            state: entry.state.as_deref(),
            wait: match entry.wait {
                None | Some(WaitKind::All) => None,
                Some(WaitKind::Any) => Some(1),
                Some(WaitKind::KOfN) => Some(entry.wait_count.unwrap_or(1)),
            },
            stack: entry.stack.iter().map(frame).collect(),
        }
    }
}

/// Groups `entries`, in the order in which each first appears. `ranks` is the size of the job.
pub(crate) fn groups<'a>(
    entries: impl IntoIterator<Item = &'a AgentEntry>,
    ranks: u32,
) -> Vec<Group<'a>> {
    let mut buckets: BTreeMap<Key<'a>, Vec<(usize, &'a AgentEntry)>> = BTreeMap::new();
    for (i, entry) in entries.into_iter().enumerate() {
        buckets.entry(Key::of(entry)).or_default().push((i, entry));
    }
    let mut found: Vec<(usize, Group<'a>)> = Vec::new();
    for bucket in buckets.into_values() {
        split(bucket, ranks, &mut found);
    }
    found.sort_by_key(|(first, _)| *first);
    found.into_iter().map(|(_, group)| group).collect()
}

/// More groups than this in one bucket become one.
const MAX_SPLIT: usize = 8;

fn split<'a>(
    bucket: Vec<(usize, &'a AgentEntry)>,
    ranks: u32,
    found: &mut Vec<(usize, Group<'a>)>,
) {
    let first = bucket[0].0;
    let mut by_targets: BTreeMap<Vec<&'a str>, Vec<(usize, &'a AgentEntry)>> = BTreeMap::new();
    for &(i, entry) in &bucket {
        let mut targets: Vec<&str> = entry.waits_for.iter().map(String::as_str).collect();
        targets.sort_unstable();
        by_targets.entry(targets).or_default().push((i, entry));
    }
    let members = || bucket.iter().map(|&(_, entry)| entry).collect::<Vec<_>>();
    if by_targets.len() > 2
        && let Some(offset) = offset(&bucket, ranks)
    {
        let targets = Targets::Offset(offset);
        let members = members();
        found.push((first, Group { members, targets }));
    } else if by_targets.len() > MAX_SPLIT {
        let targets = Targets::Various;
        let members = members();
        found.push((first, Group { members, targets }));
    } else {
        for (targets, some) in by_targets {
            let members = some.iter().map(|&(_, entry)| entry).collect();
            let targets = Targets::Same(targets);
            found.push((some[0].0, Group { members, targets }));
        }
    }
}

/// The distance from each to the one rank it waits for, if it is the same for all (around the end of `ranks`).
fn offset(bucket: &[(usize, &AgentEntry)], ranks: u32) -> Option<i64> {
    let mut distances = bucket.iter().map(|(_, entry)| {
        let [target] = &entry.waits_for[..] else {
            return None;
        };
        match ranks::parse(target) {
            Some((world, to, end)) if world == entry.world && to == end => {
                Some(i64::from(to) - i64::from(entry.rank))
            }
            _ => None,
        }
    });
    let n = i64::from(ranks.max(1));
    let first = distances.next()??.rem_euclid(n);
    let same = distances.all(|d| d.is_some_and(|d| d.rem_euclid(n) == first));
    let signed = if first > n / 2 { first - n } else { first };
    (same && first != 0).then_some(signed)
}

impl<'a> Group<'a> {
    /// A group of one.
    pub(crate) fn single(entry: &'a AgentEntry) -> Self {
        Group {
            members: vec![entry],
            targets: Targets::Same(entry.waits_for.iter().map(String::as_str).collect()),
        }
    }

    /// One that speaks for all.
    pub(crate) fn one(&self) -> &'a AgentEntry {
        self.members[0]
    }

    pub(crate) fn names(&self) -> Listing {
        ranks::agents(self.members.iter().map(|entry| entry.agent.as_str()))
    }

    pub(crate) fn frame(&self) -> Option<&'a Frame> {
        self.one().stack.first()
    }

    /// What the user wrote, or the MPI procedure. Arguments only where all members have the same.
    pub(crate) fn call(&self) -> String {
        let one = self.one();
        match one.user_call.as_deref() {
            Some(text) if !text.is_empty() => {
                if self.members.iter().all(|m| m.user_call == one.user_call) {
                    clean(text)
                } else {
                    clean(without_arguments(text))
                }
            }
            _ => clean(&one.call),
        }
    }

    /// The MPI procedure, where [`Group::call`] does not say it.
    pub(crate) fn mpi_call(&self) -> String {
        let call = &self.one().call;
        if without_arguments(&self.call()) == call {
            String::new()
        } else {
            clean(call)
        }
    }

    /// What all members are, if none of them waits.
    pub(crate) fn left(&self) -> bool {
        left(self.one())
    }

    /// The reason, if it is that of all members.
    pub(crate) fn reason(&self) -> Option<&'a str> {
        let reason = self.one().reason.as_deref();
        let same = self.members.iter().all(|m| m.reason.as_deref() == reason);
        reason.filter(|text| same && !text.is_empty())
    }
}

/// Does not wait: has left, or is not in MPI.
pub(crate) fn left(entry: &AgentEntry) -> bool {
    entry.waits_for.is_empty()
        && (matches!(entry.op, Some(Op::Ended | Op::Finalize | Op::Running))
            || entry.state.is_some()
            || entry.call.is_empty()
            || entry.call == "MPI_Finalize")
}

pub(crate) fn without_arguments(call: &str) -> &str {
    call.split('(').next().unwrap_or(call).trim_end()
}

/// `recipe.py:4`, or what can be said of a native frame: `exchange+0x4f (halo)`. Empty if nothing is known.
pub(crate) fn place(frame: &Frame) -> String {
    let text = match (&frame.file, frame.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.clone(),
        (None, _) => {
            let offset = frame.offset.map_or(String::new(), |o| format!("+{o:#x}"));
            match (&frame.function, &frame.module) {
                (Some(f), Some(m)) => format!("{f}{offset} ({m})"),
                (Some(f), None) => format!("{f}{offset}"),
                (None, Some(m)) => format!("{m}{offset}"),
                (None, None) => String::new(),
            }
        }
    };
    clean(&text)
}
