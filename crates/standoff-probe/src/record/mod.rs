//! Recording what a rank asks of MPI and is told, for `standoff check`: events of `standoff-trace`, written into a file that is mapped window by
//! window. So a record costs no system call, memory is bounded by the window, and what was written is there however the process ends.
//!
//! Inside a change (see [`crate::rank::Rank::change`]), like everything on the board. A file system that is full ends the recording, which the board says.

mod completion;
mod data;
mod force;
mod handles;

pub(crate) use completion::{Outcome, Scratch, completion, place_of};
pub(crate) use data::Data;
use handles::Handles;

pub(crate) use force::{Choice, chosen, pattern};

use crate::map::Map;
use crate::rank::State;
use standoff_board::layout::{
    ANY, Board, COMMS, Envelope, Group as Members, Op, PLACES, collective, op, recording, root,
};
use standoff_trace::event::{
    Collective, CollectiveKind, CommId, CommIndex, CommRank, Flow, Group, Matched, MessageId,
    Place, Recv, RequestId, Root, Send, SendMode, SiteId, Source, TagPattern, WorldRank,
};
use standoff_trace::{Event, Header, Record, Writer};
use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::fd::AsRawFd;
use std::path::Path;

/// Mapped at a time, in bytes; more for a record that needs more.
const WINDOW: usize = 1 << 20;
const PAGE: usize = 4096;
/// Messages of matched probes that have not been received.
const MESSAGES: usize = 4096;

/// One rank's recording.
pub(crate) struct Recorder {
    file: File,
    window: *mut u8,
    size: usize,
    /// Of the window in the file.
    offset: u64,
    /// In the window.
    at: usize,
    writer: Writer,
    /// Identities of the communicators that were defined, by index (0: none).
    comms: Box<[u64]>,
    sites: [u64; PLACES / 64],
    /// Handles of matched messages.
    messages: Map,
    last_message: u32,
    shared: Handles,
    /// The last event, if that was a poll that found nothing: another like it says nothing new.
    poll: Option<(u32, u64)>,
    /// Events so far, definitions left out.
    calls: u64,
    /// The rank's taint is in the record.
    tainted: bool,
    /// By the number of the call.
    forced: Vec<(u64, Choice)>,
}

// SAFETY: the window is the recorder's own; it is used inside changes only, by one thread at a time.
unsafe impl core::marker::Send for Recorder {}

impl Recorder {
    /// Begins a file in `directory`.
    pub fn begin(directory: &Path, name: &str, header: Header) -> std::io::Result<Recorder> {
        let path = directory.join(name).with_extension("trace");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)?;
        let head = header.to_bytes();
        file.write_all(&head)?;
        let mut out = Recorder {
            file,
            window: core::ptr::null_mut(),
            size: 0,
            offset: 0,
            at: head.len(),
            writer: Writer::default(),
            comms: vec![0; COMMS].into_boxed_slice(),
            sites: [0; PLACES / 64],
            messages: Map::new(2 * MESSAGES),
            last_message: 0,
            shared: Handles::default(),
            poll: None,
            calls: 0,
            tainted: false,
            forced: Vec::new(),
        };
        out.advance(WINDOW)?;
        Ok(out)
    }

    /// Reads what this rank is to do in a forced run.
    pub fn force(&mut self, path: &Path) {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        self.forced = text.lines().filter_map(Choice::parse).collect();
        self.forced.sort_by_key(|f| f.0);
    }

    /// Maps the next window, of at least so many bytes.
    fn advance(&mut self, size: usize) -> std::io::Result<()> {
        let end = self.offset + self.at as u64;
        let offset = end - end % PAGE as u64;
        // Reserved, or a file system that fills up later would kill the rank with SIGBUS.
        let fd = self.file.as_raw_fd();
        // SAFETY: an open descriptor.
        let rc = unsafe { libc::posix_fallocate(fd, offset as i64, size as i64) };
        if rc != 0 {
            return Err(std::io::Error::from_raw_os_error(rc));
        }
        // SAFETY: a new mapping of a part of the file that is there.
        let window = unsafe {
            libc::mmap(
                core::ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                fd,
                offset as i64,
            )
        };
        if window == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error());
        }
        self.unmap();
        self.window = window.cast();
        self.size = size;
        self.offset = offset;
        self.at = (end - offset) as usize;
        Ok(())
    }

    fn unmap(&mut self) {
        if !self.window.is_null() {
            // SAFETY: mapped by `advance` with this size; nothing refers to it.
            unsafe { libc::munmap(self.window.cast(), self.size) };
            self.window = core::ptr::null_mut();
        }
    }

    /// Cuts the file to what was written.
    fn end(&mut self) {
        let length = self.offset + self.at as u64;
        self.unmap();
        let _ = self.file.set_len(length);
    }

    fn put(&mut self, record: &Record<'_>) -> std::io::Result<()> {
        let mut size = WINDOW;
        loop {
            // SAFETY: the window is mapped with this size and nobody else writes to it.
            let window = unsafe { core::slice::from_raw_parts_mut(self.window, self.size) };
            let free = window.get_mut(self.at..).unwrap_or_default();
            if let Ok(used) = self.writer.write(free, record) {
                self.at += used;
                return Ok(());
            }
            self.advance(size)?;
            size *= 2;
        }
    }
}

