//! From the board's numbers to those of the trace.

use standoff_board::layout::{ANY, Group as Members};
use standoff_trace::event::{CommRank, Group, Matched, Source, TagPattern, WorldRank};
use std::borrow::Cow;

pub(super) fn members(group: Members, arena: &[u32]) -> Option<Group<'static>> {
    match group.stride {
        Members::UNKNOWN => None,
        Members::LISTED => Some(Group::List(Cow::Owned(listed(group, arena)))),
        stride => Some(Group::Strided {
            first: group.first,
            stride,
            len: group.len,
        }),
    }
}

pub(super) fn listed(group: Members, arena: &[u32]) -> Vec<WorldRank> {
    match group.stride {
        Members::UNKNOWN => Vec::new(),
        Members::LISTED => {
            let at = group.first as usize;
            let list = arena.get(at..at + group.len as usize).unwrap_or_default();
            list.iter().map(|&r| WorldRank(r)).collect()
        }
        stride => (0..group.len as i32)
            .map(|i| WorldRank((group.first as i32 + i * stride) as u32))
            .collect(),
    }
}

pub(super) fn source(peer: i32) -> Source {
    if peer == ANY {
        Source::Any
    } else {
        Source::Rank(CommRank(peer as u32))
    }
}

pub(super) fn tag(tag: i32) -> TagPattern {
    if tag == ANY {
        TagPattern::Any
    } else {
        TagPattern::Tag(tag)
    }
}

pub(super) fn matched((source, tag): (i32, i32)) -> Matched {
    Matched {
        source: CommRank(source as u32),
        tag,
    }
}
