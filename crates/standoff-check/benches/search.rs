//! What the analysis costs: replay without wildcards, farms, and many senders to one wildcard receiver; the last beside exhaustive
//! exploration of the same trace.
//!
//! `cargo bench -p standoff-check --bench search`; the exit status is 1 when a bound is missed. A word after `--` selects by name.

use std::borrow::Cow;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use standoff_check::{Model, Options, Scope, Verdict};
use standoff_trace::event::*;
use standoff_trace::{Basic, Event, Header, RankTrace, Record, Trace};

/// Replay, in events a second.
const REPLAY_BOUND: f64 = 5e6;
/// The whole analysis of half a million events of 128 ranks, in seconds.
const WHOLE_BOUND_S: f64 = 2.0;

/// For exhaustive exploration of one trace, which soon is hopeless.
const EXHAUSTIVE_CAP: Duration = Duration::from_secs(20);

/// Writes the traces of a job.
struct Job {
    ranks: Vec<Vec<Event<'static>>>,
    seqs: Vec<u64>,
    requests: u64,
}

impl Job {
    fn new(size: usize) -> Job {
        let group = Group::Strided {
            first: 0,
            stride: 1,
            len: size as u32,
        };
        let world = Event::Comm {
            index: CommIndex(0),
            id: CommId(1),
            name: Cow::Borrowed("MPI_COMM_WORLD"),
            group,
            remote: None,
            sources: None,
        };
        Job {
            ranks: vec![vec![world]; size],
            seqs: vec![0; size],
            requests: 0,
        }
    }

    fn send(&mut self, rank: usize, to: usize, tag: Tag, request: Option<RequestId>) {
        let (comm, to) = (CommIndex(0), CommRank(to as u32));
        let mode = SendMode::Standard;
        let send = Send {
            comm,
            to,
            tag,
            mode,
            bytes: 8,
            basic: Basic::UNKNOWN,
            request,
            persistent: false,
        };
        self.ranks[rank].push(Event::Send(send));
    }

    fn recv(
        &mut self,
        rank: usize,
        from: Option<usize>,
        tag: Tag,
        request: Option<RequestId>,
        told: Option<usize>,
    ) {
        let comm = CommIndex(0);
        let from = from.map_or(Source::Any, |f| Source::Rank(CommRank(f as u32)));
        let told = told.map(|source| Matched {
            source: CommRank(source as u32),
            tag,
        });
        let tag = TagPattern::Tag(tag);
        let recv = Recv {
            comm,
            from,
            tag,
            bytes: 8,
            basic: Basic::UNKNOWN,
            request,
            persistent: false,
            told,
        };
        self.ranks[rank].push(Event::Recv(recv));
    }

    fn request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }

    fn waitall(&mut self, rank: usize, requests: &[RequestId]) {
        self.ranks[rank].push(Event::Complete {
            call: Completion::Waitall,
            requests: Cow::Owned(requests.to_vec()),
            told: Told::All(Cow::Borrowed(&[])),
        });
    }

    fn allreduce(&mut self) {
        for rank in 0..self.ranks.len() {
            self.ranks[rank].push(Event::Collective(Collective {
                comm: CommIndex(0),
                kind: CollectiveKind::Allreduce,
                seq: self.seqs[rank],
                start: None,
                root: Root::None,
                flow: Flow::Data,
                request: None,
                members: None,
                signature: None,
            }));
            self.seqs[rank] += 1;
        }
    }

    fn trace(self) -> Trace {
        let size = self.ranks.len() as u32;
        let rank = |(rank, mut events): (usize, Vec<Event<'static>>)| {
            events.push(Event::Finalize);
            let record = |event| Record {
                thread: 0,
                site: SiteId(0),
                event,
            };
            let header = Header {
                rank: rank as u32,
                world_size: size,
                world_key: 0,
            };
            RankTrace {
                header,
                records: events.into_iter().map(record).collect(),
            }
        };
        Trace::new(self.ranks.into_iter().enumerate().map(rank).collect())
            .expect("all ranks are there")
    }
}

/// Each rank exchanges with both neighbours, and all reduce now and then.
fn halo(size: usize, steps: usize) -> Trace {
    let mut job = Job::new(size);
    for step in 0..steps {
        for rank in 0..size {
            let (left, right) = ((rank + size - 1) % size, (rank + 1) % size);
            let requests: Vec<RequestId> = (0..4).map(|_| job.request()).collect();
            job.recv(rank, Some(left), 0, Some(requests[0]), None);
            job.recv(rank, Some(right), 1, Some(requests[1]), None);
            job.send(rank, right, 0, Some(requests[2]));
            job.send(rank, left, 1, Some(requests[3]));
            job.waitall(rank, &requests);
        }
        if step % 10 == 0 {
            job.allreduce();
        }
    }
    job.trace()
}

