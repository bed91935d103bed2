//! What it costs to encode an event, and to read it again.
//!
//! `cargo bench -p standoff-trace --bench encode`; the exit status is 1 when an event takes more than [`BOUND_NS`].

use std::borrow::Cow;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use standoff_trace::event::*;
use standoff_trace::{Basic, Event, Reader, Record, Writer};

/// Encoding, in nanoseconds an event.
const BOUND_NS: f64 = 100.0;

fn main() -> ExitCode {
    let rounds: u64 = if std::env::args().any(|a| a == "--bench") {
        1_000_000
    } else {
        1000
    };
    let mut memory = vec![0_u8; 1 << 27];
    let (mut writer, mut used) = (Writer::default(), 0);
    let begin = Instant::now();
    for i in 0..rounds {
        let comm = CommIndex(0);
        let send = Send {
            comm,
            to: CommRank((i % 100) as u32),
            tag: 7,
            mode: SendMode::Standard,
            bytes: 8192,
            basic: Basic::of(b"MPI_DOUBLE", 8),
            request: Some(RequestId(2 * i)),
            persistent: false,
        };
        let recv = Recv {
            comm,
            from: Source::Any,
            tag: TagPattern::Any,
            bytes: 8192,
            basic: Basic::of(b"MPI_DOUBLE", 8),
            request: Some(RequestId(2 * i + 1)),
            persistent: false,
            told: None,
        };
        let requests = [RequestId(2 * i), RequestId(2 * i + 1)];
        let told = [(
            1,
            Matched {
                source: CommRank(3),
                tag: 7,
            },
        )];
        let complete = Event::Complete {
            call: Completion::Waitall,
            requests: Cow::Borrowed(&requests),
            told: Told::All(Cow::Borrowed(&told)),
        };
        for (site, event) in [
            (1, Event::Send(send)),
            (2, Event::Recv(recv)),
            (3, complete),
        ] {
            let record = Record {
                thread: 0,
                site: SiteId(site),
                event,
            };
            used += writer.write(&mut memory[used..], &record).unwrap_or(0);
        }
        black_box(&memory[used]);
    }
    let events = (3 * rounds) as f64;
    let encode = begin.elapsed().as_secs_f64() * 1e9 / events;
    let begin = Instant::now();
    let read = Reader::records(&memory[..used])
        .filter(Result::is_ok)
        .count();
    let decode = begin.elapsed().as_secs_f64() * 1e9 / events;
    let met = encode <= BOUND_NS && read as f64 == events;
    println!(
        "{encode:.1} ns to encode an event (bound {BOUND_NS}), {decode:.1} ns to read it, {:.1} bytes: {}",
        used as f64 / events,
        if met { "met" } else { "MISSED" }
    );
    ExitCode::from(u8::from(!met))
}
