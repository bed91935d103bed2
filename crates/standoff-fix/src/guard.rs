//! A rank that died of an exception while others wait for it: a hook that ends the job. No cure, and never called one.

use standoff_report::Finding;

use crate::edit::Edit;
use crate::unit::{Language, Unit};
use crate::{Candidate, Proposal, Repair};

const HOOK: &str = "
import sys


def abort_on_exception(kind, value, trace):
    sys.__excepthook__(kind, value, trace)
    sys.stderr.flush()
    MPI.COMM_WORLD.Abort(1)


sys.excepthook = abort_on_exception
";

pub(crate) fn candidates(unit: &Unit, finding: &Finding, file: &str, out: &mut Proposal) {
    let raised = finding.causes.iter().find(|c| c.what.starts_with("raised"));
    let (Some(cause), Language::Python) = (raised, unit.language) else {
        return;
    };
    let here = cause.stack.iter().any(|f| f.file.as_deref() == Some(file));
    if !here || unit.names.contains("excepthook") || unit.names.contains("abort_on_exception") {
        return;
    }
    let import =
        |range: std::ops::Range<usize>| unit.slice(range).trim() == "from mpi4py import MPI";
    let Some(at) = unit.blocks[0]
        .stmts
        .iter()
        .find(|s| import(s.range.clone()))
    else {
        return;
    };
    let end = at.range.end + unit.rest(at.range.end).len();
    out.candidates.push(Candidate {
        repair: Repair::Guard,
        why: format!(
            "An uncaught exception, as on rank {}, ends the whole job.",
            cause.rank
        ),
        edits: vec![Edit::insert(end, HOOK.trim_end_matches('\n'))],
        around: false,
    });
}
