//! A fixed-size hash table from non-zero keys to indices: linear probing with backward-shift deletion (Knuth, TAOCP 6.4, algorithm R).
//! No allocation after it is made, so it is fit for the path of a message.

/// The table. Holds at most half its capacity.
pub(crate) struct Map {
    entries: Box<[(u64, u32)]>,
    shift: u32,
    len: usize,
}

impl Map {
    /// `capacity` entries, a power of two.
    pub fn new(capacity: usize) -> Map {
        debug_assert!(capacity.is_power_of_two());
        Map {
            entries: vec![(0, 0); capacity].into_boxed_slice(),
            shift: 64 - capacity.trailing_zeros(),
            len: 0,
        }
    }

    #[inline(always)]
    fn home(&self, key: u64) -> usize {
        // Fibonacci hashing: the upper bits of a multiplication by 2⁶⁴/φ.
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    /// The value of a key.
    #[inline(always)]
    pub fn get(&self, key: u64) -> Option<u32> {
        let mask = self.entries.len() - 1;
        let mut i = self.home(key);
        loop {
            let (k, v) = *self.entries.get(i)?;
            if k == key {
                return Some(v);
            }
            if k == 0 {
                return None;
            }
            i = (i + 1) & mask;
        }
    }

    /// A key of this value: looks at all.
    pub fn key_of(&self, value: u32) -> Option<u64> {
        let mut entries = self.entries.iter();
        entries.find(|e| e.0 != 0 && e.1 == value).map(|e| e.0)
    }

    /// Sets a key; false if the table is full.
    #[inline(always)]
    pub fn set(&mut self, key: u64, value: u32) -> bool {
        let mask = self.entries.len() - 1;
        let mut i = self.home(key);
        while let Some(e) = self.entries.get_mut(i) {
            if e.0 == key {
                e.1 = value;
                return true;
            }
            if e.0 == 0 {
                if self.len > mask / 2 {
                    return false;
                }
                *e = (key, value);
                self.len += 1;
                return true;
            }
            i = (i + 1) & mask;
        }
        false
    }

    /// Removes a key.
    #[inline(always)]
    pub fn remove(&mut self, key: u64) {
        let mask = self.entries.len() - 1;
        let mut i = self.home(key);
        loop {
            match self.entries.get(i) {
                Some(&(k, _)) if k == key => break,
                Some(&(k, _)) if k != 0 => i = (i + 1) & mask,
                _ => return,
            }
        }
        self.len -= 1;
        let mut j = i;
        loop {
            j = (j + 1) & mask;
            let Some(&(k, v)) = self.entries.get(j) else {
                return;
            };
            if k == 0 {
                break;
            }
            // The entry at j may fill the hole at i unless its home lies cyclically in (i, j].
            let home = self.home(k);
            let stays = if i <= j {
                i < home && home <= j
            } else {
                i < home || home <= j
            };
            if !stays {
                if let Some(e) = self.entries.get_mut(i) {
                    *e = (k, v);
                }
                i = j;
            }
        }
        if let Some(e) = self.entries.get_mut(i) {
            *e = (0, 0);
        }
    }
}
