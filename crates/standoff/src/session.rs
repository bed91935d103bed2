//! The session directory: where ranks leave what the watch reads.
//!
//! It lies in memory (/dev/shm), or in the temporary directory where that does not work. It is removed when the
//! [`Session`] is dropped. One whose owner was killed outright is removed by the next run of the same user: the owner
//! holds a lock on the file `owner` in it for as long as it lives, whatever process namespace it lives in.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};

use crate::error::Error;
use crate::proc::Process;

/// The variable that tells ranks where the directory is.
pub const VARIABLE: &str = "STANDOFF_SESSION";

const PREFIX: &str = "standoff-";
const OWNER: &str = "owner";
const MEMBERS: &str = "members";
const TOLD: &str = "told";
const PRESENT: &str = "present";
/// How long whoever ends a shared session waits for the others to have heard of it.
const HEARING: Duration = Duration::from_secs(2);
/// Pages that a board touches at most, rounded up.
const PER_RANK: u64 = 2 << 20;
/// Room left for others: MPI libraries keep their own buffers in /dev/shm, and a program that finds it full dies.
const SPARE: u64 = 16 << 20;

/// A session directory, removed when dropped.
#[derive(Debug)]
pub struct Session {
    path: PathBuf,
    _owner: Flock<File>,
}

impl Session {
    /// Makes one with room for `ranks` (a guess where that is not known), and sweeps away what dead owners left. The
    /// second value is a remark for the user.
    pub fn create(ranks: Option<u32>) -> Result<(Session, Option<String>), Error> {
        let temporary = std::env::temp_dir();
        Session::create_in(&[Path::new("/dev/shm"), &temporary], ranks)
    }

    /// The same in the first of these directories that serves.
    pub fn create_in(
        bases: &[&Path],
        ranks: Option<u32>,
    ) -> Result<(Session, Option<String>), Error> {
        let need = SPARE + PER_RANK * u64::from(ranks.unwrap_or(16));
        let mut failures = Vec::new();
        for base in bases {
            sweep(base);
            match Session::try_in(base, need) {
                Ok(session) => {
                    let remark = (!failures.is_empty()).then(|| {
                        format!(
                            "{}: the session directory is in {} instead",
                            failures.join("; "),
                            base.display()
                        )
                    });
                    return Ok((session, remark));
                }
                Err(error) => failures.push(format!("{}: {error}", base.display())),
            }
        }
        Err(Error::Session {
            why: failures.join("; "),
        })
    }

    fn try_in(base: &Path, need: u64) -> io::Result<Session> {
        let path = make_dir(base)?;
        let made = Session::occupy(&path, need);
        if made.is_err() {
            let _ = fs::remove_dir_all(&path);
        }
        made
    }