impl State {
    /// Records an event of a call that was made at `place`. What it names is defined first.
    pub fn record(&mut self, b: &mut Board, thread: usize, place: u32, event: Event<'_>) {
        if b.header.taint != 0 && self.recorder.as_ref().is_some_and(|r| !r.tainted) {
            self.record_taint(b, thread);
        }
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        recorder.poll = None;
        if !matches!(event, Event::Init { .. }) {
            recorder.calls += 1;
        }
        let written = recorder.define_site(b, place).and_then(|()| {
            recorder.put(&Record {
                thread: thread as u16,
                site: SiteId(place),
                event,
            })
        });
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
            self.record(b, thread, 0, event);
        }
    }

    #[cold]
    fn stop_recording(&mut self, b: &mut Board) {
        if let Some(mut recorder) = self.recorder.take() {
            recorder.end();
            b.header.recording = recording::LOST;
        }
    }

    /// The recording is whole.
    pub fn end_recording(&mut self, b: &mut Board, thread: usize, place: u32) {
        self.record(b, thread, place, Event::Finalize);
        if let Some(mut recorder) = self.recorder.take() {
            recorder.end();
            b.header.recording = recording::WHOLE;
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
            let record = Record {
                thread: 0,
                site: SiteId(0),
                event: Event::Comm {
                    index: CommIndex(i as u32),
                    id: CommId(c.id),
                    name: String::from_utf8_lossy(&c.name[..end]),
                    group,
                    remote,
                    sources,
                },
            };
            if recorder.put(&record).is_err() {
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
        self.record(b, 0, 0, event);
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
        if let Some(send) = self.send(b, kind, to, data.bytes(), request) {
            self.record(b, thread, place, Event::Send(send));
        }
    }

    fn send(
        &mut self,
        b: &mut Board,
        kind: u8,
        to: Envelope,
        bytes: u64,
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
        if let Some(recv) = self.recv(b, from, data.bytes(), request, told) {
            self.record(b, thread, place, Event::Recv(recv));
        }
    }

    fn recv(
        &mut self,
        b: &mut Board,
        from: Envelope,
        bytes: u64,
        request: Option<u64>,
        told: Option<(i32, i32)>,
    ) -> Option<Recv> {
        let wild = from.peer == ANY || from.tag == ANY;
        Some(Recv {
            comm: self.defined(b, from.comm)?,
            from: source(from.peer),
            tag: tag(from.tag),
            bytes,
            request: request.map(RequestId),
            persistent: false,
            told: told.filter(|_| wild).map(matched),
        })
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
        let send = send.and_then(|(to, data)| self.send(b, op::SEND, to, data.bytes(), None));
        let recv =
            recv.and_then(|(from, data, told)| self.recv(b, from, data.bytes(), None, Some(told)));
        let event = match (send, recv) {
            (Some(send), Some(recv)) => Event::Sendrecv { send, recv },
            (Some(send), None) => Event::Send(send),
            (None, Some(recv)) => Event::Recv(recv),
            (None, None) => return,
        };
        self.record(b, thread, place, event);
    }

    /// Records the start of a persistent request.
    pub fn record_start(&mut self, b: &mut Board, thread: usize, place: u32, o: Op) {
        let request = Some(o.order);
        let event = if o.kind == op::RECV {
            self.recv(b, o.envelope(), 0, request, None).map(|recv| {
                Event::Recv(Recv {
                    persistent: true,
                    ..recv
                })
            })
        } else {
            self.send(b, o.kind, o.envelope(), u64::from(o.bytes), request)
                .map(|send| {
                    Event::Send(Send {
                        persistent: true,
                        ..send
                    })
                })
        };
        if let Some(event) = event {
            self.record(b, thread, place, event);
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
        let about =
            u64::from(from.comm) << 48 ^ (from.peer as u32 as u64) << 20 ^ from.tag as u32 as u64;
        if told.is_none() && recorder.poll == Some((place, about)) {
            return;
        }
        let mut full = false;
        let message = message.map(|handle| {
            recorder.last_message += 1;
            full = !recorder.messages.set(handle as u64, recorder.last_message);
            MessageId(u64::from(recorder.last_message))
        });
        let event = Event::Probe {
            comm,
            from: source(from.peer),
            tag: tag(from.tag),
            poll,
            told: told.map(matched),
            message,
        };
        self.record(b, thread, place, event);
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
            let event = Event::Mrecv {
                message: MessageId(u64::from(message)),
                request: request.map(RequestId),
            };
            self.record(b, thread, place, event);
        }
    }

    /// Records a collective as its operation describes it. `members`: the communicator made (1 + index) holds those that took part.
    pub fn record_collective(
        &mut self,
        b: &mut Board,
        thread: usize,
        o: &Op,
        data: bool,
        request: Option<u64>,
        members: Option<u32>,
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
            root: match o.peer {
                root::NONE => Root::None,
                root::ME => Root::Me,
                root::NULL => Root::Null,
                rank => Root::Rank(CommRank(rank as u32)),
            },
            flow: if data { Flow::Data } else { Flow::Unknown },
            request: request.map(RequestId),
            members,
            signature: None,
        });
        self.record(b, thread, o.place, event);
    }
}

