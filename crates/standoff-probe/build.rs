//! Generates the exported wrappers from `standoff-board/mpi.table` (its head explains the format).

use std::fmt::Write as _;

const TABLE: &str = "../standoff-board/mpi.table";

/// Hooks that are called for every message.
const HOT: [&str; 6] = [
    "p2p::",
    "request::isend",
    "request::irecv",
    "complete::",
    "polls::",
    "probe::",
];

struct Procedure<'a> {
    name: &'a str,
    args: Vec<(String, &'a str, bool)>,
    large: bool,
    new: bool,
    hook: &'a str,
}

fn parse(line: &str) -> Procedure<'_> {
    let end = line.find(['(', '/']).expect("NAME(…) or NAME/N");
    let name = &line[..end];
    let (args, rest) = if line[end..].starts_with('(') {
        let close = line.find(')').expect("closing parenthesis");
        let args = line[end + 1..close]
            .split(',')
            .map(str::trim)
            .filter(|a| !a.is_empty())
            .map(|a| {
                let (n, t) = a.split_once(':').expect("ARG:TYPE");
                let given = n.ends_with('!');
                (n.trim_end_matches('!').to_owned(), t, given)
            })
            .collect();
        (args, &line[close + 1..])
    } else {
        let digits: String = line[end + 1..]
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        let n: usize = digits.parse().expect("NAME/N");
        let args = (0..n).map(|i| (format!("a{i}"), "h", false)).collect();
        (args, &line[end + 1 + digits.len()..])
    };
    let (flags, hook) = match rest.split_once("=>") {
        Some((flags, hook)) => (flags, hook.trim()),
        None => (
            rest,
            rest.split_whitespace().last().expect("opaque or taint"),
        ),
    };
    let has = |f: &str| flags.split_whitespace().any(|w| w == f);
    Procedure {
        name,
        args,
        large: has("large"),
        new: has("new"),
        hook,
    }
}

fn rust_type(t: &str, large: bool) -> &'static str {
    match (t, large) {
        ("p", _) => "P",
        ("i", _) => "i32",
        ("h", _) => "usize",
        ("n", false) => "i32",
        ("n", true) => "i64",
        other => panic!("type {other:?}"),
    }
}

