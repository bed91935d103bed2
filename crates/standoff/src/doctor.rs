//! `standoff doctor`: what was found on this machine, and what does not fit together.
//!
//! It looks with the same functions that `run` uses, so that what it says holds for a run. It starts no job.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IoSliceMut, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use object::{Object, ObjectSymbol};
use standoff_report::Abi;
use standoff_report::text::paragraph;

use crate::cli::{DoctorArgs, EnvironmentArgs};
use crate::error::Error;
use crate::exit::{self, Status};
use crate::launcher;
use crate::mpi::{self, Family, Linked};
use crate::probe;
use crate::proc;
use crate::program::{self, Job, Kind};
use crate::python::{self, Origin};
use crate::session::{self, Session};

/// What came of one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Good,
    /// A run works, with less.
    Weak,
    /// A run does not work.
    Bad,
}

#[derive(Debug)]
struct Line {
    mark: Mark,
    what: &'static str,
    text: String,
    help: Option<String>,
}

#[derive(Debug, Default)]
struct Findings(Vec<Line>);

impl Findings {
    fn good(&mut self, what: &'static str, text: impl Into<String>) {
        self.add(Mark::Good, what, text.into(), None);
    }

    fn error(&mut self, mark: Mark, what: &'static str, error: &Error) {
        self.add(mark, what, error.to_string(), error.help());
    }

    fn add(&mut self, mark: Mark, what: &'static str, text: String, help: Option<String>) {
        self.0.push(Line {
            mark,
            what,
            text,
            help,
        });
    }

    fn works(&self) -> bool {
        self.0.iter().all(|line| line.mark != Mark::Bad)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.0 {
            let mark = match line.mark {
                Mark::Good => "ok",
                Mark::Weak => "note",
                Mark::Bad => "BAD",
            };
            let start = format!("{mark:<5}{:<10}", line.what);
            text += &paragraph(&start, &line.text, start.len());
            if let Some(help) = &line.help {
                let start = format!("{:<15}help: ", "");
                text += &paragraph(&start, help, start.len());
            }
        }
        text.push_str(if self.works() {
            "\nstandoff can run programs here.\n"
        } else {
            "\nstandoff cannot run programs here before that is mended.\n"
        });
        text
    }
}

/// Looks at everything, prints it, and says how to exit: with 0 if a run would work.
pub fn doctor(args: &DoctorArgs) -> Result<Status, Error> {
    let mut found = Findings::default();
    look_at_probe(&mut found);
    look_at_python(&mut found, &args.environment);
    if let Some(program) = &args.program {
        look_at_program(&mut found, program, &args.environment);
    }
    look_at_session(&mut found);
    look_at_system(&mut found, &Machine::this());
    let mut stdout = io::stdout().lock();
    let _ = stdout
        .write_all(found.text().as_bytes())
        .and_then(|()| stdout.flush());
    Ok(if found.works() {
        Status::OK
    } else {
        Status::Code(exit::BROKEN)
    })
}

fn look_at_probe(found: &mut Findings) {
    match probe::find() {
        Err(error) => found.error(Mark::Bad, "probe", &error),
        Ok(path) => match try_preload(&path) {
            Ok(()) => found.good("probe", path.display().to_string()),
            Err(why) => {
                let error = Error::BadProbe { path, why };
                found.error(Mark::Bad, "probe", &error);
            }
        },
    }
}

/// Preloads the probe into a process that does nothing. The loader only warns when it cannot.
fn try_preload(probe: &Path) -> Result<(), String> {
    let (session, _) = Session::create(Some(1)).map_err(|e| e.to_string())?;
    let env = session.environment(probe).map_err(|e| e.to_string())?;
    let said = proc::ask(
        Command::new("/bin/sh").args(["-c", ":"]).envs(env),
        Duration::from_secs(30),
    )
    .map_err(|e| e.to_string())?;
    let warning = said
        .err
        .lines()
        .find(|line| line.contains("cannot be preloaded"));
    match warning {
        Some(warning) => Err(warning.trim().to_owned()),
        None if !said.status.success() => Err(said.complaint()),
        None => Ok(()),
    }
}

