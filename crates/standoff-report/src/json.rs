//! The report as JSON: pretty, with a final newline, equal bytes for equal reports.

use std::io::{self, Read, Write};

use serde::Deserialize;

use crate::model::{Report, SCHEMA};

/// Why a report could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The input could not be read.
    #[error("cannot read the report: {0}")]
    Io(#[from] io::Error),
    /// Not JSON, or cut off.
    #[error("not a JSON document: {0}")]
    NotJson(serde_json::Error),
    /// JSON, but something else.
    #[error("not a standoff report: it has no \"schema\" field (expected \"{SCHEMA}\")")]
    NoSchema,
    /// A report of another version, or of another program.
    #[error("schema \"{found}\" is not one this version of standoff reads (expected \"{SCHEMA}\")")]
    OtherSchema {
        /// What the document says.
        found: String,
    },
    /// The right schema, but a field is missing or of the wrong type.
    #[error("the report does not keep to its schema {SCHEMA}: {0}")]
    Malformed(serde_json::Error),
}

/// Writes `report`.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}

/// Reads a report. Fields that this version does not know are ignored.
///
/// # Errors
/// See [`ReadError`]; the schema is checked before anything else.
pub fn read(mut input: impl Read) -> Result<Report, ReadError> {
    #[derive(Deserialize)]
    struct Head {
        schema: Option<serde_json::Value>,
    }
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let head = match serde_json::from_slice::<Head>(&bytes) {
        Ok(head) => head,
        Err(e) if e.is_data() => return Err(ReadError::NoSchema),
        Err(e) => return Err(ReadError::NotJson(e)),
    };
    match head.schema {
        None => Err(ReadError::NoSchema),
        Some(serde_json::Value::String(s)) if s == SCHEMA => {
            serde_json::from_slice(&bytes).map_err(ReadError::Malformed)
        }
        Some(serde_json::Value::String(found)) => Err(ReadError::OtherSchema { found }),
        Some(other) => Err(ReadError::OtherSchema {
            found: other.to_string(),
        }),
    }
}
