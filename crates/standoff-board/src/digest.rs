//! Digest of a multiset of tags: an invertible Bloom look-up table.
//!
//! *Definition.* A digest is [`CELLS`] cells in [`HASHES`] parts. Adding a tag adds (1, tag, check(tag)) to one cell of each part.
//! All sums wrap, so digests subtract cell by cell: the sender's minus the receiver's is the digest of what was sent and
//! not received. A cell that holds copies of a single tag is recognised by its check sum; it yields that tag and its
//! multiplicity, is subtracted from the other parts, and so on until nothing is left ("peeling").
//!
//! *Reference.* Goodrich and Mitzenmacher, "Invertible Bloom Lookup Tables", Allerton 2011; used for set differences by
//! Eppstein, Goodrich, Uyeda and Varghese, SIGCOMM 2011.
//!
//! *Deviation.* Multisets: a cell with m copies of one tag is peelable too (sum divisible by m, check = m · check(tag)).
//!
//! *Limits.* Decoding fails (`None`) when too many different tags are in flight: up to 3 always decode but for rare hash
//! collisions, 7 mostly do. A wrong decode needs a collision of 64-bit check sums: none in practice (2⁻⁶⁴ a cell).
//! A negative or torn difference fails to decode too.

use bytemuck::{Pod, Zeroable};

/// Parts of the table; every tag is in one cell of each.
pub const HASHES: usize = 3;
/// Cells in each part.
const PART: usize = 4;
/// Cells of a digest.
pub const CELLS: usize = HASHES * PART;

/// One cell: wrapping sums over the tags that fell into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Cell {
    /// How many.
    pub count: u64,
    /// Sum of the tags (as u32).
    pub tags: u64,
    /// Sum of their check hashes.
    pub check: u64,
}

/// Sum of tags seen on one end of a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Digest {
    /// The cells, part by part.
    pub cells: [Cell; CELLS],
}

/// splitmix64's finalizer (Steele, Lea, Flood 2014).
#[inline]
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Cell of each part. The first two are the tag's lowest bits and not hashed, so that any two of the small tags
/// that people use differ in one of them; the third spreads the rest.
#[inline]
fn places(tag: i32, hash: u64) -> [usize; HASHES] {
    let t = tag as u32 as usize;
    [
        t & 3,
        PART + ((t >> 2) & 3),
        2 * PART + (hash >> 62) as usize,
    ]
}

impl Digest {
    /// Adds a tag `n` times.
    #[inline]
    pub fn add(&mut self, tag: i32, n: u64) {
        let hash = mix(u64::from(tag as u32));
        for p in places(tag, hash) {
            let cell = &mut self.cells[p];
            cell.count = cell.count.wrapping_add(n);
            cell.tags = cell
                .tags
                .wrapping_add(u64::from(tag as u32).wrapping_mul(n));
            cell.check = cell.check.wrapping_add(hash.wrapping_mul(n));
        }
    }

    /// `self` − `other`, cell by cell.
    #[must_use]
    pub fn minus(&self, other: &Digest) -> Digest {
        let mut out = *self;
        for (cell, o) in out.cells.iter_mut().zip(&other.cells) {
            cell.count = cell.count.wrapping_sub(o.count);
            cell.tags = cell.tags.wrapping_sub(o.tags);
            cell.check = cell.check.wrapping_sub(o.check);
        }
        out
    }

    /// Nothing at all in it.
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|c| *c == Cell::default())
    }

    /// The multiset as (tag, multiplicity), tags ascending; `None` if it can't be told.
    pub fn decode(&self) -> Option<Vec<(i32, u64)>> {
        let mut rest = *self;
        let mut found: Vec<(i32, u64)> = Vec::new();
        while !rest.is_empty() {
            let (tag, n) = rest.cells.iter().find_map(pure)?;
            rest.add(tag, n.wrapping_neg());
            found.push((tag, n));
            if found.len() > 4 * CELLS {
                return None;
            }
        }
        found.sort_unstable();
        // A tag found twice means that a cell was mistaken for a pure one.
        found.windows(2).all(|w| w[0].0 != w[1].0).then_some(found)
    }
}

/// The tag of which alone the cell holds copies, and how many.
fn pure(cell: &Cell) -> Option<(i32, u64)> {
    // A difference of counts that came out negative is a torn or foreign digest, not a multiset.
    if cell.count == 0 || cell.count > 1 << 40 || !cell.tags.is_multiple_of(cell.count) {
        return None;
    }
    let tag = u32::try_from(cell.tags / cell.count).ok()? as i32;
    (mix(u64::from(tag as u32)).wrapping_mul(cell.count) == cell.check).then_some((tag, cell.count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_million_balanced_tags_leave_nothing() {
        let (mut sent, mut received) = (Digest::default(), Digest::default());
        for tag in 0..1_000_000 {
            sent.add(tag, 1);
        }
        for tag in (0..1_000_000).rev() {
            received.add(tag, 1);
        }
        assert!(sent.minus(&received).is_empty());
    }

    #[test]
    fn two_tags_always_decode() {
        // Tags that agree in their four lowest bits share the third cell 1 time in 4: then nothing is said, nothing wrong.
        let mut told = 0;
        for b in 1..2000 {
            let mut d = Digest::default();
            d.add(0, 1);
            d.add(b, 1);
            if let Some(tags) = d.decode() {
                assert_eq!(tags, vec![(0, 1), (b, 1)]);
                told += 1;
            }
        }
        assert!(told > 1900, "{told}");
        for a in 0..16 {
            for b in a + 1..16 {
                let mut d = Digest::default();
                d.add(a, 1);
                d.add(b, 1);
                assert_eq!(d.decode(), Some(vec![(a, 1), (b, 1)]));
            }
        }
    }

    #[test]
    fn more_received_than_sent_is_not_a_multiset() {
        let mut received = Digest::default();
        received.add(3, 1);
        assert_eq!(Digest::default().minus(&received).decode(), None);
    }

    proptest! {
        #[test]
        fn what_decodes_is_right(base in prop::collection::vec(any::<i32>(), 0..200),
                                 extra in prop::collection::btree_map(0..1000i32, 1..1000u64, 0..9)) {
            let (mut sent, mut received) = (Digest::default(), Digest::default());
            for t in &base { sent.add(*t, 1); received.add(*t, 1); }
            for (t, n) in &extra { sent.add(*t, *n); }
            let expected: Vec<_> = extra.into_iter().collect();
            if let Some(got) = sent.minus(&received).decode() { prop_assert_eq!(got, expected); }
            else { prop_assert!(expected.len() > 1); }
        }
    }
}
