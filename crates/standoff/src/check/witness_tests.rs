//! Tests of [`super::steps`] and [`super::words`]: programs as records, searched, and what is then said of the witness.

use standoff_check::{Alternative, Model, Options, Outcome, Verdict, Witness};
use standoff_mpi::Spelling;
use standoff_report::{AgentEntry, Finding, FindingKind, Frame, Op, Step};
use standoff_trace::event::{
    Collective, CollectiveKind, CommId, CommIndex, CommRank, Completion, Flow, Group, Matched,
    Place, Recv, RequestId, Root, Send, SendMode, SiteId, Source, TagPattern, Told,
};
use standoff_trace::{Basic, Event, Header, RankTrace, Record, Trace};

use super::lines::Lines;
use super::recording::Execution;
use super::steps::{self, SHOWN};
use super::words;

const WORLD: CommIndex = CommIndex(0);

/// A call and the line of `app.py` that it stands in.
type Call = (u32, Event<'static>);

fn send(to: u32) -> Event<'static> {
    Event::Send(sends(to))
}

fn sends(to: u32) -> Send {
    Send {
        comm: WORLD,
        to: CommRank(to),
        tag: 0,
        mode: SendMode::Standard,
        bytes: 8,
        request: None,
        persistent: false,
        basic: Basic::UNKNOWN,
    }
}

fn ssend(to: u32) -> Event<'static> {
    Event::Send(Send {
        mode: SendMode::Synchronous,
        ..sends(to)
    })
}

fn receives(from: Source, told: Option<u32>) -> Recv {
    let told = told.map(|source| Matched {
        source: CommRank(source),
        tag: 0,
    });
    Recv {
        comm: WORLD,
        from,
        tag: TagPattern::Tag(0),
        bytes: 8,
        request: None,
        persistent: false,
        basic: Basic::UNKNOWN,
        told,
    }
}

fn recv(from: u32) -> Event<'static> {
    Event::Recv(receives(Source::Rank(CommRank(from)), None))
}

/// From any source; the recorded run told this one.
fn any(told: u32) -> Event<'static> {
    Event::Recv(receives(Source::Any, Some(told)))
}

fn sendrecv(to: u32, from: u32) -> Event<'static> {
    let recv = receives(Source::Rank(CommRank(from)), None);
    let send = sends(to);
    Event::Sendrecv { send, recv }
}

fn collective(kind: CollectiveKind, seq: u64, root: Root) -> Event<'static> {
    Event::Collective(Collective {
        comm: WORLD,
        kind,
        seq,
        start: None,
        root,
        flow: Flow::Data,
        request: None,
        members: None,
        signature: None,
    })
}

fn bcast(seq: u64) -> Event<'static> {
    collective(CollectiveKind::Bcast, seq, Root::Rank(CommRank(0)))
}

fn barrier(seq: u64) -> Event<'static> {
    collective(CollectiveKind::Barrier, seq, Root::None)
}

/// An execution of these programs, one for each rank.
fn execution(programs: Vec<Vec<Call>>) -> Execution {
    let world_size = programs.len() as u32;
    let rank = |(rank, calls): (u32, Vec<Call>)| {
        let record = |site: u32, event| Record {
            thread: 0,
            site: SiteId(site),
            event,
        };
        let group = Group::Strided {
            first: 0,
            stride: 1,
            len: world_size,
        };
        let world = Event::Comm {
            index: WORLD,
            id: CommId(1),
            name: "MPI_COMM_WORLD".into(),
            group,
            remote: None,
            sources: None,
        };
        let mut records = vec![record(0, Event::Init { level: 0 }), record(0, world)];
        for (site, (line, event)) in (1..).zip(calls) {
            let place = Place::Script {
                file: "app.py".into(),
                line,
                function: "main".into(),
            };
            let id = SiteId(site);
            records.push(record(0, Event::Site { id, place }));
            records.push(record(site, event));
        }
        records.push(record(0, Event::Finalize));
        let header = Header {
            rank,
            world_size,
            world_key: 1,
        };
        RankTrace { header, records }
    };
    let ranks = (0..).zip(programs).map(rank).collect();
    Execution::of(Trace::new(ranks).expect("all ranks"))
}