impl Recorder {
    fn define_site(&mut self, b: &Board, place: u32) -> std::io::Result<()> {
        let (word, bit) = (place as usize / 64, 1 << (place % 64));
        let known = self.sites.get(word).is_none_or(|w| w & bit != 0);
        let Some(entry) = b
            .places
            .get(place as usize)
            .filter(|_| place != 0 && !known)
        else {
            return Ok(());
        };
        self.sites[word] |= bit;
        let text = |at: u32| {
            let rest = b.text.get(at as usize..).unwrap_or_default();
            let end = rest.iter().position(|b| *b == 0).unwrap_or(rest.len());
            String::from_utf8_lossy(&rest[..end])
        };
        let site = match entry.line {
            0 => Place::Native(entry.key),
            line => Place::Script {
                file: text(entry.file),
                line,
                function: text(entry.name),
            },
        };
        self.put(&Record {
            thread: 0,
            site: SiteId(0),
            event: Event::Site {
                id: SiteId(place),
                place: site,
            },
        })
    }
}

fn members(group: Members, arena: &[u32]) -> Option<Group<'static>> {
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

fn listed(group: Members, arena: &[u32]) -> Vec<WorldRank> {
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

fn source(peer: i32) -> Source {
    if peer == ANY {
        Source::Any
    } else {
        Source::Rank(CommRank(peer as u32))
    }
}

fn tag(tag: i32) -> TagPattern {
    if tag == ANY {
        TagPattern::Any
    } else {
        TagPattern::Tag(tag)
    }
}

fn matched((source, tag): (i32, i32)) -> Matched {
    Matched {
        source: CommRank(source as u32),
        tag,
    }
}
