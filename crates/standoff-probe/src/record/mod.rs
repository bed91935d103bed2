//! Recording what a rank asks of MPI and is told, for `standoff check`: events of `standoff-trace`, written into a file that is mapped window by
//! window. So a record costs no system call, memory is bounded by the window, and what was written is there however the process ends.
//!
//! Inside a change (see [`crate::rank::Rank::change`]), like everything on the board. A file system that is full ends the recording, which the board says.

mod companion;
mod completion;
mod convert;
mod data;
mod exchange;
mod force;
mod handles;
mod parts;
mod recorder;
mod together;
mod types;

pub(crate) use companion::{Companion, accompany, ahead, held};
pub(crate) use completion::{Outcome, Scratch, completion, place_of};
pub(crate) use data::Data;
pub(crate) use exchange::{isend, send, sendrecv};
pub(crate) use force::{Reading, Tells, chosen, outcome, patiently, sender, starts_wait, told};
pub(crate) use parts::{Parts, Pieces};
pub(crate) use recorder::Recorder;
pub(crate) use together::{
    Instance, beside, early, early_request, finish, masked, meet, ours, reading, shadow,
    shadow_later,
};
pub(crate) use types::{Agreed, Types};

use crate::abi::Abi;
use crate::rank::State;
use convert::{listed, matched, members, source, tag};
use standoff_board::layout::{
    ANY, Board, Envelope, HISTORY, Op, collective, flag, fold, op, recording, root,
};
use standoff_trace::event::{
    Collective, CollectiveKind, CommId, CommIndex, CommRank, Completion, Flow, Group, Matched,
    MessageId, Recv, RequestId, Root, Send, SendMode, Signature, SiteId, asks_message,
};
use standoff_trace::{Basic, Event};
use std::borrow::Cow;

/// What a probe asks for, see [`Event::asks`].
pub(crate) fn asks(of: Envelope) -> u64 {
    let comm = CommIndex(of.comm.saturating_sub(1));
    asks_message(comm, source(of.peer), tag(of.tag))
}

impl State {
    /// Records an event of a call that was made at `place`. What it names is defined first.
    pub fn record(&mut self, b: &mut Board, thread: usize, place: u32, event: &Event<'_>) {
        let made = event.numbered().then(|| event.request());
        self.record_by(b, thread, place, made, |recorder| {
            recorder.put(thread as u16, SiteId(place), event)
        });
    }

    /// The same of an event that `put` writes. `made`: of a call with a number, its request.
    #[inline(always)]
    fn record_by(
        &mut self,
        b: &mut Board,
        thread: usize,
        place: u32,
        made: Option<Option<RequestId>>,
        put: impl FnOnce(&mut Recorder) -> std::io::Result<()>,
    ) {
        if b.header.taint != 0 && self.recorder.as_ref().is_some_and(|r| !r.tainted) {
            self.record_taint(b, thread);
        }
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        recorder.poll = None;
        if let Some(request) = made {
            if let Some(forced) = &mut recorder.forced {
                forced.made(recorder.calls, request);
            }
            recorder.calls += 1;
        }
        let written = recorder.define_site(b, place).and_then(|()| put(recorder));
        if written.is_err() {
            self.stop_recording(b);
        }
    }

    /// From here on the rank may do anything: what taints it on the board taints its record.
    #[cold]
    fn record_taint(&mut self, b: &mut Board, thread: usize) {
        if let Some(recorder) = &mut self.recorder {
            recorder.tainted = true;
            let why = b.header.taint_why;
            let end = why.iter().position(|b| *b == 0).unwrap_or(why.len());
            let event = Event::Unmodelled {
                name: String::from_utf8_lossy(&why[..end]),
                acts: true,
            };
            self.record(b, thread, 0, &event);
        }
    }

    #[cold]
    fn stop_recording(&mut self, b: &mut Board) {
        if let Some(mut recorder) = self.recorder.take() {
            recorder.lose();
            b.header.recording = recording::LOST;
            // Messages that are on their way need what they send for ever now.
            std::mem::forget(recorder.forced.take());
        }
    }

    /// The recording is whole.
    pub fn end_recording(&mut self, b: &mut Board, thread: usize, place: u32) {
        self.record(b, thread, place, &Event::Finalize);
        if let Some(mut recorder) = self.recorder.take() {
            recorder.end();
            b.header.recording = match crate::cut::recording_lost() {
                true => recording::LOST,
                false => recording::WHOLE,
            };
        }
    }

