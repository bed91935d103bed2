//! Findings that read the same but for their ranks: shown once, with a line that says where else they are.
//!
//! Two are alike if one becomes the other when its ranks are renamed, agent by agent in the order of the report, in every field but
//! the history of calls and the witness. What is not certain to be alike is shown in full. The report itself keeps them apart.
//!
//! Known limit: findings with ranks of spawned jobs are never put together.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{AgentEntry, Finding};
use crate::ranks;

/// A finding and those like it, in the order of the report.
pub(crate) struct Alike<'a> {
    pub first: &'a Finding,
    pub others: Vec<&'a Finding>,
}

/// Puts those together that are alike, each group where its first one stands.
pub(crate) fn together<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<Alike<'a>> {
    let mut groups: Vec<Alike<'a>> = Vec::new();
    for finding in findings {
        match groups.iter_mut().find(|group| alike(group.first, finding)) {
            Some(group) => group.others.push(finding),
            None => groups.push(Alike {
                first: finding,
                others: Vec::new(),
            }),
        }
    }
    groups
}

impl Alike<'_> {
    /// `the same on ranks 2 and 3, and on ranks 4 and 5`; `None`: nowhere.
    pub(crate) fn elsewhere(&self) -> Option<String> {
        /// Places named one by one.
        const MAX: usize = 6;
        let names = |finding: &&Finding| {
            let names = finding.core.iter().map(|entry| entry.agent.as_str());
            ranks::agents(names).text
        };
        if self.others.is_empty() {
            return None;
        }
        if self.first.core.len() == 1 {
            let all = self.others.iter().flat_map(|finding| &finding.core);
            let all = ranks::agents(all.map(|entry| entry.agent.as_str()));
            return Some(format!("the same on {}", all.text));
        }
        let mut places: Vec<String> = self.others.iter().take(MAX).map(names).collect();
        if self.others.len() > MAX {
            places.push(format!("{} more such sets", self.others.len() - MAX));
        }
        let last = places.pop()?;
        Some(match places.is_empty() {
            true => format!("the same on {last}"),
            false => format!("the same on {}, and on {last}", places.join(", on ")),
        })
    }
}

fn alike(one: &Finding, other: &Finding) -> bool {
    let call = |finding: &Finding| finding.core.first().map(|e| (e.call.clone(), e.tag));
    // Cheap, for large jobs.
    let shape = |f: &Finding| (f.core.len(), f.victims.len(), f.causes.len(), call(f));
    if one.core.is_empty() || one.kind != other.kind || shape(one) != shape(other) {
        return false;
    }
    let Some(names) = renaming(one, other) else {
        return false;
    };
    let value = |finding: &Finding| serde_json::to_value(finding).unwrap_or_default();
    let (mut left, mut right) = (value(one), value(other));
    rename(&mut left, &names);
    rename(&mut right, &BTreeMap::new());
    left == right
}

/// Which rank of one plays the part of which in the other; `None`: there is no such pairing.
fn renaming(one: &Finding, other: &Finding) -> Option<BTreeMap<u32, u32>> {
    fn agents(finding: &Finding) -> impl Iterator<Item = (u32, u32)> {
        let entry = |e: &AgentEntry| (e.world, e.rank);
        let waiting = finding.core.iter().chain(&finding.victims).map(entry);
        waiting.chain(finding.causes.iter().map(|c| (c.world, c.rank)))
    }
    let (mut there, mut back) = (BTreeMap::new(), BTreeMap::new());
    for ((one_world, from), (other_world, to)) in agents(one).zip(agents(other)) {
        let paired =
            *there.entry(from).or_insert(to) == to && *back.entry(to).or_insert(from) == from;
        if !paired || one_world != 0 || other_world != 0 {
            return None;
        }
    }
    Some(there)
}

/// Renames the ranks in all fields and takes out what two that are alike may differ in.
fn rename(value: &mut Value, names: &BTreeMap<u32, u32>) {
    /// Texts that are the program's.
    const VERBATIM: [&str; 7] = [
        "call",
        "user_call",
        "comm",
        "file",
        "function",
        "module",
        "hint",
    ];
    match value {
        Value::Object(fields) => {
            fields.remove("calls");
            fields.remove("witness");
            let world = fields
                .get("comm")
                .is_some_and(|comm| comm == "MPI_COMM_WORLD");
            for (key, value) in fields {
                match (key.as_str(), &value) {
                    ("rank", Value::Number(_)) => number(value, names),
                    ("peer", Value::Number(_)) if world => number(value, names),
                    (key, _) if VERBATIM.contains(&key) => {}
                    _ => rename(value, names),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| rename(value, names)),
        Value::String(text) => *text = in_words(text, names),
        _ => {}
    }
}

fn number(value: &mut Value, names: &BTreeMap<u32, u32>) {
    let known = value.as_u64().and_then(|n| u32::try_from(n).ok());
    if let Some(name) = known.and_then(|n| names.get(&n)) {
        *value = Value::from(*name);
    }
}

/// Renames the numbers in `rank 3` and `Ranks 0, 2–4 and 6`.
fn in_words(text: &str, names: &BTreeMap<u32, u32>) -> String {
    const BETWEEN: [&str; 6] = [", ", " and ", " or ", "–", "-", ", …, "];
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("ank") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        rest = after;
        let mut word = out.chars().rev().skip(3);
        let whole = matches!(word.next(), Some('r' | 'R'))
            && !word.next().is_some_and(char::is_alphanumeric);
        let mut list = after.strip_prefix('s').unwrap_or(after);
        let Some(first) = list.strip_prefix(' ').filter(|_| whole) else {
            continue;
        };
        list = first;
        loop {
            let digits = list.len() - list.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let Ok(rank) = list[..digits].parse::<u32>() else {
                break;
            };
            out.push_str(&rest[..rest.len() - list.len()]);
            out.push_str(&names.get(&rank).unwrap_or(&rank).to_string());
            list = &list[digits..];
            rest = list;
            match BETWEEN.iter().find_map(|word| list.strip_prefix(word)) {
                Some(next) => list = next,
                None => break,
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_ranks_are_renamed() {
        let names = BTreeMap::from([(0, 7), (2, 9), (5, 6)]);
        for (text, expected) in [
            ("rank 0", "rank 7"),
            ("Rank 2's message of 5 bytes", "Rank 9's message of 5 bytes"),
            ("ranks 0, 2–5 and 3 wait", "ranks 7, 9–6 and 3 wait"),
            ("rank 0 and rank 2 thread 5", "rank 7 and rank 9 thread 5"),
            ("a tank 5, a bank, and ranks", "a tank 5, a bank, and ranks"),
            ("with tag 5 for ranks 2-5", "with tag 5 for ranks 9-6"),
        ] {
            assert_eq!(in_words(text, &names), expected);
        }
    }
}