/// What the search finds.
fn witness(execution: &Execution) -> Witness {
    let options = Options::default();
    let model = Model::new(&execution.trace, &options).expect("a model");
    match model.search(&options).0 {
        Verdict::Deadlock(witness) => *witness,
        clean @ Verdict::Clean(_) => panic!("{clean:?}"),
    }
}

/// All that is said of a program's witness: the heading, the steps as `who | place | what`, why, and what to change.
fn said(programs: Vec<Vec<Call>>) -> (String, Vec<String>, String, Vec<String>) {
    let execution = execution(programs);
    let (witness, lines) = (witness(&execution), Lines::new(&execution));
    let row = |step: &Step| format!("{} | {} | {}", step.agents, step.place, step.what);
    let (steps, left_out) = steps::steps(&lines, &witness);
    assert_eq!(left_out, 0);
    (
        words::summary(&lines, &witness).unwrap_or_default(),
        steps.iter().map(row).collect(),
        words::explanation(&lines, &witness),
        words::advice(&lines, &witness, Spelling::Native),
    )
}

const BUFFERED: &str = "a standard send to be received. In the recorded run the library buffered the message; MPI does not promise that.";

#[test]
fn both_send_first() {
    let (summary, steps, why, advice) = said(vec![
        vec![(3, send(1)), (4, recv(1))],
        vec![(6, send(0)), (7, recv(0))],
    ]);
    assert_eq!(
        summary,
        "ranks 0 and 1 both send before they receive (app.py:3, app.py:6)"
    );
    assert_eq!(
        steps,
        [
            "rank 0 | app.py:3 | MPI_Send waits for rank 1 to receive",
            "rank 1 | app.py:6 | MPI_Send waits for rank 0 to receive",
        ]
    );
    assert_eq!(why, format!("Ranks 0 and 1 wait for {BUFFERED}"));
    assert_eq!(advice.len(), 1);
    assert!(
        advice[0].contains("swap the send and the receive") && advice[0].contains("MPI_Sendrecv")
    );
}

/// Ranks that do the same at one place are one row.
#[test]
fn a_ring_is_one_row() {
    let turn = |rank: u32| vec![(5, send((rank + 1) % 4)), (6, recv((rank + 3) % 4))];
    let (summary, steps, why, _) = said((0..4).map(turn).collect());
    assert_eq!(summary, "ranks 0–3 all send before they receive (app.py:5)");
    assert_eq!(
        steps,
        ["ranks 0–3 | app.py:5 | MPI_Send waits for its receive"]
    );
    assert_eq!(why, format!("Ranks 0–3 wait for {BUFFERED}"));
}

#[test]
fn to_itself() {
    let (summary, steps, why, advice) = said(vec![vec![(2, send(0)), (3, recv(0))]]);
    assert_eq!(
        summary,
        "rank 0 sends to itself at app.py:2 before it receives"
    );
    assert_eq!(
        steps,
        ["rank 0 | app.py:2 | MPI_Send waits for rank 0 to receive"]
    );
    assert_eq!(why, format!("Rank 0 waits for {BUFFERED}"));
    assert!(advice[0].starts_with("Keep what is meant for the rank itself"));
}

#[test]
fn a_wildcard_takes_the_other_message() {
    let (summary, steps, why, advice) = said(vec![
        vec![(3, any(1)), (4, recv(2))],
        vec![(7, send(0))],
        vec![(9, send(0))],
    ]);
    assert_eq!(
        summary,
        "if rank 2's message arrives first at app.py:3, rank 0 waits at app.py:4 for a message from rank 2 that never comes"
    );
    let taken = "rank 0 | app.py:3 | MPI_Recv takes the message of rank 2 (app.py:9), and not that of rank 1 as in the recorded run";
    assert!(steps.iter().any(|step| step == taken), "{steps:#?}");
    assert_eq!(
        steps.last().unwrap(),
        "rank 0 | app.py:4 | MPI_Recv waits for a message from rank 2"
    );
    assert!(why.starts_with("It passed because messages came in another order"));
    assert!(advice[0].starts_with("Name the source where it is known"));
}

