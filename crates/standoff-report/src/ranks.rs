//! Lists of ranks and agents in words: `ranks 1, 5, 7–9`.

use std::collections::BTreeMap;

/// Runs shown before a list is cut in the middle.
const MAX_RUNS: usize = 9;

/// Ranks as `1, 5, 7–9` (sorted, doubles dropped). Long lists are cut: `0, 2, 4, …, 510`.
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

/// A list of agents in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// `rank 3`, `ranks 1 and 5`, `ranks 0, 2–4`, `rank 1 thread 2 and rank 4`.
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

/// The agents called `names` as a list. Understood are `rank 5`, `ranks 2-511`, and both after `world 1`; any other
/// name (`rank 1 thread 2`) is taken as it is.
pub fn agents<'a>(names: impl IntoIterator<Item = &'a str>) -> Listing {
    let mut worlds: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
    let mut others: Vec<&str> = Vec::new();
    for name in names {
        match parse(name) {
            Some((world, from, to)) => worlds.entry(world).or_default().push((from, to)),
            None => others.push(name),
        }
    }
    others.sort_unstable_by_key(|name| natural(name));
    others.dedup();
    let mut total = others.len() as u64;
    let only_ranks = others.is_empty();
    let mut parts = Vec::new();
    for (world, spans) in worlds {
        let runs = merge(spans);
        let n: u64 = runs.iter().map(|&(a, b)| u64::from(b - a) + 1).sum();
        total += n;
        let noun = if n == 1 { "rank" } else { "ranks" };
        let world = if world == 0 {
            String::new()
        } else {
            format!("world {world} ")
        };
        let list = match runs[..] {
            [(a, b), (c, d)] if a == b && c == d => format!("{a} and {c}"),
            [(a, b)] if b == a.saturating_add(1) => format!("{a} and {b}"),
            _ => runs_text(&runs),
        };
        parts.push(format!("{world}{noun} {list}"));
    }
    if others.len() > MAX_RUNS {
        parts.extend(others[..MAX_RUNS - 1].iter().map(|&s| s.to_owned()));
        parts.push(format!("{} more", others.len() + 1 - MAX_RUNS));
    } else {
        parts.extend(others.iter().map(|&s| s.to_owned()));
    }
    let text = match parts.split_last() {
        None => "nobody".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    };
    Listing {
        text,
        count: total,
        only_ranks,
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

/// Order in which a person expects names: numbers by value.
fn natural(name: &str) -> Vec<(u64, &str)> {
    name.split(' ')
        .map(|word| (word.parse().unwrap_or(u64::MAX), word))
        .collect()
}

/// Sorted, disjoint, not adjacent.
fn merge(mut spans: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    spans.sort_unstable();
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for (from, to) in spans {
        match runs.last_mut() {
            Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
            _ => runs.push((from, to)),
        }
    }
    runs
}

fn runs_text(runs: &[(u32, u32)]) -> String {
    let one = |&(a, b): &(u32, u32)| match b - a {
        0 => a.to_string(),
        1 => format!("{a}, {b}"),
        _ => format!("{a}–{b}"),
    };
    if runs.len() <= MAX_RUNS {
        return runs.iter().map(one).collect::<Vec<_>>().join(", ");
    }
    let n: u64 = runs.iter().map(|&(a, b)| u64::from(b - a) + 1).sum();
    let head: Vec<_> = runs[..4].iter().map(one).collect();
    let tail = one(&runs[runs.len() - 1]);
    format!("{}, …, {tail} ({n} in all)", head.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_ranks() {
        assert_eq!(ranks([]), "");
        assert_eq!(ranks([5, 1, 9, 7, 8, 8]), "1, 5, 7–9");
        assert_eq!(ranks([3, 4]), "3, 4");
        assert_eq!(
            ranks((0..256).map(|r| 2 * r)),
            "0, 2, 4, 6, …, 510 (256 in all)"
        );
        assert_eq!(ranks([u32::MAX, u32::MAX - 1]), "4294967294, 4294967295");
    }

    #[test]
    fn lists_of_agents() {
        let text = |names: &[&str]| agents(names.iter().copied()).text;
        assert_eq!(text(&[]), "nobody");
        assert_eq!(text(&["rank 3"]), "rank 3");
        assert_eq!(text(&["rank 5", "rank 1"]), "ranks 1 and 5");
        assert_eq!(text(&["rank 0", "ranks 2-511"]), "ranks 0, 2–511");
        assert_eq!(
            text(&["rank 0 thread 10", "rank 4", "rank 0 thread 2"]),
            "rank 4, rank 0 thread 2 and rank 0 thread 10"
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
    fn names_that_are_no_ranks_stay() {
        for name in [
            "",
            "rank",
            "rank x",
            "ranks 5-2",
            "ranks 5",
            "world rank 1",
            "thread 4",
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
