//! One call that sends and receives, and statements that go.

use crate::edit::Edit;
use crate::unit::{Comm, Language, Unit};

/// The call that sends and receives.
pub(crate) fn joined(
    language: Language,
    send: &Comm,
    recv: &Comm,
    replace: bool,
) -> Result<String, String> {
    let get = |comm: &Comm, name: &str| comm.text(name).map(str::to_owned);
    if language == Language::C {
        let all = |comm: &Comm, names: &[&str]| -> Result<Vec<String>, String> {
            let texts = names.iter().map(|n| get(comm, n));
            texts
                .collect::<Option<_>>()
                .ok_or("an argument is missing".to_owned())
        };
        if replace {
            if get(send, "count") != get(recv, "count")
                || get(send, "datatype") != get(recv, "datatype")
            {
                return Err("the same buffer is sent and received in different sizes".to_owned());
            }
            let mut args = all(send, &["buf", "count", "datatype", "dest", "tag"])?;
            args.extend(all(recv, &["source", "tag", "comm", "status"])?);
            return Ok(format!("MPI_Sendrecv_replace({})", args.join(", ")));
        }
        let mut args = all(send, &["buf", "count", "datatype", "dest", "tag"])?;
        args.extend(all(
            recv,
            &[
                "buf", "count", "datatype", "source", "tag", "comm", "status",
            ],
        )?);
        return Ok(format!("MPI_Sendrecv({})", args.join(", ")));
    }
    let upper = send.buffers();
    if !upper && recv.arg("buf").is_some() {
        return Err("the receive names a buffer".to_owned());
    }
    let mut args = vec![get(send, "buf").ok_or("an argument is missing")?];
    let mut named = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            args.push(format!("{name}={value}"));
        }
    };
    named(
        "dest",
        Some(get(send, "dest").ok_or("an argument is missing")?),
    );
    named("sendtag", get(send, "tag"));
    if upper && !replace {
        named(
            "recvbuf",
            Some(get(recv, "buf").ok_or("an argument is missing")?),
        );
    }
    named("source", get(recv, "source"));
    named("recvtag", get(recv, "tag"));
    named("status", get(recv, "status"));
    let name = match (upper, replace) {
        (false, _) => "sendrecv",
        (true, false) => "Sendrecv",
        (true, true) => "Sendrecv_replace",
    };
    Ok(format!("{}.{name}({})", send.on, args.join(", ")))
}

/// Takes a statement out, with its line if nothing else is there; a remark stays.
pub(crate) fn removal(unit: &Unit, range: &std::ops::Range<usize>) -> Edit {
    let rest = unit.rest(range.end);
    if let Some(indent) = unit.indent(range.start) {
        if rest.trim().is_empty() {
            let start = range.start - indent.len();
            let end = (range.end + rest.len() + 1).min(unit.text.len());
            return Edit::replace(start..end, "");
        }
        // Up to what follows on the line, a remark or another statement.
        let skip = rest.len() - rest.trim_start_matches([' ', '\t', ';']).len();
        return Edit::replace(range.start..range.end + skip, "");
    }
    // Behind another statement on its line.
    let before = unit.text[..range.start].trim_end_matches([' ', '\t', ';']);
    let keep = if unit.language == Language::C {
        unit.text[..range.start].trim_end().len()
    } else {
        before.len()
    };
    Edit::replace(keep..range.end, "")
}