#[test]
fn a_collective_that_waits() {
    let (summary, steps, why, advice) = said(vec![
        vec![(2, bcast(0)), (3, ssend(1))],
        vec![(5, recv(0)), (6, bcast(0))],
    ]);
    assert_eq!(
        summary,
        "rank 0 waits at app.py:2 in MPI_Bcast for rank 1 while rank 1 waits at app.py:5 for a message from rank 0"
    );
    assert_eq!(
        steps,
        [
            "rank 0 | app.py:2 | MPI_Bcast waits for rank 1 to take part",
            "rank 1 | app.py:5 | MPI_Recv waits for a message from rank 0",
        ]
    );
    assert_eq!(
        why,
        "It passed because the library let a rank leave MPI_Bcast before all had come; MPI lets it wait for them."
    );
    assert_eq!(
        advice,
        ["Put the collectives in the same place among the messages on all ranks."]
    );
}

#[test]
fn collectives_that_do_not_belong_together() {
    let reduce = collective(CollectiveKind::Reduce, 0, Root::Rank(CommRank(0)));
    let (_, steps, why, advice) = said(vec![
        vec![(2, bcast(0)), (3, barrier(1))],
        vec![(5, reduce), (6, barrier(1))],
    ]);
    assert_eq!(steps.len(), 2, "{steps:#?}");
    assert!(why.contains("do not belong together"), "{why}");
    assert!(advice[0].starts_with("Let all ranks call the same collectives"));
}

/// A send and a collective: the receive goes before the collective.
#[test]
fn a_send_before_a_barrier() {
    let (summary, steps, why, advice) = said(vec![
        vec![(2, send(1)), (3, barrier(0))],
        vec![(5, barrier(0)), (6, recv(0))],
    ]);
    assert_eq!(
        summary,
        "rank 0 waits at app.py:2 for rank 1 to receive while rank 1 waits at app.py:5 in MPI_Barrier for rank 0"
    );
    assert_eq!(steps.len(), 2);
    assert_eq!(why, format!("Rank 0 waits for {BUFFERED}"));
    assert!(advice[0].starts_with("Receive before the collective"));
}

/// Which half of an `MPI_Sendrecv` is stuck shows in whom it waits for.
#[test]
fn halves_of_a_sendrecv() {
    let (summary, steps, ..) = said(vec![
        vec![(2, sendrecv(1, 2)), (3, recv(1))],
        vec![(5, send(0)), (6, recv(0))],
        vec![(8, send(0))],
    ]);
    assert_eq!(
        steps,
        [
            "rank 0 | app.py:2 | MPI_Sendrecv waits for rank 1 to receive",
            "rank 1 | app.py:5 | MPI_Send waits for rank 0 to receive",
        ],
        "{summary}"
    );
    let (summary, steps, ..) = said(vec![
        vec![(2, sendrecv(1, 2)), (3, send(2))],
        vec![(5, recv(0))],
        vec![(8, recv(0)), (9, send(0))],
    ]);
    assert_eq!(
        steps,
        [
            "rank 0 | app.py:2 | MPI_Sendrecv waits for a message from rank 2",
            "rank 2 | app.py:8 | MPI_Recv waits for a message from rank 0",
        ],
        "{summary}"
    );
}

