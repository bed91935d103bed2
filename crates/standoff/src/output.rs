//! What standoff says: errors, remarks and diagnoses on standard error, results in files.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use standoff_report::sources::FileSources;
use standoff_report::{Report, text};

use crate::cli::{Color, ReportArgs};
use crate::error::Error;
use crate::exit::Status;

/// How to show a report.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// In few lines.
    pub brief: bool,
    /// With colours.
    pub color: bool,
}

impl Style {
    /// For standard error or standard output.
    pub fn for_stream(brief: bool, color: Color, stream: &impl IsTerminal) -> Style {
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                stream.is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
                    && std::env::var_os("TERM").is_none_or(|v| v != "dumb")
            }
        };
        Style { brief, color }
    }
}

/// Says why standoff could not work, and what helps.
pub fn error(error: &Error) {
    let mut said = text::paragraph("standoff: error: ", &error.to_string(), 10);
    if let Some(help) = error.help() {
        said += &text::paragraph("  help: ", &help, 8);
    }
    say(&said);
}

/// Says one thing.
pub fn remark(said: &str) {
    say(&text::paragraph("standoff: ", said, 10));
}

/// Shows a report on standard error, in one piece as far as the system allows.
pub fn diagnosis(report: &Report, style: Style) {
    say(&text(report, style));
}

/// In one write, so that the job's own output does not come in between; nobody listening is no reason to fail.
fn say(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}

/// A report as text.
pub fn text(report: &Report, style: Style) -> String {
    let options = text::Options {
        color: if style.color {
            text::Color::Always
        } else {
            text::Color::Never
        },
        brief: style.brief,
        quiet: false,
    };
    let mut bytes = Vec::new();
    // A vector takes everything.
    let _ = text::write(report, &sources(report), options, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The source files that a report speaks of: where the program ran, or here if there is no such directory on this machine.
fn sources(report: &Report) -> FileSources {
    let there = report.directory.as_deref().map(Path::new);
    FileSources::new(there.filter(|dir| dir.is_dir()).unwrap_or(Path::new(".")))
}

/// `standoff report`.
pub fn report(args: &ReportArgs) -> Result<Status, Error> {
    let bad = |why: String| Error::Report {
        path: args.file.clone(),
        why,
    };
    let file = File::open(&args.file).map_err(|e| bad(e.to_string()))?;
    let report = standoff_report::json::read(file).map_err(|e| bad(e.to_string()))?;
    let mut stdout = io::stdout().lock();
    let style = Style::for_stream(args.brief, args.color, &stdout);
    let written = if args.json {
        standoff_report::json::write(&report, &mut stdout)
    } else {
        stdout.write_all(text(&report, style).as_bytes())
    };
    // A reader that has seen enough (`| head`) closes the pipe.
    match written.and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(Error::System {
            what: "cannot write to standard output",
            source,
        }),
        _ => Ok(Status::OK),
    }
}

/// The file of `--json`. Whether it can be written is found out when this is made, before the job starts.
#[derive(Debug)]
pub struct JsonFile {
    path: PathBuf,
    /// The directory for the new file that takes the place of the old one when it is complete. `None`: write in
    /// place, as it is a device or pipe, or nothing can be made next to it.
    replace_in: Option<PathBuf>,
}

impl JsonFile {
    /// For this path.
    pub fn prepare(path: &Path) -> Result<JsonFile, Error> {
        let bad = |source| Error::Json {
            path: path.into(),
            source,
        };
        let meta = fs::metadata(path);
        if meta.as_ref().is_ok_and(fs::Metadata::is_dir) {
            return Err(bad(io::ErrorKind::IsADirectory.into()));
        }
        let dir = match path.parent() {
            Some(dir) if dir != Path::new("") => dir,
            _ => Path::new("."),
        };
        // Absolute, as nothing here may depend on where the process is later. A link is followed, not replaced.
        let path_now = path
            .canonicalize()
            .or_else(|_| std::path::absolute(path))
            .map_err(bad)?;
        let there = meta.is_ok();
        let ordinary = !there || fs::metadata(&path_now).is_ok_and(|meta| meta.is_file());
        let dir = if there {
            path_now.parent().unwrap_or(dir).to_owned()
        } else {
            dir.to_owned()
        };
        let dir = std::path::absolute(dir).map_err(bad)?;
        if ordinary {
            match tempfile::Builder::new()
                .prefix(".standoff-")
                .tempfile_in(&dir)
            {
                Ok(_) => {
                    return Ok(JsonFile {
                        path: path_now,
                        replace_in: Some(dir),
                    });
                }
                Err(source) if !there => return Err(bad(unnamed(source, &dir))),
                Err(_) => {}
            }
        }
        File::options().append(true).open(path).map_err(bad)?;
        Ok(JsonFile {
            path: path_now,
            replace_in: None,
        })
    }

    /// Writes the report; whoever reads the file sees the old one or the new one, never a part.
    pub fn write(&self, report: &Report) -> Result<(), Error> {
        let mut bytes = Vec::new();
        // A vector takes everything.
        let _ = standoff_report::json::write(report, &mut bytes);
        self.put(&bytes)
    }

    /// The same for any text.
    pub fn put(&self, bytes: &[u8]) -> Result<(), Error> {
        self.try_put(bytes).map_err(|source| Error::Json {
            path: self.path.clone(),
            source,
        })
    }

    fn try_put(&self, bytes: &[u8]) -> io::Result<()> {
        let Some(dir) = &self.replace_in else {
            return File::options()
                .write(true)
                .truncate(true)
                .open(&self.path)?
                .write_all(bytes);
        };
        use std::os::unix::fs::PermissionsExt;
        // The mode of an ordinary new file is this, less the umask, which the system takes off by itself.
        let mut file = tempfile::Builder::new()
            .prefix(".standoff-")
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(dir)
            .map_err(|source| unnamed(source, dir))?;
        file.write_all(bytes)?;
        file.persist(&self.path)?;
        Ok(())
    }
}

/// Why no file can be made in a directory, without the name that it would have had: nobody has heard of that.
fn unnamed(source: io::Error, dir: &Path) -> io::Error {
    match fs::metadata(dir) {
        Ok(meta) if meta.is_dir() => source.kind().into(),
        Ok(_) => io::ErrorKind::NotADirectory.into(),
        Err(why) => why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use standoff_report::{Scope, Verdict};

    #[test]
    fn json_replaces_and_is_readable() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.json");
        let file = JsonFile::prepare(&path).unwrap();
        assert!(!path.exists(), "nothing is left there by asking");
        let report = Report::new(Verdict::Clean, Scope::ThisRun, 3);
        file.write(&report).unwrap();
        file.write(&report).unwrap();
        assert_eq!(
            standoff_report::json::read(File::open(&path).unwrap()).unwrap(),
            report
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn json_in_place() {
        JsonFile::prepare(Path::new("/dev/null"))
            .unwrap()
            .write(&Report::new(Verdict::Clean, Scope::ThisRun, 0))
            .unwrap();
        assert!(fs::metadata("/dev/null").is_ok_and(|meta| !meta.is_file()));
    }

    #[test]
    fn json_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        assert!(JsonFile::prepare(dir.path()).is_err());
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        for (path, why) in [
            (
                "no/such/dir/out.json",
                "No such file or directory (os error 2)",
            ),
            ("file/out.json", "not a directory"),
        ] {
            let path = dir.path().join(path);
            let said = JsonFile::prepare(&path).unwrap_err().to_string();
            let expected = format!("cannot write the result to `{}`: {why}", path.display());
            assert_eq!(said, expected);
        }
    }
}
