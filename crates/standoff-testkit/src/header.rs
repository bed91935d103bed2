//! The header of an example: comment lines `standoff: KEY: VALUE`, anywhere in the file, and marks at line ends.
//!
//! | key | value |
//! |---|---|
//! | `title` | what the example shows |
//! | `ranks` | how many it is run with |
//! | `expect` | the verdict: `deadlock`, `clean`, `stalled` (run with `--stall-exit`) or `failed` |
//! | `core` | the ranks in the core, `0, 2-5`; once, or once for each finding |
//! | `left` | ranks that left and for which the core waits: they are in the core, too, and in the causes |
//! | `victims` | the ranks behind the core; `none` |
//! | `findings` | how many findings of severity error (not given: one, or none for `clean`) |
//! | `warns` | a kind of warning that it gets, as in the JSON; may repeat (not given: none) |
//! | `exit` | the exit status (not given: the verdict's own; for `failed` any that says so) |
//! | `stdin` | what its standard input holds: text with `\n` for line ends, or `open` for a pipe in which nothing ever comes (not given: nothing) |
//! | `args` | its arguments, split at blanks |
//! | `mpi` | the MPI families it is for (not given: all) |
//! | `stdout` | a line that it prints; may repeat |
//! | `text` | words that the diagnosis holds; may repeat |
//! | `needs` | `load`: run beside busy loops; `sigstop`, `thread-multiple`: what the program itself relies on; `mpi-4`: only for libraries of MPI 4 |
//! | `cured` | the example without the mistake, which must be a clean one; may repeat |
//!
//! Keys that begin with `check` and marks `@check` are about `standoff check`: [`Check`].
//!
//! A line that ends in the comment `@core 1` or `@core 0, 2-3` is where these ranks of the core are: `stack[0]` of each
//! of their entries is at one of the lines marked for the rank, and each marked line has an entry. `@warn` marks the lines
//! where the agents of warnings are.

mod check;

use std::collections::{BTreeMap, BTreeSet};

use standoff_report::Verdict;

pub use self::check::Check;

/// Ranks, in order.
pub type Ranks = BTreeSet<u32>;

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the example shows.
    pub title: String,
    /// How many ranks it is run with.
    pub ranks: u32,
    /// The verdict.
    pub expect: Verdict,
    /// Ranks of the core; several: of one finding each.
    pub cores: Vec<Ranks>,
    /// Ranks that left.
    pub left: Ranks,
    /// Ranks behind the core, if stated.
    pub victims: Option<Ranks>,
    /// Number of findings of severity error, if stated.
    pub findings: Option<usize>,
    /// Kinds of warnings.
    pub warns: BTreeSet<String>,
    /// Lines marked for them, from 1.
    pub warned: BTreeSet<u32>,
    /// Exit status, if stated.
    pub exit: Option<i32>,
    /// Standard input.
    pub stdin: Stdin,
    /// Arguments.
    pub args: Vec<String>,
    /// The families it is for; empty: all.
    pub families: Vec<String>,
    /// Lines it prints.
    pub stdout: Vec<String>,
    /// Words of the diagnosis.
    pub text: Vec<String>,
    /// What it needs.
    pub needs: Vec<Need>,
    /// Its cured twins.
    pub cured: Vec<String>,
    /// The marked lines of each rank, from 1.
    pub marks: BTreeMap<u32, BTreeSet<u32>>,
    /// What `standoff check` must say, if it is to be asked.
    pub check: Option<Check>,
}

/// Standard input of the program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stdin {
    /// `/dev/null`.
    #[default]
    Empty,
    /// A pipe that stays open and in which nothing comes.
    Open,
    /// This text.
    Text(String),
}

/// What a run needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Busy loops beside it.
    Load,
    /// The program stops one of its processes for a while.
    Sigstop,
    /// The program needs `MPI_THREAD_MULTIPLE`.
    ThreadMultiple,
    /// The program calls what MPI 4 has added.
    Mpi4,
}