/// Long schedules keep what differs from the recorded run, and say how much they leave out.
#[test]
fn long_schedules_are_cut() {
    const MESSAGES: u32 = 40;
    let mut collector: Vec<Call> = (0..MESSAGES).map(|i| (10 + i, any(1))).collect();
    collector.extend([(3, any(1)), (4, recv(2))]);
    let execution = execution(vec![
        collector,
        (0..=MESSAGES).map(|i| (100 + i, send(0))).collect(),
        vec![(9, send(0))],
    ]);
    let (witness, lines) = (witness(&execution), Lines::new(&execution));
    let (steps, left_out) = steps::steps(&lines, &witness);
    assert!(steps.len() <= SHOWN, "{}", steps.len());
    assert!(left_out > 0);
    let other = "and not that of rank 1 as in the recorded run";
    assert!(steps.iter().any(|s| s.what.contains(other)), "{steps:#?}");
    let last = steps.last().unwrap();
    assert_eq!(
        (last.place.as_str(), last.agents.as_str()),
        ("app.py:4", "rank 0")
    );
}

/// A live finding of a forced run: rank 0 waits for rank 2.
fn live() -> Finding {
    let mut live = Finding::new(FindingKind::PotentialDeadlock);
    live.core = vec![
        AgentEntry {
            agent: "rank 0".into(),
            call: "MPI_Recv".into(),
            user_call: Some("comm.Recv(buffer)".into()),
            stack: vec![Frame::at("/home/u/app.py", 4, "main")],
            waits_for: vec!["rank 2".into()],
            ..AgentEntry::default()
        },
        AgentEntry {
            agent: "rank 2".into(),
            rank: 2,
            op: Some(Op::Ended),
            ..AgentEntry::default()
        },
    ];
    live
}

#[test]
fn outcomes_that_were_forced() {
    let request = RequestId(1);
    let mut posted = receives(Source::Rank(CommRank(1)), None);
    posted.request = Some(request);
    let execution = execution(vec![
        vec![
            (3, any(1)),
            (5, Event::Recv(posted)),
            (
                6,
                Event::Complete {
                    call: Completion::Waitany,
                    requests: vec![request].into(),
                    told: Told::Some(vec![(0, None)].into()),
                },
            ),
        ],
        vec![(7, send(0)), (8, send(0))],
        vec![(9, send(0))],
    ]);
    let lines = Lines::new(&execution);
    // Two definitions come first, then each call after the definition of its place.
    let told = |event: u32, outcome: Outcome| {
        let mut live = live();
        let alternative = Alternative {
            rank: 0,
            event,
            outcome,
            recorded: Outcome::Found(false),
            before: Vec::new(),
        };
        words::of_outcome(&lines, &alternative, &mut live);
        assert_eq!(live.advice.len(), 1);
        let [first, second] = &live.steps[..] else {
            panic!("{:#?}", live.steps);
        };
        assert_eq!(second.what, "comm.Recv waits for rank 2");
        assert_eq!(
            (second.agents.as_str(), second.place.as_str()),
            ("rank 0", "app.py:4")
        );
        (live.summary.unwrap(), first.what.clone())
    };
    let held = "rank 0 waits at app.py:4 for rank 2";
    let message = Outcome::Message { source: 2, tag: 0 };
    assert_eq!(
        told(3, message),
        (
            format!("if rank 2's message arrives first at app.py:3, {held}"),
            "MPI_Recv takes a message of rank 2, and not that of rank 1 as in the recorded run"
                .to_owned()
        )
    );
    assert_eq!(
        told(7, Outcome::Requests { events: vec![5] }),
        (
            format!("if MPI_Waitany at app.py:6 tells the request made at app.py:5, {held}"),
            "MPI_Waitany tells the request made at app.py:5".to_owned()
        )
    );
    let both = Outcome::Requests { events: vec![3, 5] };
    assert_eq!(
        told(7, both).1,
        "MPI_Waitany tells together the 2 requests made at app.py:3 and at app.py:5"
    );
    for (found, words) in [
        (true, "finds something already"),
        (false, "finds nothing yet"),
    ] {
        let (summary, step) = told(7, Outcome::Found(found));
        assert_eq!(
            summary,
            format!("if MPI_Waitany at app.py:6 {words}, {held}")
        );
        assert_eq!(step, format!("MPI_Waitany {words}"));
    }
}
