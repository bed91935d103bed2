//! Sources with marks (`@stuck 0 1` in a remark) for where ranks are stuck, and what is proposed for them.

#![allow(dead_code)]

use standoff_fix::{Language, Proposal, Repair, edit, propose};
use standoff_report::{AgentEntry, Finding, FindingKind, Frame, Op};

/// A finding whose core is stuck where the marks are.
pub fn finding(source: &str) -> Finding {
    let mut finding = Finding::new(FindingKind::Deadlock);
    for (n, line) in source.lines().enumerate() {
        let Some((code, ranks)) = line.split_once("@stuck ") else {
            continue;
        };
        let code = code.to_lowercase();
        let op = |name: &str| code.contains(&format!("{name}("));
        let op = match () {
            () if op("recv") => Op::Recv,
            () if op("ssend") => Op::Ssend,
            () if op("send") => Op::Send,
            () if op("wait") => Op::Wait,
            () => Op::Collective,
        };
        for rank in ranks.split_whitespace().map_while(|r| r.parse().ok()) {
            finding.core.push(AgentEntry {
                agent: format!("rank {rank}"),
                rank,
                op: Some(op.clone()),
                stack: vec![Frame::at("it", n as u32 + 1, "f")],
                ..AgentEntry::default()
            });
        }
    }
    finding
}

#[track_caller]
pub fn proposal(language: Language, source: &str) -> Proposal {
    propose(&finding(source), 3, "it", language, source).unwrap()
}

/// The patched sources of one sort.
#[track_caller]
pub fn patched(language: Language, source: &str, repair: Repair) -> Vec<String> {
    let all = proposal(language, source).candidates;
    let these = all.iter().filter(|c| c.repair == repair);
    these
        .map(|c| edit::apply(source, &c.edits).unwrap())
        .collect()
}

/// That no sort of repair of the order is offered, and for this reason.
#[track_caller]
pub fn nothing(language: Language, source: &str, reason: &str) {
    let proposal = proposal(language, source);
    assert_eq!(proposal.candidates, [], "{source}");
    let said = proposal.refused.join("\n");
    assert!(said.contains(reason), "{said}");
}

/// The programs of one test for which something is offered, or nothing said; all are shown at its end.
#[derive(Default)]
pub struct Wrong(Vec<String>);

impl Wrong {
    /// Nothing is offered, whatever the reason; one is given.
    pub fn check(&mut self, language: Language, source: &str) {
        let proposal = match propose(&finding(source), 3, "it", language, source) {
            Ok(proposal) => proposal,
            Err(why) => return self.0.push(format!("{why}:\n{source}")),
        };
        let kinds: Vec<_> = proposal.candidates.iter().map(|c| c.repair).collect();
        if !kinds.is_empty() {
            self.0.push(format!("{kinds:?} offered:\n{source}"));
        } else if proposal.refused.is_empty() {
            self.0.push(format!("no reason:\n{source}"));
        }
    }

    /// In a function that all ranks call.
    pub fn python(&mut self, body: &str) {
        let body: String = body.lines().map(|l| format!("    {l}\n")).collect();
        let head = "import numpy as np\nTOTAL = 0\ndef work(comm, peer, field):\n";
        self.check(Language::Python, &format!("{head}{body}"));
    }

    pub fn c(&mut self, body: &str) {
        let body: String = body.lines().map(|l| format!("    {l}\n")).collect();
        let head = "#include <mpi.h>\nstatic double all[64];\nvoid work(int peer)\n{\n";
        self.check(Language::C, &format!("{head}{body}}}\n"));
    }

    #[track_caller]
    pub fn none(self) {
        let (n, list) = (self.0.len(), self.0.join("\n"));
        assert!(n == 0, "{n} programs:\n{list}");
    }
}
