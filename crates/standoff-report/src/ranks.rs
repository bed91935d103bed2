//! Lists of ranks and agents in words: `ranks 1, 5 and 7–9`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Runs shown before a list is cut in the middle.
const MAX_RUNS: usize = 9;

/// Ranks from the first to the second.
type Span = (u32, u32);

/// Ranks as `1, 5 and 7–9` (sorted, doubles dropped). Long lists are cut: `0, 2, 4, 6, …, 510 (256 in all)`.
pub fn ranks(list: impl IntoIterator<Item = u32>) -> String {
    runs_text(&merge(list.into_iter().map(|r| (r, r)).collect()))
}

/// A number and its noun: `1 rank`, `2 ranks` (nouns that take an s).
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

/// What so many did, of which `what` is for one: `was killed`, `were killed`.
pub fn of_so_many(what: &str, n: usize) -> Cow<'_, str> {
    match what.strip_prefix("was ") {
        Some(rest) if n > 1 => format!("were {rest}").into(),
        _ => what.into(),
    }
}

/// A list of agents in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// `rank 3`, `ranks 0 and 2–4`, `rank 0 (threads 0 and 2) and rank 1 thread 2`, `threads 0 and 2 of rank 0`.
    pub text: String,
    /// How many agents that is.
    pub count: u64,
    /// All of them are whole ranks (no threads or other agents).
    pub only_ranks: bool,
}

impl Listing {
    /// More than one agent.
    pub fn plural(&self) -> bool {
        self.count > 1
    }
}

/// The agents called `names` as a list. Understood are `rank 5`, `ranks 2-511`, `rank 1 thread 2`, and all of them after
/// `world 1`; any other name is taken as it is.
pub fn agents<'a>(names: impl IntoIterator<Item = &'a str>) -> Listing {
    let mut worlds: BTreeMap<u32, Vec<Span>> = BTreeMap::new();
    let mut threads: BTreeMap<(u32, u32), BTreeSet<u32>> = BTreeMap::new();
    let mut others: Vec<&str> = Vec::new();
    for name in names {
        if let Some((world, from, to)) = parse(name) {
            worlds.entry(world).or_default().push((from, to));
        } else if let Some((world, rank, thread)) = parse_thread(name) {
            threads.entry((world, rank)).or_default().insert(thread);
        } else {
            others.push(name);
        }
    }
    others.sort_unstable_by_key(|name| natural(name));
    others.dedup();
    let only_ranks = threads.is_empty() && others.is_empty();
    let mut parts: Vec<(String, u64)> = Vec::new();
    for (world, spans) in worlds {
        let runs = merge(spans);
        parts.push((ranks_of(world, &runs), size(&runs)));
    }
    let whole = parts.len();
    let alone = whole == 0 && others.is_empty() && threads.len() == 1;
    parts.extend(with_threads(threads, alone));
    parts.extend(others.iter().map(|&name| (name.to_owned(), 1)));
    let count = parts.iter().map(|(_, n)| n).sum();
    if parts.len() - whole > MAX_RUNS {
        let rest = parts.split_off(whole + MAX_RUNS - 1);
        let n: u64 = rest.iter().map(|(_, n)| n).sum();
        parts.push((format!("{n} more"), n));
    }
    let parts: Vec<String> = parts.into_iter().map(|(text, _)| text).collect();
    let text = match &parts[..] {
        [] => "nobody".to_owned(),
        // `ranks 1 and 5, and rank 2 thread 1`
        [rest @ .., last] if rest.iter().any(|part| has_and(part)) => {
            format!("{}, and {last}", rest.join(", "))
        }
        _ => and(&parts),
    };
    Listing {
        text,
        count,
        only_ranks,
    }
}

/// Threads by world and rank in words, each with how many they are: those of one rank together, and ranks of which the
/// same threads are meant. `alone`: there is but one rank, and nobody else.
fn with_threads(
    threads: BTreeMap<(u32, u32), BTreeSet<u32>>,
    alone: bool,
) -> impl Iterator<Item = (String, u64)> {
    let mut alike: BTreeMap<(u32, BTreeSet<u32>), Vec<Span>> = BTreeMap::new();
    for ((world, rank), threads) in threads {
        let spans = alike.entry((world, threads)).or_default();
        spans.push((rank, rank));
    }
    let mut groups: Vec<_> = alike.into_iter().collect();
    groups.sort_by_key(|((world, _), spans)| (*world, spans[0]));
    groups.into_iter().map(move |((world, threads), spans)| {
        let runs = merge(spans);
        let (ranks, each) = (size(&runs), threads.len() as u64);
        let who = ranks_of(world, &runs);
        let noun = if each == 1 { "thread" } else { "threads" };
        let which = format!("{noun} {}", self::ranks(threads));
        let text = match (ranks, each) {
            (1, 1) => format!("{who} {which}"),
            (1, _) if alone => format!("{which} of {who}"),
            (1, _) => format!("{who} ({which})"),
            _ => format!("{who} ({which} of each)"),
        };
        (text, ranks * each)
    })
}

/// `rank 3`, `world 1 ranks 0 and 2–4`.
fn ranks_of(world: u32, runs: &[Span]) -> String {
    let noun = if size(runs) == 1 { "rank" } else { "ranks" };
    let list = runs_text(runs);
    match world {
        0 => format!("{noun} {list}"),
        _ => format!("world {world} {noun} {list}"),
    }
}

/// Has an "and" of its own, outside brackets.
fn has_and(part: &str) -> bool {
    part.split('(').next().is_some_and(|p| p.contains(" and "))
}

