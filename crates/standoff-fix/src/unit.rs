//! A source file as this crate sees it: blocks of statements, what each reads and writes, and the calls of MPI among them.
//!
//! It is the same for all languages; [`python`](crate::python) and [`c`](crate::c) make it of what their parsers give.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Languages that can be patched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python, with mpi4py.
    Python,
    /// C.
    C,
}

/// A parsed file.
#[derive(Debug)]
pub(crate) struct Unit {
    pub language: Language,
    pub text: String,
    pub blocks: Vec<Block>,
    /// The first is the module's (the file's).
    pub scopes: Vec<Scope>,
    /// Calls of functions by name, or of methods by theirs, for what parameters may be.
    pub calls: Vec<CallSite>,
    /// What attributes and fields of this name were given, anywhere in the file, each in its scope.
    pub fields: Vec<(String, usize, Origin)>,
    /// What was put into what a name of a scope stands for.
    pub held: Vec<(usize, String, Vec<String>)>,
    /// Names that were put into something, each with its scope.
    pub escaped: BTreeSet<(usize, String)>,
    /// C: there are unions.
    pub overlaid: bool,
    /// C: macros, and the names in them; `None` if one is more than an expression of names.
    pub macros: BTreeMap<String, Option<Vec<String>>>,
    /// Names of functions and methods defined here.
    pub defined: BTreeSet<String>,
    /// Every identifier that occurs.
    pub names: BTreeSet<String>,
}

/// Statements one behind the other.
#[derive(Debug)]
pub(crate) struct Block {
    pub scope: usize,
    pub stmts: Vec<Stmt>,
    /// The block and the statement that this one is a part of.
    pub owner: Option<(usize, usize)>,
}

/// A statement.
#[derive(Clone, Debug)]
pub(crate) struct Stmt {
    pub range: Range<usize>,
    /// First and last line, from 0.
    pub rows: (usize, usize),
    pub effect: Effect,
    /// The call of MPI that this statement is, or (with [`Shape::Nested`]) the first one somewhere in it.
    pub comm: Option<Comm>,
    pub branch: Option<Branch>,
}

/// A conditional statement.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub condition: Range<usize>,
    /// The block that it guards.
    pub body: usize,
    /// There is an `else` or another branch.
    pub others: bool,
}

/// What a call of MPI is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Send,
    Ssend,
    Recv,
    Isend,
    Irecv,
    Wait,
    Sendrecv,
    Collective,
    /// A collective that does not block.
    Icollective,
    Other,
}

/// How a call stands in its statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// It is the statement.
    Bare,
    /// Its value is assigned; the text before `=`.
    Assign(String),
    /// Its value is returned.
    Return,
    /// It is a part of something larger.
    Nested,
}

/// An argument, by the name of its parameter.
#[derive(Clone, Debug)]
pub(crate) struct Arg {
    pub name: &'static str,
    pub text: String,
    pub range: Range<usize>,
}

/// A call of MPI.
#[derive(Clone, Debug)]
pub(crate) struct Comm {
    pub kind: Kind,
    /// The method or procedure: `recv`, `MPI_Recv`.
    pub name: String,
    /// The communicator, or the request of a wait.
    pub on: String,
    pub on_range: Range<usize>,
    pub args: Vec<Arg>,
    pub shape: Shape,
    /// The call itself.
    pub range: Range<usize>,
    /// Arguments that could not be named (`*args`): it stays as it is.
    pub unclear: bool,
}

impl Comm {
    /// The text of an argument.
    pub fn arg(&self, name: &str) -> Option<&Arg> {
        self.args.iter().find(|a| a.name == name)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.arg(name).map(|a| a.text.as_str())
    }

    /// Where it sends to or receives from.
    pub fn peer(&self) -> Option<&str> {
        self.text("dest").or_else(|| self.text("source"))
    }

    pub fn sends(&self) -> bool {
        matches!(self.kind, Kind::Send | Kind::Ssend)
    }

    /// Of buffers rather than of objects.
    pub fn buffers(&self) -> bool {
        self.name.starts_with(|c: char| c.is_ascii_uppercase())
    }
}

/// What a statement does to what is named.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effect {
    pub reads: Vec<Access>,
    /// Names and fields that are given another value.
    pub binds: BTreeSet<String>,
    /// Memory that is written.
    pub mutates: Vec<Access>,
    /// A call of MPI is in it.
    pub comm: bool,
    /// It may do anything: why.
    pub opaque: Option<String>,
    /// It calls functions by these names, in these lines (from 1), which may do anything unless they are known.
    pub calls: Vec<(String, usize)>,
    /// It may go elsewhere than to the next statement.
    pub jumps: bool,
}

impl Effect {
    pub fn opaque(&mut self, why: impl Into<String>) {
        self.opaque.get_or_insert_with(|| why.into());
    }

    /// Why it may do anything.
    pub fn doubt(&self) -> Option<String> {
        let call = self.calls.first();
        let call = call.map(|(name, line)| format!("`{name}()` in line {line} may do anything"));
        self.opaque.clone().or(call)
    }

