//! Reduction with core extraction on graphs of 10 thousand to a million agents.
//!
//! `cargo bench -p standoff-core --bench reduction` prints medians and checks the bound (see [`BOUND_S`] and
//! [`BOUND_MIB`]); the exit status is 1 when it is missed. A word after `--` selects the shapes whose names contain it.
//! Each shape and size is measured in a process of its own, so that peak memory is its own too.
//! Times are medians on the clock. The bound is held against processor time (`cpu ms`, the mean of reduce and cores), where the
//! system tells it: one thread does all and never waits, so on an idle machine the two agree.

use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::time::Instant;

use standoff_core::{Assume, Graph, Need, NodeId, Strength, cores, reduce};

/// Reduction and cores together, at the largest size, in seconds.
const BOUND_S: f64 = 1.0;
/// Peak resident memory of the whole process, graph included, in MiB.
const BOUND_MIB: f64 = 1000.0;
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];

type Build = fn(usize) -> Graph;

/// Name, what it looks like, how to build it with that many agents.
const SHAPES: [(&str, &str, Build); 12] = [
    ("ring", "all in one ring", |n| rings(n, n)),
    ("rings-of-4", "independent rings of four", |n| rings(n, 4)),
    (
        "rings-in-a-row",
        "rings of two, each waits for the next one too",
        rings_in_a_row,
    ),
    (
        "chain",
        "each waits for the next, the last for one that left",
        chain,
    ),
    ("star-ended", "all wait for one that left", star),
    (
        "farm-stuck",
        "groups of 1000: master any-of workers, workers wait for it",
        |n| farm(n, false),
    ),
    ("farm-free", "the same, one worker a group is free", |n| {
        farm(n, true)
    }),
    (
        "barrier",
        "a barrier all but one have reached; that one waits for the first",
        barrier,
    ),
    ("butterfly", "all of log2 n partners, all stuck", |n| {
        butterfly(n, false)
    }),
    (
        "butterfly-free",
        "any of log2 n partners, one is free",
        |n| butterfly(n, true),
    ),
    (
        "random-stuck",
        "k of about 4 random targets, a few free, ended",
        |n| random(n, 1000),
    ),
    ("random-mixed", "the same, more of them free", |n| {
        random(n, 8)
    }),
];

/// Steele, Lea and Flood's splitmix64: a few lines, and the same numbers everywhere.
struct Splitmix(u64);

impl Splitmix {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

fn agents(n: usize, edges: usize) -> (Graph, Vec<NodeId>) {
    let mut graph = Graph::with_capacity(n, edges);
    let ids = (0..n).map(|_| graph.add_agent()).collect();
    (graph, ids)
}

fn must(graph: &mut Graph, n: NodeId, need: Need, targets: &[NodeId]) {
    graph.set_wait(n, need, Strength::Must, targets);
}

fn rings(n: usize, of: usize) -> Graph {
    let (mut graph, a) = agents(n, n);
    for ring in a.chunks(of) {
        for (i, &v) in ring.iter().enumerate() {
            must(&mut graph, v, Need::All, &[ring[(i + 1) % ring.len()]]);
        }
    }
    graph
}

fn rings_in_a_row(n: usize) -> Graph {
    let (mut graph, a) = agents(n, 2 * n);
    for i in (0..n - 1).step_by(2) {
        must(&mut graph, a[i], Need::All, &[a[i + 1]]);
        must(
            &mut graph,
            a[i + 1],
            Need::All,
            &[a[i], a[(i + 2).min(n - 1)]],
        );
    }
    graph
}

fn chain(n: usize) -> Graph {
    let (mut graph, a) = agents(n, n);
    for pair in a.windows(2) {
        must(&mut graph, pair[0], Need::All, &pair[1..]);
    }
    graph.set_ended(a[n - 1]);
    graph
}

fn star(n: usize) -> Graph {
    let (mut graph, a) = agents(n, n);
    graph.set_ended(a[0]);
    for &v in &a[1..] {
        must(&mut graph, v, Need::All, &a[..1]);
    }
    graph
}

fn farm(n: usize, free: bool) -> Graph {
    let (mut graph, a) = agents(n, 4 * n);
    for group in a.chunks(1000) {
        let any_source = graph.add_condition();
        must(&mut graph, any_source, Need::Any, &group[1..]);
        must(&mut graph, group[0], Need::All, &[any_source]);
        for &worker in &group[1..] {
            let request = graph.add_condition();
            must(&mut graph, request, Need::Any, &group[..1]);
            must(&mut graph, worker, Need::All, &[request]);
        }
        if free {
            graph.set_free(group[group.len() / 2]);
        }
    }
    graph
}

fn barrier(n: usize) -> Graph {
    let (mut graph, a) = agents(n, 2 * n);
    let barrier = graph.add_condition();
    must(&mut graph, barrier, Need::All, &a[n - 1..]);
    for &v in &a[..n - 1] {
        must(&mut graph, v, Need::All, &[barrier]);
    }
    must(&mut graph, a[n - 1], Need::All, &a[..1]);
    graph
}

fn butterfly(n: usize, free: bool) -> Graph {
    let (mut graph, a) = agents(n, n * n.ilog2() as usize);
    let need = if free { Need::Any } else { Need::All };
    let mut targets = Vec::new();
    for i in 0..n {
        targets.clear();
        targets.extend(
            (0..)
                .map(|k| 1 << k)
                .take_while(|&d| d < n)
                .filter_map(|d| a.get(i ^ d)),
        );
        must(&mut graph, a[i], need, &targets);
    }
    if free {
        graph.set_free(a[n / 2]);
    }
    graph
}

/// One in `free` is free; one in 2000 ended; a third of the targets lie behind a condition node of their own.
fn random(n: usize, free: usize) -> Graph {
    let mut rng = Splitmix(n as u64);
    let (mut graph, a) = agents(n, 6 * n);
    let mut targets = Vec::new();
    for &v in &a {
        if rng.below(free) == 0 {
            continue;
        }
        if rng.below(2000) == 0 {
            graph.set_ended(v);
            continue;
        }
        targets.clear();
        for _ in 0..1 + rng.below(7) {
            let target = a[rng.below(n)];
            targets.push(if rng.below(3) == 0 {
                let request = graph.add_condition();
                must(&mut graph, request, Need::Any, &[target]);
                request
            } else {
                target
            });
        }
        let k = 1 + rng.below(targets.len());
        must(&mut graph, v, Need::AtLeast(k as u32), &targets);
    }
    graph
}

/// Builds, reduces and finds the cores several times; prints the medians in seconds, then what was found, in one line.
fn measure(build: Build, n: usize) {
    let runs = if n >= 1_000_000 { 5 } else { 11 };
    let mut times = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    let (mut nodes, mut edges, mut stuck, mut found) = (0, 0, 0, 0);
    let mut cpu = 0.0;
    for _ in 0..runs {
        let t0 = Instant::now();
        let graph = black_box(build(n));
        let p1 = processor();
        let t1 = Instant::now();
        let reduction = black_box(reduce(&graph, Assume::MayWaitsPass));
        let t2 = Instant::now();
        let cores = black_box(cores(&graph, &reduction));
        let t3 = Instant::now();
        cpu += processor() - p1;
        for (list, time) in times.iter_mut().zip([t1 - t0, t2 - t1, t3 - t2, t3 - t1]) {
            list.push(time.as_secs_f64());
        }
        (nodes, edges) = (graph.len(), graph.edges());
        (stuck, found) = (reduction.stuck_agents().len(), cores.len());
    }
    for list in &mut times {
        list.sort_by(f64::total_cmp);
        print!("{} ", list[list.len() / 2]);
    }
    println!(
        "{} {nodes} {edges} {stuck} {found} {}",
        cpu / f64::from(runs),
        peak_mib()
    );
}

/// Processor time of this process's only thread, in seconds; not known outside Linux.
fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|w| w.parse().ok());
    nanos.map_or(f64::NAN, |ns: f64| ns * 1e-9)
}

