//! The watcher: looks at the boards, decides, reports.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use standoff_mpi::picture::WorldRank;
use standoff_mpi::{Agent, Analysis, Blocked, Finding as Found, analyse};
use standoff_report::{Finding, Report, Scope, Verdict};

use super::doing;
use super::failures;
use super::memory::Kills;
use super::native::Native;
use super::notes::unseen;
use super::pause::Paused;
use super::picture::{Polls, Reading, picture};
use super::places::Places;
use super::processor::Sample;
use super::raise::{Next, Raiser};
use super::ranks::{Ranks, World, read};
use super::report::{self, Known};
use super::rescue::{self, Rescuer};
use super::rest::Rest;
use super::stacks;
use super::stall::Pollers;
use super::warnings;
use crate::exit::JobExit;
use crate::watch::{Settings, Tick, Watcher, Why};

/// Time between two looks.
const TICK: Duration = Duration::from_millis(20);
/// A full analysis may cost at most one part in so many of the time.
const SHARE: u32 = 100;
/// A rank that died is its launcher's affair for so long; only then are survivors that wait for it a deadlock.
const LAUNCHER_GRACE: Duration = Duration::from_secs(2);
/// Time between two looks for new boards when all ranks have joined (spawned jobs).
const SCAN: Duration = Duration::from_millis(500);

/// Watches the ranks of a session through their boards.
#[derive(Debug)]
pub struct Monitor {
    settings: Settings,
    ranks: Ranks,
    /// No full analysis before this.
    not_before: Instant,
    /// Something changed since the last full analysis.
    changed: bool,
    /// Sets of agents that only the library could release, since when, with their processor time then.
    candidates: BTreeMap<Key, Candidate>,
    pollers: Pollers,
    next_scan: Instant,
    stalled: bool,
    /// The worlds of which a deadlock is proven.
    proven: BTreeMap<usize, Rest>,
    /// Stuck ranks, while their deadlock is being told.
    paused: Paused,
    kills: Kills,
    rescuer: Rescuer,
    raiser: Raiser,
}

/// A set: its world, its members with the epochs of their ranks.
type Key = (usize, Vec<(Agent, u64)>);

#[derive(Debug)]
struct Candidate {
    since: Instant,
    samples: Vec<Option<Sample>>,
    current: bool,
}

impl Monitor {
    /// A watcher of the session in `settings`.
    pub fn new(settings: Settings) -> Monitor {
        let now = Instant::now();
        Monitor {
            settings,
            ranks: Ranks::default(),
            not_before: now,
            changed: true,
            candidates: BTreeMap::new(),
            pollers: Pollers::default(),
            next_scan: now,
            stalled: false,
            proven: BTreeMap::new(),
            paused: Paused::default(),
            kills: Kills::now(),
            rescuer: Rescuer::default(),
            raiser: Raiser::default(),
        }
    }

    /// A full look at one world: what is stuck, or `None` if nothing is proven (yet).
    fn examine(&mut self, world: usize) -> Option<Tick> {
        let readings = read(&mut self.ranks.worlds[world]);
        // A change that this look has seen must be looked at again.
        self.changed |= readings
            .iter()
            .flatten()
            .any(|r| r.moving || r.others() > 0);
        let picture = picture(world as u32, &readings, &|_, _| Polls::Act);
        let Analysis {
            mut strict,
            mut lenient,
        } = analyse(&picture);
        add_victims(&mut strict, &mut lenient);
        // Ranks with several threads: what their library did first is not certain from their boards, so their sets wait too.
        let threaded = |found: &Found| {
            found
                .closure
                .iter()
                .any(|a| live_threads(&readings[a.rank.0 as usize]) > 1)
        };
        let (sure, unsure): (Vec<Found>, Vec<Found>) =
            strict.into_iter().partition(|found| !threaded(found));
        let mut proven = sure;
        for found in unsure.into_iter().chain(lenient) {
            if self.held(world, &found, &readings) {
                proven.push(found);
            }
        }
        let before = proven.len();
        proven.retain(|found| !self.launcher_may_act(world, found));
        self.changed |= proven.len() < before;
        if proven.is_empty() {
            self.proven.remove(&world);
            return None;
        }
        let w = &self.ranks.worlds[world];
        let rest = self.proven.entry(world).or_insert_with(|| Rest::new(w));
        if !rest.reached(w, &readings) {
            return None;
        }
        if self.settings.rescue
            && self
                .rescuer
                .try_on(world, &self.ranks.worlds[world], &proven, &|_| false)
        {
            self.changed = true;
            return None;
        }
        // Who only waits for a rank that Ctrl-C ended is not what the program did wrong.
        proven.retain(|found| !interrupted(found, &readings));
        if proven.is_empty() {
            return Some(Tick::Interrupted(Box::new(self.blank(Verdict::Failed))));
        }
        if self.raiser.shown {
            return self.raise(world, &readings, &picture, &proven);
        }
        let since = self.last_progress(world, &proven);
        let report = self.deadlock(world, &readings, &picture, &proven, since);
        Some(Tick::Deadlock(Box::new(report)))
    }

