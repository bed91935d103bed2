//! All executions of a program: the recorded one, and those that other outcomes lead to, until none is left or the budget is spent.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use standoff_check::{
    Alternative, Bound, Model, Options, Outcome as Told, Scope as Searched, Verdict as Found,
};
use standoff_report::{Finding, FindingKind, Report, Scope, Verdict};
use standoff_trace::Event;
use standoff_trace::event::Source;

use crate::interrupt;

use super::bounds::bound;
use super::lines::Lines;
use super::recording::{Execution, Recording};
use super::rerun::Checker;
use super::{find, force, mismatch, plan, words};

/// How often a search is asked whether it is done.
const LOOK: Duration = Duration::from_millis(20);

/// A bound.
const INTERRUPTED: &str = "the check was interrupted";

/// What the searches of all executions so far came to.
#[derive(Default)]
struct Explored {
    /// Executions that were looked at, by what their ranks were told.
    seen: BTreeSet<u64>,
    /// Beginnings of executions that were looked at or forced, up to an outcome ([`super::recording::Beginnings`]).
    forced: BTreeSet<u64>,
    /// To be forced: outcomes, each of an execution, with the number of that beginning.
    open: Vec<(Rc<Execution>, Alternative, u64)>,
    bounds: BTreeSet<String>,
    nondeterministic: bool,
    /// Another execution was looked at because the program, run again, made other calls.
    elsewhere: bool,
}

/// What a further run came to.
enum Explore {
    /// There is none, or the budget is spent.
    Nothing,
    /// It passed: what it recorded.
    Execution(Result<Execution, String>),
    /// It hung.
    Hangs(Box<Finding>),
}

impl Explored {
    /// How many other outcomes are known that were not looked at.
    fn left(&self) -> usize {
        let open = self.open.iter().map(|open| open.2);
        let left: BTreeSet<u64> = open
            .filter(|begins| !self.forced.contains(begins))
            .collect();
        left.len()
    }
}

