//! `--apply`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;

/// Puts a new text in the place of an old one. Says where the old one is kept, if it is.
pub fn apply(path: &Path, old: &str, new: &str) -> Result<Option<PathBuf>, Error> {
    let cannot = |e: std::io::Error| Error::Fix(format!("cannot write {}: {e}", path.display()));
    if fs::read_to_string(path).map_err(cannot)? != old {
        return Err(Error::Fix(format!(
            "{} has changed meanwhile: nothing is written",
            path.display()
        )));
    }
    let meta = fs::metadata(path).map_err(cannot)?;
    // A file that its owner made read-only stays so, even where its directory would allow a new one.
    fs::File::options()
        .append(true)
        .open(path)
        .map_err(cannot)?;
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".standoff-")
        .tempfile_in(dir)
        .map_err(cannot)?;
    file.write_all(new.as_bytes()).map_err(cannot)?;
    fs::set_permissions(file.path(), meta.permissions()).map_err(cannot)?;
    let mut kept = None;
    if !versioned(path) {
        let name = format!("{}.orig", path.display());
        let backup = PathBuf::from(name);
        let made = fs::File::options()
            .write(true)
            .create_new(true)
            .open(&backup);
        let made = made.and_then(|mut f| f.write_all(old.as_bytes()));
        made.map_err(|e| {
            Error::Fix(format!(
                "cannot keep the old text in {}: {e}",
                backup.display()
            ))
        })?;
        kept = Some(backup);
    }
    file.persist(path).map_err(|e| cannot(e.error))?;
    Ok(kept)
}

/// Under version control, with nothing in it that is not there, too.
fn versioned(path: &Path) -> bool {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return false;
    };
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(dir).args(args).arg("--").arg(name);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|s| s.success())
    };
    git(&["ls-files", "--error-unmatch"]) && git(&["diff", "--quiet", "HEAD"])
}
