//! What an example's header says of `standoff check`.
//!
//! | key | value |
//! |---|---|
//! | `check` | the verdict: `potential-deadlock` or `clean` |
//! | `check-scope` | for `clean`: `all-executions` (not given) or `bounded` |
//! | `check-confirmed` | for `potential-deadlock`: `true` (not given), or `no (REASON)`; `no, openmpi (REASON)` on one family only |
//! | `check-left` | ranks that have ended and for which the core waits |
//! | `check-text` | words that the finding holds; may repeat |
//! | `check-warns` | a kind of warning that it gets; may repeat |
//! | `check-budget` | for `--budget` |
//!
//! The lines marked `@check 0, 2-3` are where these ranks of the core are: together they name the whole core but those that
//! left. `@check-warn` marks the lines of warnings; a line that has both marks has this one first: `// @check-warn // @check 0`.

use std::collections::{BTreeMap, BTreeSet};

use standoff_report::{Scope, Verdict};

use super::{HeaderError, Ranks, mark, rank_list};

/// What `standoff check` must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The verdict.
    pub verdict: Verdict,
    /// Its scope, if that is stated: of a clean one always.
    pub scope: Option<Scope>,
    /// Families on which the finding is not confirmed today; all of them if the list is empty.
    pub unconfirmed: Option<Vec<String>>,
    /// Ranks that have ended.
    pub left: Ranks,
    /// Words of the finding.
    pub text: Vec<String>,
    /// Kinds of warnings.
    pub warns: BTreeSet<String>,
    /// Lines marked for them, from 1.
    pub warned: BTreeSet<u32>,
    /// Runs and time.
    pub budget: Option<String>,
    /// The marked lines of each rank, from 1.
    pub marks: BTreeMap<u32, BTreeSet<u32>>,
}

impl Check {
    /// Whether the finding is to be confirmed on a family.
    pub fn confirmed(&self, family: &str) -> bool {
        let except = self.unconfirmed.as_ref();
        except.is_none_or(|list| !list.is_empty() && !list.iter().any(|f| f == family))
    }
}

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Lines {
    verdict: Option<Verdict>,
    scope: Option<Scope>,
    confirmed: Option<Option<Vec<String>>>,
    left: Ranks,
    text: Vec<String>,
    warns: BTreeSet<String>,
    warned: BTreeSet<u32>,
    budget: Option<String>,
    marks: BTreeMap<u32, BTreeSet<u32>>,
}

impl Lines {
    /// Takes the mark of a line, if it has one.
    pub(super) fn mark(&mut self, number: u32, text: &str) -> Result<(), HeaderError> {
        if mark(text, "@check-warn").is_some() {
            self.warned.insert(number);
        }
        if let Some(marked) = mark(text, "@check").filter(|m| !m.starts_with("-warn")) {
            let ranks = rank_list(marked).ok_or_else(|| HeaderError::BadValue {
                line: number,
                key: "@check".to_owned(),
                value: marked.to_owned(),
            })?;
            for rank in ranks {
                self.marks.entry(rank).or_default().insert(number);
            }
        }
        Ok(())
    }

    /// Takes a key; `Some(false)`: it is none of these, `None`: its value cannot be read.
    pub(super) fn key(&mut self, key: &str, value: &str) -> Option<bool> {
        match (key, value) {
            ("check", "potential-deadlock") => self.verdict = Some(Verdict::PotentialDeadlock),
            ("check", "clean") => self.verdict = Some(Verdict::Clean),
            ("check-scope", "all-executions") => self.scope = Some(Scope::AllExecutions),
            ("check-scope", "bounded") => self.scope = Some(Scope::Bounded),
            ("check-confirmed", "true") => self.confirmed = Some(None),
            ("check-confirmed", value) => self.confirmed = Some(Some(unconfirmed(value)?)),
            ("check-left", value) => self.left = rank_list(value)?,
            ("check-text", value) => self.text.push(value.to_owned()),
            ("check-warns", value) => drop(self.warns.insert(value.to_owned())),
            ("check-budget", value) => self.budget = Some(value.to_owned()),
            ("check", _) | ("check-scope", _) => return None,
            _ => return Some(false),
        }
        Some(true)
    }