    /// With `--on-deadlock raise`, once the deadlock has been shown: has calls return errors, or says that nothing more can be done.
    fn raise(
        &mut self,
        number: usize,
        readings: &[Option<Reading>],
        picture: &standoff_mpi::Picture,
        proven: &[Found],
    ) -> Option<Tick> {
        self.changed = true;
        match self.raiser.next(number, readings, proven) {
            Next::Wait => None,
            Next::Ask(agents) => {
                let since = self.last_progress(number, proven);
                let findings = self
                    .deadlock(number, readings, picture, proven, since)
                    .findings;
                let world = &self.ranks.worlds[number];
                self.raiser
                    .ask(number, world, readings, proven, &findings, &agents);
                None
            }
            Next::Over(stayed) => {
                let calls: Vec<String> = stayed
                    .iter()
                    .map(|(agent, function)| format!("rank {} in {function}", agent.rank.0))
                    .collect();
                Some(Tick::Over(match calls.is_empty() {
                    true => "the ranks were deadlocked again after their errors; the job was ended"
                        .to_owned(),
                    false => format!(
                        "the job was ended: no error could be returned to {}",
                        calls.join(", ")
                    ),
                }))
            }
        }
    }

    /// Whether somebody in it waits for a rank that has just died: launchers end such a job by themselves.
    fn launcher_may_act(&self, world: usize, found: &Found) -> bool {
        found.ended.iter().any(|r| {
            let rank = self.ranks.worlds[world].ranks[r.0 as usize].as_ref();
            rank.is_some_and(|r| r.died.is_some_and(|t| t.elapsed() < LAUNCHER_GRACE))
        })
    }

    /// Whether a set has not moved for the window, each member having had processor time.
    fn held(&mut self, world: usize, found: &Found, readings: &[Option<Reading>]) -> bool {
        let w = &self.ranks.worlds[world];
        let key: Vec<(Agent, u64)> = found
            .closure
            .iter()
            .map(|a| {
                (
                    *a,
                    w.ranks[a.rank.0 as usize].as_ref().map_or(0, |r| r.epoch),
                )
            })
            .collect();
        let sample = || -> Vec<Option<Sample>> {
            found
                .closure
                .iter()
                .map(|a| {
                    let rank = w.ranks[a.rank.0 as usize].as_ref()?;
                    let reading = readings[a.rank.0 as usize].as_ref()?;
                    let tid = reading.copy.threads.get(a.thread as usize)?.tid;
                    Sample::of(rank.pid, tid)
                })
                .collect()
        };
        let candidate = self
            .candidates
            .entry((world, key))
            .or_insert_with(|| Candidate {
                since: Instant::now(),
                samples: sample(),
                current: true,
            });
        candidate.current = true;
        if candidate.since.elapsed() < self.settings.window {
            return false;
        }
        candidate
            .samples
            .iter()
            .zip(sample())
            .all(|(then, now)| matches!((then, now), (Some(then), Some(now)) if then.had_time(now)))
    }

    fn last_progress(&self, world: usize, found: &[Found]) -> Duration {
        let members = found.iter().flat_map(|f| &f.closure);
        let w = &self.ranks.worlds[world];
        members
            .filter_map(|a| w.ranks[a.rank.0 as usize].as_ref())
            .map(|r| r.changed.elapsed())
            .min()
            .unwrap_or_default()
    }

    fn deadlock(
        &mut self,
        world: usize,
        readings: &[Option<Reading>],
        picture: &standoff_mpi::Picture,
        found: &[Found],
        since: Duration,
    ) -> Report {
        let pause = self.settings.ends;
        let mut paused = pause.then(Paused::default);
        let wanted = report::wanted(found);
        let known = self.known(world, readings, wanted, paused.as_mut());
        let mut out = self.blank(Verdict::Deadlock);
        for f in found {
            let mut finding = report::deadlock(f, picture, &known);
            self.add_memory(&mut finding);
            if self.settings.rescue {
                finding.advice.push(rescue::no_way_out(f).to_owned());
            }
            out.findings.push(finding);
        }
        if self.settings.rescue {
            let w = &self.ranks.worlds[world];
            out.findings.extend(rescue::rescued(&known, w));
        }
        out.detected_after_ms = u64::try_from(since.as_millis()).ok();
        drop(known);
        self.paused = paused.unwrap_or_default();
        out
    }

