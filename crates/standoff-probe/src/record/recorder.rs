//! The file of one rank, written window by window.

use super::force::Forced;
use super::handles::Handles;
use crate::map::Map;
use standoff_board::layout::{Board, COMMS, LOST, PLACES};
use standoff_trace::event::{Place, SiteId};
use standoff_trace::{Event, Header, ROOM, Writer};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// Mapped at a time, in bytes; more for a record that needs more.
const WINDOW: usize = 1 << 20;
const PAGE: usize = 4096;
/// Messages of matched probes that have not been received.
const MESSAGES: usize = 4096;

/// One rank's recording.
pub(crate) struct Recorder {
    file: File,
    /// This file is there if there was no room for all.
    lost: PathBuf,
    window: *mut u8,
    size: usize,
    /// Of the window in the file.
    offset: u64,
    /// In the window.
    at: usize,
    writer: Writer,
    /// Identities of the communicators that were defined, by index (0: none).
    pub(super) comms: Box<[u64]>,
    sites: [u64; PLACES / 64],
    /// Handles of matched messages.
    pub(super) messages: Map,
    pub(super) last_message: u32,
    pub(super) shared: Handles,
    /// The last event, if that was a poll that found nothing: another like it says nothing new.
    pub(super) poll: Option<(u32, u64)>,
    /// Numbered events so far ([`Event::numbered`]).
    pub(super) calls: u64,
    /// The rank's taint is in the record.
    pub(super) tainted: bool,
    /// Of a forced run.
    pub forced: Option<Box<Forced>>,
}

// SAFETY: the window is the recorder's own; it is used inside changes only, by one thread at a time.
unsafe impl core::marker::Send for Recorder {}

impl Recorder {
    /// Begins a file in `directory`.
    pub fn begin(directory: &Path, name: &str, header: Header) -> std::io::Result<Recorder> {
        let path = directory.join(name).with_extension("trace");
        let lost = path.with_extension(LOST);
        let out = Recorder::begin_at(&path, header);
        if out.is_err() {
            // Without that the reader sees that a rank is missing.
            let _ = File::create(&lost);
        }
        out
    }

    fn begin_at(path: &Path, header: Header) -> std::io::Result<Recorder> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)?;
        let head = header.to_bytes();
        file.write_all(&head)?;
        let mut out = Recorder {
            file,
            lost: path.with_extension(LOST),
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
            forced: None,
        };
        out.advance(WINDOW)?;
        Ok(out)
    }

    /// Reads what this rank is to do in a forced run.
    pub fn force(&mut self, path: &Path) {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        self.forced = Some(Box::new(Forced::parse(&text)));
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
        crate::cut::window(self.window, size);
        self.offset = offset;
        self.at = (end - offset) as usize;
        Ok(())
    }

    fn unmap(&mut self) {
        if !self.window.is_null() {
            crate::cut::window(core::ptr::null_mut(), 0);
            // SAFETY: mapped by `advance` with this size; nothing refers to it.
            unsafe { libc::munmap(self.window.cast(), self.size) };
            self.window = core::ptr::null_mut();
        }
    }

    /// Says that there was no room.
    pub(super) fn lose(&mut self) {
        let _ = File::create(&self.lost);
        self.end();
    }

    /// Cuts the file to what was written.
    pub(super) fn end(&mut self) {
        let length = self.offset + self.at as u64;
        self.unmap();
        let _ = self.file.set_len(length);
    }

    #[inline]
    pub(super) fn put(
        &mut self,
        thread: u16,
        site: SiteId,
        event: &Event<'_>,
    ) -> std::io::Result<()> {
        let mut size = WINDOW;
        loop {
            // SAFETY: the window is mapped with this size and nobody else writes to it.
            let window = unsafe { core::slice::from_raw_parts_mut(self.window, self.size) };
            let free = window.get_mut(self.at..).unwrap_or_default();
            if let Ok(used) = self.writer.put(free, thread, site, event) {
                self.at += used;
                return Ok(());
            }
            self.advance(size)?;
            size *= 2;
        }
    }

    /// [`Recorder::put`] of a record that `write` puts into the room given; how many bytes it took.
    #[inline(always)]
    pub(super) fn put_short(
        &mut self,
        write: impl FnOnce(&mut Writer, &mut [u8; ROOM]) -> usize,
    ) -> std::io::Result<()> {
        if self.size - self.at < ROOM {
            self.advance(WINDOW)?;
        }
        // SAFETY: the window is mapped with its size, there is so much room behind `at`, and nobody else writes to it.
        let room = unsafe { &mut *self.window.add(self.at).cast::<[u8; ROOM]>() };
        self.at += write(&mut self.writer, room);
        Ok(())
    }

    /// Defines a call site, if that was not done yet.
    #[inline(always)]
    pub(super) fn define_site(&mut self, b: &Board, place: u32) -> std::io::Result<()> {
        let (word, bit) = (place as usize / 64, 1 << (place % 64));
        match self.sites.get_mut(word) {
            Some(sites) if *sites & bit == 0 && place != 0 => {
                *sites |= bit;
                self.new_site(b, place)
            }
            _ => Ok(()),
        }
    }

    #[cold]
    fn new_site(&mut self, b: &Board, place: u32) -> std::io::Result<()> {
        let Some(entry) = b.places.get(place as usize) else {
            return Ok(());
        };
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
        let site = Event::Site {
            id: SiteId(place),
            place: site,
        };
        self.put(0, SiteId(0), &site)
    }
}