    /// The communicator (1 + index) in the file, defined there; `None` if it is not known.
    fn defined(&mut self, b: &mut Board, comm: u32) -> Option<CommIndex> {
        let i = comm.checked_sub(1)? as usize;
        let recorder = self.recorder.as_mut()?;
        let c = b.comms.get(i)?;
        if *recorder.comms.get(i)? != c.id {
            let group = members(c.group, &b.arena);
            let remote = match c.inter {
                0 => Some(None),
                _ => members(c.remote, &b.arena).map(Some),
            };
            let (Some(group), Some(remote)) = (group, remote) else {
                self.record_lost(b, "a communicator whose members are not known");
                return None;
            };
            let sources = match c.sources {
                [_, u32::MAX] => None,
                [n, at] => {
                    let list = b.arena.get(at as usize..at as usize + n as usize)?;
                    Some(Cow::Owned(list.iter().map(|&r| CommRank(r)).collect()))
                }
            };
            let end = c.name.iter().position(|b| *b == 0).unwrap_or(c.name.len());
            let event = Event::Comm {
                index: CommIndex(i as u32),
                id: CommId(c.id),
                name: String::from_utf8_lossy(&c.name[..end]),
                group,
                remote,
                sources,
            };
            if recorder.put(0, SiteId(0), &event).is_err() {
                self.stop_recording(b);
                return None;
            }
            recorder.comms[i] = c.id;
        }
        Some(CommIndex(i as u32))
    }

    /// Something that the record cannot hold.
    #[cold]
    pub fn record_lost(&mut self, b: &mut Board, what: &str) {
        let event = Event::Unmodelled {
            name: what.into(),
            acts: true,
        };
        self.record(b, 0, 0, &event);
    }

    /// Size and type of what a call was given.
    #[inline(always)]
    pub fn measure(&mut self, data: Data) -> (u64, Basic) {
        match self.recorder {
            Some(_) => self.types.of(data),
            None => (0, Basic::UNKNOWN),
        }
    }

    /// Records a send; `request`: of its nonblocking form.
    #[allow(clippy::too_many_arguments)] // what a call was given and told
    pub fn record_send(
        &mut self,
        b: &mut Board,
        thread: usize,
        place: u32,
        kind: u8,
        to: Envelope,
        data: Data,
        request: Option<u64>,
    ) {
        let size = self.measure(data);
        if let Some(send) = self.send(b, kind, to, size, request) {
            self.record_by(b, thread, place, Some(send.request), |recorder| {
                recorder.put_short(|writer, room| {
                    writer.put_send(room, thread as u16, SiteId(place), &send)
                })
            });
        }
    }

    fn send(
        &mut self,
        b: &mut Board,
        kind: u8,
        to: Envelope,
        (bytes, basic): (u64, Basic),
        request: Option<u64>,
    ) -> Option<Send> {
        Some(Send {
            comm: self.defined(b, to.comm)?,
            to: CommRank(to.peer as u32),
            tag: to.tag,
            mode: match kind {
                op::SSEND => SendMode::Synchronous,
                op::BSEND => SendMode::Buffered,
                op::RSEND => SendMode::Ready,
                _ => SendMode::Standard,
            },
            bytes,
            basic,
            request: request.map(RequestId),
            persistent: false,
        })
    }

    /// Records a receive. `told`: what a blocking one received.
    #[allow(clippy::too_many_arguments)] // what a call was given and told
    pub fn record_recv(
        &mut self,
        b: &mut Board,
        thread: usize,
        place: u32,
        from: Envelope,
        data: Data,
        request: Option<u64>,
        told: Option<(i32, i32)>,
    ) {
        let size = self.measure(data);
        if let Some(recv) = self.recv(b, from, size, request, told) {
            self.record_by(b, thread, place, Some(recv.request), |recorder| {
                recorder.put_short(|writer, room| {
                    writer.put_recv(room, thread as u16, SiteId(place), &recv)
                })
            });
        }
    }

    fn recv(
        &mut self,
        b: &mut Board,
        from: Envelope,
        (bytes, basic): (u64, Basic),
        request: Option<u64>,
        told: Option<(i32, i32)>,
    ) -> Option<Recv> {
        let wild = from.peer == ANY || from.tag == ANY;
        Some(Recv {
            comm: self.defined(b, from.comm)?,
            from: source(from.peer),
            tag: tag(from.tag),
            bytes,
            basic,
            request: request.map(RequestId),
            persistent: false,
            told: told.filter(|_| wild).map(matched),
        })
    }

