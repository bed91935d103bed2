//! Events to bytes: no allocation, no system call, nothing but stores into the memory given.

use crate::basic::Basic;
use crate::event::{
    Collective, CommIndex, Completion, Event, Flow, Matched, MessageId, Place, Record, Recv,
    RequestId, Root, Send, SiteId, Source, TagPattern, Told,
};
use crate::sink::{Out, ROOM, Room, Sink};
use crate::wire::{flag, kind, told, zigzag};

/// The memory given does not hold the record: nothing was written that counts, and the writer is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for the record")]
pub struct Full;

/// Encodes the records of one rank, one after the other. It keeps what the next record is written as a difference from.
///
/// ```
/// use standoff_trace::{Event, Reader, Record, Writer, event::SiteId};
///
/// let (mut writer, mut memory) = (Writer::default(), [0; 64]);
/// let record = Record { thread: 0, site: SiteId(0), event: Event::Finalize };
/// let used = writer.write(&mut memory, &record).unwrap();
/// let read: Vec<_> = Reader::records(&memory[..used]).collect::<Result<_, _>>().unwrap();
/// assert_eq!(read, [record]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writer {
    request: u64,
    message: u64,
}

impl Writer {
    /// Encodes one record at the start of `memory`; the number of bytes used. The byte that makes it count, its first, is written last.
    ///
    /// # Errors
    /// [`Full`] when `memory` is too short: 96 bytes hold any record without lists and texts.
    #[inline]
    pub fn write(&mut self, memory: &mut [u8], record: &Record<'_>) -> Result<usize, Full> {
        self.put(memory, record.thread, record.site, &record.event)
    }

    /// The same, of the parts of a record.
    ///
    /// # Errors
    /// As [`Writer::write`].
    #[inline]
    pub fn put(
        &mut self,
        memory: &mut [u8],
        thread: u16,
        site: SiteId,
        event: &Event<'_>,
    ) -> Result<usize, Full> {
        let before = (self.request, self.message);
        let used = self.try_write(memory, thread, site, event);
        if used.is_err() {
            (self.request, self.message) = before;
        }
        used
    }

    /// [`Writer::put`] of a send, quicker.
    #[inline]
    pub fn put_send(
        &mut self,
        room: &mut [u8; ROOM],
        thread: u16,
        site: SiteId,
        send: &Send,
    ) -> usize {
        let mut out = Room::begin(room, thread, site);
        let _ = self.send(&mut out, send);
        out.end(kind::SEND, thread)
    }

    /// [`Writer::put`] of a receive, quicker.
    #[inline]
    pub fn put_recv(
        &mut self,
        room: &mut [u8; ROOM],
        thread: u16,
        site: SiteId,
        recv: &Recv,
    ) -> usize {
        let mut out = Room::begin(room, thread, site);
        let _ = self.recv(&mut out, recv);
        out.end(kind::RECV, thread)
    }

    /// [`Writer::put`] of a probe, quicker: the arguments of [`Event::Probe`].
    #[inline]
    #[allow(clippy::too_many_arguments)] // the record's
    pub fn put_probe(
        &mut self,
        room: &mut [u8; ROOM],
        thread: u16,
        site: SiteId,
        comm: CommIndex,
        pattern: (Source, TagPattern),
        poll: bool,
        told: Option<Matched>,
        message: Option<MessageId>,
    ) -> usize {
        let mut out = Room::begin(room, thread, site);
        let _ = self.probe(&mut out, comm, pattern, poll, told, message);
        out.end(kind::PROBE, thread)
    }

    /// [`Writer::put`] of the receive of a matched message, quicker.
    #[inline]
    pub fn put_mrecv(
        &mut self,
        room: &mut [u8; ROOM],
        thread: u16,
        site: SiteId,
        message: MessageId,
        request: Option<RequestId>,
    ) -> usize {
        let mut out = Room::begin(room, thread, site);
        let _ = self.mrecv(&mut out, message, request);
        out.end(kind::MRECV, thread)
    }

    /// [`Writer::put`] of the completion of all of one request, quicker.
    #[inline]
    pub fn put_completed(
        &mut self,
        room: &mut [u8; ROOM],
        thread: u16,
        site: SiteId,
        call: Completion,
        request: RequestId,
        told: Option<Matched>,
    ) -> usize {
        let mut out = Room::begin(room, thread, site);
        let _ = out.byte(call as u8 | told::ALL);
        let _ = out.byte(1);
        let _ = self.request(&mut out, request);
        let _ = out.byte(u8::from(told.is_some()));
        if let Some(matched) = told {
            let _ = out.byte(0);
            let _ = out.matched(matched);
        }
        out.end(kind::COMPLETE, thread)
    }