fn look_at_python(found: &mut Findings, args: &EnvironmentArgs) {
    let python = match python::find(args.python.as_deref()) {
        Ok((python, origin)) => {
            let origin = match origin {
                Origin::Option => "given with --python".to_owned(),
                Origin::Environment(variable) => format!("of the active environment, {variable}"),
                Origin::Path => "the first on PATH".to_owned(),
                Origin::Own => "the one that standoff is installed with".to_owned(),
            };
            found.good("python", format!("{} ({origin})", python.display()));
            python
        }
        Err(error) => {
            found.error(Mark::Weak, "python", &error);
            return look_at_path_launcher(found);
        }
    };
    let mpi4py = match python::mpi4py(&python) {
        Ok(mpi4py) => mpi4py,
        Err(error) => {
            found.error(Mark::Weak, "mpi4py", &error);
            return look_at_path_launcher(found);
        }
    };
    found.good(
        "mpi4py",
        format!("{} for Python {}", mpi4py.version, mpi4py.python),
    );
    let library = mpi4py.library;
    let abi = match library.abi {
        Abi::Mpich => "MPICH ABI",
        Abi::Openmpi => "Open MPI ABI",
        Abi::Standard => "standard ABI",
    };
    let version = library.version.as_deref().unwrap_or("version unknown");
    found.good(
        "mpi",
        format!("{} ({version}; {abi})", library.path.display()),
    );
    let launcher = match &args.launcher {
        None => launcher::find(Some(&library)).map(|(path, family)| describe(&path, family)),
        Some(typed) => launcher::chosen(typed, Some(&library)).map(|_| typed.0.join(" ")),
    };
    match launcher {
        Ok(text) => found.good("launcher", text),
        Err(error) => found.error(Mark::Bad, "launcher", &error),
    }
    // What people type finds the first on PATH, which need not be the one that fits.
    let first = proc::on_path("mpiexec".as_ref()).into_iter().next();
    if let Some((first, family)) =
        first.and_then(|first| Some((first.clone(), launcher::family(&first)?)))
        && !family.starts(library.family)
    {
        found.add(
                Mark::Weak,
                "PATH",
                format!(
                    "typing `mpiexec` starts {} of {family}, but mpi4py loads {}: every rank would be alone",
                    first.display(),
                    library.family
                ),
                Some("use `standoff run -n N`, which takes the launcher above, or put its directory first on PATH".into()),
            );
    }
}

/// Without mpi4py, programs in C and the like can still be run, if there is a launcher.
fn look_at_path_launcher(found: &mut Findings) {
    match launcher::find(None) {
        Ok((path, family)) => found.good("launcher", describe(&path, family)),
        Err(error) => found.error(Mark::Bad, "launcher", &error),
    }
}

fn describe(path: &Path, family: Option<Family>) -> String {
    match family {
        Some(family) => format!("{} ({family})", path.display()),
        None => format!("{} (it does not say whose it is)", path.display()),
    }
}

fn look_at_session(found: &mut Findings) {
    match Session::create(None) {
        Err(error) => found.error(Mark::Bad, "session", &error),
        Ok((_, Some(remark))) => found.add(
            Mark::Weak,
            "session",
            remark,
            Some("make /dev/shm larger; in a container, `--shm-size=1g`".into()),
        ),
        Ok((session, None)) => {
            let base = session.path().parent().unwrap_or(Path::new("/"));
            look_at_room(found, base, session::room(session.path()));
        }
    }
}

/// How many ranks have room for their boards, beside what MPI libraries keep there.
fn look_at_room(found: &mut Findings, base: &Path, ranks: Option<u64>) {
    let Some(ranks) = ranks else {
        return found.good("session", format!("{} has space", base.display()));
    };
    let text = format!("{} has room for {ranks} ranks", base.display());
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    // Containers get 64 MiB as a rule.
    if ranks < 64.max(2 * cores) {
        let help = "for more, make /dev/shm larger (in a container, `--shm-size=1g`); the boards of ranks that find no room lie in the \
                    temporary directory, which is slower";
        found.add(Mark::Weak, "session", text, Some(help.into()));
    } else {
        found.good("session", text);
    }
}