    /// Records that all of one request is complete; `told`: what it received, where that was not known.
    #[inline(always)]
    fn record_completed(
        &mut self,
        b: &mut Board,
        thread: usize,
        place: u32,
        call: Completion,
        request: RequestId,
        told: Option<Matched>,
    ) {
        let made = call.any().then_some(None);
        self.record_by(b, thread, place, made, |recorder| {
            recorder.put_short(|writer, room| {
                writer.put_completed(room, thread as u16, SiteId(place), call, request, told)
            })
        });
    }

    /// Records both halves of a `MPI_Sendrecv`; one of them may be missing.
    pub fn record_sendrecv(
        &mut self,
        b: &mut Board,
        thread: usize,
        place: u32,
        send: Option<(Envelope, Data)>,
        recv: Option<(Envelope, Data, (i32, i32))>,
    ) {
        let send = send.and_then(|(to, data)| {
            let size = self.measure(data);
            self.send(b, op::SEND, to, size, None)
        });
        let recv = recv.and_then(|(from, data, told)| {
            let size = self.measure(data);
            self.recv(b, from, size, None, Some(told))
        });
        let event = match (send, recv) {
            (Some(send), Some(recv)) => Event::Sendrecv { send, recv },
            (Some(send), None) => Event::Send(send),
            (None, Some(recv)) => Event::Recv(recv),
            (None, None) => return,
        };
        self.record(b, thread, place, &event);
    }

    /// Records both halves of a `MPI_Isendrecv`, each with its identity.
    pub fn record_isendrecv(
        &mut self,
        b: &mut Board,
        thread: usize,
        place: u32,
        (to, sdata, sent): (Envelope, Data, u64),
        (from, rdata, received): (Envelope, Data, u64),
    ) {
        let size = self.measure(sdata);
        let send = self.send(b, op::SEND, to, size, Some(sent));
        let size = self.measure(rdata);
        let recv = self.recv(b, from, size, Some(received), None);
        if let (Some(send), Some(recv)) = (send, recv) {
            self.record(b, thread, place, &Event::Sendrecv { send, recv });
        }
    }

    /// Records the start of a persistent request.
    pub fn record_start(&mut self, b: &mut Board, thread: usize, place: u32, o: Op) {
        let request = Some(o.order);
        if o.kind == op::COLLECTIVE {
            let data = o.flags & flag::DATA != 0;
            return self.record_collective(
                b,
                thread,
                &Op { place, ..o },
                data,
                request,
                None,
                None,
            );
        }
        let basic = Basic::from_byte(o.collective).unwrap_or_default();
        let size = (u64::from(o.bytes), basic);
        let event = if o.kind == op::RECV {
            self.recv(b, o.envelope(), size, request, None).map(|recv| {
                Event::Recv(Recv {
                    persistent: true,
                    ..recv
                })
            })
        } else {
            self.send(b, o.kind, o.envelope(), size, request)
                .map(|send| {
                    Event::Send(Send {
                        persistent: true,
                        ..send
                    })
                })
        };
        if let Some(event) = event {
            self.record(b, thread, place, &event);
        }
    }

    /// Records a probe. `told`: what it saw; `message`: the handle that a matched one gave.
    #[allow(clippy::too_many_arguments)] // what a call was given and told
    pub fn record_probe(
        &mut self,
        b: &mut Board,
        thread: usize,
        place: u32,
        from: Envelope,
        poll: bool,
        told: Option<(i32, i32)>,
        message: Option<usize>,
    ) {
        let Some(comm) = self.defined(b, from.comm) else {
            return;
        };
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        let about = asks_message(comm, source(from.peer), tag(from.tag));
        if told.is_none() && recorder.poll == Some((place, about)) {
            return;
        }
        let mut full = false;
        let message = message.map(|handle| {
            recorder.last_message += 1;
            full = !recorder.messages.set(handle as u64, recorder.last_message);
            MessageId(u64::from(recorder.last_message))
        });
        let pattern = (source(from.peer), tag(from.tag));
        let seen = told.map(matched);
        // As `Event::numbered` says.
        let made = (!poll || told.is_some()).then_some(None);
        self.record_by(b, thread, place, made, |recorder| {
            recorder.put_short(|writer, room| {
                let (thread, site) = (thread as u16, SiteId(place));
                writer.put_probe(room, thread, site, comm, pattern, poll, seen, message)
            })
        });
        if full {
            self.stop_recording(b);
        } else if let Some(recorder) = self.recorder.as_mut().filter(|_| told.is_none()) {
            recorder.poll = Some((place, about));
        }
    }