    #[inline]
    fn try_write(
        &mut self,
        memory: &mut [u8],
        thread: u16,
        site: SiteId,
        event: &Event<'_>,
    ) -> Result<usize, Full> {
        let Some(body) = memory.get_mut(1..) else {
            return Err(Full);
        };
        let mut out = Out {
            memory: body,
            at: 0,
        };
        out.byte(0)?;
        if thread != 0 {
            out.uint(u64::from(thread))?;
        }
        out.uint(u64::from(site.0))?;
        let number = self.event(&mut out, event)?;
        let marked = if thread == 0 { 0 } else { kind::THREAD };
        out.memory[0] = number | marked;
        let length = out.at;
        if length < 0x80 {
            memory[0] = length as u8;
            return Ok(length + 1);
        }
        // Rare: the length takes more than the one byte left for it.
        let mut head = [0; 10];
        let mut head = Out {
            memory: &mut head,
            at: 0,
        };
        head.uint(length as u64)?;
        let (head, more) = (&head.memory[..head.at], head.at);
        if memory.len() < more + length {
            return Err(Full);
        }
        memory.copy_within(1..=length, more);
        memory[1..more].copy_from_slice(&head[1..]);
        memory[0] = head[0];
        Ok(more + length)
    }

    #[inline]
    fn event(&mut self, out: &mut Out<'_>, event: &Event<'_>) -> Result<u8, Full> {
        Ok(match event {
            Event::Send(send) => {
                self.send(out, send)?;
                kind::SEND
            }
            Event::Recv(recv) => {
                self.recv(out, recv)?;
                kind::RECV
            }
            Event::Sendrecv { send, recv } => {
                self.send(out, send)?;
                self.recv(out, recv)?;
                kind::SENDRECV
            }
            Event::Complete {
                call,
                requests,
                told,
            } => {
                self.complete(out, *call as u8, requests, told)?;
                kind::COMPLETE
            }
            Event::Probe {
                comm,
                from,
                tag,
                poll,
                told,
                message,
            } => {
                self.probe(out, *comm, (*from, *tag), *poll, *told, *message)?;
                kind::PROBE
            }
            Event::Mrecv { message, request } => {
                self.mrecv(out, *message, *request)?;
                kind::MRECV
            }
            Event::Collective(collective) => {
                self.collective(out, collective)?;
                kind::COLLECTIVE
            }
            Event::Cancel(request) => {
                self.request(out, *request)?;
                kind::CANCEL
            }
            Event::RequestFree(request) => {
                self.request(out, *request)?;
                kind::REQUEST_FREE
            }
            Event::Buffer { bytes } => {
                out.uint(*bytes)?;
                kind::BUFFER
            }
            Event::Init { level } => {
                out.byte(*level)?;
                kind::INIT
            }
            Event::Finalize => kind::FINALIZE,
            Event::Unmodelled { name, acts } => {
                out.byte(u8::from(*acts))?;
                out.text(name)?;
                kind::UNMODELLED
            }
            Event::Site {
                id,
                place: Place::Native(address),
            } => {
                out.uint(u64::from(id.0))?;
                out.uint(*address)?;
                kind::SITE_NATIVE
            }
            Event::Site {
                id,
                place:
                    Place::Script {
                        file,
                        line,
                        function,
                    },
            } => {
                out.uint(u64::from(id.0))?;
                out.text(file)?;
                out.uint(u64::from(*line))?;
                out.text(function)?;
                kind::SITE_SCRIPT
            }
            Event::Comm {
                index,
                id,
                name,
                group,
                remote,
                sources,
            } => {
                let has = |there: bool, flag| if there { flag } else { 0 };
                out.byte(
                    has(remote.is_some(), flag::REMOTE) | has(sources.is_some(), flag::SOURCES),
                )?;
                out.uint(u64::from(index.0))?;
                out.uint(id.0)?;
                out.text(name)?;
                out.group(group)?;
                if let Some(remote) = remote {
                    out.group(remote)?;
                }
                if let Some(sources) = sources {
                    out.uint(sources.len() as u64)?;
                    for source in sources.iter() {
                        out.uint(u64::from(source.0))?;
                    }
                }
                kind::COMM
            }
        })
    }

    #[inline]
    fn request<S: Sink>(&mut self, out: &mut S, request: RequestId) -> Result<(), Full> {
        out.uint(zigzag(request.0.wrapping_sub(self.request) as i64))?;
        self.request = request.0;
        Ok(())
    }

    /// How far a matched message is from the last one that was probed for.
    #[inline]
    fn after(&self, message: MessageId) -> u64 {
        zigzag(message.0.wrapping_sub(self.message) as i64)
    }

    #[inline]
    fn probe<S: Sink>(
        &mut self,
        out: &mut S,
        comm: CommIndex,
        (from, tag): (Source, TagPattern),
        poll: bool,
        told: Option<Matched>,
        message: Option<MessageId>,
    ) -> Result<(), Full> {
        let mut flags = pattern(from, tag);
        flags |= if poll { flag::POLL } else { 0 };
        flags |= if told.is_some() { flag::TOLD } else { 0 };
        flags |= if message.is_some() { flag::MESSAGE } else { 0 };
        out.byte(flags)?;
        out.uint(u64::from(comm.0))?;
        out.pattern(from, tag)?;
        if let Some(told) = told {
            out.matched(told)?;
        }
        if let Some(message) = message {
            out.uint(self.after(message))?;
            self.message = message.0;
        }
        Ok(())
    }