/// `a`, `a and b`, `a, b and c`.
fn and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// World and inclusive span of ranks, if `name` is that of whole ranks.
pub(crate) fn parse(name: &str) -> Option<(u32, u32, u32)> {
    let (world, rest) = match name.strip_prefix("world ") {
        Some(rest) => {
            let (number, rest) = rest.split_once(' ')?;
            (number.parse().ok()?, rest)
        }
        None => (0, name),
    };
    if let Some(rank) = rest.strip_prefix("rank ") {
        let rank = rank.parse().ok()?;
        return Some((world, rank, rank));
    }
    let (from, to) = rest.strip_prefix("ranks ")?.split_once(['-', '–'])?;
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (from <= to).then_some((world, from, to))
}

/// World, rank and thread, if `name` is that of a thread.
fn parse_thread(name: &str) -> Option<(u32, u32, u32)> {
    let (rank, thread) = name.split_once(" thread ")?;
    let (world, rank, to) = parse(rank)?;
    let thread = thread.parse().ok()?;
    (rank == to).then_some((world, rank, thread))
}

/// Order in which a person expects names: numbers by value.
fn natural(name: &str) -> Vec<(u64, &str)> {
    name.split(' ')
        .map(|word| (word.parse().unwrap_or(u64::MAX), word))
        .collect()
}

/// Sorted, disjoint, not adjacent.
fn merge(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut runs: Vec<Span> = Vec::new();
    for (from, to) in spans {
        match runs.last_mut() {
            Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
            _ => runs.push((from, to)),
        }
    }
    runs
}

/// How many ranks that is.
fn size(runs: &[Span]) -> u64 {
    runs.iter().map(|&(a, b)| u64::from(b - a) + 1).sum()
}

fn runs_text(runs: &[Span]) -> String {
    let one = |&(a, b): &(u32, u32)| match b - a {
        0 => vec![a.to_string()],
        1 => vec![a.to_string(), b.to_string()],
        _ => vec![format!("{a}–{b}")],
    };
    if runs.len() <= MAX_RUNS {
        return and(&runs.iter().flat_map(one).collect::<Vec<_>>());
    }
    let head: Vec<String> = runs[..4].iter().flat_map(one).collect();
    let tail = one(&runs[runs.len() - 1]).join(", ");
    format!("{}, …, {tail} ({} in all)", head.join(", "), size(runs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_ranks() {
        assert_eq!(ranks([]), "");
        assert_eq!(ranks([5, 1, 9, 7, 8, 8]), "1, 5 and 7–9");
        assert_eq!(ranks([3, 4]), "3 and 4");
        assert_eq!(
            ranks((0..256).map(|r| 2 * r)),
            "0, 2, 4, 6, …, 510 (256 in all)"
        );
        assert_eq!(ranks([u32::MAX, u32::MAX - 1]), "4294967294 and 4294967295");
    }

    #[test]
    fn lists_of_agents() {
        let text = |names: &[&str]| agents(names.iter().copied()).text;
        assert_eq!(text(&[]), "nobody");
        assert_eq!(text(&["rank 3"]), "rank 3");
        assert_eq!(text(&["rank 5", "rank 1"]), "ranks 1 and 5");
        assert_eq!(text(&["rank 0", "ranks 2-511"]), "ranks 0 and 2–511");
        assert_eq!(
            text(&["rank 5", "rank 1", "rank 7", "world 1 rank 0"]),
            "ranks 1, 5 and 7, and world 1 rank 0"
        );
        assert_eq!(
            text(&["world 1 rank 0", "rank 2"]),
            "rank 2 and world 1 rank 0"
        );
        let many = agents(["ranks 2-511", "rank 3"]);
        assert_eq!(
            (many.count, many.plural(), many.only_ranks),
            (510, true, true)
        );
    }

    #[test]
    fn threads_stand_with_their_ranks() {
        let text = |names: &[&str]| agents(names.iter().copied()).text;
        assert_eq!(text(&["rank 1 thread 2"]), "rank 1 thread 2");
        assert_eq!(
            text(&["rank 0 thread 10", "rank 0 thread 2"]),
            "threads 2 and 10 of rank 0"
        );
        assert_eq!(
            text(&["rank 1 thread 2", "rank 0 thread 2", "rank 0 thread 0"]),
            "rank 0 (threads 0 and 2) and rank 1 thread 2"
        );
        assert_eq!(
            text(&["rank 0 thread 1", "rank 4", "rank 0 thread 0"]),
            "rank 4 and rank 0 (threads 0 and 1)"
        );
        let all: Vec<String> = (0..8)
            .map(|i| format!("rank {} thread {}", i / 2, i % 2))
            .collect();
        let listing = agents(all.iter().map(String::as_str));
        assert_eq!(listing.text, "ranks 0–3 (threads 0 and 1 of each)");
        assert_eq!((listing.count, listing.only_ranks), (8, false));
        let each: Vec<String> = (0..20).map(|i| format!("rank {i} thread {i}")).collect();
        let listing = agents(each.iter().map(String::as_str));
        assert!(listing.text.ends_with("rank 7 thread 7 and 12 more"));
        assert_eq!(listing.count, 20);
    }

    #[test]
    fn names_that_are_no_ranks_stay() {
        for name in [
            "",
            "rank",
            "rank x",
            "ranks 5-2",
            "ranks 5",
            "world rank 1",
            "thread 4",
            "rank 1 thread x",
            "ranks 1-2 thread 0",
        ] {
            assert_eq!(agents([name]).text, name);
        }
    }

    #[test]
    fn plurals() {
        assert_eq!(count(1, "rank"), "1 rank");
        assert_eq!(count(0, "rank"), "0 ranks");
    }
}