/// Even ranks send first, odd ones receive first.
fn pairs(size: usize, steps: usize) -> Trace {
    let mut job = Job::new(size);
    for _ in 0..steps {
        for rank in 0..size {
            if rank % 2 == 0 {
                job.send(rank, rank + 1, 0, None);
                job.recv(rank, Some(rank + 1), 0, None, None);
            } else {
                job.recv(rank, Some(rank - 1), 0, None, None);
                job.send(rank, rank - 1, 0, None);
            }
        }
    }
    job.trace()
}

/// A master answers whoever comes first; results come in another order each round.
fn farm(workers: usize, jobs: usize) -> Trace {
    let mut job = Job::new(workers + 1);
    for worker in 1..=workers {
        job.send(0, worker, 0, None);
        job.recv(worker, Some(0), 0, None, None);
    }
    let (mut sent, mut at, mut busy): (usize, usize, Vec<usize>) =
        (workers, 7, (1..=workers).collect());
    while !busy.is_empty() {
        at = (at * 31 + 11) % 1009;
        let worker = busy[at % busy.len()];
        job.send(worker, 0, 1, None);
        job.recv(0, None, 1, None, Some(worker));
        // Tag 2 says that there is no more.
        let tag = if sent < jobs { 0 } else { 2 };
        job.send(0, worker, tag, None);
        job.recv(worker, Some(0), tag, None, None);
        if sent < jobs {
            sent += 1;
        } else {
            busy.retain(|&w| w != worker);
        }
    }
    job.trace()
}

/// All others send once to rank 0, which receives from anybody. With `distinct`, each sends another tag afterwards, received by name.
fn senders(count: usize, distinct: bool) -> Trace {
    let mut job = Job::new(count + 1);
    for sender in 1..=count {
        job.send(sender, 0, 0, None);
        job.recv(0, None, 0, None, Some(sender));
    }
    for sender in (1..=count).filter(|_| distinct) {
        job.send(sender, 0, 1, None);
        job.recv(0, Some(sender), 1, None, None);
    }
    job.trace()
}

/// Exhaustive exploration: every order in which the messages of a trace of blocking sends and receives can be taken, one path at a time, no
/// state remembered. With zero buffering, since a receiver that takes from anybody is all that is compared. Executions and whether it came to an
/// end in time.
fn exhaustive(trace: &Trace, cap: Duration) -> (u64, bool) {
    struct Naive {
        calls: Vec<Vec<Call>>,
        at: Vec<usize>,
        ends: u64,
        until: Instant,
    }
    #[derive(Clone, Copy)]
    enum Call {
        Send(usize, Tag),
        Recv(Option<usize>, Tag),
    }
    impl Naive {
        /// `false`: the time is over.
        fn explore(&mut self) -> bool {
            if Instant::now() > self.until {
                return false;
            }
            let mut moved = false;
            for to in 0..self.at.len() {
                let Some(&Call::Recv(from, tag)) = self.calls[to].get(self.at[to]) else {
                    continue;
                };
                for sender in 0..self.at.len() {
                    let next = self.calls[sender].get(self.at[sender]);
                    let fits =
                        matches!(next, Some(&Call::Send(dest, sent)) if dest == to && sent == tag);
                    if !fits || from.is_some_and(|f| f != sender) {
                        continue;
                    }
                    moved = true;
                    self.at[to] += 1;
                    self.at[sender] += 1;
                    let go_on = self.explore();
                    self.at[to] -= 1;
                    self.at[sender] -= 1;
                    if !go_on {
                        return false;
                    }
                }
            }
            self.ends += u64::from(!moved);
            true
        }
    }
    let calls = |rank: &RankTrace| {
        let call = |record: &Record<'_>| match &record.event {
            Event::Send(send) => Some(Call::Send(send.to.0 as usize, send.tag)),
            Event::Recv(recv) => {
                let from = match recv.from {
                    Source::Rank(rank) => Some(rank.0 as usize),
                    Source::Any => None,
                };
                match recv.tag {
                    TagPattern::Tag(tag) => Some(Call::Recv(from, tag)),
                    TagPattern::Any => None,
                }
            }
            _ => None,
        };
        rank.records.iter().filter_map(call).collect()
    };
    let mut naive = Naive {
        calls: trace.ranks.iter().map(calls).collect(),
        at: vec![0; trace.ranks.len()],
        ends: 0,
        until: Instant::now() + cap,
    };
    let whole = naive.explore();
    (naive.ends, whole)
}

