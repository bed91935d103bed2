//! Why nothing releases an operation, in a few words for its line of the diagnosis.

use standoff_mpi::picture::WorldRank;
use standoff_mpi::{BlockedOp, OpKind, Peer, Reason};

use super::report::{Known, ranks};

impl Known<'_> {
    /// Whether whoever a receive may take a message from has sent some before, which were received or which other receives are to get.
    fn has_sent(&self, me: WorldRank, op: &BlockedOp) -> bool {
        if let Peer::Rank { world, .. } = op.peer
            && self.was_sent(world, me, op)
        {
            return true;
        }
        let Some(Some(reading)) = self.readings.get(me.0 as usize) else {
            return false;
        };
        let copy = &reading.copy;
        let Some(index) = copy.comms.iter().position(|c| c.id == op.comm.0) else {
            return false;
        };
        let from = |peer: u32| match op.peer {
            Peer::Rank { comm, .. } => comm.0 == peer,
            _ => true,
        };
        let mut ends = copy.received.iter();
        ends.any(|end| end.comm as usize == index + 1 && from(end.peer) && end.total > 0)
    }

    /// Whether `from` has sent `to` anything on the communicator of the operation.
    fn was_sent(&self, from: WorldRank, to: WorldRank, op: &BlockedOp) -> bool {
        let [sender, receiver] = [from, to].map(|r| self.readings.get(r.0 as usize));
        let (Some(Some(sender)), Some(Some(receiver))) = (sender, receiver) else {
            return false;
        };
        let entry = |r: &super::picture::Reading| {
            let at = r.copy.comms.iter().position(|c| c.id == op.comm.0)?;
            Some((at, r.copy.comms[at].rank))
        };
        let (Some((index, _)), Some((_, peer))) = (entry(sender), entry(receiver)) else {
            return false;
        };
        let mut ends = sender.copy.sent.iter();
        ends.any(|end| end.comm as usize == index + 1 && end.peer == peer && end.total > 0)
    }

    /// Why nothing releases an operation, in a few words.
    pub fn reason(&self, me: WorldRank, op: &BlockedOp) -> String {
        if op.private && !matches!(op.kind, OpKind::Collective { .. }) {
            return "it has not done its part of this reduction".to_owned();
        }
        let it = match op.peer {
            Peer::Rank { .. } => "it has".to_owned(),
            _ => "nobody has".to_owned(),
        };
        match &op.reason {
            Reason::NothingSent => {
                let more = match self.has_sent(me, op) {
                    true => " more",
                    false => "",
                };
                match op.peer {
                    Peer::Rank { .. } => format!("{it} sent nothing{more}"),
                    _ => format!("{it} sent anything{more}"),
                }
            }
            Reason::TagDiffers { sent } => {
                let mut senders: Vec<(WorldRank, Vec<String>)> = Vec::new();
                for s in sent {
                    let place = at(self.sent_at(s.from, me, op.comm, s.tag));
                    let tag = format!("{}{place}", s.tag);
                    match senders.last_mut() {
                        Some((from, tags)) if *from == s.from => tags.push(tag),
                        _ => senders.push((s.from, vec![tag])),
                    }
                }
                let sent: Vec<String> = senders
                    .iter()
                    .map(|(from, tags)| {
                        let word = if tags.len() == 1 { "tag" } else { "tags" };
                        format!(
                            "rank {} sent {word} {}",
                            from.0,
                            standoff_mpi::format::and(tags)
                        )
                    })
                    .collect();
                format!("{}, not tag {}", sent.join(", "), op.tag.unwrap_or(-1))
            }
            Reason::OtherSource { sent } => {
                let sent: Vec<String> = sent
                    .iter()
                    .map(|s| {
                        let place = at(self.sent_at(s.from, me, op.comm, s.tag));
                        format!("rank {} sent tag {}{place}", s.from.0, s.tag)
                    })
                    .collect();
                let more = if self.has_sent(me, op) { " more" } else { "" };
                format!("it has sent nothing{more}; {}", sent.join(", "))
            }
            Reason::OtherDestination { sent } => {
                let from = match op.peer {
                    Peer::Rank { world, .. } => world,
                    _ => me,
                };
                let sent: Vec<String> = sent
                    .iter()
                    .map(|s| {
                        let place = at(self.sent_at(from, s.to, op.comm, s.tag));
                        format!("tag {} to rank {}{place}", s.tag, s.to.0)
                    })
                    .collect();
                format!("it has sent {}", sent.join(", "))
            }
            Reason::OtherCommunicator { comms } => {
                let names: Vec<&str> = comms.iter().map(|c| c.1.as_str()).collect();
                format!(
                    "it has sent on {}, not on {}",
                    names.join(", "),
                    op.comm_name
                )
            }
            Reason::Claimed => "an earlier receive takes its message".to_owned(),
            Reason::NoReceive => "it has posted no receive".to_owned(),
            Reason::ReceiveDiffers { posted } => {
                let posted: Vec<String> = posted
                    .iter()
                    .map(|p| {
                        let from = p
                            .from
                            .map_or("any rank".to_owned(), |r| format!("rank {}", r.0));
                        let tag = p.tag.map_or(String::new(), |t| format!(" with tag {t}"));
                        format!("from {from}{tag} on {}", p.comm_name)
                    })
                    .collect();
                format!("it receives {}", posted.join(", "))
            }
            Reason::NotEntered { missing } => {
                let list: Vec<u32> = missing.iter().map(|r| r.0).collect();
                let has = if list.len() == 1 { "has" } else { "have" };
                let did = match op.kind {
                    OpKind::Collective { start: Some(_), .. } => "started",
                    _ => "called",
                };
                format!("{} {has} not {did} it", ranks(&list))
            }
            Reason::EdgeMissing {
                sources,
                destinations,
            } => {
                let list = |of: &[WorldRank]| ranks(&of.iter().map(|r| r.0).collect::<Vec<_>>());
                match (&sources[..], &destinations[..]) {
                    ([], gives) => format!("the graph has no edge from it at {}", list(gives)),
                    (takes, _) => format!("the graph has no edge to it at {}", list(takes)),
                }
            }
            Reason::Different { roots: true, .. } => {
                "the ranks gave roots that do not fit".to_owned()
            }
            Reason::Different { .. } => "others called something else in its place".to_owned(),
        }
    }
}

/// ` at x.py:12`, or nothing.
fn at(place: Option<String>) -> String {
    place.map_or_else(String::new, |place| format!(" at {place}"))
}
