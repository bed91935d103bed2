//! Reading boards. Everything is copied out of the file first: a board may be torn, truncated or not a board at all.

use crate::layout::{
    ARENA, Board, CHANNELS, COMMS, Channel, Comm, Header, MAGIC, NOTE, OPS, Op, PLACES, Place,
    RESCUED, Rescued, TEXT, THREADS, Thread, VERSION,
};
use bytemuck::{Pod, Zeroable};
use std::fs::{File, OpenOptions};
use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Why a file is no board that can be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It does not begin as a board does, or is too short.
    #[error("not a board")]
    Foreign,
    /// It is from another version of the probe.
    #[error(
        "a board of layout version {found}, where version {VERSION} is needed: probe and program are of different versions"
    )]
    Version {
        /// Its version.
        found: u32,
    },
    /// A field has a value that no probe writes.
    #[error("a corrupted board ({0})")]
    Corrupted(&'static str),
}

/// An open board.
#[derive(Debug)]
pub struct BoardFile {
    file: File,
    path: PathBuf,
}

/// A copy of the parts of a board that are in use.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Head.
    pub header: Header,
    /// Threads that have slots.
    pub threads: Vec<Thread>,
    /// Communicators (also freed ones, with id 0).
    pub comms: Vec<Comm>,
    /// Sent channels (also free ones).
    pub sent: Vec<Channel>,
    /// Received channels (also free ones).
    pub received: Vec<Channel>,
    /// Pending operations (also free entries).
    pub ops: Vec<Op>,
    /// Members of listed groups.
    pub arena: Vec<u32>,
}

/// Where a rank has called MPI ([`BoardFile::places`]).
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// By index.
    pub places: Vec<Place>,
    text: Vec<u8>,
}

impl Places {
    /// A name at an offset.
    pub fn name(&self, offset: u32) -> Option<String> {
        let rest = self.text.get(offset as usize..)?;
        Some(text(rest))
    }
}

impl BoardFile {
    /// Opens a board and checks that it is one.
    pub fn open(path: &Path) -> Result<BoardFile, ReadError> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let board = BoardFile {
            file,
            path: path.to_owned(),
        };
        board.header()?;
        Ok(board)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read<T: Pod>(&self, offset: usize, into: &mut [T]) -> Result<(), ReadError> {
        self.file
            .read_exact_at(bytemuck::cast_slice_mut(into), offset as u64)
            .map_err(|e| match e.kind() {
                io::ErrorKind::UnexpectedEof => ReadError::Foreign,
                _ => e.into(),
            })
    }

    fn table<T: Pod>(
        &self,
        offset: usize,
        used: u32,
        capacity: usize,
        what: &'static str,
    ) -> Result<Vec<T>, ReadError> {
        if used as usize > capacity {
            return Err(ReadError::Corrupted(what));
        }
        let mut out = vec![T::zeroed(); used as usize];
        self.read(offset, &mut out)?;
        Ok(out)
    }

    /// The head, checked.
    pub fn header(&self) -> Result<Header, ReadError> {
        let mut h = [Header::zeroed()];
        self.read(0, &mut h)?;
        let [h] = h;
        if h.magic != MAGIC {
            return Err(ReadError::Foreign);
        }
        if h.version != VERSION || h.size as usize != size_of::<Board>() {
            return Err(ReadError::Version { found: h.version });
        }
        if h.world_size == 0 || h.rank >= h.world_size {
            return Err(ReadError::Corrupted("rank"));
        }
        Ok(h)
    }

    /// The epoch alone (odd: the writer is changing something).
    pub fn epoch(&self) -> Result<u64, ReadError> {
        let mut e = [0u64];
        self.read(offset_of!(Header, epoch), &mut e)?;
        Ok(e[0])
    }

    /// Copies all that is in use. Whether it is of one moment, the epoch before and after must tell.
    pub fn copy(&self) -> Result<Copy, ReadError> {
        let header = self.header()?;
        let comms: Vec<Comm> = self.table(
            offset_of!(Board, comms),
            header.comms_used,
            COMMS,
            "communicators",
        )?;
        let listed = comms
            .iter()
            .flat_map(|c| [c.group, c.remote])
            .any(|g| g.stride == crate::layout::Group::LISTED)
            || comms.iter().any(|c| c.sources[1] != u32::MAX);
        Ok(Copy {
            threads: self.table(
                offset_of!(Board, threads),
                header.threads_used,
                THREADS,
                "threads",
            )?,
            sent: self.table(
                offset_of!(Board, sent),
                header.sent_used,
                CHANNELS,
                "channels",
            )?,
            received: self.table(
                offset_of!(Board, received),
                header.received_used,
                CHANNELS,
                "channels",
            )?,
            ops: self.table(offset_of!(Board, ops), header.ops_used, OPS, "operations")?,
            arena: if listed {
                self.table(offset_of!(Board, arena), ARENA as u32, ARENA, "groups")?
            } else {
                Vec::new()
            },
            comms,
            header,
        })
    }

