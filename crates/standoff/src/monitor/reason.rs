//! Why nothing releases an operation, in a few words for its line of the diagnosis.

use standoff_mpi::picture::WorldRank;
use standoff_mpi::{BlockedOp, Peer, Reason};

use super::report::{Known, ranks};

impl Known<'_> {
    /// Why nothing releases an operation, in a few words.
    pub fn reason(&self, me: WorldRank, op: &BlockedOp) -> String {
        let it = match op.peer {
            Peer::Rank { .. } => "it has".to_owned(),
            _ => "nobody has".to_owned(),
        };
        match &op.reason {
            Reason::NothingSent => match op.peer {
                Peer::Rank { .. } => format!("{it} sent nothing"),
                _ => format!("{it} sent anything"),
            },
            Reason::TagDiffers { sent } => {
                let tags: Vec<String> = sent
                    .iter()
                    .map(|s| {
                        let place = at(self.sent_at(s.from, me, op.comm, s.tag));
                        format!("rank {} sent tag {}{place}", s.from.0, s.tag)
                    })
                    .collect();
                format!("{}, not tag {}", tags.join(", "), op.tag.unwrap_or(-1))
            }
            Reason::OtherSource { sent } => {
                let sent: Vec<String> = sent
                    .iter()
                    .map(|s| {
                        let place = at(self.sent_at(s.from, me, op.comm, s.tag));
                        format!("rank {} sent tag {}{place}", s.from.0, s.tag)
                    })
                    .collect();
                format!("it has sent nothing; {}", sent.join(", "))
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
                format!("{} {has} not called it", ranks(&list))
            }
            Reason::Different { .. } => "others called something else in its place".to_owned(),
        }
    }
}

/// ` at x.py:12`, or nothing.
fn at(place: Option<String>) -> String {
    place.map_or_else(String::new, |place| format!(" at {place}"))
}