/// Whether a program can be watched, and how well.
fn look_at_program(found: &mut Findings, program: &OsStr, args: &EnvironmentArgs) {
    let kind = match program::classify(vec![program.to_owned()]) {
        Ok(Job::Program(program)) => program.kind,
        Ok(Job::Typed(_)) => {
            let text = format!("{} is a launcher", program.display());
            let help = Some("name the program that it starts".into());
            return found.add(Mark::Weak, "program", text, help);
        }
        Err(error) => return found.error(Mark::Bad, "program", &error),
    };
    let path = match kind {
        // Its MPI is the one above.
        Kind::Python | Kind::WithPython(_) => {
            let text = format!("{} runs in the Python above", program.display());
            return found.good("program", text);
        }
        Kind::Executable(path) => path,
    };
    if let Some(why) = secure(&path) {
        let text = format!(
            "{} {why}: the system ignores what is to be preloaded",
            path.display()
        );
        let help = Some("run a copy of it without: `cp PROGRAM copy`".into());
        return found.add(Mark::Bad, "program", text, help);
    }
    match mpi::of_executable(&path) {
        Err(error) => return found.error(Mark::Bad, "program", &error),
        Ok(Linked::Static) => {
            let program = path.display().to_string();
            return found.error(Mark::Bad, "program", &Error::StaticMpi { program });
        }
        Ok(Linked::Unknown) => {
            let text = format!(
                "{} loads no MPI that can be seen; scripts and programs that load one later are watched all the same",
                path.display()
            );
            return found.add(Mark::Weak, "program", text, None);
        }
        Ok(Linked::Shared(library)) => {
            found.good("program", format!("{} loads {library}", path.display()));
            let launcher = match &args.launcher {
                None => {
                    launcher::find(Some(&library)).map(|(path, family)| describe(&path, family))
                }
                Some(typed) => launcher::chosen(typed, Some(&library)).map(|_| typed.0.join(" ")),
            };
            match launcher {
                Ok(text) => found.good("launcher", format!("{text}, for the program")),
                Err(error) => found.error(Mark::Bad, "launcher", &error),
            }
        }
    }
    match has_lines(&path) {
        Some(false) => found.add(
            Mark::Weak,
            "lines",
            format!(
                "{} has no debug information: functions are shown without lines",
                path.display()
            ),
            Some("compile with -g (optimization may stay on)".into()),
        ),
        _ => found.good("lines", "it has debug information"),
    }
}

/// Why the system runs a file in its secure mode, in which nothing is preloaded.
fn secure(path: &Path) -> Option<&'static str> {
    let meta = fs::metadata(path).ok()?;
    let mode = meta.permissions().mode();
    if mode & 0o4000 != 0 {
        return Some("is set-user-id");
    }
    if mode & 0o2010 == 0o2010 {
        return Some("is set-group-id");
    }
    let mut none = [0u8; 0];
    let capabilities = rustix::fs::getxattr(path, "security.capability", &mut none);
    capabilities
        .is_ok_and(|n| n > 0)
        .then_some("has capabilities")
}

/// Whether an executable says which line an address is of, itself or in a file beside. `None`: no ELF.
fn has_lines(path: &Path) -> Option<bool> {
    let bytes = fs::read(path).ok()?;
    let file = object::File::parse(&*bytes).ok()?;
    let sections = [
        ".debug_line",
        ".zdebug_line",
        ".gnu_debuglink",
        ".gnu_debugaltlink",
    ];
    Some(
        sections
            .iter()
            .any(|name| file.section_by_name(name).is_some()),
    )
}

/// What there is to know of the machine, so that tests can tell of another.
struct Machine {
    /// The root of its files.
    root: PathBuf,
    /// Variables.
    variable: fn(&str) -> Option<OsString>,
    /// Whether the memory of a child can be read.
    readable: fn() -> Result<(), String>,
    /// The user is root.
    is_root: bool,
}

impl Machine {
    fn this() -> Machine {
        Machine {
            root: "/".into(),
            variable: |name| std::env::var_os(name).filter(|v| !v.is_empty()),
            readable: read_a_child,
            is_root: nix::unistd::geteuid().is_root(),
        }
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.root.join(file))
            .unwrap_or_default()
            .trim()
            .to_owned()
    }
}

