//! The `standoff` binary and the probe that belong to this build.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::workspace;

/// Where they are.
#[derive(Clone, Debug)]
pub struct Artifacts {
    /// The binary.
    pub standoff: PathBuf,
    /// The library that is preloaded into ranks.
    pub probe: PathBuf,
}

impl Artifacts {
    /// Builds both, once in a process, in the target directory and profile of the running test, and says where they are.
    /// `STANDOFF_TEST_BINARY` and `STANDOFF_PROBE`, if both are set, name them instead, and nothing is built.
    pub fn get() -> Result<&'static Artifacts, String> {
        static ARTIFACTS: OnceLock<Result<Artifacts, String>> = OnceLock::new();
        ARTIFACTS
            .get_or_init(Artifacts::find)
            .as_ref()
            .map_err(Clone::clone)
    }

    fn find() -> Result<Artifacts, String> {
        let given = |name| std::env::var_os(name).map(PathBuf::from);
        if let (Some(standoff), Some(probe)) =
            (given("STANDOFF_TEST_BINARY"), given("STANDOFF_PROBE"))
        {
            return Artifacts { standoff, probe }.checked();
        }
        let here = std::env::current_exe().map_err(|e| format!("where am I? {e}"))?;
        let (target, profile) = target_and_profile(&here)
            .ok_or_else(|| format!("{} is not in a target directory", here.display()))?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args([
                "build",
                "--quiet",
                "-p",
                "standoff",
                "-p",
                "standoff-probe",
                "--profile",
            ])
            .arg(if profile == "debug" { "dev" } else { profile })
            .arg("--target-dir")
            .arg(target)
            .current_dir(workspace())
            .output()
            .map_err(|e| format!("cannot start cargo: {e}"))?;
        if !output.status.success() {
            return Err(format!(
                "cargo build: {}\n{}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        let directory = target.join(profile);
        Artifacts {
            standoff: directory.join("standoff"),
            probe: directory.join("libstandoff_probe.so"),
        }
        .checked()
    }

    fn checked(self) -> Result<Artifacts, String> {
        for path in [&self.standoff, &self.probe] {
            if !path.is_file() {
                return Err(format!("{} is missing", path.display()));
            }
        }
        Ok(self)
    }
}

/// `TARGET/PROFILE/name` or `TARGET/PROFILE/deps/name` taken apart.
fn target_and_profile(executable: &Path) -> Option<(&Path, &str)> {
    let mut directory = executable.parent()?;
    if directory.ends_with("deps") {
        directory = directory.parent()?;
    }
    Some((directory.parent()?, directory.file_name()?.to_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_place_of_a_test_apart() {
        let expected = Some((Path::new("/t"), "debug"));
        assert_eq!(
            target_and_profile(Path::new("/t/debug/deps/examples-0123")),
            expected
        );
        assert_eq!(target_and_profile(Path::new("/t/debug/repeat")), expected);
    }
}
