//! Processes: asking a short-lived one, and finding all that belong to a job. Linux's /proc only.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// What a short-lived process said.
#[derive(Debug)]
pub struct Said {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Said {
    /// The last line of what it complained.
    pub fn complaint(&self) -> String {
        let line = |text: &str| {
            text.lines()
                .rev()
                .map(str::trim)
                .find(|l| !l.is_empty())
                .map(str::to_owned)
        };
        line(&self.err)
            .or_else(|| line(&self.out))
            .unwrap_or_else(|| self.status.to_string())
    }
}

/// Runs `command` without input and collects what it says; ends it after `limit`.
pub fn ask(command: &mut Command, limit: Duration) -> io::Result<Said> {
    let deadline = Instant::now() + limit;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let out = collect(child.stdout.take());
    let err = collect(child.stderr.take());
    let rest = || deadline.saturating_duration_since(Instant::now());
    // A grandchild may hold the pipes open, and a child may close them early: neither may keep us for longer.
    let said = out
        .recv_timeout(rest())
        .and_then(|out| Ok((out, err.recv_timeout(rest())?)));
    let Ok((out, err)) = said else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(io::Error::new(io::ErrorKind::TimedOut, "it did not answer"));
    };
    Ok(Said {
        status: child.wait()?,
        out,
        err,
    })
}

fn collect(stream: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// A process that cannot be mistaken for a later one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// When it started, in clock ticks since boot.
    pub start: u64,
}

impl Process {
    /// The running (not dead, not zombie) process with this number.
    pub fn of(pid: i32) -> Option<Process> {
        let stat = Stat::read(pid)?;
        (!stat.dead).then_some(Process {
            pid,
            start: stat.start,
        })
    }

    /// Whether it still runs.
    pub fn alive(self) -> bool {
        Process::of(self.pid) == Some(self)
    }

    /// Whether it is dead, or beyond saving: the kernel has begun to take it apart.
    pub fn ending(self) -> bool {
        let stat = Stat::read(self.pid);
        stat.is_none_or(|stat| stat.dead || stat.exiting || stat.start != self.start)
    }
}

/// What `wait` would give for a process that is dead and not buried, if we may know.
pub fn wait_status(process: Process) -> Option<i32> {
    let text = fs::read(format!("/proc/{}/stat", process.pid)).ok()?;
    let text = String::from_utf8_lossy(&text);
    let stat = Stat::parse(&text)?;
    // Its last field. 0 stands for success, and for what is not ours to see.
    let status: i32 = text.split_ascii_whitespace().next_back()?.parse().ok()?;
    (stat.dead && stat.start == process.start && status != 0).then_some(status)
}

struct Stat {
    parent: i32,
    dead: bool,
    exiting: bool,
    start: u64,
}

impl Stat {
    fn read(pid: i32) -> Option<Stat> {
        let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
        Stat::parse(&String::from_utf8_lossy(&text))
    }

    fn parse(text: &str) -> Option<Stat> {
        // The second field is the name in parentheses, which may itself hold spaces and parentheses.
        let rest = &text[text.rfind(')')? + 1..];
        let mut fields = rest.split_ascii_whitespace();
        let dead = matches!(fields.next()?, "Z" | "X" | "x");
        let parent = fields.next()?.parse().ok()?;
        let flags: u32 = fields.nth(4)?.parse().ok()?;
        let start = fields.nth(12)?.parse().ok()?;
        Some(Stat {
            parent,
            dead,
            // PF_EXITING.
            exiting: flags & 4 != 0,
            start,
        })
    }
}

/// Those from which this process descends, nearest first, with their names.
pub fn ancestors() -> Vec<(Process, String)> {
    let mut out = Vec::new();
    let mut pid = std::process::id() as i32;
    for _ in 0..64 {
        let Some(stat) = Stat::read(pid).filter(|stat| stat.parent > 0) else {
            break;
        };
        pid = stat.parent;
        let Some(process) = Process::of(pid) else {
            break;
        };
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        out.push((process, name.trim_end().to_owned()));
    }
    out
}

/// The processes of a job: all that descend from process `root` (itself excluded), and all of this user in whose
/// environment `marker` (`NAME=value`) stands, which finds those that a resource manager's daemon started here.
pub fn members(root: i32, marker: &[u8]) -> Vec<Process> {
    let mut all: BTreeMap<i32, Stat> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some((pid, stat)) = pid.and_then(|pid| Some((pid, Stat::read(pid)?))) {
            all.insert(pid, stat);
        }
    }
    let descends = |mut pid: i32| {
        // Bounded, as the parents were read one after the other and may form anything.
        for _ in 0..all.len() {
            match all.get(&pid) {
                Some(stat) if stat.parent == root => return true,
                Some(stat) if stat.parent > 0 => pid = stat.parent,
                _ => return false,
            }
        }
        false
    };
    all.iter()
        .filter(|&(&pid, stat)| pid != root && !stat.dead && (descends(pid) || marked(pid, marker)))
        .map(|(&pid, stat)| Process {
            pid,
            start: stat.start,
        })
        .collect()
}

fn marked(pid: i32, marker: &[u8]) -> bool {
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| {
        environ
            .split(|&b| b == 0)
            .any(|variable| variable == marker)
    })
}

/// The signals that this process ignores, as the bit set that the kernel keeps.
pub fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|set| u64::from_str_radix(set.trim(), 16).ok())
        .unwrap_or(0)
}

/// Whether this is a file that may be executed by us.
pub fn executable(path: &Path) -> bool {
    path.is_file() && nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok()
}

/// All places of `name` on PATH, in order; a name with a slash is its own place.
pub fn on_path(name: &std::ffi::OsStr) -> Vec<std::path::PathBuf> {
    if name.as_bytes().contains(&b'/') {
        let path = std::path::PathBuf::from(name);
        return if executable(&path) {
            vec![path]
        } else {
            vec![]
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter(|dir| !dir.as_os_str().is_empty())
        .map(|dir| dir.join(name))
        .filter(|file| executable(file))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_survives_odd_names() {
        let stat = "77 (a) b (c) S 5 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9";
        let stat = Stat::parse(stat).unwrap();
        assert_eq!((stat.parent, stat.dead, stat.start), (5, false, 4242));
        assert!(Stat::parse("77 (x) Z 5").is_none());
        assert!(Stat::parse("").is_none());
    }

    #[test]
    fn this_process_is_alive() {
        let me = Process::of(std::process::id() as i32).unwrap();
        assert!(me.alive());
        assert!(
            !Process {
                start: me.start + 1,
                ..me
            }
            .alive()
        );
    }
}
