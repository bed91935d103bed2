//! Communication with rsmpi (the crate `mpi`) that cannot hang for the order of its sends and receives, or for the size of
//! its messages. Each method of [`Partners`] replaces a recipe that people write by hand (docs/guide/avoid.md has them).
//!
//! What is not cured: a partner that does not come, or that comes to another method or with another tag. All ranks that a
//! call names must make the same call, in the same order as other calls between them; but for [`Partners::receive_within`],
//! whose partner sends as usual.
//!
//! Methods that end in `_into` fill a buffer of known length. The others take slices of any length and return what came.

mod overdue;

use std::time::{Duration, Instant};

use mpi::datatype::Equivalence;
use mpi::point_to_point::{Message, Status};
use mpi::request::scope;
use mpi::topology::CartesianCommunicator;
use mpi::traits::*;
use mpi::{Rank, Tag};

pub use overdue::Overdue;

/// The tag of all messages, unless [`Partners::with_tag`] says another. MPI promises tags up to 32767.
pub const TAG: Tag = 32109;

/// Longest pause between two looks for a message.
const PAUSE: Duration = Duration::from_millis(1);

/// A communicator, and the tag with which its ranks talk here.
///
/// A receive of the program's own from any source *and* with any tag could take these messages; a program that has such
/// receives makes this of a duplicate of its communicator. None is made here, as that is collective.
#[derive(Debug)]
pub struct Partners<'c, C> {
    comm: &'c C,
    tag: Tag,
}

impl<'c, C: Communicator> Partners<'c, C> {
    /// With the tag [`TAG`].
    pub fn new(comm: &'c C) -> Self {
        Partners { comm, tag: TAG }
    }

    /// With another tag.
    pub fn with_tag(self, tag: Tag) -> Self {
        Partners { tag, ..self }
    }

    /// Gives `outgoing` to rank `peer`, which calls this, too, and returns what that gives.
    pub fn exchange<T: Equivalence>(&self, outgoing: &[T], peer: Rank) -> Vec<T> {
        self.both(outgoing, Some(peer), Some(peer))
            .unwrap_or_default()
    }

    /// [`Partners::exchange`] into a buffer.
    pub fn exchange_into<T: Equivalence>(&self, outgoing: &[T], incoming: &mut [T], peer: Rank) {
        self.both_into(outgoing, incoming, Some(peer), Some(peer));
    }

    /// Gives `outgoing` to the rank `displacement` further on in the ring of all ranks, and returns what comes from as many before.
    /// All ranks call it, with the same displacement, which may be negative.
    pub fn shift<T: Equivalence>(&self, outgoing: &[T], displacement: Rank) -> Vec<T> {
        let (source, destination) = self.ring(displacement);
        self.both(outgoing, Some(destination), Some(source))
            .unwrap_or_default()
    }

    /// [`Partners::shift`] into a buffer.
    pub fn shift_into<T: Equivalence>(
        &self,
        outgoing: &[T],
        incoming: &mut [T],
        displacement: Rank,
    ) {
        let (source, destination) = self.ring(displacement);
        self.both_into(outgoing, incoming, Some(destination), Some(source));
    }

    /// Gives each neighbour its slice, all at once; what came from them is in the same order.
    ///
    /// Neighbours are mutual: a rank that names another is named by it, as often, and what one names first meets what the other names first.
    pub fn halo<T: Equivalence>(&self, outgoing: &[(Rank, &[T])]) -> Vec<Vec<T>> {
        scope(|scope| {
            let sent: Vec<_> = outgoing
                .iter()
                .map(|&(peer, data)| {
                    let peer = self.comm.process_at_rank(peer);
                    peer.immediate_send_with_tag(scope, data, self.tag)
                })
                .collect();
            // Nobody's send waits for a receive, so these may come in any order.
            let came = outgoing.iter().map(|&(peer, _)| self.take(peer)).collect();
            sent.into_iter().for_each(|r| r.wait_without_status());
            came
        })
    }

    /// [`Partners::halo`] into buffers: for each neighbour what goes there and what comes from there.
    pub fn halo_into<T: Equivalence>(&self, buffers: &mut [(Rank, &[T], &mut [T])]) {
        scope(|scope| {
            let mut requests = Vec::with_capacity(2 * buffers.len());
            let mut sends = Vec::with_capacity(buffers.len());
            for (peer, outgoing, incoming) in buffers {
                let peer = self.comm.process_at_rank(*peer);
                requests.push(peer.immediate_receive_into_with_tag(
                    scope,
                    &mut **incoming,
                    self.tag,
                ));
                sends.push((peer, *outgoing));
            }
            for (peer, outgoing) in sends {
                requests.push(peer.immediate_send_with_tag(scope, outgoing, self.tag));
            }
            requests.into_iter().for_each(|r| r.wait_without_status());
        });
    }

    /// Like [`Partners::halo`], but with one neighbour after the other, so that one message at a time needs memory. Each is named once.
    pub fn pairwise<T: Equivalence>(&self, outgoing: &[(Rank, &[T])]) -> Vec<Vec<T>> {
        let mut came: Vec<Vec<T>> = outgoing.iter().map(|_| Vec::new()).collect();
        for n in self.in_order(outgoing.iter().map(|o| o.0)) {
            let (peer, data) = outgoing[n];
            came[n] = self.exchange(data, peer);
        }
        came
    }

