//! Where the bytes of a record go.

use crate::basic::Basic;
use crate::event::{Group, Matched, SiteId, Source, TagPattern};
use crate::wire::{kind, zigzag};
use crate::write::Full;

/// Takes a record byte by byte.
pub(crate) trait Sink {
    fn byte(&mut self, byte: u8) -> Result<(), Full>;

    #[inline]
    fn uint(&mut self, mut v: u64) -> Result<(), Full> {
        while v >= 0x80 {
            self.byte(v as u8 | 0x80)?;
            v >>= 7;
        }
        self.byte(v as u8)
    }

    #[inline]
    fn int(&mut self, v: i32) -> Result<(), Full> {
        self.uint(zigzag(i64::from(v)))
    }

    /// Nothing, if it is unknown.
    #[inline]
    fn basic(&mut self, basic: Basic) -> Result<(), Full> {
        match basic {
            Basic::UNKNOWN => Ok(()),
            known => self.byte(known.byte()),
        }
    }

    #[inline]
    fn pattern(&mut self, from: Source, tag: TagPattern) -> Result<(), Full> {
        if let Source::Rank(rank) = from {
            self.uint(u64::from(rank.0))?;
        }
        match tag {
            TagPattern::Tag(tag) => self.int(tag),
            TagPattern::Any => Ok(()),
        }
    }

    #[inline]
    fn matched(&mut self, matched: Matched) -> Result<(), Full> {
        self.uint(u64::from(matched.source.0))?;
        self.int(matched.tag)
    }
}

/// The memory given, as long as it lasts.
pub(crate) struct Out<'m> {
    pub memory: &'m mut [u8],
    pub at: usize,
}

impl Sink for Out<'_> {
    #[inline]
    fn byte(&mut self, byte: u8) -> Result<(), Full> {
        *self.memory.get_mut(self.at).ok_or(Full)? = byte;
        self.at += 1;
        Ok(())
    }
}

impl Out<'_> {
    pub fn text(&mut self, text: &str) -> Result<(), Full> {
        self.uint(text.len() as u64)?;
        let to = self.memory.get_mut(self.at..self.at + text.len());
        to.ok_or(Full)?.copy_from_slice(text.as_bytes());
        self.at += text.len();
        Ok(())
    }

    pub fn group(&mut self, group: &Group<'_>) -> Result<(), Full> {
        match group {
            Group::Strided { first, stride, len } => {
                self.byte(0)?;
                self.uint(u64::from(*first))?;
                self.int(*stride)?;
                self.uint(u64::from(*len))
            }
            Group::List(list) => {
                self.byte(1)?;
                self.uint(list.len() as u64)?;
                list.iter()
                    .try_for_each(|rank| self.uint(u64::from(rank.0)))
            }
        }
    }
}

/// Bytes that hold any send, receive, probe or completion of one request.
pub const ROOM: usize = 64;

/// Room that is known to suffice for a record, so that no byte of it has to be compared with what is left.
pub(crate) struct Room<'m> {
    bytes: &'m mut [u8; ROOM],
    at: usize,
}

impl Sink for Room<'_> {
    #[inline(always)]
    fn byte(&mut self, byte: u8) -> Result<(), Full> {
        // The mask stands for a comparison that never fails.
        self.bytes[self.at % ROOM] = byte;
        self.at += 1;
        Ok(())
    }
}

impl<'m> Room<'m> {
    #[inline(always)]
    pub fn begin(bytes: &'m mut [u8; ROOM], thread: u16, site: SiteId) -> Room<'m> {
        // Behind the length, and the kind.
        let mut out = Room { bytes, at: 2 };
        if thread != 0 {
            let _ = out.uint(u64::from(thread));
        }
        let _ = out.uint(u64::from(site.0));
        out
    }

    /// The number of bytes used.
    #[inline(always)]
    pub fn end(self, kind: u8, thread: u16) -> usize {
        debug_assert!(self.at <= ROOM);
        self.bytes[1] = kind | if thread == 0 { 0 } else { kind::THREAD };
        self.bytes[0] = (self.at - 1) as u8;
        self.at
    }
}
