//! Whether a program can be watched, and how well.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use object::Object;

use super::environment::describe;
use super::found::{Findings, Mark};
use crate::cli::EnvironmentArgs;
use crate::error::Error;
use crate::launcher;
use crate::mpi::{self, Linked};
use crate::program::{self, Job, Kind};

/// Looks at one.
pub(super) fn look_at_program(found: &mut Findings, program: &OsStr, args: &EnvironmentArgs) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
