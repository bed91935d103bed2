//! Prints recorded files, one event a line: `cargo run -p standoff-trace --example show -- FILE...`.

use standoff_trace::RankTrace;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args_os().skip(1) {
        let trace = RankTrace::from_bytes(&std::fs::read(&path)?)?;
        println!("{:?}", trace.header);
        for record in &trace.records {
            println!(
                "  thread {} site {} {:?}",
                record.thread, record.site.0, record.event
            );
        }
    }
    Ok(())
}
