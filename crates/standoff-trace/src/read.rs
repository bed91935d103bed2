//! Bytes of unknown origin to events.

use std::borrow::Cow;

use crate::basic::Basic;
use crate::event::{
    Collective, CollectiveKind, CommId, CommIndex, CommRank, Completion, Event, Flow, Group,
    Matched, MessageId, Place, Record, Recv, RequestId, Root, Send, SendMode, Signature, SiteId,
    Source, TagPattern, Told, WorldRank,
};
use crate::wire::{RECORD_MAX, flag, kind, told, unzigzag};

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is something else.
    #[error("not a recorded run of standoff")]
    NotATrace,
    /// It has another version of the format.
    #[error("recorded in version {0} of the format, but this is version {version}", version = crate::VERSION)]
    Version(u32),
    /// Its rank is not in its job.
    #[error("recorded by rank {rank} of a job of {world_size}")]
    Rank {
        /// Rank.
        rank: u32,
        /// Size of its job.
        world_size: u32,
    },
    /// A record makes no sense.
    #[error("the record at byte {at} is damaged")]
    Damaged {
        /// Where it begins, counted from the first record.
        at: usize,
    },
    /// A record uses a communicator, request or message that is not there.
    #[error("rank {rank}: event {event} refers to something that was not recorded")]
    Unknown {
        /// Rank.
        rank: u32,
        /// Number of the event in its rank.
        event: usize,
    },
    /// The files do not make up one job.
    #[error("the recorded ranks do not make up one job")]
    Job,
}

/// Decodes the records of one rank, one after the other. A truncated last record ends the iteration without an error.
///
/// # What is never accepted
/// A record whose fields leave bytes over or want more than its length; a number out of its range. Nothing is allocated for a length that the
/// bytes there are do not bear out. Whether records make sense together is not looked at.
#[derive(Clone, Debug)]
pub struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    request: u64,
    message: u64,
}

impl<'b> Reader<'b> {
    /// Reads what follows the [`Header`](crate::Header).
    #[must_use]
    pub fn records(bytes: &'b [u8]) -> Reader<'b> {
        Reader {
            bytes,
            at: 0,
            request: 0,
            message: 0,
        }
    }

    /// Bytes read so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    fn decode(&mut self, body: &'b [u8]) -> Option<Record<'static>> {
        let mut input = In { bytes: body };
        let first = input.byte()?;
        let thread = if first & kind::THREAD == 0 {
            0
        } else {
            u16::try_from(input.uint()?).ok().filter(|&t| t != 0)?
        };
        let site = SiteId(input.word()?);
        let event = self.event(&mut input, first & !kind::THREAD)?;
        input.bytes.is_empty().then_some(Record {
            thread,
            site,
            event,
        })
    }