/// What is wrong with a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// No header line at all.
    #[error("it has no `standoff: KEY: VALUE` line")]
    Absent,
    /// A key that must be there is not.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A key that is not known.
    #[error("line {line}: unknown key `{key}`")]
    UnknownKey {
        /// Line number, from 1.
        line: u32,
        /// The key.
        key: String,
    },
    /// A value that cannot be read.
    #[error("line {line}: `{key}` cannot be `{value}`")]
    BadValue {
        /// Line number, from 1.
        line: u32,
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// A key that may be given once only.
    #[error("line {line}: `{key}` is given twice")]
    Twice {
        /// Line number, from 1.
        line: u32,
        /// The key.
        key: String,
    },
    /// A rank the example does not have.
    #[error("rank {0} is named, but there are fewer ranks")]
    NoSuchRank(u32),
    /// A marked rank that is in no core.
    #[error("line {line} is marked for rank {rank}, which `core` does not name")]
    MarkOutsideCore {
        /// Line number, from 1.
        line: u32,
        /// The marked rank.
        rank: u32,
    },
    /// A core where the verdict has none.
    #[error("`core`, `left` or a mark beside an expected verdict that has no core")]
    CoreWithoutDeadlock,
    /// A deadlock of which nothing is stated.
    #[error("a deadlock needs `core`")]
    DeadlockWithoutCore,
    /// Keys or marks of `check` that contradict each other, or stand without `check`.
    #[error("{0}")]
    Check(&'static str),
}

impl Header {
    /// Reads the header of an example in any language whose line comments start with `#`, `//` or `!`.
    pub fn parse(source: &str) -> Result<Header, HeaderError> {
        let mut title = None;
        let mut ranks = None;
        let mut expect = None;
        let mut header = Header {
            title: String::new(),
            ranks: 0,
            expect: Verdict::Clean,
            cores: Vec::new(),
            left: Ranks::new(),
            victims: None,
            findings: None,
            warns: BTreeSet::new(),
            warned: BTreeSet::new(),
            exit: None,
            stdin: Stdin::Empty,
            args: Vec::new(),
            families: Vec::new(),
            stdout: Vec::new(),
            text: Vec::new(),
            needs: Vec::new(),
            cured: Vec::new(),
            marks: BTreeMap::new(),
            check: None,
        };
        let mut check = check::Lines::default();
        let mut seen = BTreeSet::new();
        for (number, text) in (1u32..).zip(source.lines()) {
            if mark(text, "@warn").is_some() {
                header.warned.insert(number);
            }
            if let Some(marked) = mark(text, "@core") {
                let marked = rank_list(marked).ok_or_else(|| HeaderError::BadValue {
                    line: number,
                    key: "@core".to_owned(),
                    value: marked.to_owned(),
                })?;
                for rank in marked {
                    header.marks.entry(rank).or_default().insert(number);
                }
            }
            check.mark(number, text)?;
            let Some((key, value)) = entry(text) else {
                continue;
            };
            let bad = || HeaderError::BadValue {
                line: number,
                key: key.to_owned(),
                value: value.to_owned(),
            };
            let repeatable = matches!(
                key,
                "core"
                    | "warns"
                    | "stdout"
                    | "text"
                    | "needs"
                    | "cured"
                    | "check-text"
                    | "check-warns"
            );
            if !seen.insert(key) && !repeatable {
                return Err(HeaderError::Twice {
                    line: number,
                    key: key.to_owned(),
                });
            }
            match key {
                "title" => title = Some(value.to_owned()),
                "ranks" => ranks = Some(value.parse().ok().filter(|&n| n > 0).ok_or_else(bad)?),
                "expect" => {
                    expect = Some(match value {
                        "deadlock" => Verdict::Deadlock,
                        "clean" => Verdict::Clean,
                        "stalled" => Verdict::Stalled,
                        "failed" => Verdict::Failed,
                        _ => return Err(bad()),
                    });
                }
                "core" => header.cores.push(rank_list(value).ok_or_else(bad)?),
                "left" => header.left = rank_list(value).ok_or_else(bad)?,
                "victims" if value == "none" => header.victims = Some(Ranks::new()),
                "victims" => header.victims = Some(rank_list(value).ok_or_else(bad)?),
                "findings" => header.findings = Some(value.parse().map_err(|_| bad())?),
                "warns" => drop(header.warns.insert(value.to_owned())),
                "exit" => header.exit = Some(value.parse().map_err(|_| bad())?),
                "stdin" if value == "open" => header.stdin = Stdin::Open,
                "stdin" => header.stdin = Stdin::Text(value.replace("\\n", "\n")),
                "args" => header.args = value.split_whitespace().map(str::to_owned).collect(),
                "mpi" => {
                    header.families = value
                        .split(',')
                        .map(|name| name.trim().to_owned())
                        .collect()
                }
                "stdout" => header.stdout.push(value.to_owned()),
                "text" => header.text.push(value.to_owned()),
                "needs" => {
                    for need in value.split(',') {
                        header.needs.push(match need.trim() {
                            "load" => Need::Load,
                            "sigstop" => Need::Sigstop,
                            "thread-multiple" => Need::ThreadMultiple,
                            "mpi-4" => Need::Mpi4,
                            _ => return Err(bad()),
                        });
                    }
                }
                "cured" => header
                    .cured
                    .extend(value.split(',').map(|name| name.trim().to_owned())),
                _ if check.key(key, value).ok_or_else(bad)? => {}
                _ => {
                    return Err(HeaderError::UnknownKey {
                        line: number,
                        key: key.to_owned(),
                    });
                }
            }
        }
        if seen.is_empty() {
            return Err(HeaderError::Absent);
        }
        header.title = title.ok_or(HeaderError::Missing("title"))?;
        header.ranks = ranks.ok_or(HeaderError::Missing("ranks"))?;
        header.expect = expect.ok_or(HeaderError::Missing("expect"))?;
        header.contradictions()?;
        header.check = check.done(header.ranks, header.expect)?;
        Ok(header)
    }

    /// The ranks that the cores of all findings together hold, those that left included.
    pub fn all_core(&self) -> Ranks {
        self.cores
            .iter()
            .flatten()
            .chain(&self.left)
            .copied()
            .collect()
    }

    /// The contradictions that only the whole shows.
    fn contradictions(&self) -> Result<(), HeaderError> {
        let core = self.all_core();
        let has_core = matches!(
            self.expect,
            Verdict::Deadlock | Verdict::Stalled | Verdict::Failed
        );
        let states_core = !core.is_empty() || !self.marks.is_empty();
        if states_core && !has_core {
            return Err(HeaderError::CoreWithoutDeadlock);
        }
        if self.expect == Verdict::Deadlock && self.cores.is_empty() {
            return Err(HeaderError::DeadlockWithoutCore);
        }
        let named = core.iter().chain(self.victims.iter().flatten());
        if let Some(&rank) = named.into_iter().find(|&&rank| rank >= self.ranks) {
            return Err(HeaderError::NoSuchRank(rank));
        }
        for (&rank, lines) in &self.marks {
            if let Some(&line) = lines.first().filter(|_| !core.contains(&rank)) {
                return Err(HeaderError::MarkOutsideCore { line, rank });
            }
        }
        Ok(())
    }
}

/// The text after the comment sign, of a line that is a comment.
fn comment(line: &str) -> Option<&str> {
    let line = line.trim();
    ["#", "//", "!"]
        .into_iter()
        .find_map(|sign| line.strip_prefix(sign))
        .map(str::trim)
}

/// `standoff: KEY: VALUE` in a comment line.
fn entry(line: &str) -> Option<(&str, &str)> {
    let (key, value) = comment(line)?.strip_prefix("standoff:")?.split_once(':')?;
    Some((key.trim(), value.trim()))
}

/// What follows a sign (`@core`) in the comment at the end of a line of code.
fn mark<'a>(line: &'a str, sign: &str) -> Option<&'a str> {
    let (code, marked) = line.rsplit_once(sign)?;
    let code = code.trim_end();
    let is_comment = ["#", "//", "!"].iter().any(|sign| code.ends_with(sign));
    is_comment.then(|| marked.trim())
}