    /// The sends that returned from a copy, a place each; free entries included.
    pub fn rescued(&self) -> Result<Vec<Rescued>, ReadError> {
        self.table(
            offset_of!(Board, rescued),
            RESCUED as u32,
            RESCUED,
            "rescued sends",
        )
    }

    /// The places from which MPI was called, and the names in them.
    pub fn places(&self) -> Result<Places, ReadError> {
        let used = self.header()?.text_used;
        let at = offset_of!(Board, places);
        Ok(Places {
            places: self.table(at, PLACES as u32, PLACES, "places")?,
            text: self.table(offset_of!(Board, text), used, TEXT, "names of places")?,
        })
    }

    /// A thread's note.
    pub fn note(&self, slot: usize) -> Result<[u8; NOTE], ReadError> {
        let mut note = [0u8; NOTE];
        if slot < THREADS {
            self.read(offset_of!(Board, notes) + slot * NOTE, &mut note)?;
        }
        Ok(note)
    }

    /// Writes a command word and wakes the rank's helper.
    pub fn command(&self, word: u32) -> Result<(), ReadError> {
        const PAGE: usize = 4096;
        let at = offset_of!(Header, command);
        const { assert!(offset_of!(Header, command) < PAGE) };
        self.file.write_all_at(&word.to_ne_bytes(), at as u64)?;
        // SAFETY: a mapping of the file's first page, made only to name the word to the kernel: it is not read or written here,
        // and a file that has been truncated makes the wake fail, not this process.
        unsafe {
            let page = libc::mmap(
                std::ptr::null_mut(),
                PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                self.file.as_raw_fd(),
                0,
            );
            if page == libc::MAP_FAILED {
                return Err(io::Error::last_os_error().into());
            }
            libc::syscall(
                libc::SYS_futex,
                page.byte_add(at),
                libc::FUTEX_WAKE,
                i32::MAX,
            );
            libc::munmap(page, PAGE);
        }
        Ok(())
    }

    /// The last command that the rank has carried out.
    pub fn done(&self) -> Result<u32, ReadError> {
        let mut d = [0u32];
        self.read(offset_of!(Header, done), &mut d)?;
        Ok(d[0])
    }
}

/// Text of a NUL-terminated field.
pub fn text(field: &[u8]) -> String {
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn board(change: impl FnOnce(&mut Header)) -> Result<BoardFile, ReadError> {
        let mut header = Header::zeroed();
        header.magic = MAGIC;
        header.version = VERSION;
        header.size = size_of::<Board>() as u32;
        header.world_size = 4;
        change(&mut header);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytemuck::bytes_of(&header)).unwrap();
        file.as_file().set_len(size_of::<Board>() as u64).unwrap();
        BoardFile::open(file.path())
    }

    #[test]
    fn a_new_board_can_be_copied() {
        let copy = board(|h| h.rank = 3).unwrap().copy().unwrap();
        assert_eq!((copy.header.rank, copy.threads.len()), (3, 0));
    }

    #[test]
    fn what_is_no_board_is_said_to_be_none() {
        assert!(matches!(board(|h| h.magic = 7), Err(ReadError::Foreign)));
        assert!(matches!(
            board(|h| h.version = 99),
            Err(ReadError::Version { found: 99 })
        ));
        assert!(matches!(
            board(|h| h.rank = 4),
            Err(ReadError::Corrupted(_))
        ));
        assert!(matches!(
            board(|h| h.ops_used = u32::MAX).unwrap().copy(),
            Err(ReadError::Corrupted(_))
        ));
        let empty = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(
            BoardFile::open(empty.path()),
            Err(ReadError::Foreign)
        ));
        assert!(matches!(
            BoardFile::open(Path::new("/nonexistent/board")),
            Err(ReadError::Io(_))
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_looked_at(bytes in prop::collection::vec(any::<u8>(), size_of::<Header>())) {
            let garbage: Header = bytemuck::pod_read_unaligned(&bytes);
            let read = board(|h| {
                let (magic, version, size, world_size) = (h.magic, h.version, h.size, h.world_size);
                *h = garbage;
                (h.magic, h.version, h.size, h.world_size, h.rank) = (magic, version, size, world_size, 0);
            });
            let _ = read.and_then(|b| b.copy());
        }
    }
}