struct Measured {
    events: usize,
    compile_s: f64,
    search_s: f64,
    clean: bool,
}

fn measure(name: &str, trace: &Trace, options: &Options) -> Measured {
    let events: usize = trace.ranks.iter().map(|r| r.records.len()).sum();
    let begin = Instant::now();
    let model = Model::new(trace, options).expect("the trace is whole");
    let compile_s = begin.elapsed().as_secs_f64();
    let runs = if events > 1_000_000 { 1 } else { 3 };
    let mut times = Vec::new();
    let mut result = None;
    for _ in 0..runs {
        let begin = Instant::now();
        result = Some(model.search(options));
        times.push(begin.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let search_s = times[times.len() / 2];
    let (verdict, effort) = result.expect("it ran");
    let (words, clean) = match &verdict {
        Verdict::Clean(Scope::RecordedControlFlow) => ("clean".to_owned(), true),
        Verdict::Clean(Scope::Bounded(bounds)) => (format!("clean within {bounds:?}"), true),
        Verdict::Deadlock(witness) => (
            format!("deadlock, {} other outcomes", witness.diverges.len()),
            false,
        ),
    };
    println!(
        "{name:24} {events:9} {:10.2} {:10.2} {:9.2} {:9} {words}",
        compile_s * 1e3,
        search_s * 1e3,
        events as f64 / search_s / 1e6,
        effort.states,
    );
    Measured {
        events,
        compile_s,
        search_s,
        clean,
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let full = args.iter().any(|a| a == "--bench");
    let wanted = |name: &str| {
        args.iter()
            .find(|a| !a.starts_with('-'))
            .is_none_or(|w| name.contains(&w[..]))
    };
    let options = Options::default();
    let scale = if full { 1 } else { 50 };
    let mut met = true;
    println!(
        "{:24} {:>9} {:>10} {:>10} {:>9} {:>9}",
        "", "events", "compile ms", "search ms", "Mevents/s", "states"
    );
    for (name, trace) in [
        ("replay-halo-128", (|| halo(128, 780)) as fn() -> Trace),
        ("replay-pairs-128", || pairs(128, 2000)),
        ("replay-pairs-8", || pairs(8, 32_000)),
    ] {
        if wanted(name) {
            let trace = if full { trace() } else { pairs(8, 100) };
            let m = measure(name, &trace, &options);
            let rate = m.events as f64 / m.search_s;
            met &= m.clean
                && (!full || (rate >= REPLAY_BOUND && m.compile_s + m.search_s <= WHOLE_BOUND_S));
        }
    }
    for workers in [4, 8, 16, 32] {
        let name = format!("farm-{workers}x100");
        if wanted(&name) {
            measure(&name, &farm(workers, workers * 100 / scale), &options);
        }
    }
    for count in [4, 8, 16, 32, 64] {
        let name = format!("senders-{count}");
        if wanted(&name) {
            measure(&name, &senders(count, false), &options);
        }
    }
    for count in [4, 8, 12, 16, 64] {
        let name = format!("senders-then-named-{count}");
        if wanted(&name) && (full || count < 12) {
            measure(&name, &senders(count, true), &options);
        }
    }
    println!("\nexhaustive exploration of the same traces, {EXHAUSTIVE_CAP:?} at most:");
    for count in [4, 6, 8, 10, 12, 16] {
        let name = format!("exhaustive-senders-{count}");
        if wanted(&name) && (full || count < 8) {
            let trace = senders(count, false);
            let begin = Instant::now();
            let (ends, whole) = exhaustive(&trace, EXHAUSTIVE_CAP);
            let ms = begin.elapsed().as_secs_f64() * 1e3;
            let end = if whole { "all" } else { "not all" };
            println!("{name:24} {ms:10.2} ms {ends:12} executions, {end}");
            let factorial: u64 = (1..=count as u64).product();
            met &= !whole || ends == factorial;
        }
    }
    println!(
        "\nreplay at {} million events a second, half a million events in {WHOLE_BOUND_S} s: {}",
        REPLAY_BOUND / 1e6,
        if met { "met" } else { "MISSED" }
    );
    ExitCode::from(u8::from(!met))
}