    /// What is known of the ranks beside the picture, with the stacks of those `wanted`, which are paused if that is asked for.
    fn known<'a>(
        &'a self,
        world: usize,
        readings: &'a [Option<Reading>],
        wanted: Vec<usize>,
        pause: Option<&mut Paused>,
    ) -> Known<'a> {
        let w = &self.ranks.worlds[world];
        let mut native = Native::default();
        let stacks = stacks::collect(w, readings, &wanted, pause, &mut native);
        Known {
            world: world as u32,
            readings,
            stacks,
            places: Places::new(Some(w), native),
            sources: standoff_report::sources::FileSources::new("."),
        }
    }

    /// SIGKILL is what the kernel sends when memory runs out.
    fn add_memory(&self, finding: &mut Finding) {
        if finding.causes.iter().any(|c| c.what.contains("SIGKILL"))
            && let Some(words) = self.kills.in_words()
        {
            finding.explanation += &format!(" {words}");
        }
    }

    /// A report with what is known of the whole session.
    fn blank(&self, verdict: Verdict) -> Report {
        let ranks = self.ranks.worlds.iter().map(|w| w.ranks.len() as u32).sum();
        let mut out = Report::new(verdict, Scope::ThisRun, ranks);
        out.mpi = self.mpi();
        out.notes = unseen(&self.ranks);
        out
    }

    fn mpi(&self) -> Option<standoff_report::MpiInfo> {
        let rank = self.ranks.worlds.first()?.joined().next()?;
        let header = rank.board.header().ok()?;
        report::mpi(&header)
    }

    /// Looks for threads that poll in vain what nobody can complete.
    fn stalls(&mut self) -> Option<Report> {
        if self.stalled || !self.pollers.due(&self.ranks.worlds) {
            return None;
        }
        for world in 0..self.ranks.worlds.len() {
            let readings = read(&mut self.ranks.worlds[world]);
            if !self.pollers.note(world, &readings) {
                continue;
            }
            let old = |rank: usize, slot: usize| self.pollers.of(world, rank, slot);
            let picture = picture(world as u32, &readings, &old);
            let Analysis { strict, lenient } = analyse(&picture);
            let polls = |a: &Agent| old(a.rank.0 as usize, a.thread as usize) == Polls::Wait;
            let found: Vec<Found> = strict
                .into_iter()
                .chain(lenient)
                .filter(|f| f.closure.iter().any(polls))
                .collect();
            if found.is_empty() {
                continue;
            }
            let w = &self.ranks.worlds[world];
            if self.settings.rescue && self.rescuer.try_on(world, w, &found, &polls) {
                continue;
            }
            self.stalled = true;
            let known = self.known(world, &readings, report::wanted(&found), None);
            let mut out = self.blank(Verdict::Stalled);
            for f in &found {
                out.findings
                    .push(report::stalled(f, &picture, &known, &polls));
            }
            return Some(out);
        }
        None
    }
}

/// Whoever is stuck behind a proven core only as long as the library holds it is a victim all the same; what the lenient
/// findings say beyond that of agents of a proven core is dropped.
fn add_victims(strict: &mut [Found], lenient: &mut Vec<Found>) {
    let proven: BTreeSet<Agent> = strict
        .iter()
        .flat_map(|f| &f.core)
        .map(|b| b.agent)
        .collect();
    for found in strict {
        let known: BTreeSet<Agent> = found.victims.iter().map(|b| b.agent).collect();
        let mine = |b: &Blocked| found.core.iter().any(|c| c.agent == b.agent);
        let more: Vec<Blocked> = lenient
            .iter()
            .filter(|l| l.core.iter().any(mine))
            .flat_map(|l| l.core.iter().chain(&l.victims))
            .filter(|b| !proven.contains(&b.agent) && !known.contains(&b.agent))
            .cloned()
            .collect();
        found.victims.extend(more);
        found.victims.sort_by_key(|b| b.agent);
    }
    lenient.retain(|l| l.core.iter().all(|b| !proven.contains(&b.agent)));
}

/// Whether all who left and are waited for were interrupted.
fn interrupted(found: &Found, readings: &[Option<Reading>]) -> bool {
    let by_hand = |rank: &WorldRank| {
        let reading = readings.get(rank.0 as usize).and_then(Option::as_ref);
        reading.is_some_and(failures::interrupted)
    };
    !found.ended.is_empty() && found.ended.iter().all(by_hand)
}

fn live_threads(reading: &Option<Reading>) -> usize {
    reading
        .as_ref()
        .map_or(0, |r| r.copy.threads.iter().filter(|t| t.used == 1).count())
}