    /// All that was read, if `check` was among it.
    pub(super) fn done(self, ranks: u32, run: Verdict) -> Result<Option<Check>, HeaderError> {
        let Some(verdict) = self.verdict else {
            let nothing = self.scope.is_none()
                && self.confirmed.is_none()
                && self.left.is_empty()
                && self.text.is_empty()
                && self.warns.is_empty()
                && self.warned.is_empty()
                && self.budget.is_none()
                && self.marks.is_empty();
            return nothing
                .then_some(None)
                .ok_or(HeaderError::Check("keys or marks of `check` without it"));
        };
        let found = verdict == Verdict::PotentialDeadlock;
        if run != Verdict::Clean {
            return Err(HeaderError::Check(
                "`check` beside an expected verdict that is not clean",
            ));
        }
        if found == self.marks.is_empty() {
            return Err(HeaderError::Check(
                "`@check` is for the core of a potential deadlock",
            ));
        }
        if !found && (self.confirmed.is_some() || !self.left.is_empty()) {
            return Err(HeaderError::Check(
                "`check-confirmed` and `check-left` are for a potential deadlock",
            ));
        }
        let named = self.marks.keys().chain(&self.left);
        if let Some(&rank) = named.into_iter().find(|&&rank| rank >= ranks) {
            return Err(HeaderError::NoSuchRank(rank));
        }
        let scope = match found {
            true => self.scope,
            false => Some(self.scope.unwrap_or(Scope::AllExecutions)),
        };
        Ok(Some(Check {
            verdict,
            scope,
            unconfirmed: self.confirmed.flatten(),
            left: self.left,
            text: self.text,
            warns: self.warns,
            warned: self.warned,
            budget: self.budget,
            marks: self.marks,
        }))
    }
}

/// The families of `no (REASON)` (none: all) and `no, FAMILY (REASON)`; the reason must be there.
fn unconfirmed(value: &str) -> Option<Vec<String>> {
    let (what, reason) = value.strip_prefix("no")?.split_once('(')?;
    reason.strip_suffix(')').filter(|r| !r.is_empty())?;
    let families = what.trim().trim_start_matches(',').split(',');
    let families = families.map(str::trim).filter(|f| !f.is_empty());
    Some(families.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::super::Header;
    use super::*;

    fn parse(lines: &str) -> Result<Check, HeaderError> {
        let start = "# standoff: title: t\n# standoff: ranks: 4\n# standoff: expect: clean\n";
        Header::parse(&format!("{start}{lines}")).map(|h| h.check.expect("it says check"))
    }

    #[test]
    fn reads_a_potential_deadlock() {
        let check = parse(
            "# standoff: check: potential-deadlock\n# standoff: check-confirmed: no, openmpi (why)\n\
             # standoff: check-left: 3\n# standoff: check-text: words\na()  # @check 0, 2\nb()  # @check 1\n",
        )
        .unwrap();
        assert_eq!(check.verdict, Verdict::PotentialDeadlock);
        assert!(check.confirmed("mpich") && !check.confirmed("openmpi"));
        assert_eq!(check.marks.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!((check.left, check.scope), (Ranks::from([3]), None));
        let all = "# standoff: check: potential-deadlock\n# standoff: check-confirmed: no (why)\na()  # @check 0\n";
        assert!(!parse(all).unwrap().confirmed("mpich"));
    }

    #[test]
    fn a_line_may_have_both_marks() {
        let start = "# standoff: check: potential-deadlock\n";
        let check = parse(&format!(
            "{start}a()  # @check-warn # @check 0-1\nb()  # @check-warn\n"
        ));
        let check = check.unwrap();
        assert_eq!(check.warned, BTreeSet::from([5, 6]));
        assert_eq!(check.marks.keys().copied().collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_clean_one_is_clean_for_all_executions() {
        let scope = |lines: &str| parse(lines).unwrap().scope;
        assert_eq!(
            scope("# standoff: check: clean\n"),
            Some(Scope::AllExecutions)
        );
        let bounded = "# standoff: check: clean\n# standoff: check-scope: bounded\n";
        assert_eq!(scope(bounded), Some(Scope::Bounded));
    }

    #[test]
    fn refuses_what_would_silently_check_less() {
        for lines in [
            "# standoff: check-text: words\n",
            "a()  # @check 1\n",
            "# standoff: check: clean\na()  # @check 1\n",
            "# standoff: check: clean\n# standoff: check-confirmed: no (why)\n",
            "# standoff: check: potential-deadlock\n",
            "# standoff: check: potential-deadlock\n# standoff: check-confirmed: no\na()  # @check 1\n",
            "# standoff: check: potential-deadlock\na()  # @check 4\n",
            "# standoff: check: deadlock\na()  # @check 1\n",
        ] {
            assert!(parse(lines).is_err(), "{lines}");
        }
    }
}