    /// [`Partners::pairwise`] into buffers.
    pub fn pairwise_into<T: Equivalence>(&self, buffers: &mut [(Rank, &[T], &mut [T])]) {
        for n in self.in_order(buffers.iter().map(|b| b.0)) {
            let (peer, outgoing, incoming) = &mut buffers[n];
            self.exchange_into(outgoing, incoming, *peer);
        }
    }

    /// Receives a message that a rank sends as usual, from any if none is named, if it comes in time. It is told by this tag.
    ///
    /// # Errors
    /// [`Overdue`] if there is none after `deadline`. One that comes later can still be received.
    pub fn receive_within<T: Equivalence>(
        &self,
        source: Option<Rank>,
        deadline: Duration,
    ) -> Result<(Vec<T>, Status), Overdue> {
        // A deadline beyond what the clock can say is none.
        let end = Instant::now().checked_add(deadline);
        let mut pause = Duration::ZERO;
        loop {
            let now = Instant::now();
            let left = end.map_or(PAUSE, |end| end.saturating_duration_since(now));
            if let Some(found) = self.look(source) {
                return Ok(found.matched_receive_vec());
            }
            if left.is_zero() {
                return Err(Overdue {
                    rank: self.comm.rank(),
                    source,
                    tag: self.tag,
                    deadline,
                });
            }
            std::thread::sleep(pause.min(left));
            pause = (pause + PAUSE / 100).min(PAUSE);
        }
    }

    fn look(&self, source: Option<Rank>) -> Option<(Message, Status)> {
        match source {
            Some(rank) => {
                let source = self.comm.process_at_rank(rank);
                source.immediate_matched_probe_with_tag(self.tag)
            }
            None => {
                let source = self.comm.any_process();
                source.immediate_matched_probe_with_tag(self.tag)
            }
        }
    }

    fn take<T: Equivalence>(&self, source: Rank) -> Vec<T> {
        let source = self.comm.process_at_rank(source);
        source
            .matched_probe_with_tag(self.tag)
            .matched_receive_vec()
            .0
    }

    /// Sends and receives at once, what there is a partner for.
    fn both<T: Equivalence>(
        &self,
        outgoing: &[T],
        destination: Option<Rank>,
        source: Option<Rank>,
    ) -> Option<Vec<T>> {
        scope(|scope| {
            let sent = destination.map(|rank| {
                let destination = self.comm.process_at_rank(rank);
                destination.immediate_send_with_tag(scope, outgoing, self.tag)
            });
            let came = source.map(|rank| self.take(rank));
            if let Some(sent) = sent {
                sent.wait_without_status();
            }
            came
        })
    }

    fn both_into<T: Equivalence>(
        &self,
        outgoing: &[T],
        incoming: &mut [T],
        destination: Option<Rank>,
        source: Option<Rank>,
    ) {
        scope(|scope| {
            let coming = source.map(|rank| {
                let source = self.comm.process_at_rank(rank);
                source.immediate_receive_into_with_tag(scope, incoming, self.tag)
            });
            let sent = destination.map(|rank| {
                let destination = self.comm.process_at_rank(rank);
                destination.immediate_send_with_tag(scope, outgoing, self.tag)
            });
            for request in [coming, sent].into_iter().flatten() {
                request.wait_without_status();
            }
        });
    }

    /// From whom and to whom.
    fn ring(&self, displacement: Rank) -> (Rank, Rank) {
        let (rank, size) = (self.comm.rank(), self.comm.size());
        let at = |steps: Rank| (rank + steps.rem_euclid(size)) % size;
        (at(-displacement), at(displacement))
    }

    /// Indices of partners in the order in which they are met: a rank has at most one in a round, and pairs meet in the same round
    /// on both sides. So the pair of the lowest round that is not done is not held up by any other.
    fn in_order(&self, peers: impl Iterator<Item = Rank>) -> Vec<usize> {
        let rounds = self.comm.size().max(self.comm.target_size());
        let rank = self.comm.rank();
        let mut order: Vec<(Rank, usize)> = peers
            .enumerate()
            .map(|(n, peer)| ((rank + peer) % rounds, n))
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(_, n)| n).collect()
    }
}

impl Partners<'_, CartesianCommunicator> {
    /// Gives `outgoing` to the rank `displacement` further on along a dimension of the grid, and returns what comes from as many before;
    /// `None` where nothing comes over the edge of a grid that is not periodic. All ranks call it, with the same arguments.
    pub fn cart_shift<T: Equivalence>(
        &self,
        outgoing: &[T],
        dimension: Rank,
        displacement: Rank,
    ) -> Option<Vec<T>> {
        let (source, destination) = self.comm.shift(dimension, displacement);
        self.both(outgoing, destination, source)
    }

    /// [`Partners::cart_shift`] into a buffer, which is left alone where nothing comes.
    pub fn cart_shift_into<T: Equivalence>(
        &self,
        outgoing: &[T],
        incoming: &mut [T],
        dimension: Rank,
        displacement: Rank,
    ) {
        let (source, destination) = self.comm.shift(dimension, displacement);
        self.both_into(outgoing, incoming, destination, source);
    }
}