/// The most memory this process has held so far; not known outside Linux.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().strip_suffix(" kB")?.parse().ok())
        .map_or(f64::NAN, |k: f64| k / 1024.0)
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [mark, shape, size] = &args[..]
        && mark == "--measure"
    {
        let shape = SHAPES.iter().find(|s| s.0 == shape);
        let (Some(shape), Ok(n)) = (shape, size.parse()) else {
            return ExitCode::from(2);
        };
        measure(shape.2, n);
        return ExitCode::SUCCESS;
    }
    // As a test (`cargo test --benches`) the smallest size will do.
    let sizes = if args.iter().any(|a| a == "--bench") {
        &SIZES[..]
    } else {
        &SIZES[..1]
    };
    let wanted = args.iter().find(|a| !a.starts_with('-'));
    let program = std::env::current_exe().expect("the path of this benchmark");
    let (mut worst_s, mut worst_mib) = (0.0_f64, 0.0_f64);
    for (name, what, _) in SHAPES
        .iter()
        .filter(|s| wanted.is_none_or(|w| s.0.contains(&w[..])))
    {
        println!("\n{name}: {what}");
        println!(
            "   agents     nodes      edges  build ms reduce ms  cores ms    cpu ms  ns/(n+e)  growth     stuck   cores  peak MiB"
        );
        let mut before = None;
        for &n in sizes {
            let output = Command::new(&program)
                .args(["--measure", name, &n.to_string()])
                .output();
            let output = output.expect("this benchmark runs again");
            let text = String::from_utf8_lossy(&output.stdout);
            let v: Vec<f64> = text
                .split_whitespace()
                .map_while(|w| w.parse().ok())
                .collect();
            let [
                build,
                reduce,
                cores,
                both,
                cpu,
                nodes,
                edges,
                stuck,
                found,
                peak,
            ] = v[..]
            else {
                eprintln!("{name} with {n} agents failed: {output:?}");
                return ExitCode::FAILURE;
            };
            let growth = before.map_or(String::new(), |b: f64| format!("{:.1}x", both / b));
            before = Some(both);
            println!(
                "{n:9} {nodes:9} {edges:10} {:9.2} {:9.2} {:9.2} {:9.2} {:9.2} {growth:>7} {stuck:9} {found:7} {peak:9.1}",
                build * 1e3,
                reduce * 1e3,
                cores * 1e3,
                cpu * 1e3,
                both * 1e9 / (nodes + edges),
            );
            worst_s = worst_s.max(if cpu.is_nan() { both } else { cpu });
            worst_mib = worst_mib.max(peak);
        }
    }
    let met = worst_s <= BOUND_S && (worst_mib <= BOUND_MIB || worst_mib.is_nan());
    println!(
        "\nworst: {worst_s:.3} s reduce + cores (bound {BOUND_S} s), {worst_mib:.0} MiB peak (bound {BOUND_MIB} MiB): {}",
        if met { "met" } else { "MISSED" }
    );
    ExitCode::from(u8::from(!met))
}