/// Reads a little of the memory of a process that we started, as is done for the stacks of native code.
fn read_a_child() -> Result<(), String> {
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|e| e.to_string())?;
    let pid = Pid::from_raw(child.id() as i32);
    let read = || -> Result<(), String> {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).map_err(|e| e.to_string())?;
        let first = maps
            .lines()
            .find(|l| l.contains(" r"))
            .and_then(|l| l.split('-').next());
        let base = first
            .and_then(|at| usize::from_str_radix(at, 16).ok())
            .ok_or("no memory map")?;
        let mut bytes = [0u8; 8];
        let from = RemoteIoVec { base, len: 8 };
        process_vm_readv(pid, &mut [IoSliceMut::new(&mut bytes)], &[from])
            .map_err(|e| e.to_string())?;
        Ok(())
    };
    let done = read();
    drop(child.stdin.take());
    let _ = child.wait();
    done
}

fn look_at_ptrace(found: &mut Findings, machine: &Machine) {
    let scope = machine.read("proc/sys/kernel/yama/ptrace_scope");
    if let Err(why) = (machine.readable)() {
        let status = machine.read("proc/self/status");
        let seccomp = status
            .lines()
            .any(|l| l.starts_with("Seccomp:") && l.ends_with('2'));
        let (who, mend) = match scope.as_str() {
            "2" | "3" if !machine.is_root => (
                format!("kernel.yama.ptrace_scope is {scope}"),
                "`sysctl kernel.yama.ptrace_scope=1`, as root, permits it",
            ),
            _ if seccomp => (
                "a seccomp filter is in force".to_owned(),
                "in a container, `--cap-add=SYS_PTRACE` or `--security-opt seccomp=unconfined` permits it",
            ),
            _ => (why, "ask who runs the machine"),
        };
        let text = format!(
            "reading the memory of one's own processes is forbidden ({who}): ranks in C, C++, Fortran and Rust are shown without their lines"
        );
        return found.add(Mark::Weak, "ptrace", text, Some(mend.into()));
    }
    if scope == "1" && !machine.is_root {
        let text = "permitted for one's own children (kernel.yama.ptrace_scope is 1); under `standoff exec` the lines of native code of other ranks \
                    are missing";
        return found.add(
            Mark::Weak,
            "ptrace",
            text.into(),
            Some("`standoff run` shows them".into()),
        );
    }
    found.good("ptrace", "permitted");
}

/// Tools that are preloaded already.
fn look_at_preload(found: &mut Findings, machine: &Machine) {
    let Some(preload) = (machine.variable)("LD_PRELOAD") else {
        return;
    };
    let preload = preload.to_string_lossy().into_owned();
    for name in preload.split([':', ' ']).filter(|name| !name.is_empty()) {
        let wraps = |path: &Path| {
            let bytes = fs::read(path).ok()?;
            let file = object::File::parse(&*bytes).ok()?;
            let defines = |s: object::Symbol<'_, '_>| {
                s.is_definition() && s.name().is_ok_and(|n| n.starts_with("MPI_"))
            };
            Some(file.dynamic_symbols().any(defines))
        };
        let path = machine.root.join(name.trim_start_matches('/'));
        if name.contains("libstandoff_probe") {
            let help = Some("take it out of LD_PRELOAD: standoff puts it there itself".into());
            found.add(
                Mark::Weak,
                "preload",
                format!("{name} is preloaded outside a run"),
                help,
            );
        } else if !name.contains('/') || path.is_file() {
            let text = match wraps(&path) {
                Some(true) => format!(
                    "{name} is a tool for MPI, too: calls go through standoff's probe first and then through it"
                ),
                _ => format!("{name} is preloaded; it stays, behind standoff's probe"),
            };
            found.good("preload", text);
        } else {
            let help = Some("take it out of LD_PRELOAD".into());
            found.add(
                Mark::Weak,
                "preload",
                format!("{name} is in LD_PRELOAD and not there"),
                help,
            );
        }
    }
}

fn look_at_container(found: &mut Findings, machine: &Machine) {
    let file = |name: &str| machine.root.join(name).exists();
    let variable = |name| (machine.variable)(name).is_some();
    let kind = if file(".dockerenv") {
        "Docker"
    } else if variable("APPTAINER_CONTAINER") || variable("SINGULARITY_CONTAINER") {
        "Apptainer"
    } else if file("run/.containerenv") {
        "Podman"
    } else if let Some(name) = (machine.variable)("container") {
        return found.good("container", format!("in a container ({})", name.display()));
    } else {
        return;
    };
    found.add(
        Mark::Weak,
        "container",
        format!("in a container ({kind})"),
        Some("standoff must be in the same container as the ranks, and see the same /dev/shm: start the launcher in it, not around it".into()),
    );
}