    #[inline]
    fn mrecv<S: Sink>(
        &mut self,
        out: &mut S,
        message: MessageId,
        request: Option<RequestId>,
    ) -> Result<(), Full> {
        out.byte(if request.is_some() { flag::REQUEST } else { 0 })?;
        out.uint(self.after(message))?;
        match request {
            Some(request) => self.request(out, request),
            None => Ok(()),
        }
    }

    #[inline]
    fn send<S: Sink>(&mut self, out: &mut S, send: &Send) -> Result<(), Full> {
        let mut flags = (send.mode as u8) << flag::MODE;
        flags |= if send.request.is_some() {
            flag::REQUEST
        } else {
            0
        };
        flags |= if send.persistent { flag::PERSISTENT } else { 0 };
        flags |= typed(send.basic);
        out.byte(flags)?;
        out.uint(u64::from(send.comm.0))?;
        out.uint(u64::from(send.to.0))?;
        out.int(send.tag)?;
        out.uint(send.bytes)?;
        out.basic(send.basic)?;
        match send.request {
            Some(request) => self.request(out, request),
            None => Ok(()),
        }
    }

    #[inline]
    fn recv<S: Sink>(&mut self, out: &mut S, recv: &Recv) -> Result<(), Full> {
        let mut flags = pattern(recv.from, recv.tag);
        flags |= if recv.request.is_some() {
            flag::REQUEST
        } else {
            0
        };
        flags |= if recv.persistent { flag::PERSISTENT } else { 0 };
        flags |= if recv.told.is_some() { flag::TOLD } else { 0 };
        flags |= typed(recv.basic);
        out.byte(flags)?;
        out.uint(u64::from(recv.comm.0))?;
        out.pattern(recv.from, recv.tag)?;
        out.uint(recv.bytes)?;
        out.basic(recv.basic)?;
        if let Some(request) = recv.request {
            self.request(out, request)?;
        }
        match recv.told {
            Some(told) => out.matched(told),
            None => Ok(()),
        }
    }

    #[inline]
    fn complete(
        &mut self,
        out: &mut Out<'_>,
        call: u8,
        requests: &[RequestId],
        told: &Told<'_>,
    ) -> Result<(), Full> {
        let how = match told {
            Told::None => told::NONE,
            Told::All(_) => told::ALL,
            Told::Some(_) => told::SOME,
        };
        out.byte(call | how)?;
        out.uint(requests.len() as u64)?;
        for &request in requests {
            self.request(out, request)?;
        }
        match told {
            Told::None => Ok(()),
            Told::All(list) => {
                out.uint(list.len() as u64)?;
                list.iter().try_for_each(|&(at, matched)| {
                    out.uint(u64::from(at))?;
                    out.matched(matched)
                })
            }
            Told::Some(list) => {
                out.uint(list.len() as u64)?;
                list.iter().try_for_each(|&(at, matched)| {
                    out.uint(u64::from(at) << 1 | u64::from(matched.is_some()))?;
                    matched.map_or(Ok(()), |matched| out.matched(matched))
                })
            }
        }
    }

    #[inline]
    fn collective(&mut self, out: &mut Out<'_>, c: &Collective<'_>) -> Result<(), Full> {
        let root = match c.root {
            Root::None => 0,
            Root::Rank(_) => 1,
            Root::Me => 2,
            Root::Null => 3,
        };
        let mut flags = root << flag::ROOT;
        flags |= if c.request.is_some() {
            flag::REQUEST
        } else {
            0
        };
        flags |= match c.flow {
            Flow::Data => flag::DATA,
            Flow::Nothing => flag::NO_DATA,
            Flow::Unknown => 0,
        };
        flags |= if c.members.is_some() {
            flag::MEMBERS
        } else {
            0
        };
        flags |= if c.signature.is_some() {
            flag::SIGNATURE
        } else {
            0
        };
        flags |= if c.start.is_some() { flag::STARTED } else { 0 };
        out.byte(flags)?;
        out.byte(c.kind as u8)?;
        out.uint(u64::from(c.comm.0))?;
        out.uint(c.seq)?;
        if let Some(start) = c.start {
            out.uint(start)?;
        }
        if let Root::Rank(root) = c.root {
            out.uint(u64::from(root.0))?;
        }
        if let Some(request) = c.request {
            self.request(out, request)?;
        }
        if let Some(members) = &c.members {
            out.group(members)?;
        }
        if let Some(signature) = c.signature {
            out.uint(u64::from(signature.reduction))?;
            out.byte(signature.basic.byte())?;
            out.uint(signature.bytes)?;
        }
        Ok(())
    }
}

#[inline]
fn pattern(from: Source, tag: TagPattern) -> u8 {
    let source = if from == Source::Any {
        flag::ANY_SOURCE
    } else {
        0
    };
    source
        | if tag == TagPattern::Any {
            flag::ANY_TAG
        } else {
            0
        }
}

#[inline]
fn typed(basic: Basic) -> u8 {
    if basic == Basic::UNKNOWN {
        0
    } else {
        flag::TYPE
    }
}
