//! What tests of `--rescue` look at.

use standoff_report::{Finding, FindingKind, Severity, Verdict};

use super::common::Lab;

/// Warnings of rescued sends, which must be all that was found.
#[track_caller]
pub fn rescued(lab: &Lab) -> Vec<Finding> {
    let report = lab.report();
    assert_eq!(report.verdict, Verdict::Clean, "{report:#?}");
    for finding in &report.findings {
        assert_eq!(finding.kind, FindingKind::RescuedSend, "{report:#?}");
        assert_eq!(finding.severity, Severity::Warning);
    }
    report.findings
}

/// Lines at which sends were rescued.
pub fn lines(found: &[Finding]) -> Vec<u32> {
    let line = |f: &Finding| f.core[0].stack[0].line.unwrap();
    found.iter().map(line).collect()
}

/// Compiles `ring.c`, and says where the program is.
pub fn ring(lab: &Lab, text: &str) -> String {
    let source = lab.file("ring.c", text);
    let compiler = lab.environment.program("mpicc");
    let program = lab.compile(compiler.as_os_str(), &source, "ring");
    program.to_str().unwrap().to_owned()
}