fn look_at_system(found: &mut Findings, machine: &Machine) {
    look_at_ptrace(found, machine);
    look_at_preload(found, machine);
    look_at_container(found, machine);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let root = if machine.is_root {
        ", running as root"
    } else {
        ""
    };
    found.good(
        "machine",
        format!("{} on {cores} cores{root}", std::env::consts::ARCH),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_line_decides() {
        let mut found = Findings::default();
        found.good("a", "fine");
        found.add(Mark::Weak, "b", "less".into(), Some("mend".into()));
        assert!(found.works());
        found.add(Mark::Bad, "c", "broken".into(), None);
        assert!(!found.works());
        assert!(found.text().contains("help: mend"));
    }

    /// What is said of a machine made of these files.
    fn said(files: &[(&str, &str)], machine: Machine) -> String {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut found = Findings::default();
        let root = root.path().to_owned();
        look_at_system(&mut found, &Machine { root, ..machine });
        found.text()
    }

    fn user() -> Machine {
        Machine {
            root: PathBuf::new(),
            variable: |_| None,
            readable: || Ok(()),
            is_root: false,
        }
    }

    const SCOPE: &str = "proc/sys/kernel/yama/ptrace_scope";

    #[test]
    fn forbidden_ptrace() {
        let forbidden = || Machine {
            readable: || Err("EPERM".into()),
            ..user()
        };
        let text = said(&[(SCOPE, "3\n")], forbidden());
        assert!(
            text.contains("note ptrace") && text.contains("ptrace_scope is 3"),
            "{text}"
        );
        let text = said(
            &[("proc/self/status", "Name:\tx\nSeccomp:\t2\n")],
            forbidden(),
        );
        assert!(
            text.contains("seccomp") && text.contains("--cap-add=SYS_PTRACE"),
            "{text}"
        );
        let text = said(&[(SCOPE, "1\n")], user());
        assert!(text.contains("under `standoff exec`"), "{text}");
        assert!(said(&[(SCOPE, "0\n")], user()).contains("ok   ptrace    permitted\n"));
    }

    #[test]
    fn other_tools() {
        let with = Machine {
            variable: |name| {
                (name == "LD_PRELOAD").then(|| "/opt/gone.so:libmemory.so /x/tool.so".into())
            },
            ..user()
        };
        let text = said(&[("x/tool.so", "no library")], with);
        for words in [
            "/opt/gone.so is in LD_PRELOAD and not there",
            "libmemory.so is preloaded",
            "/x/tool.so is preloaded",
        ] {
            assert!(text.contains(words), "no `{words}` in {text}");
        }
    }

    #[test]
    fn containers() {
        assert!(said(&[(".dockerenv", "")], user()).contains("in a container (Docker)"));
        let apptainer = Machine {
            variable: |name| (name == "APPTAINER_CONTAINER").then(|| "x.sif".into()),
            ..user()
        };
        assert!(said(&[], apptainer).contains("in a container (Apptainer)"));
        assert!(!said(&[], user()).contains("container"));
    }

    #[test]
    fn little_room() {
        let mut found = Findings::default();
        look_at_room(&mut found, Path::new("/dev/shm"), Some(24));
        look_at_room(&mut found, Path::new("/dev/shm"), Some(1 << 20));
        let text = found.text();
        assert!(
            text.contains("note session   /dev/shm has room for 24 ranks")
                && text.contains("--shm-size=1g"),
            "{text}"
        );
        assert!(
            text.contains("ok   session   /dev/shm has room for 1048576 ranks"),
            "{text}"
        );
    }

    #[test]
    fn programs_that_cannot_be_watched_well() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        fs::copy(std::env::current_exe().unwrap(), &path).unwrap();
        assert_eq!(has_lines(&path), Some(true));
        assert_eq!(secure(&path), None);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o4755)).unwrap();
        assert_eq!(secure(&path), Some("is set-user-id"));
        let mut found = Findings::default();
        look_at_program(&mut found, path.as_os_str(), &EnvironmentArgs::default());
        assert!(
            !found.works() && found.text().contains("is set-user-id"),
            "{}",
            found.text()
        );
        let mut found = Findings::default();
        look_at_program(
            &mut found,
            OsStr::new("./missing"),
            &EnvironmentArgs::default(),
        );
        assert!(!found.works());
    }
}