impl Watcher for Monitor {
    fn tick(&mut self) -> Tick {
        let again = Tick::Continue { next: TICK };
        let now = Instant::now();
        let all_here =
            !self.ranks.worlds.is_empty() && self.ranks.worlds.iter().all(World::complete);
        let mut any_changed = false;
        if !all_here || now >= self.next_scan {
            any_changed = self.ranks.scan(&self.settings.session);
            self.next_scan = now + SCAN;
        }
        let mut any_still = false;
        for rank in self
            .ranks
            .worlds
            .iter_mut()
            .flat_map(|w| w.ranks.iter_mut().flatten())
        {
            let changed = rank.look();
            any_changed |= changed;
            any_still |= !changed;
        }
        self.changed |= any_changed;
        let now = Instant::now();
        // All still since the last look and something new: the usual deadlock, worth a look at once.
        let due = self.changed && any_still && (!any_changed || now >= self.not_before);
        let waiting =
            (!self.candidates.is_empty() || !self.proven.is_empty()) && now >= self.not_before;
        if due || waiting {
            self.changed = any_changed;
            for c in self.candidates.values_mut() {
                c.current = false;
            }
            for world in 0..self.ranks.worlds.len() {
                if let Some(tick) = self.examine(world) {
                    return tick;
                }
            }
            self.candidates.retain(|_, c| c.current);
            self.not_before = Instant::now() + now.elapsed() * SHARE;
        }
        self.raiser.go(&self.ranks.worlds);
        if self.settings.rescue || self.settings.raises {
            for (number, world) in self.ranks.worlds.iter().enumerate() {
                self.rescuer.end(number, world);
            }
        }
        if self.raiser.shown {
            // It has been said already what is wrong.
            return match self.raiser.hangs_at_the_end(&self.ranks.worlds) {
                true => {
                    Tick::Over("the job was ended: it did not come out of MPI_Finalize".to_owned())
                }
                false => again,
            };
        }
        match self.stalls() {
            Some(report) => Tick::Stalled(Box::new(report)),
            None => again,
        }
    }

    fn told(&mut self) {
        self.paused = Paused::default();
        self.raiser.shown = self.settings.raises;
        self.changed = true;
    }

    fn snapshot(&mut self, why: Why) -> Report {
        let (verdict, finding): (_, &dyn Fn(&Known<'_>) -> Finding) = match &why {
            Why::Timeout(limit) => (Verdict::Failed, &|known| doing::timeout(*limit, known)),
            Why::Asked => (Verdict::Clean, &doing::snapshot),
        };
        self.ranks.scan(&self.settings.session);
        let mut out = self.blank(verdict);
        for world in 0..self.ranks.worlds.len() {
            let readings = read(&mut self.ranks.worlds[world]);
            let everyone = (0..readings.len()).collect();
            let known = self.known(world, &readings, everyone, None);
            out.findings.push(finding(&known));
        }
        if out.findings.is_empty() {
            out.findings.push(finding(&Known {
                world: 0,
                readings: &[],
                stacks: stacks::Stacks::default(),
                places: Places::new(None, Native::default()),
                sources: standoff_report::sources::FileSources::new("."),
            }));
        }
        out
    }

    fn finish(&mut self, exit: JobExit) -> Report {
        self.ranks.scan(&self.settings.session);
        let mut failed = Vec::new();
        for world in 0..self.ranks.worlds.len() {
            let readings = read(&mut self.ranks.worlds[world]);
            let places = self.known(world, &readings, Vec::new(), None).places;
            let line = |rank, place| places.line(rank, place);
            failed.extend(failures::failures(world as u32, &readings, &line));
        }
        let cut_short = failures::cut_short(&failed);
        let failed = failures::first(failed, &self.ranks.order_of_deaths());
        // A library may abort in MPI_Finalize, or crash there, over what the program left undone (MPICH over unreceived messages).
        let at_the_end = failed.iter().all(failures::Failure::finalizing);
        let failure = failures::crash(failed, exit);
        // A program may end with any status of its own; only a rank that crashed, aborted or raised makes a failure.
        let failure = failure.filter(|_| !exit.success() || cut_short);
        let unseen = self.ranks.worlds.is_empty() && !exit.success();
        let mut out = self.blank(if failure.is_some() || unseen {
            Verdict::Failed
        } else {
            Verdict::Clean
        });
        let failed_at_the_end = failure.is_some() && at_the_end;
        out.findings.extend(failure);
        if out.verdict == Verdict::Clean || failed_at_the_end {
            for world in 0..self.ranks.worlds.len() {
                let readings = read(&mut self.ranks.worlds[world]);
                let known = self.known(world, &readings, Vec::new(), None);
                if self.settings.rescue {
                    let w = &self.ranks.worlds[world];
                    out.findings.extend(rescue::rescued(&known, w));
                }
                out.findings.extend(warnings::warnings(&known));
            }
        }
        if let [crash, _, ..] = &mut out.findings[..]
            && failed_at_the_end
        {
            crash.explanation += " It was in MPI_Finalize, where an MPI library may end a program over what it left undone: see below.";
        }
        for finding in &mut out.findings {
            self.add_memory(finding);
        }
        out
    }
}
