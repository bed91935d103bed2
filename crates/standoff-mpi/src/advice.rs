//! What to do about a finding.
use crate::picture::Picture;
use crate::reason::Finding;

/// Advice.
#[must_use]
pub fn advise(finding: &Finding, picture: &Picture) -> Vec<String> {
    let _ = (finding, picture);
    Vec::new()
}