    /// Records the receive of a matched message.
    pub fn record_mrecv(
        &mut self,
        b: &mut Board,
        thread: usize,
        place: u32,
        handle: usize,
        request: Option<u64>,
    ) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        // MPI_MESSAGE_NO_PROC has no entry, and no event.
        if let Some(message) = recorder.messages.get(handle as u64) {
            recorder.messages.remove(handle as u64);
            let (message, request) = (MessageId(u64::from(message)), request.map(RequestId));
            self.record_by(b, thread, place, Some(request), |recorder| {
                recorder.put_short(|writer, room| {
                    writer.put_mrecv(room, thread as u16, SiteId(place), message, request)
                })
            });
        }
    }

    /// What a member of a collective has to agree on with the others, also left on the board; `None`: nothing is known of that. Of a call that
    /// succeeded only: what it was given is valid then, and the library may be asked about it.
    pub fn signature(
        &mut self,
        abi: &Abi,
        b: &mut Board,
        o: &Op,
        agreed: Agreed,
    ) -> Option<Signature> {
        let comm = b.comms.get_mut(o.comm.checked_sub(1)? as usize)?;
        // The two groups of an intercommunicator give and get different things.
        if comm.inter != 0 {
            return None;
        }
        let (data, reduction) = match agreed {
            Agreed::Nothing => return None,
            Agreed::Elements(data) => (data, 0),
            Agreed::Reduction(data, oper) => (data, types::reduction(abi, oper)),
            Agreed::Rooted { root, others } => {
                let at_root = u32::try_from(o.peer) == Ok(comm.rank);
                (if at_root { root } else { others }, 0)
            }
        };
        // Packed data may have another size than what it is unpacked to.
        if abi.handle(data.dtype) == abi.packed {
            comm.unclear += 1;
            return None;
        }
        let (bytes, basic) = self.types.of(data);
        let kind = u8::try_from(reduction).unwrap_or(0);
        comm.agreed = fold(comm.agreed, kind, true, bytes as u32 as i32);
        let begun = &mut comm.history[o.seq as usize % HISTORY];
        if begun.seq1 == o.seq + 1 {
            begun.bytes = bytes as u32;
            begun.basic = basic.byte();
            begun.reduction = kind;
            begun.looked_at = 1;
        }
        Some(Signature {
            reduction,
            basic,
            bytes,
        })
    }

    /// Records a collective as its operation describes it. `members`: the communicator made (1 + index) holds those that took part.
    #[allow(clippy::too_many_arguments)] // what a call was given
    pub fn record_collective(
        &mut self,
        b: &mut Board,
        thread: usize,
        o: &Op,
        data: bool,
        request: Option<u64>,
        members: Option<u32>,
        signature: Option<Signature>,
    ) {
        // The two sides of MPI_Intercomm_create give communicators of their own: what they share is the world, index 0.
        let parent = if o.collective == collective::INTERCOMM_CREATE {
            1
        } else {
            o.comm
        };
        let Some(comm) = self.defined(b, parent) else {
            return;
        };
        let Some(&kind) = CollectiveKind::ALL.get(usize::from(o.collective)) else {
            return;
        };
        let made = members.and_then(|made| b.comms.get(made.checked_sub(1)? as usize));
        let (members, seq) = match made {
            None => (None, o.seq),
            Some(made) => {
                let mut all = listed(made.group, &b.arena);
                if made.inter != 0 {
                    all.extend(listed(made.remote, &b.arena));
                }
                all.sort_unstable();
                (Some(Group::List(Cow::Owned(all))), made.id)
            }
        };
        let event = Event::Collective(Collective {
            comm,
            kind,
            seq,
            start: o
                .is_persistent_collective()
                .then(|| o.starts().saturating_sub(1)),
            root: match o.peer {
                root::NONE => Root::None,
                root::ME => Root::Me,
                root::NULL => Root::Null,
                rank => Root::Rank(CommRank(rank as u32)),
            },
            flow: if data { Flow::Data } else { Flow::Unknown },
            request: request.map(RequestId),
            members,
            signature,
        });
        self.record(b, thread, o.place, &event);
    }
}
