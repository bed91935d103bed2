//! Memory that the processor can surely read.

use crate::P;
use std::cell::Cell;
use std::ops::Range;

/// Ranges of addresses that belong to this process as long as it runs, and never to a device: what is read there needs no
/// help of the kernel, which costs more than a small message.
pub(crate) struct Memory {
    /// Where the heap that grows by `brk` begins.
    heap: usize,
    /// What the executable brought along.
    executable: Range<usize>,
}

impl Memory {
    /// What the kernel says of this process; nothing, where it says nothing.
    pub fn look() -> Memory {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let executable = std::fs::read_link("/proc/self/exe").unwrap_or_default();
        Memory::of(&maps, &executable.to_string_lossy())
    }

    fn of(maps: &str, executable: &str) -> Memory {
        let mut memory = Memory {
            heap: usize::MAX,
            executable: 0..0,
        };
        for line in maps.lines() {
            let Some((range, rights, name)) = fields(line) else {
                continue;
            };
            if name == "[heap]" {
                memory.heap = memory.heap.min(range.start);
                continue;
            }
            let known = &mut memory.executable;
            let follows =
                known.start < known.end && known.end == range.start && rights.starts_with('r');
            if follows && (name == executable || name.is_empty()) {
                // Its other segments; one without a name holds what begins as zeros. A gap ends what is known.
                known.end = range.end;
            } else if known.start == known.end
                && !name.is_empty()
                && name == executable
                && rights.starts_with('r')
            {
                *known = range;
            }
        }
        memory
    }

    /// Whether `length` bytes can surely be read there. False is always safe.
    // In a frame of its own, which lies below all that a caller has on its stack.
    #[inline(never)]
    pub fn has(&self, address: P, length: usize) -> bool {
        let start = address as usize;
        let Some(end) = start.checked_add(length) else {
            return false;
        };
        if start >= self.heap {
            // SAFETY: an increment of 0 only tells where the heap ends.
            let top = unsafe { libc::sbrk(0) } as usize;
            if end <= top {
                return true;
            }
        }
        let here = &raw const end as usize;
        (start > here && end <= stack_end())
            || (self.executable.start <= start && end <= self.executable.end)
    }
}

/// Range, rights and name in a line of /proc/self/maps.
fn fields(line: &str) -> Option<(Range<usize>, &str, &str)> {
    let mut words = line.splitn(6, ' ');
    let (from, to) = words.next()?.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    let range = address(from)?..address(to)?;
    let rights = words.next()?;
    let name = words.nth(3).unwrap_or_default().trim_start();
    Some((range, rights, name))
}

/// The upper end of this thread's stack; 0 if it cannot be known.
fn stack_end() -> usize {
    thread_local! {
        static END: Cell<Option<usize>> = const { Cell::new(None) };
    }
    END.with(|end| {
        end.get().unwrap_or_else(|| {
            let found = find_stack_end();
            end.set(Some(found));
            found
        })
    })
}

#[cold]
fn find_stack_end() -> usize {
    // SAFETY: the attributes are written before they are read, and destroyed once.
    unsafe {
        let mut attributes: libc::pthread_attr_t = core::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
            return 0;
        }
        let (mut lowest, mut size) = (core::ptr::null_mut(), 0);
        let rc = libc::pthread_attr_getstack(&raw const attributes, &raw mut lowest, &raw mut size);
        libc::pthread_attr_destroy(&raw mut attributes);
        if rc == 0 { lowest as usize + size } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static STATIC: [u8; 64] = [7; 64];

    #[test]
    fn own_memory_is_known_and_mapped_memory_is_not() {
        let memory = Memory::look();
        let has = |bytes: &[u8]| memory.has(bytes.as_ptr().cast_mut().cast(), bytes.len());
        let on_the_stack = [1u8; 64];
        assert!(has(&on_the_stack));
        assert!(has(&STATIC));
        // SAFETY: a fresh mapping without rights, as a device's driver reserves addresses.
        let mapped = unsafe {
            libc::mmap(
                core::ptr::null_mut(),
                4096,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert!(!memory.has(mapped, 1));
        assert!(!memory.has(usize::MAX as P, 2));
    }

    #[test]
    fn what_reaches_beyond_is_not() {
        let memory = Memory::look();
        assert!(!memory.has(stack_end() as P, 1));
        assert!(!memory.has((stack_end() - 8) as P, 9));
        assert!(memory.has((stack_end() - 8) as P, 8));
        // SAFETY: only asks.
        let top = unsafe { libc::sbrk(0) };
        assert!(!memory.has(top, 1));
    }

    #[test]
    fn segments_with_a_gap_end_what_is_known() {
        let maps = "\
1000-2000 r-xp 00000000 fe:00 12      /usr/bin/a b
2000-3000 rw-p 00000000 fe:00 12      /usr/bin/a b
3000-3800 rw-p 00000000 00:00 0
4000-5000 rw-p 00000000 fe:00 12      /usr/bin/a b
6000-7000 rw-p 00000000 00:00 0       [heap]
7000-8000 rw-p 00000000 00:00 0
";
        let memory = Memory::of(maps, "/usr/bin/a b");
        assert_eq!(memory.heap, 0x6000);
        assert_eq!(memory.executable, 0x1000..0x3800);
        let nothing = Memory::of("1000-2000 r--p 00000000 00:00 0\n", "");
        assert!(nothing.executable.is_empty() && nothing.heap == usize::MAX);
    }
}