    /// All of another's, too.
    pub fn add(&mut self, other: &Effect) {
        self.reads.extend(other.reads.iter().cloned());
        self.binds.extend(other.binds.iter().cloned());
        self.mutates.extend(other.mutates.iter().cloned());
        self.comm |= other.comm;
        self.calls.extend(other.calls.iter().cloned());
        if let Some(why) = &other.opaque {
            self.opaque(why.clone());
        }
        self.jumps |= other.jumps;
    }
}

/// Memory that is read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    /// `u`, `self.u`, `lib.comm`.
    pub path: String,
    /// Elements from … up to, if they are known numbers of one sign.
    pub part: Option<(i64, i64)>,
    /// What it leads to is read or written, and not only the value.
    pub deep: bool,
}

/// Where what a name stands for comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// New memory that holds numbers and no references.
    Buffer,
    /// A new object, or a value without memory of its own.
    Fresh,
    /// May share memory with these.
    Of(Vec<String>),
    /// New, but if these are containers it holds what they hold.
    Copy(Vec<String>),
    /// Not known; may also share memory with these.
    Unknown(Vec<String>),
}

/// Function, or module.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub name: String,
    pub params: Vec<String>,
    /// Names bound here, and to what.
    pub bound: Vec<(String, Origin)>,
    /// C: names declared here. A name that is only set here is the file's.
    pub declared: BTreeSet<String>,
    /// C: names that hold numbers and no pointers.
    pub numbers: BTreeSet<String>,
    /// The class of a method.
    pub class: Option<String>,
    /// Python: a parameter has an object that is made once, unless it is given.
    pub defaults: bool,
    /// `global` and `nonlocal`.
    pub shared: BTreeSet<String>,
    /// Where its statements stand.
    pub range: Range<usize>,
}

/// A call of a function of this file.
#[derive(Debug)]
pub(crate) struct CallSite {
    pub callee: String,
    pub scope: usize,
    pub args: Vec<(Option<String>, Origin)>,
    /// Called on an object: the first parameter is that.
    pub method: bool,
}

impl Unit {
    pub fn new(language: Language, text: &str) -> Unit {
        Unit {
            language,
            text: text.to_owned(),
            blocks: Vec::new(),
            scopes: vec![Scope {
                range: 0..text.len(),
                ..Scope::default()
            }],
            calls: Vec::new(),
            fields: Vec::new(),
            held: Vec::new(),
            escaped: BTreeSet::new(),
            overlaid: false,
            macros: BTreeMap::new(),
            defined: BTreeSet::new(),
            names: BTreeSet::new(),
        }
    }

    /// These are put into what the name stands for.
    pub fn hold(&mut self, scope: usize, target: &str, paths: Vec<String>) {
        let root = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
        let target = root(target);
        let paths: Vec<String> = paths.into_iter().filter(|p| root(p) != target).collect();
        self.escaped.extend(paths.iter().map(|p| (scope, root(p))));
        self.held.push((scope, target, paths));
    }

    /// A name that does not occur: `base`, `base_2`, …
    pub fn fresh_name(&self, base: &str, also: &[String]) -> String {
        let taken = |name: &String| self.names.contains(name) || also.contains(name);
        let first = std::iter::once(base.to_owned());
        let more = (2..).map(|n| format!("{base}_{n}"));
        // Endless, so one is found.
        first.chain(more).find(|n| !taken(n)).unwrap_or_default()
    }

    pub fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// The white space before a statement; `None` if something else stands there.
    pub fn indent(&self, at: usize) -> Option<&str> {
        let start = self.text[..at].rfind('\n').map_or(0, |n| n + 1);
        let before = &self.text[start..at];
        before.trim().is_empty().then_some(before)
    }

    /// The rest of the line behind a statement.
    pub fn rest(&self, at: usize) -> &str {
        self.text[at..].split('\n').next().unwrap_or_default()
    }

    /// A remark that stands behind a statement on its line.
    pub fn remark(&self, at: usize) -> Option<&str> {
        let rest = self.rest(at).trim_end();
        let word = rest.trim_start();
        let is = match self.language {
            Language::Python => word.starts_with('#'),
            Language::C => {
                word.starts_with("//")
                    || word.starts_with("/*") && word.find("*/") == Some(word.len() - 2)
            }
        };
        is.then_some(rest)
    }

    /// Whether nothing but a remark shares the lines of a statement.
    pub fn alone(&self, range: &Range<usize>) -> bool {
        self.indent(range.start).is_some()
            && (self.rest(range.end).trim().is_empty() || self.remark(range.end).is_some())
    }

    /// One step of indentation.
    pub fn step(&self, indent: &str) -> String {
        if indent.contains('\t') || self.text.contains("\n\t") {
            return "\t".to_owned();
        }
        let widths = self
            .text
            .lines()
            .map(|l| l.len() - l.trim_start_matches(' ').len());
        " ".repeat(widths.filter(|&w| w > 1).min().unwrap_or(4))
    }
}