    fn occupy(path: &Path, need: u64) -> io::Result<Session> {
        // Locked before it has the name that others look for.
        let unnamed = path.join("owner.new");
        let file = File::options()
            .create_new(true)
            .read(true)
            .write(true)
            .open(&unnamed)?;
        let mut owner = Flock::lock(file, FlockArg::LockExclusiveNonblock)
            .map_err(|(_, e)| io::Error::from(e))?;
        let pid = std::process::id();
        let start = Process::of(pid as i32).map_or(0, |me| me.start);
        // A block and more, so that a file system without space says so now.
        let text = format!("{pid} {start}\n{:8192}\n", "");
        owner.write_all(text.as_bytes())?;
        owner.sync_data()?;
        fs::rename(&unnamed, path.join(OWNER))?;
        let space = nix::sys::statvfs::statvfs(path)?;
        let free = space.blocks_available() as u64 * space.fragment_size() as u64;
        if free < need {
            return Err(io::Error::other(format!(
                "{} MiB free, {} MiB wanted",
                free >> 20,
                need >> 20
            )));
        }
        Ok(Session {
            path: path.to_owned(),
            _owner: owner,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The variables that put ranks under watch, given the library to preload. Whatever is preloaded already stays,
    /// behind it.
    pub fn environment(&self, probe: &Path) -> Result<Vec<(&'static str, OsString)>, Error> {
        environment(&self.path, probe)
    }

    /// `STANDOFF_SESSION=…` as it stands in the environment of every process of the job.
    pub fn marker(&self) -> Vec<u8> {
        marker(&self.path)
    }
}

fn environment(session: &Path, probe: &Path) -> Result<Vec<(&'static str, OsString)>, Error> {
    let mut preload = preloadable(session, probe)?;
    if let Some(already) = std::env::var_os("LD_PRELOAD").filter(|v| !v.is_empty()) {
        preload.push(":");
        preload.push(already);
    }
    Ok(vec![("LD_PRELOAD", preload), (VARIABLE, session.into())])
}

/// The loader takes blanks and colons for separators, and `$` for a variable; a link gets around such paths.
fn preloadable(session: &Path, probe: &Path) -> Result<OsString, Error> {
    let plain = |path: &Path| {
        let bytes = path.as_os_str().as_encoded_bytes();
        !bytes.iter().any(|b| b" \t\n:;$".contains(b))
    };
    if plain(probe) {
        return Ok(probe.into());
    }
    let link = session.join("probe.so");
    let made = std::os::unix::fs::symlink(probe, &link);
    if plain(&link) && (made.is_ok() || link.exists()) {
        return Ok(link.into());
    }
    Err(Error::BadProbe {
        path: probe.into(),
        why: "the loader cannot take a path with blanks or colons".into(),
    })
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// How many ranks have room in a session directory.
pub fn room(session: &Path) -> Option<u64> {
    let space = nix::sys::statvfs::statvfs(session).ok()?;
    let free = space.blocks_available() as u64 * space.fragment_size() as u64;
    Some(free.saturating_sub(SPARE) / PER_RANK)
}

/// A session whose owner lives.
#[derive(Clone, Debug)]
pub struct Running {
    /// Its directory.
    pub path: PathBuf,
    /// The process that watches.
    pub owner: i32,
}

impl Running {
    /// As [`Session::marker`].
    pub fn marker(&self) -> Vec<u8> {
        marker(&self.path)
    }
}

/// The sessions of this user that are being watched, oldest first.
pub fn running() -> Vec<Running> {
    let me = nix::unistd::geteuid().as_raw();
    let mut found = Vec::new();
    let mut bases = vec![PathBuf::from("/dev/shm"), std::env::temp_dir()];
    bases.dedup();
    for entry in bases.iter().flat_map(fs::read_dir).flatten().flatten() {
        let Ok(meta) = entry.metadata() else { continue };
        let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if named && meta.is_dir() && meta.uid() == me && abandoned(&entry.path(), &meta).is_none() {
            let owner = fs::read_to_string(entry.path().join(OWNER)).unwrap_or_default();
            if let Some(owner) = owner.split(' ').next().and_then(|pid| pid.parse().ok()) {
                found.push((
                    meta.ctime(),
                    Running {
                        path: entry.path(),
                        owner,
                    },
                ));
            }
        }
    }
    found.sort_by_key(|(then, job)| (*then, job.owner));
    found.into_iter().map(|(_, job)| job).collect()
}

fn marker(path: &Path) -> Vec<u8> {
    let mut marker = OsString::from(VARIABLE);
    marker.push("=");
    marker.push(path);
    marker.into_encoded_bytes()
}

fn make_dir(base: &Path) -> io::Result<PathBuf> {
    let mut taken = io::Error::other("no free name");
    for _ in 0..16 {
        let random: u64 = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), ());
        let path = base.join(format!(
            "{PREFIX}{}-{:08x}",
            std::process::id(),
            random as u32
        ));
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => taken = error,
            Err(error) => return Err(error),
        }
    }
    Err(taken)
}

/// Removes the session directories of dead owners in `base`.
fn sweep(base: &Path) {
    sweep_but(base, Path::new(""));
}

/// All but one, which is being made.
fn sweep_but(base: &Path, but: &Path) {
    let me = nix::unistd::geteuid().as_raw();
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX));
        let Ok(meta) = entry.metadata() else { continue };
        if ours && meta.is_dir() && meta.uid() == me && entry.path() != but {
            // Nobody takes it over while it is removed.
            if let Some(_held) = abandoned(&entry.path(), &meta) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// The lock of a session that nobody has any more, or `None` for one that is in use.
fn abandoned(dir: &Path, meta: &fs::Metadata) -> Option<Option<Flock<File>>> {
    let open = |name| File::options().read(true).write(true).open(dir.join(name));
    let free = |file| Flock::lock(file, FlockArg::LockExclusiveNonblock).ok();
    if let Ok(members) = open(MEMBERS) {
        return free(members).map(Some);
    }
    match open(OWNER) {
        Ok(owner) => free(owner).map(Some),
        // Just being made, or made by something else that has this name; the former does not take a minute.
        Err(_) => {
            let age = meta.modified().ok().and_then(|then| then.elapsed().ok());
            let old = age.is_some_and(|age| age > Duration::from_secs(60));
            (old && dir.join("owner.new").exists()).then_some(None)
        }
    }
}

/// A session that several processes share, each of them with a rank of its own: that of `standoff exec`.
///
/// Its name says which job and which node, so that they find it without a word. All hold the file `members` locked together; whoever
/// holds `owner` watches. The last who leaves removes the directory.
#[derive(Debug)]
pub struct Shared {
    path: PathBuf,
    /// `None`: this one has heard that all is over, and needs the directory no more.
    members: Option<Flock<File>>,
}

impl Shared {
    /// Joins the session of this name, and makes it if it is not there.
    pub fn join(name: &str) -> Result<Shared, Error> {
        let temporary = std::env::temp_dir();
        Shared::join_in(&[Path::new("/dev/shm"), &temporary], name)
    }

    fn join_in(bases: &[&Path], name: &str) -> Result<Shared, Error> {
        let mut failures = Vec::new();
        for base in bases {
            match Shared::try_in(base, name) {
                Ok(shared) => return Ok(shared),
                Err(error) => failures.push(format!("{}: {error}", base.display())),
            }
        }
        Err(Error::Session {
            why: failures.join("; "),
        })
    }

    fn try_in(base: &Path, name: &str) -> io::Result<Shared> {
        let me = nix::unistd::geteuid().as_raw();
        let path = base.join(format!("{PREFIX}exec-{me}-{name}"));
        // Each turn ends with a session, or because the last of an earlier one has just removed it.
        for _ in 0..1000 {
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => sweep_but(base, &path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            let meta = fs::symlink_metadata(&path);
            if meta.is_ok_and(|meta| !meta.is_dir() || meta.uid() != me) {
                return Err(io::Error::other("its name is taken by somebody else"));
            }
            let file = path.join(MEMBERS);
            let open = || {
                File::options()
                    .create(true)
                    .truncate(false)
                    .read(true)
                    .write(true)
                    .open(&file)
            };
            let members = match open() {
                Ok(members) => members,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let inode = members.metadata()?.ino();
            let members = Flock::lock(members, FlockArg::LockShared)
                .map_err(|(_, error)| io::Error::from(error))?;
            if fs::metadata(&file).is_ok_and(|meta| meta.ino() == inode) {
                // Until the process ends, and no earlier.
                let present = File::create(path.join(PRESENT))?;
                std::mem::forget(Flock::lock(present, FlockArg::LockShared).map_err(|(_, e)| e)?);
                return Ok(Shared {
                    path,
                    members: Some(members),
                });
            }
        }
        Err(io::Error::other("it comes and goes"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// As [`Session::environment`].
    pub fn environment(&self, probe: &Path) -> Result<Vec<(&'static str, OsString)>, Error> {
        environment(&self.path, probe)
    }

    /// As [`Session::marker`].
    pub fn marker(&self) -> Vec<u8> {
        marker(&self.path)
    }

    /// Takes over the watch, if nobody has it.
    pub fn watch(&self) -> Option<Flock<File>> {
        let file = self.path.join(OWNER);
        let mut options = File::options();
        let file = options
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(file);
        let mut owner = Flock::lock(file.ok()?, FlockArg::LockExclusiveNonblock).ok()?;
        let pid = std::process::id();
        let start = Process::of(pid as i32).map_or(0, |me| me.start);
        owner.set_len(0).ok()?;
        owner
            .write_all(format!("{pid} {start}\n").as_bytes())
            .ok()?;
        Some(owner)
    }

    /// Says that a finding has been told, and with which status all are to end, if they are to.
    pub fn tell(&self, status: Option<u8>) {
        let new = self.path.join("told.new");
        let text = status.map_or(String::new(), |status| status.to_string());
        // Without it, the others end with the status of what ended them.
        let _ = fs::write(&new, text).and_then(|()| fs::rename(&new, self.path.join(TOLD)));
    }

    /// Whether somebody has told a finding.
    pub fn is_told(&self) -> bool {
        self.path.join(TOLD).exists()
    }

    /// The status that all are to end with, if somebody has ended the job.
    pub fn ended(&self) -> Option<u8> {
        fs::read_to_string(self.path.join(TOLD)).ok()?.parse().ok()
    }

    /// Says that this one has heard of the end, and waits until whoever has the watch has ended.
    pub fn outlast(&mut self) {
        let owner = File::open(self.path.join(OWNER));
        self.members = None;
        if let Ok(owner) = owner {
            // Its end, however it comes, lets go of it.
            let _ = Flock::lock(owner, FlockArg::LockShared);
        }
    }

    /// A file that is locked as long as one of the processes lives that have joined.
    pub fn present(&self) -> Option<File> {
        File::options()
            .read(true)
            .write(true)
            .open(self.path.join(PRESENT))
            .ok()
    }

    /// Removes it when all others have heard of the end: nobody may be left to do it later.
    pub fn remove(&mut self) {
        let until = Instant::now() + HEARING;
        let exclusive = FlockArg::LockExclusiveNonblock;
        while self
            .members
            .as_ref()
            .is_some_and(|m| m.relock(exclusive).is_err())
            && Instant::now() < until
        {
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = fs::remove_dir_all(&self.path);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Only the last gets it; who opens the file from now on finds it gone, and begins anew.
        let last = |members: &Flock<File>| members.relock(FlockArg::LockExclusiveNonblock).is_ok();
        if self.members.as_ref().is_some_and(last) {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn lives_and_goes() {
        let base = tempfile::tempdir().unwrap();
        let (session, remark) = Session::create_in(&[base.path()], Some(1)).unwrap();
        assert!(remark.is_none());
        let mode = fs::metadata(session.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let owner = fs::read_to_string(session.path().join(OWNER)).unwrap();
        assert!(owner.starts_with(&format!("{} ", std::process::id())));
        sweep(base.path());
        assert!(session.path().exists(), "its owner lives");
        let path = session.path().to_owned();
        drop(session);
        assert!(!path.exists());
    }

    #[test]
    fn what_the_dead_left_is_swept() {
        let base = tempfile::tempdir().unwrap();
        let left = base.path().join("standoff-1-0");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(OWNER), "1 1\n").unwrap();
        let other = base.path().join("standoff-results");
        fs::create_dir(&other).unwrap();
        sweep(base.path());
        assert!(!left.exists() && other.exists());
    }

    #[test]
    fn falls_back_and_says_so() {
        let base = tempfile::tempdir().unwrap();
        let missing = base.path().join("missing");
        let (session, remark) = Session::create_in(&[&missing, base.path()], None).unwrap();
        assert!(session.path().starts_with(base.path()));
        assert!(remark.unwrap().contains("missing"));
        assert!(matches!(
            Session::create_in(&[&missing], None),
            Err(Error::Session { .. })
        ));
        assert!(Session::try_in(base.path(), u64::MAX).is_err());
        assert_eq!(
            fs::read_dir(base.path()).unwrap().count(),
            1,
            "nothing of the failed ones is left"
        );
    }

    #[test]
    fn a_probe_with_a_blank_in_its_path() {
        let base = tempfile::tempdir().unwrap();
        let (session, _) = Session::create_in(&[base.path()], Some(1)).unwrap();
        let env = session
            .environment(Path::new("/odd place/probe.so"))
            .unwrap();
        let preload = env[0].1.to_str().unwrap();
        assert!(
            preload.starts_with(session.path().to_str().unwrap()),
            "{preload}"
        );
    }

    #[test]
    fn a_shared_one_goes_with_the_last() {
        let base = tempfile::tempdir().unwrap();
        let join = || Shared::join_in(&[base.path()], "job").unwrap();
        let (one, two) = (join(), join());
        assert_eq!(one.path(), two.path());
        let watch = one.watch().unwrap();
        assert!(two.watch().is_none());
        sweep(base.path());
        drop((watch, one));
        sweep(base.path());
        assert!(two.path().exists() && !two.is_told());
        // The watch passes on.
        assert!(two.watch().is_some());
        two.tell(None);
        assert_eq!((join().is_told(), join().ended()), (true, None));
        two.tell(Some(99));
        assert_eq!(join().ended(), Some(99));
        drop(two);
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
        // One that was killed with all its members is swept away.
        let left = base.path().join("standoff-exec-0-x");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(MEMBERS), "").unwrap();
        sweep(base.path());
        assert!(!left.exists());
    }
}
