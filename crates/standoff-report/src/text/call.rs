//! Where a call stands in a source line, and the part of a long line to show.

use super::group::without_arguments;
use super::line::{byte_at, cut_end, width};

/// Bytes of `call` in `code`: the call as given, else the one call of that method, else the whole code.
pub(crate) fn find_call(code: &str, call: &str) -> (usize, usize) {
    let indent = code.len() - code.trim_start().len();
    let whole = (indent, code.trim_end().len().max(indent));
    if call.is_empty() {
        return whole;
    }
    if call.contains('(')
        && let Some(at) = only(code.match_indices(call).map(|(at, _)| at))
    {
        return (at, at + call.len());
    }
    let name = without_arguments(call);
    let method = name.rsplit('.').next().unwrap_or(name);
    for name in [name, method] {
        if name.is_empty() {
            continue;
        }
        let starts = occurrences(code, name).filter(|&at| {
            let before = code[..at].chars().next_back();
            let after = code[at + name.len()..].trim_start();
            // Rust may name types between a method and its arguments.
            let called = after.starts_with('(') || after.starts_with("::<");
            !before.is_some_and(is_word) && called
        });
        if let Some(at) = only(starts) {
            // The object of a method call belongs to it.
            let object = code[..at]
                .rfind(|c: char| !is_word(c) && c != '.')
                .map_or(0, |i| {
                    i + code[i..].chars().next().map_or(1, char::len_utf8)
                });
            return (object, end_of_call(code, at + name.len()));
        }
    }
    whole
}

/// Where a name stands. MPI's own in any case: Fortran's programmers write `mpi_recv` or `MPI_RECV`.
fn occurrences<'a>(code: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let any_case = name.starts_with("MPI_");
    code.char_indices().map(|(at, _)| at).filter(move |&at| {
        code.get(at..at + name.len())
            .is_some_and(|here| here == name || (any_case && here.eq_ignore_ascii_case(name)))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

/// Past the bracket that closes the first one after `from`; the end of the code if it closes on a later line.
fn end_of_call(code: &str, from: usize) -> usize {
    let mut depth = 0usize;
    let mut quote = None;
    for (i, c) in code[from..].char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return from + i + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// At most `room` columns of `code` around `from..to`, with the column and length of what is left of that span.
pub(crate) fn window(code: &str, from: usize, to: usize, room: usize) -> (String, usize, usize) {
    let column = width(&code[..from]);
    let length = width(&code[from..to]).max(1);
    if width(code) <= room {
        return (code.to_owned(), column, length);
    }
    // Columns cut from the start: as many as bring the call's end into view, but not its start out of it.
    let skip = (column + length + 1)
        .saturating_sub(room)
        .min(column.saturating_sub(1));
    let skip = if skip > 0 { skip + 1 } else { 0 };
    let start = byte_at(code, skip);
    let skipped = width(&code[..start]);
    let mut shown = if skip > 0 {
        "…".to_owned()
    } else {
        String::new()
    };
    shown.push_str(&code[start..]);
    let shown = cut_end(&shown, room);
    let column = (column + usize::from(skip > 0))
        .saturating_sub(skipped)
        .min(room - 1);
    (shown, column, length.min(room - column))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn underlined<'a>(code: &'a str, call: &str) -> &'a str {
        let (from, to) = find_call(code, call);
        &code[from..to]
    }

    #[test]
    fn calls_are_found() {
        let code = "    got = comm.recv(source=f(1, ')')); comm.send(\"a\", dest=5)";
        assert_eq!(underlined(code, "comm.recv"), "comm.recv(source=f(1, ')'))");
        assert_eq!(
            underlined(code, "comm.send(dest=5)"),
            "comm.send(\"a\", dest=5)"
        );
        assert_eq!(
            underlined("x = self.world.recv(", "comm.recv"),
            "self.world.recv("
        );
        assert_eq!(
            underlined("comm.sendrecv(1); comm.send(2)", "comm.send"),
            "comm.send(2)"
        );
        assert_eq!(
            underlined("  comm.recv(); comm.recv()", "comm.recv"),
            "comm.recv(); comm.recv()"
        );
        assert_eq!(underlined("  exchange(u)", "comm.recv"), "exchange(u)");
        assert_eq!(
            underlined("\u{e9}\u{e9}.recv()", "comm.recv"),
            "\u{e9}\u{e9}.recv()"
        );
        assert_eq!(underlined("", "comm.recv"), "");
    }

    #[test]
    fn calls_are_found_in_fortran_and_rust() {
        let code =
            "  if (odd) call mpi_recv(u(1), n, MPI_REAL8, left, 0, comm, MPI_STATUS_IGNORE, ierr)";
        let call = "mpi_recv(u(1), n, MPI_REAL8, left, 0, comm, MPI_STATUS_IGNORE, ierr)";
        assert_eq!(underlined(code, "MPI_Recv"), call);
        assert_eq!(
            underlined("let (x, _) = other.receive::<u8>(); f(x)", "other.receive"),
            "other.receive::<u8>()"
        );
    }

    #[test]
    fn long_lines_keep_the_call() {
        let code = format!(
            "{} = comm.recv(source=5)  # {}",
            "x".repeat(120),
            "y".repeat(90)
        );
        let (from, to) = find_call(&code, "comm.recv");
        let (shown, column, length) = window(&code, from, to, 60);
        assert!(width(&shown) <= 60);
        let at = byte_at(&shown, column);
        assert_eq!(&shown[at..at + length], "comm.recv(source=5)");
    }
}
