//! Which messages have their partners beforehand, and which wait in mailboxes.
//!
//! On a communicator where a rank never receives or probes with a wildcard source, and takes no matched messages, each
//! receive has its message fixed beforehand: sends of a channel are ordered, receives are ordered, and a receive takes
//! the first message that it accepts of those that earlier receives left (MPI 4.1, 3.5). No schedule changes that.

use std::collections::{BTreeMap, HashMap};

use crate::program::{Kind, Mailbox, OpRef, Program, Route};

/// Gives messages their mailboxes, or their fixed partners.
pub(crate) fn route(program: &mut Program) {
    let mut boxes: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    for (rank, content) in program.ranks.iter().enumerate() {
        for op in &content.ops {
            if let Kind::Recv(r) | Kind::Probe { receive: r, .. } = &op.kind
                && (r.pattern.from.is_none() || matches!(op.kind, Kind::Probe { takes: true, .. }))
            {
                let next = boxes.len() as u32;
                boxes.entry((r.comm, rank as u32)).or_insert(next);
            }
        }
    }
    let mut senders: Vec<BTreeMap<u32, Vec<(u32, i32)>>> = vec![BTreeMap::new(); boxes.len()];
    // By (communicator, sender, receiver): tags and operations in order.
    let mut channels: HashMap<(u32, u32, u32), Channel> = HashMap::new();
    for (rank, content) in program.ranks.iter_mut().enumerate() {
        let rank = rank as u32;
        for (at, op) in content.ops.iter_mut().enumerate() {
            if let Kind::Send {
                to,
                tag,
                comm,
                route,
                ..
            } = &mut op.kind
            {
                if let Some(&mailbox) = boxes.get(&(*comm, *to)) {
                    *route = Route::Mailbox(mailbox);
                    senders[mailbox as usize]
                        .entry(rank)
                        .or_default()
                        .push((at as u32, *tag));
                } else {
                    channels
                        .entry((*comm, rank, *to))
                        .or_default()
                        .push(*tag, at as u32);
                }
            }
        }
    }
    let mut partners = Vec::new();
    for (rank, content) in program.ranks.iter_mut().enumerate() {
        for (at, op) in content.ops.iter_mut().enumerate() {
            let probe = matches!(op.kind, Kind::Probe { .. });
            let (Kind::Recv(r) | Kind::Probe { receive: r, .. }) = &mut op.kind else {
                continue;
            };
            if let Some(&mailbox) = boxes.get(&(r.comm, rank as u32)) {
                r.route = Route::Mailbox(mailbox);
                continue;
            }
            let Some(from) = r.pattern.from else { continue };
            let channel = channels.get_mut(&(r.comm, from, rank as u32));
            let Some(send) = channel.and_then(|c| c.take(r.pattern.tag, !probe)) else {
                continue;
            };
            let send = OpRef {
                rank: from,
                op: send,
            };
            r.route = Route::Fixed(Some(send));
            if !probe {
                partners.push((
                    send,
                    OpRef {
                        rank: rank as u32,
                        op: at as u32,
                    },
                ));
            }
        }
    }
    for (send, recv) in partners {
        if let Kind::Send { route, .. } =
            &mut program.ranks[send.rank as usize].ops[send.op as usize].kind
        {
            *route = Route::Fixed(Some(recv));
        }
    }
    let mut owners: Vec<(u32, u32)> = boxes.iter().map(|(&(_, owner), &at)| (at, owner)).collect();
    owners.sort_unstable();
    program.mailboxes = owners
        .into_iter()
        .zip(senders)
        .map(|((_, owner), senders)| Mailbox {
            owner,
            senders: senders.into_iter().collect(),
        })
        .collect();
}

/// Sends of one channel that no receive has taken. Taking is amortized constant for receives that name a tag, and for `MPI_ANY_TAG`.
#[derive(Default)]
struct Channel {
    /// (tag, operation, taken), in order.
    sends: Vec<(i32, u32, bool)>,
    /// All before it are taken.
    first: usize,
    /// Positions in `sends` of each tag, and how many at the front are taken.
    by_tag: HashMap<i32, (Vec<u32>, usize)>,
}

impl Channel {
    fn push(&mut self, tag: i32, op: u32) {
        self.by_tag
            .entry(tag)
            .or_default()
            .0
            .push(self.sends.len() as u32);
        self.sends.push((tag, op, false));
    }

    fn take(&mut self, tag: Option<i32>, remove: bool) -> Option<u32> {
        let at = match tag {
            None => {
                while self.sends.get(self.first).is_some_and(|s| s.2) {
                    self.first += 1;
                }
                self.first
            }
            Some(tag) => {
                let (list, next) = self.by_tag.get_mut(&tag)?;
                while list.get(*next).is_some_and(|&at| self.sends[at as usize].2) {
                    *next += 1;
                }
                *list.get(*next)? as usize
            }
        };
        let send = self.sends.get_mut(at)?;
        send.2 |= remove;
        Some(send.1)
    }
}