/// `0, 2-5` as a set.
fn rank_list(text: &str) -> Option<Ranks> {
    let mut ranks = Ranks::new();
    for part in text.split(',') {
        match part.split_once('-') {
            Some((first, last)) => {
                let (first, last): (u32, u32) =
                    (first.trim().parse().ok()?, last.trim().parse().ok()?);
                if first > last {
                    return None;
                }
                ranks.extend(first..=last);
            }
            None => {
                ranks.insert(part.trim().parse().ok()?);
            }
        }
    }
    Some(ranks)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENING: &str = "\
# standoff: title: two ranks each receive before they send
# standoff: ranks: 9
# standoff: expect: deadlock
# standoff: core: 1, 5
# standoff: cured: opening_swapped
# standoff: text: comm.recv
# standoff: text: rank 5
#
# standoff is named here without being a header line.
from mpi4py import MPI
got = comm.recv(source=5)  # @core 1
got = comm.recv(source=1)  # @core 5
";

    #[test]
    fn reads_the_opening_example() {
        let header = Header::parse(OPENING).unwrap();
        assert_eq!(header.ranks, 9);
        assert_eq!(header.expect, Verdict::Deadlock);
        assert_eq!(header.cores, [Ranks::from([1, 5])]);
        assert_eq!(header.text, ["comm.recv", "rank 5"]);
        assert_eq!(header.cured, ["opening_swapped"]);
        assert_eq!(header.marks[&1], BTreeSet::from([11]));
        assert_eq!(header.marks[&5], BTreeSet::from([12]));
        assert_eq!(header.victims, None);
    }

    #[test]
    fn reads_c_comments_ranges_and_lists() {
        let header = Header::parse(
            "// standoff: title: t\n//standoff: ranks: 8\n// standoff: expect: deadlock\n\
             // standoff: core: 0, 2-4\n// standoff: left: 7\n// standoff: victims: none\n\
             // standoff: mpi: mpich, openmpi\n// standoff: stdin: open\n// standoff: args: -x  3\n\
             // standoff: needs: load, thread-multiple\n    MPI_Barrier(comm);  // @core 0, 2-3\n",
        )
        .unwrap();
        assert_eq!(header.all_core(), Ranks::from([0, 2, 3, 4, 7]));
        assert_eq!(header.victims, Some(Ranks::new()));
        assert_eq!(header.families, ["mpich", "openmpi"]);
        assert_eq!(header.stdin, Stdin::Open);
        assert_eq!(header.args, ["-x", "3"]);
        let fed = "# standoff: title: t\n# standoff: ranks: 1\n# standoff: expect: clean\n# standoff: stdin: a\\nb\\n\n";
        assert_eq!(
            Header::parse(fed).unwrap().stdin,
            Stdin::Text("a\nb\n".to_owned())
        );
        assert_eq!(header.needs, [Need::Load, Need::ThreadMultiple]);
        assert_eq!(header.marks.keys().copied().collect::<Vec<_>>(), [0, 2, 3]);
    }

    /// The error of a header made of these lines after a valid beginning of a four-rank deadlock of 0 and 1.
    fn error(lines: &str) -> HeaderError {
        let start = "# standoff: title: t\n# standoff: ranks: 4\n# standoff: expect: deadlock\n# standoff: core: 0-1\n";
        Header::parse(&format!("{start}{lines}")).unwrap_err()
    }

    #[test]
    fn refuses_what_would_silently_check_less() {
        let owned = str::to_owned;
        assert_eq!(Header::parse("print(1)\n"), Err(HeaderError::Absent));
        assert_eq!(
            Header::parse("# standoff: title: t\n"),
            Err(HeaderError::Missing("ranks"))
        );
        assert_eq!(
            error("# standoff: victim: 2\n"),
            HeaderError::UnknownKey {
                line: 5,
                key: owned("victim")
            }
        );
        assert_eq!(
            error("# standoff: exit: yes\n"),
            HeaderError::BadValue {
                line: 5,
                key: owned("exit"),
                value: owned("yes")
            }
        );
        assert_eq!(
            error("# standoff: victims: 3-2\n"),
            HeaderError::BadValue {
                line: 5,
                key: owned("victims"),
                value: owned("3-2")
            }
        );
        assert_eq!(
            error("# standoff: ranks: 5\n"),
            HeaderError::Twice {
                line: 5,
                key: owned("ranks")
            }
        );
        assert_eq!(
            error("# standoff: victims: 4\n"),
            HeaderError::NoSuchRank(4)
        );
        assert_eq!(
            error("comm.recv()  # @core 2\n"),
            HeaderError::MarkOutsideCore { line: 5, rank: 2 }
        );
        assert_eq!(
            error("comm.recv()  # @core x\n"),
            HeaderError::BadValue {
                line: 5,
                key: owned("@core"),
                value: owned("x")
            }
        );
        assert_eq!(
            Header::parse(
                "# standoff: title: t\n# standoff: ranks: 1\n# standoff: expect: clean\nf()  # @core 0\n"
            ),
            Err(HeaderError::CoreWithoutDeadlock)
        );
        assert_eq!(
            Header::parse(
                "# standoff: title: t\n# standoff: ranks: 1\n# standoff: expect: deadlock\n"
            ),
            Err(HeaderError::DeadlockWithoutCore)
        );
    }
}