    fn event(&mut self, input: &mut In<'b>, number: u8) -> Option<Event<'static>> {
        Some(match number {
            kind::SEND => Event::Send(self.send(input)?),
            kind::RECV => Event::Recv(self.recv(input)?),
            kind::SENDRECV => Event::Sendrecv {
                send: self.send(input)?,
                recv: self.recv(input)?,
            },
            kind::COMPLETE => self.complete(input)?,
            kind::PROBE => {
                let flags = input.flags(
                    flag::ANY_SOURCE | flag::ANY_TAG | flag::POLL | flag::TOLD | flag::MESSAGE,
                )?;
                let comm = CommIndex(input.word()?);
                let (from, tag) = input.pattern(flags)?;
                let told = if flags & flag::TOLD == 0 {
                    None
                } else {
                    Some(input.matched()?)
                };
                let message = if flags & flag::MESSAGE == 0 {
                    None
                } else {
                    Some(self.message(input)?)
                };
                Event::Probe {
                    comm,
                    from,
                    tag,
                    poll: flags & flag::POLL != 0,
                    told,
                    message,
                }
            }
            kind::MRECV => {
                let flags = input.flags(flag::REQUEST)?;
                let message = MessageId(self.message.wrapping_add(unzigzag(input.uint()?) as u64));
                let request = if flags == 0 {
                    None
                } else {
                    Some(self.request(input)?)
                };
                Event::Mrecv { message, request }
            }
            kind::COLLECTIVE => Event::Collective(self.collective(input)?),
            kind::CANCEL => Event::Cancel(self.request(input)?),
            kind::REQUEST_FREE => Event::RequestFree(self.request(input)?),
            kind::BUFFER => Event::Buffer {
                bytes: input.uint()?,
            },
            kind::INIT => Event::Init {
                level: input.byte().filter(|&level| level <= 3)?,
            },
            kind::FINALIZE => Event::Finalize,
            kind::UNMODELLED => {
                let acts = input.flags(1)? != 0;
                Event::Unmodelled {
                    name: input.text()?,
                    acts,
                }
            }
            kind::SITE_NATIVE => Event::Site {
                id: SiteId(input.word()?),
                place: Place::Native(input.uint()?),
            },
            kind::SITE_SCRIPT => {
                let id = SiteId(input.word()?);
                let (file, line, function) = (input.text()?, input.word()?, input.text()?);
                Event::Site {
                    id,
                    place: Place::Script {
                        file,
                        line,
                        function,
                    },
                }
            }
            kind::COMM => {
                let flags = input.flags(flag::REMOTE | flag::SOURCES)?;
                let (index, id) = (CommIndex(input.word()?), CommId(input.uint()?));
                let (name, group) = (input.text()?, input.group()?);
                let remote = if flags & flag::REMOTE == 0 {
                    None
                } else {
                    Some(input.group()?)
                };
                let sources = if flags & flag::SOURCES == 0 {
                    None
                } else {
                    Some(Cow::Owned(input.list(|i| i.word().map(CommRank))?))
                };
                Event::Comm {
                    index,
                    id,
                    name,
                    group,
                    remote,
                    sources,
                }
            }
            _ => return None,
        })
    }

    fn request(&mut self, input: &mut In<'b>) -> Option<RequestId> {
        self.request = self.request.wrapping_add(unzigzag(input.uint()?) as u64);
        Some(RequestId(self.request))
    }

    fn message(&mut self, input: &mut In<'b>) -> Option<MessageId> {
        self.message = self.message.wrapping_add(unzigzag(input.uint()?) as u64);
        Some(MessageId(self.message))
    }

    fn send(&mut self, input: &mut In<'b>) -> Option<Send> {
        let flags = input.flags(flag::REQUEST | flag::PERSISTENT | 3 << flag::MODE | flag::TYPE)?;
        let mode = match flags >> flag::MODE & 3 {
            0 => SendMode::Standard,
            1 => SendMode::Buffered,
            2 => SendMode::Synchronous,
            _ => SendMode::Ready,
        };
        Some(Send {
            comm: CommIndex(input.word()?),
            to: CommRank(input.word()?),
            tag: input.int()?,
            mode,
            bytes: input.uint()?,
            basic: input.basic(flags)?,
            request: if flags & flag::REQUEST == 0 {
                None
            } else {
                Some(self.request(input)?)
            },
            persistent: flags & flag::PERSISTENT != 0,
        })
    }

    fn recv(&mut self, input: &mut In<'b>) -> Option<Recv> {
        let flags = input.flags(
            flag::REQUEST
                | flag::PERSISTENT
                | flag::ANY_SOURCE
                | flag::ANY_TAG
                | flag::TOLD
                | flag::TYPE,
        )?;
        let comm = CommIndex(input.word()?);
        let (from, tag) = input.pattern(flags)?;
        Some(Recv {
            comm,
            from,
            tag,
            bytes: input.uint()?,
            basic: input.basic(flags)?,
            request: if flags & flag::REQUEST == 0 {
                None
            } else {
                Some(self.request(input)?)
            },
            persistent: flags & flag::PERSISTENT != 0,
            told: if flags & flag::TOLD == 0 {
                None
            } else {
                Some(input.matched()?)
            },
        })
    }

    fn complete(&mut self, input: &mut In<'b>) -> Option<Event<'static>> {
        let head = input.byte()?;
        let call = match head & 0x0f {
            0 => Completion::Wait,
            1 => Completion::Waitall,
            2 => Completion::Waitany,
            3 => Completion::Waitsome,
            4 => Completion::Test,
            5 => Completion::Testall,
            6 => Completion::Testany,
            7 => Completion::Testsome,
            _ => return None,
        };
        let requests = input.list(|i| self.request(i))?;
        let within = |at: u32| ((at as usize) < requests.len()).then_some(at);
        let told = match head & 0xf0 {
            told::NONE => Told::None,
            told::ALL => Told::All(Cow::Owned(
                input.list(|i| Some((within(i.word()?)?, i.matched()?)))?,
            )),
            told::SOME => Told::Some(Cow::Owned(input.list(|i| {
                let first = i.uint()?;
                let at = within(u32::try_from(first >> 1).ok()?)?;
                let matched = if first & 1 == 0 {
                    None
                } else {
                    Some(i.matched()?)
                };
                Some((at, matched))
            })?)),
            _ => return None,
        };
        Some(Event::Complete {
            call,
            requests: Cow::Owned(requests),
            told,
        })
    }

    fn collective(&mut self, input: &mut In<'b>) -> Option<Collective<'static>> {
        let flags = input.flags(
            flag::REQUEST
                | flag::DATA
                | flag::NO_DATA
                | flag::MEMBERS
                | flag::SIGNATURE
                | flag::STARTED
                | 3 << flag::ROOT,
        )?;
        let kind = *CollectiveKind::ALL.get(usize::from(input.byte()?))?;
        let (comm, seq) = (CommIndex(input.word()?), input.uint()?);
        let start = match flags & flag::STARTED {
            0 => None,
            _ => Some(input.uint()?),
        };
        let root = match (flags >> flag::ROOT) & 3 {
            0 => Root::None,
            1 => Root::Rank(CommRank(input.word()?)),
            2 => Root::Me,
            _ => Root::Null,
        };
        Some(Collective {
            comm,
            kind,
            seq,
            start,
            root,
            flow: match flags & (flag::DATA | flag::NO_DATA) {
                0 => Flow::Unknown,
                flag::DATA => Flow::Data,
                flag::NO_DATA => Flow::Nothing,
                _ => return None,
            },
            request: if flags & flag::REQUEST == 0 {
                None
            } else {
                Some(self.request(input)?)
            },
            members: if flags & flag::MEMBERS == 0 {
                None
            } else {
                Some(input.group()?)
            },
            signature: if flags & flag::SIGNATURE == 0 {
                None
            } else {
                Some(Signature {
                    reduction: input.word()?,
                    basic: Basic::from_byte(input.byte()?)?,
                    bytes: input.uint()?,
                })
            },
        })
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Record<'static>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut input = In {
            bytes: self.bytes.get(self.at..)?,
        };
        let damaged = ReadError::Damaged { at: self.at };
        let before = input.bytes.len();
        let length = match input.uint() {
            Some(0) => return None,
            Some(length) if length <= RECORD_MAX => length as usize,
            None if before < 10 => return None,
            _ => {
                self.at = self.bytes.len() + 1;
                return Some(Err(damaged));
            }
        };
        let body = input.bytes.get(..length)?;
        let end = self.at + (before - input.bytes.len()) + length;
        let record = self.decode(body);
        self.at = if record.is_some() {
            end
        } else {
            self.bytes.len() + 1
        };
        Some(record.ok_or(damaged))
    }
}

struct In<'b> {
    bytes: &'b [u8],
}

impl In<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(first)
    }

    /// A byte of flags, of which no other may be set.
    fn flags(&mut self, known: u8) -> Option<u8> {
        self.byte().filter(|flags| flags & !known == 0)
    }

    fn uint(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                return None;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
            shift += 7;
        }
    }

    fn word(&mut self) -> Option<u32> {
        u32::try_from(self.uint()?).ok()
    }

    fn int(&mut self) -> Option<i32> {
        i32::try_from(unzigzag(self.uint()?)).ok()
    }

    fn basic(&mut self, flags: u8) -> Option<Basic> {
        match flags & flag::TYPE {
            0 => Some(Basic::UNKNOWN),
            _ => Basic::from_byte(self.byte()?).filter(|&basic| basic != Basic::UNKNOWN),
        }
    }

    fn pattern(&mut self, flags: u8) -> Option<(Source, TagPattern)> {
        let from = if flags & flag::ANY_SOURCE == 0 {
            Source::Rank(CommRank(self.word()?))
        } else {
            Source::Any
        };
        let tag = if flags & flag::ANY_TAG == 0 {
            TagPattern::Tag(self.int()?)
        } else {
            TagPattern::Any
        };
        Some((from, tag))
    }

    fn matched(&mut self) -> Option<Matched> {
        Some(Matched {
            source: CommRank(self.word()?),
            tag: self.int()?,
        })
    }

    /// Each element takes at least a byte, so a false length cannot make this allocate more than the bytes there are.
    fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = usize::try_from(self.uint()?)
            .ok()
            .filter(|&n| n <= self.bytes.len())?;
        let mut list = Vec::with_capacity(length);
        for _ in 0..length {
            list.push(element(self)?);
        }
        Some(list)
    }

    fn text(&mut self) -> Option<Cow<'static, str>> {
        let length = usize::try_from(self.uint()?).ok()?;
        let text = std::str::from_utf8(self.bytes.get(..length)?)
            .ok()?
            .to_owned();
        self.bytes = &self.bytes[length..];
        Some(Cow::Owned(text))
    }

    fn group(&mut self) -> Option<Group<'static>> {
        Some(match self.byte()? {
            0 => Group::Strided {
                first: self.word()?,
                stride: self.int()?,
                len: self.word()?,
            },
            1 => Group::List(Cow::Owned(self.list(|i| i.word().map(WorldRank))?)),
            _ => return None,
        })
    }
}
