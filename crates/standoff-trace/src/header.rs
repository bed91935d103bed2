//! The head of a rank's file.

use crate::read::ReadError;

/// First eight bytes.
pub const MAGIC: [u8; 8] = *b"standev\n";
/// Version of the format; writer and reader must agree exactly.
pub const VERSION: u32 = 3;
/// Size of the head.
pub const HEADER_BYTES: usize = 32;

/// Who wrote a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Rank in `MPI_COMM_WORLD`; less than `world_size`.
    pub rank: u32,
    /// Size of `MPI_COMM_WORLD`.
    pub world_size: u32,
    /// Equal for all ranks of one `MPI_COMM_WORLD`, different for others.
    pub world_key: u64,
}

impl Header {
    /// As bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.rank.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.world_size.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.world_key.to_le_bytes());
        bytes
    }

    /// From the first bytes of a file.
    ///
    /// # Errors
    /// Not such a file, another version, or a rank that is not in its job.
    pub fn from_bytes(bytes: &[u8]) -> Result<Header, ReadError> {
        let head: &[u8; HEADER_BYTES] = bytes
            .get(..HEADER_BYTES)
            .and_then(|head| head.try_into().ok())
            .ok_or(ReadError::NotATrace)?;
        if head[..8] != MAGIC {
            return Err(ReadError::NotATrace);
        }
        let word =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        if word(8) != VERSION {
            return Err(ReadError::Version(word(8)));
        }
        let (rank, world_size) = (word(12), word(16));
        if rank >= world_size {
            return Err(ReadError::Rank { rank, world_size });
        }
        let world_key = u64::from(word(20)) | u64::from(word(24)) << 32;
        Ok(Header {
            rank,
            world_size,
            world_key,
        })
    }
}