fn main() {
    println!("cargo:rustc-check-cfg=cfg(frame_pointers)");
    println!("cargo:rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    if std::env::var("CARGO_ENCODED_RUSTFLAGS")
        .is_ok_and(|f| f.contains("force-frame-pointers=yes"))
    {
        println!("cargo:rustc-cfg=frame_pointers");
    }
    println!("cargo:rerun-if-changed={TABLE}");
    println!("cargo:rerun-if-changed=build.rs");
    let table = std::fs::read_to_string(TABLE).expect("mpi.table");
    let procedures: Vec<_> = table
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .map(parse)
        .collect();
    let mut all = Vec::new();
    for p in &procedures {
        all.push(p.name.to_owned());
        if p.large {
            all.push(format!("{}_c", p.name));
        }
    }
    let mut out = String::new();
    let mut symbols = Vec::new();
    for (number, p) in procedures.iter().enumerate() {
        for large in [false, true] {
            if large && !p.large {
                continue;
            }
            let name = format!("{}{}", p.name, if large { "_c" } else { "" });
            let k = symbols.len();
            wrapper(&mut out, p, &name, number, k, large, &all);
            symbols.push(name);
        }
    }
    writeln!(out, "pub(crate) const SYMBOLS: usize = {};", symbols.len()).unwrap();
    writeln!(
        out,
        "pub(crate) static NAMES: [&core::ffi::CStr; SYMBOLS] = ["
    )
    .unwrap();
    for s in &symbols {
        writeln!(out, "c\"PMPI_{s}\",").unwrap();
    }
    writeln!(out, "];").unwrap();
    let path = std::path::Path::new(&std::env::var("OUT_DIR").unwrap()).join("wrappers.rs");
    std::fs::write(path, out).unwrap();
}

/// `all`: the symbols, by number.
fn wrapper(
    out: &mut String,
    p: &Procedure<'_>,
    name: &str,
    number: usize,
    k: usize,
    large: bool,
    all: &[String],
) {
    let params: Vec<String> = p
        .args
        .iter()
        .map(|(n, t, _)| format!("{n}: {}", rust_type(t, large)))
        .collect();
    let params = params.join(", ");
    let names: Vec<&str> = p.args.iter().map(|(n, _, _)| n.as_str()).collect();
    let names = names.join(", ");
    let types: Vec<&str> = p.args.iter().map(|(_, t, _)| rust_type(t, large)).collect();
    let types = types.join(", ");
    let given: Vec<String> = p
        .args
        .iter()
        .filter(|(_, _, g)| *g)
        .map(|(n, t, _)| format!("{n}: {}", rust_type(t, large)))
        .collect();
    let given = given.join(", ");
    let body = match p.hook {
        "opaque" => "hooks::other::opaque(call, real)".to_owned(),
        "taint" => format!("hooks::other::taint(call, \"MPI_{}\", real)", p.name),
        hook => {
            let (path, args) = hook
                .strip_suffix(')')
                .and_then(|h| h.split_once('('))
                .expect("HOOK(…)");
            let comma = if args.is_empty() { "" } else { ", " };
            // A blocking collective's hook gets its nonblocking form, too.
            let start = match path {
                "collective::blocking" | "collective::described" => " start,",
                _ => "",
            };
            format!("hooks::{path}(call{comma}{args},{start} real)")
        }
    };
    let start = match body.contains(" start,") {
        false => String::new(),
        true => {
            let form = format!("I{}{}", name[..1].to_lowercase(), &name[1..]);
            let number = all
                .iter()
                .position(|s| *s == form)
                .expect("a nonblocking form");
            format!(
                "let start: &dyn Fn(P) -> i32 = &move |request: P| {{\n\
                 // SAFETY: the arguments of the blocking form, and a place for the request.\n\
                 let f: unsafe extern \"C-unwind\" fn({types}, P) -> i32 = unsafe {{ core::mem::transmute(symbols::real({number})) }};\n\
                 // SAFETY: as above.\n\
                 unsafe {{ f({names}, request) }}\n}};\n"
            )
        }
    };
    let init = matches!(p.name, "Init" | "Init_thread");
    let sends = [
        "p2p::",
        "request::",
        "isendrecv::",
        "collective::",
        "persistent::",
    ]
    .iter()
    .any(|h| p.hook.starts_with(h));
    // The path of a message has a copy of its hook for each procedure; all else shares one, as each rank has all of it in memory.
    let hot = HOT.iter().any(|h| p.hook.starts_with(h));
    let real = if hot || !given.is_empty() {
        ""
    } else {
        "let real: &dyn Fn() -> i32 = &real;\n"
    };
    let enter = if init {
        "enter_init()".to_owned()
    } else {
        format!("enter({number}, {sends}, place::caller())")
    };
    let body = if init {
        body
    } else {
        format!(
            "let returns = guard::Returns(call.rank);\nlet rc = {body};\ncore::mem::forget(returns);\nrc"
        )
    };
    write!(
        out,
        "#[inline(always)]\nunsafe fn w{k}(target: usize, {params}) -> i32 {{\n\
         // SAFETY: `target` is the library's (or next tool's) procedure of this very signature.\n\
         let f: unsafe extern \"C-unwind\" fn({types}) -> i32 = unsafe {{ core::mem::transmute(target) }};\n\
         let Some(call) = guard::{enter} else {{\n\
         // SAFETY: the arguments are the caller's own.\n\
         return unsafe {{ f({names}) }};\n}};\n\
         // SAFETY: as above; a hook that replaces an argument gives one of its own that is as good.\n\
         let real = move |{given}| unsafe {{ f({names}) }};\n\
         {real}{start}{body}\n}}\n"
    )
    .unwrap();
    for (prefix, table) in [("MPI", "next"), ("PMPI", "real")] {
        let call = format!(
            "\n// SAFETY: symbol {k} is MPI_{name}, and the arguments are the caller's own.\n\
             unsafe {{ w{k}(symbols::{table}({k}), {names}) }}\n"
        );
        if p.new || large {
            // A symbol that may be absent: an IFUNC whose resolver gives null then.
            write!(
                out,
                "unsafe extern \"C-unwind\" fn {prefix}_{k}({params}) -> i32 {{{call}}}\n\
                 #[unsafe(naked)]\n#[unsafe(no_mangle)]\npub unsafe extern \"C\" fn {prefix}_{name}() {{\n\
                 core::arch::naked_asm!(\".type {prefix}_{name}, @gnu_indirect_function\",\n\
                 \"lea rdi, [rip + {{w}}]\", \"mov esi, {k}\", \"jmp {{r}}\", w = sym {prefix}_{k}, r = sym symbols::choose)\n}}\n"
            )
            .unwrap();
        } else {
            write!(
                out,
                "#[unsafe(no_mangle)]\npub unsafe extern \"C-unwind\" fn {prefix}_{name}({params}) -> i32 {{{call}}}\n"
            )
            .unwrap();
        }
    }
}
