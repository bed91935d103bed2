//! Findings in words.
use crate::picture::Picture;
use crate::reason::{Blocked, Finding};

/// One paragraph.
#[must_use]
pub fn explain(finding: &Finding, picture: &Picture) -> String {
    let _ = (finding, picture);
    String::new()
}

/// What one agent waits for.
#[must_use]
pub fn describe(blocked: &Blocked, picture: &Picture) -> String {
    let _ = (blocked, picture);
    String::new()
}
