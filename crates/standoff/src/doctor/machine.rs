//! The machine: what it permits, what is preloaded already, containers.

use std::ffi::OsString;
use std::fs;
use std::io::IoSliceMut;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use object::{Object, ObjectSymbol};

use super::found::{Findings, Mark};

/// What there is to know of the machine, so that tests can tell of another.
pub(super) struct Machine {
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
    pub(super) fn this() -> Machine {
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

pub(super) fn look_at_system(found: &mut Findings, machine: &Machine) {
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
}