impl Checker<'_> {
    /// Searches the recorded execution and those that it leads to, and puts what is found into the report.
    pub(super) fn conclude(&mut self, recording: &Recording, report: &mut Report) {
        let mut explored = Explored::default();
        let mut next = Some(recording.execution());
        while let Some(read) = next.take() {
            match read {
                Ok(execution) => {
                    // Of the recorded run only: that is what the user saw.
                    if explored.seen.is_empty() {
                        report.findings.extend(mismatch::findings(&execution));
                    }
                    if let Some(mut finding) = self.search(&Rc::new(execution), &mut explored) {
                        words::nobody_receives(&mut finding, &report.findings);
                        report.verdict = Verdict::PotentialDeadlock;
                        report.findings.insert(0, finding);
                        break;
                    }
                }
                Err(why) => drop(explored.bounds.insert(why)),
            }
            next = match self.explore(&mut explored) {
                Explore::Nothing => None,
                Explore::Execution(read) => Some(read),
                Explore::Hangs(finding) => {
                    report.verdict = Verdict::PotentialDeadlock;
                    report.findings.insert(0, *finding);
                    None
                }
            };
        }
        let left = explored.left();
        if left > 0 && report.verdict == Verdict::Clean {
            let n = left;
            explored.bounds.insert(format!(
                "{n} other outcome{} not run ({})",
                if n == 1 { "" } else { "s" },
                match interrupt::asked() {
                    _ if self.args.no_rerun => "--no-rerun",
                    Some(_) => "interrupted",
                    None => "--budget",
                },
            ));
        }
        if interrupt::asked().is_some() {
            explored.bounds.insert(INTERRUPTED.to_owned());
        }
        if report.verdict == Verdict::PotentialDeadlock {
            explored
                .bounds
                .insert("the search ended with what it found".to_owned());
        }
        self.progress.end();
        report.scope = if explored.bounds.is_empty() {
            Scope::AllExecutions
        } else {
            Scope::Bounded
        };
        if report.scope == Scope::Bounded {
            let list: Vec<String> = explored.bounds.into_iter().collect();
            report.bound = Some(list.join("; "));
        }
        if explored.nondeterministic && report.verdict == Verdict::Clean {
            report.notes.push(format!(
                "different executions looked at: {}; further runs of the program: {}",
                explored.seen.len(),
                self.runs
            ));
        }
    }

    /// Searches one execution. A finding ends the check.
    ///
    /// First with what the wildcards were told: a witness of that rests on nothing but MPI. Then with other outcomes, after which the program may make
    /// other calls: a witness of that counts only if the program, forced there, hangs.
    fn search(&mut self, execution: &Rc<Execution>, explored: &mut Explored) -> Option<Finding> {
        if !explored.seen.insert(execution.identity()) {
            return None;
        }
        explored.bounds.extend(execution.bounds.iter().cloned());
        for certain in [true, false] {
            let options = Options {
                certain,
                ..Options::default()
            };
            let model = match Model::new(&execution.trace, &options) {
                Ok(model) => model,
                Err(error) => {
                    explored.bounds.insert(error.to_string());
                    return None;
                }
            };
            let nondeterministic = model.nondeterministic();
            let open = nondeterministic || model.asks();
            explored.nondeterministic |= open;
            let (found, alternatives) = match self.searched(model, options) {
                Ok(found) => found,
                Err(why) => {
                    explored.bounds.insert(why.to_owned());
                    return None;
                }
            };
            match found {
                Found::Clean(Searched::Bounded(bounds)) if certain => {
                    let told = |b: &&Bound| !matches!(b, Bound::Follows | Bound::OtherOutcomes);
                    let told = bounds.iter().filter(told).map(bound);
                    explored.bounds.extend(told);
                }
                Found::Clean(_) => {}
                Found::Deadlock(witness) => {
                    let mut finding = find::finding(execution, &witness);
                    let plan = plan::of_witness(&execution.trace, &witness);
                    let certain = witness.diverges.is_empty();
                    let other = self.confirm(execution, &witness, &plan, &mut finding);
                    if let Some(other) = other.filter(|_| !explored.elsewhere) {
                        explored.elsewhere = true;
                        match self.search(&Rc::new(other), explored) {
                            Some(other) if other.confirmed => return Some(other),
                            _ => {
                                finding.explanation += " What it did then was searched as well, without a find that could be confirmed."
                            }
                        }
                    }
                    if let Some(send) = find::waiting_send(execution, &witness)
                        && (certain || finding.confirmed)
                    {
                        self.measure(send, &mut finding);
                    }
                    if certain || finding.confirmed {
                        let schedule = find::schedule(execution, &witness);
                        finding.witness = self.put(schedule, plan.choices);
                        return Some(finding);
                    }
                }
            }
            if !alternatives.is_empty() {
                // Other answers to polls last, whose number has no end.
                let beginnings = execution.beginnings();
                let recorded = alternatives.iter().map(|a| beginnings.told(a, &a.recorded));
                explored.forced.extend(recorded);
                let (polls, others): (Vec<_>, Vec<_>) = alternatives
                    .into_iter()
                    .map(|a| {
                        let begins = beginnings.told(&a, &a.outcome);
                        (Rc::clone(execution), a, begins)
                    })
                    .partition(|(_, a, _)| matches!(a.outcome, Told::Found(_)));
                explored.open.splice(0..0, polls.into_iter().rev());
                explored.open.extend(others);
            }
            if certain && !nondeterministic {
                break;
            }
        }
        None
    }

    /// The search, on a thread of its own: who asks may be interrupted, or have no more time.
    fn searched(
        &mut self,
        model: Model,
        options: Options,
    ) -> Result<(Found, Vec<Alternative>), &'static str> {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let found = model.search(&options).0;
            let alternatives = match options.certain && (model.nondeterministic() || model.asks()) {
                true => model.alternatives(),
                false => Vec::new(),
            };
            // Nobody may be waiting any more.
            let _ = sender.send((found, alternatives));
        });
        let limit = self.args.budget.unwrap_or_default().time;
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(found) => return Ok(found),
                Err(RecvTimeoutError::Disconnected) => return Err("the search failed"),
                Err(RecvTimeoutError::Timeout) if interrupt::asked().is_some() => {
                    return Err(INTERRUPTED);
                }
                Err(RecvTimeoutError::Timeout) if self.begun.elapsed() > limit => {
                    return Err("the time of --budget was spent in the search");
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.progress
                        .tell(|| "searching what was recorded".to_owned());
                }
            }
        }
    }

    /// Forces the next execution that was not looked at yet.
    fn explore(&mut self, explored: &mut Explored) -> Explore {
        if self.args.no_rerun {
            return Explore::Nothing;
        }
        while let Some((before, alternative, begins)) = explored.open.pop() {
            if interrupt::asked().is_some() {
                explored.open.push((before, alternative, begins));
                break;
            }
            if !explored.forced.insert(begins) {
                continue;
            }
            let (open, seen) = (explored.left() + 1, explored.seen.len());
            self.progress
                .more(|| format!("{seen} executions, {open} other outcomes to look at"));
            let choices = plan::prefix(&before.trace, &alternative);
            let Some(forced) = self.force(&choices) else {
                explored.forced.remove(&begins);
                explored.open.push((before, alternative, begins));
                break;
            };
            if forced.outcome.report.verdict == Verdict::Clean {
                let execution = forced.execution();
                let there = |e: &Execution| force::reached(&e.trace, &choices);
                if execution.as_ref().is_ok_and(|e| !there(e)) {
                    explored
                        .bounds
                        .insert(unforced(&before, &alternative).to_owned());
                }
                return Explore::Execution(execution);
            }
            let mut live = forced.outcome.report.findings.into_iter();
            if let Some(live) = live.find(|f| f.kind == FindingKind::Deadlock) {
                let mut finding = find::of_forced_run(live, &alternative.outcome);
                words::of_outcome(&Lines::new(&before), &alternative, &mut finding);
                finding.witness = self.put(Vec::new(), choices);
                return Explore::Hangs(Box::new(finding));
            }
            explored
                .bounds
                .insert("a forced run did not come to its end".to_owned());
        }
        Explore::Nothing
    }
}

/// Why an outcome may not have come about.
fn unforced(before: &Execution, alternative: &Alternative) -> &'static str {
    let ranks = before.trace.ranks.iter().zip(&alternative.before);
    let persistent = |event: &Event<'_>| matches!(event, Event::Recv(recv) if recv.persistent && recv.from == Source::Any);
    let mut told = ranks.flat_map(|(rank, &end)| rank.records.iter().take(end as usize));
    let own = &before.trace.ranks[alternative.rank as usize].records;
    let this = own.get(alternative.event as usize);
    match this.into_iter().any(|r| persistent(&r.event)) || told.any(|r| persistent(&r.event)) {
        true => "persistent receives from any source are not made to take another message",
        false => "an outcome that could not be brought about",
    }
}
