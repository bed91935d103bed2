//! How often the kernel's out-of-memory killer has struck since the start.
//!
//! The kernel counts for each control group (cgroup). What is said is no more than that: somebody of this group was killed for want of
//! memory while the job ran. Where the count cannot be read nothing is said.

use std::fs;
use std::path::{Path, PathBuf};

/// The count at the start, and where to read it.
#[derive(Debug)]
pub struct Kills {
    file: Option<(PathBuf, u64)>,
}

impl Kills {
    /// Of the control group of this process, in which the job runs unless its launcher gives it another.
    pub fn now() -> Kills {
        Kills::under(Path::new("/sys/fs/cgroup"), Path::new("/proc/self/cgroup"))
    }

    fn under(root: &Path, groups: &Path) -> Kills {
        let groups = fs::read_to_string(groups).unwrap_or_default();
        // `number:controllers:path`. Version 1 has one for memory, version 2 one for everything; in a container the path may be one that only
        // the host has, and the root is the container's own.
        let places = groups.lines().filter_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            let (controllers, path) = (fields.next()?, fields.next()?.trim_start_matches('/'));
            let (base, file) = match controllers {
                "" => (root.to_owned(), "memory.events"),
                _ if controllers.split(',').any(|c| c == "memory") => {
                    (root.join("memory"), "memory.oom_control")
                }
                _ => return None,
            };
            Some([base.join(path).join(file), base.join(file)])
        });
        let file = places
            .flatten()
            .find_map(|file| Some((file.clone(), count(&file)?)));
        Kills { file }
    }

    /// How often since then.
    pub fn since(&self) -> u64 {
        let Some((file, then)) = &self.file else {
            return 0;
        };
        count(file).unwrap_or(0).saturating_sub(*then)
    }

    /// The same as a sentence, if it has.
    pub fn in_words(&self) -> Option<String> {
        let times = match self.since() {
            0 => return None,
            1 => "once".to_owned(),
            n => format!("{n} times"),
        };
        Some(format!(
            "The kernel's out-of-memory killer struck {times} in this control group during the run."
        ))
    }
}

fn count(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_and_a_container() {
        for (groups, file, text) in [
            ("0::/job\n", "job/memory.events", "oom 2\noom_kill 3\n"),
            ("0::/on/the/host\n", "memory.events", "oom 2\noom_kill 3\n"),
            (
                "5:cpu:/x\n4:memory:/job\n0::/\n",
                "memory/job/memory.oom_control",
                "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
            ),
        ] {
            let root = tempfile::tempdir().unwrap();
            let list = root.path().join("list");
            fs::write(&list, groups).unwrap();
            assert_eq!(Kills::under(root.path(), &list).since(), 0, "unreadable");
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            let kills = Kills::under(root.path(), &list);
            assert_eq!(kills.in_words(), None);
            fs::write(&file, text.replace("kill 3", "kill 4")).unwrap();
            assert!(kills.in_words().unwrap().contains("struck once"));
        }
    }
}
