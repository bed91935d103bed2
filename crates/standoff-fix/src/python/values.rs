//! What expressions read, do and stand for.

use tree_sitter::Node;

use super::{Reader, children};
use crate::signatures;
use crate::unit::{Access, CallSite, Effect, Kind, Origin, Shape};

/// Built-in functions that only look at their arguments.
const PURE: &[&str] = &[
    "len",
    "int",
    "float",
    "abs",
    "min",
    "max",
    "sum",
    "round",
    "str",
    "repr",
    "range",
    "tuple",
    "bool",
    "divmod",
    "pow",
    "sorted",
    "list",
    "dict",
    "set",
    "bytes",
    "bytearray",
    "enumerate",
    "zip",
    "isinstance",
    "complex",
    "reversed",
    "array",
];
/// Functions of numpy and math, and methods of arrays and of mpi4py, that only look.
const PURE_METHODS: &[&str] = &[
    "zeros",
    "ones",
    "empty",
    "full",
    "arange",
    "array",
    "zeros_like",
    "ones_like",
    "empty_like",
    "full_like",
    "linspace",
    "asarray",
    "ascontiguousarray",
    "sqrt",
    "exp",
    "sin",
    "cos",
    "copy",
    "Get_rank",
    "Get_size",
    "Get_source",
    "Get_tag",
    "astype",
    "tobytes",
    "mean",
    "dot",
    "concatenate",
];
/// Of those, what makes new memory that holds numbers.
const BUFFERS: &[&str] = &[
    "zeros",
    "ones",
    "empty",
    "full",
    "arange",
    "zeros_like",
    "ones_like",
    "empty_like",
    "full_like",
    "linspace",
    "bytearray",
    "array",
    "astype",
    "bytes",
];
/// And what makes other new objects, or plain values.
const FRESH: &[&str] = &[
    "len",
    "int",
    "float",
    "abs",
    "str",
    "repr",
    "range",
    "bool",
    "copy",
    "sqrt",
    "exp",
    "sin",
    "cos",
    "Get_rank",
    "Get_size",
    "Get_source",
    "Get_tag",
    "mean",
    "concatenate",
    "complex",
    "tobytes",
];

impl Reader {
    /// Paths of names in an expression.
    pub(super) fn paths(&self, node: Node<'_>) -> Vec<String> {
        if let Some(path) = self.path(node) {
            return vec![path];
        }
        let mut out = Vec::new();
        for child in children(node) {
            if node.kind() == "keyword_argument" && node.child_by_field_name("name") == Some(child)
            {
                continue;
            }
            out.extend(self.paths(child));
        }
        out
    }

    /// `a`, `a.b`, `a.b.c`.
    pub(super) fn path(&self, node: Node<'_>) -> Option<String> {
        match node.kind() {
            "identifier" => Some(self.text(node)),
            "attribute" => {
                let object = self.path(node.child_by_field_name("object")?)?;
                let name = self.text(node.child_by_field_name("attribute")?);
                Some(format!("{object}.{name}"))
            }
            _ => None,
        }
    }

    /// What memory an expression names.
    pub(super) fn memory(&self, node: Node<'_>) -> Vec<Access> {
        if node.kind() == "subscript"
            && let Some(value) = node.child_by_field_name("value")
            && let Some(path) = self.path(value)
        {
            let index = node.child_by_field_name("subscript");
            let part = index.and_then(|i| part(self.unit.slice(i.byte_range())));
            return vec![Access {
                path,
                part,
                deep: true,
            }];
        }
        self.paths(node).into_iter().map(deep).collect()
    }

    /// What an expression reads, and does besides.
    pub(super) fn value(
        &mut self,
        node: Node<'_>,
        scope: usize,
        effect: &mut Effect,
        deeply: bool,
    ) {
        match node.kind() {
            "identifier" | "attribute" if self.path(node).is_some() => {
                if let Some(path) = self.path(node) {
                    effect.reads.push(Access {
                        path,
                        part: None,
                        deep: deeply,
                    });
                }
            }
            "call" => self.call(node, scope, effect),
            "subscript" => {
                effect
                    .reads
                    .extend(self.memory(node).into_iter().filter(|a| a.part.is_some()));
                for (n, part) in children(node).into_iter().enumerate() {
                    let known = n == 0 && self.memory(node).iter().any(|a| a.part.is_some());
                    if !known {
                        self.value(part, scope, effect, true);
                    }
                }
            }
            "named_expression" => {
                if let (Some(name), Some(value)) = (
                    node.child_by_field_name("name"),
                    node.child_by_field_name("value"),
                ) {
                    self.value(value, scope, effect, true);
                    let from = self.origin(value);
                    self.bind(name, &from, scope, effect);
                }
            }
            "await" | "yield" => {
                effect.jumps = true;
                effect.opaque("`await` or `yield` stands between");
            }
            "keyword_argument" => {
                if let Some(value) = node.child_by_field_name("value") {
                    self.value(value, scope, effect, deeply);
                }
            }
            "string" | "integer" | "float" | "comment" => {
                for part in children(node) {
                    self.value(part, scope, effect, deeply);
                }
            }
            _ => {
                for part in children(node) {
                    self.value(part, scope, effect, deeply);
                }
            }
        }
    }

    pub(super) fn call(&mut self, node: Node<'_>, scope: usize, effect: &mut Effect) {
        let Some(function) = node.child_by_field_name("function") else {
            return;
        };
        let arguments = node.child_by_field_name("arguments");
        let arguments = arguments.map(children).unwrap_or_default();
        if let Some(comm) = self.mpi(node, Shape::Nested) {
            effect.comm = true;
            self.value(function, scope, effect, false);
            for part in &arguments {
                self.value(*part, scope, effect, false);
            }
            for (n, arg) in comm.args.iter().enumerate() {
                let Some(part) = arguments.iter().find(|a| within(&arg.range, a)) else {
                    continue;
                };
                let value = part.child_by_field_name("value").unwrap_or(*part);
                let value = if part.kind() == "keyword_argument" {
                    value
                } else {
                    *part
                };
                let data = signatures::is_data(arg.name);
                if data {
                    if comm.buffers() && value.kind() == "identifier" {
                        self.buffers.insert((scope, self.text(value)));
                    }
                    effect.reads.extend(self.memory(value));
                }
                let fills = match comm.kind {
                    Kind::Recv | Kind::Irecv => data,
                    Kind::Sendrecv => arg.name == "recvbuf",
                    Kind::Collective | Kind::Icollective => {
                        data && comm.buffers()
                            && (n > 0 || comm.args.len() == 1 || comm.name.ends_with("cast"))
                    }
                    _ => false,
                };
                if fills || arg.name == "status" {
                    effect.mutates.extend(self.memory(value));
                }
            }
            return;
        }
        let name = match function.kind() {
            "attribute" => function
                .child_by_field_name("attribute")
                .map(|n| self.text(n)),
            _ => Some(self.text(function)),
        }
        .unwrap_or_default();
        let method = function.kind() == "attribute";
        let out = self.fills(node);
        let list = if method { PURE_METHODS } else { PURE };
        let shadowed = self.unit.defined.contains(&name);
        if !list.contains(&name.as_str()) || out || shadowed {
            let line = node.start_position().row + 1;
            match method || out {
                true => effect.opaque(format!("`{name}()` in line {line} may do anything")),
                false => effect.calls.push((name.clone(), line)),
            }
        }
        let looks = list.contains(&name.as_str()) && !out && !shadowed;
        if !looks && name != "print" {
            self.keeps(function, &arguments, scope);
        }
        let args = arguments.iter().map(|a| {
            let keyword = (a.kind() == "keyword_argument").then(|| a.child_by_field_name("name"));
            let value = a.child_by_field_name("value").filter(|_| keyword.is_some());
            let origin = self.origin(value.unwrap_or(*a));
            (keyword.flatten().map(|n| self.text(n)), origin)
        });
        let args = args.collect();
        self.unit.calls.push(CallSite {
            callee: name,
            scope,
            args,
            method,
        });
        if method {
            if let Some(object) = function.child_by_field_name("object") {
                self.value(object, scope, effect, true);
            }
        } else {
            self.value(function, scope, effect, false);
        }
        for part in arguments {
            self.value(part, scope, effect, true);
        }
    }

    /// What is given to a method may be kept by its object, what is given to a function by others that it is given.
    fn keeps(&mut self, function: Node<'_>, arguments: &[Node<'_>], scope: usize) {
        let names = |a: &Node<'_>| {
            let keyword = a.kind() == "keyword_argument";
            let value = a.child_by_field_name("value").filter(|_| keyword);
            match self.origin(value.unwrap_or(*a)) {
                Origin::Buffer | Origin::Fresh => Vec::new(),
                _ => self.paths(*a),
            }
        };
        let given: Vec<Vec<String>> = arguments.iter().map(names).collect();
        if let Some(object) = function.child_by_field_name("object") {
            let objects = self.paths(object);
            let names = given.concat();
            for object in objects.into_iter().filter(|o| !self.modules.contains(o)) {
                self.stores.push((scope, object, names.clone()));
            }
            return;
        }
        for (n, targets) in given.iter().enumerate() {
            let others = given.iter().enumerate().filter(|(m, _)| *m != n);
            let others: Vec<String> = others.flat_map(|(_, p)| p.clone()).collect();
            // A parameter may be whatever callers give, which is looked at there.
            let set = self.text(function) == "setattr";
            let param = |t: &&String| !set && self.unit.scopes[scope].params.contains(t);
            for target in targets.iter().filter(|t| !param(t) && !t.contains('.')) {
                self.stores.push((scope, target.clone(), others.clone()));
            }
        }
    }

    /// Whether a function of numpy, or a method of an array, is given where to put what it computes.
    fn fills(&self, call: Node<'_>) -> bool {
        let function = call.child_by_field_name("function");
        let list = call.child_by_field_name("arguments").map(children);
        let list = list.unwrap_or_default();
        let keyword = |a: &&Node<'_>| a.kind() == "keyword_argument";
        let named = list.iter().filter(keyword).any(|a| {
            let name = a.child_by_field_name("name");
            name.is_some_and(|n| self.text(n) == "out")
        });
        let text = |field: &str| {
            let part = function.and_then(|f| f.child_by_field_name(field));
            part.map(|n| self.text(n)).unwrap_or_default()
        };
        let most = match text("attribute").as_str() {
            "sqrt" | "exp" | "sin" | "cos" => 1,
            "dot" if !matches!(text("object").as_str(), "np" | "numpy") => 1,
            "dot" | "mean" | "concatenate" => 2,
            _ => usize::MAX,
        };
        let splat = list.iter().any(|a| a.kind().ends_with("_splat"));
        named || list.iter().filter(|a| !keyword(a)).count() > most || most < usize::MAX && splat
    }

    /// A keyword argument by which a function gives what it is given rather than something new.
    fn not_new(&self, call: Node<'_>) -> bool {
        let list = call.child_by_field_name("arguments").map(children);
        let given = list.unwrap_or_default();
        self.fills(call)
            || given.into_iter().any(|a| {
                let text = |field: &str| a.child_by_field_name(field).map(|n| self.text(n));
                match (text("name").as_deref(), text("value").as_deref()) {
                    (Some("copy"), Some(value)) => value != "True",
                    (Some("dtype"), Some(value)) => {
                        value.contains("object") || value.trim_matches(['"', '\'']) == "O"
                    }
                    (Some(_), _) => false,
                    _ => a.kind() == "dictionary_splat",
                }
            })
    }

    /// What a method `copy`, or a function of this name, makes.
    fn copied(&self, call: Node<'_>) -> Origin {
        let function = call.child_by_field_name("function");
        let object = function.and_then(|f| f.child_by_field_name("object"));
        let paths = self.paths(call);
        match object {
            Some(o) if matches!(self.text(o).as_str(), "np" | "numpy") => Origin::Buffer,
            // An element of an array, or of a list of arrays; a part of a list is a list.
            Some(o) if o.kind() == "subscript" => {
                let index = self.text(o);
                let index = index.split_once('[').map_or("", |i| i.1);
                match index.contains(',') || !index.contains(':') {
                    true => Origin::Buffer,
                    false => Origin::Copy(self.paths(o)),
                }
            }
            Some(o) if self.path(o).is_none_or(|p| !self.modules.contains(&p)) => {
                Origin::Copy(self.paths(o))
            }
            _ => Origin::Of(paths),
        }
    }

    /// Where the value of an expression comes from.
    pub(super) fn origin(&self, node: Node<'_>) -> Origin {
        match node.kind() {
            "integer"
            | "float"
            | "string"
            | "true"
            | "false"
            | "none"
            | "binary_operator"
            | "comparison_operator"
            | "unary_operator"
            | "not_operator"
            | "concatenated_string" => {
                // A sequence times a number, or two of them joined, hold the same objects; numbers are new.
                match node.kind() {
                    // The same object may be in it twice.
                    "binary_operator" if self.holds_references(node) => {
                        Origin::Unknown(self.paths(node))
                    }
                    "binary_operator" if self.buffer_operand(node) => Origin::Buffer,
                    "binary_operator" if self.joins(node) => Origin::Copy(self.paths(node)),
                    _ => Origin::Fresh,
                }
            }
            "identifier" | "attribute" | "subscript" => match self.paths(node) {
                paths if paths.is_empty() => Origin::Unknown(paths),
                paths => Origin::Of(paths),
            },
            "list" | "tuple" | "dictionary" | "set" => match self.paths(node) {
                paths if paths.is_empty() => Origin::Fresh,
                _ if children(node).into_iter().all(|n| self.made(n)) => Origin::Fresh,
                paths => Origin::Of(paths),
            },
            "list_comprehension"
                if node
                    .child_by_field_name("body")
                    .is_some_and(|n| self.made(n)) =>
            {
                Origin::Fresh
            }
            "parenthesized_expression" | "conditional_expression" => {
                let origins: Vec<Origin> =
                    children(node).into_iter().map(|n| self.origin(n)).collect();
                match origins
                    .iter()
                    .all(|o| matches!(o, Origin::Buffer | Origin::Fresh))
                {
                    true => origins.into_iter().next().unwrap_or(Origin::Fresh),
                    false => Origin::Unknown(self.paths(node)),
                }
            }
            "call" => {
                let function = node.child_by_field_name("function");
                let name = function.map(|f| match f.child_by_field_name("attribute") {
                    Some(name) => self.text(name),
                    None => self.text(f),
                });
                let name = name.unwrap_or_default();
                if self.unit.defined.contains(&name) {
                    return Origin::Unknown(self.paths(node));
                }
                if self.not_new(node) {
                    return Origin::Unknown(self.paths(node));
                }
                if name == "copy" {
                    return self.copied(node);
                }
                if BUFFERS.contains(&name.as_str()) {
                    return Origin::Buffer;
                }
                let mpi = self.mpi(node, Shape::Nested).is_some();
                if FRESH.contains(&name.as_str()) || mpi {
                    return Origin::Fresh;
                }
                Origin::Unknown(self.paths(node))
            }
            _ => Origin::Unknown(self.paths(node)),
        }
    }

    /// An element that is made new where it stands.
    fn made(&self, node: Node<'_>) -> bool {
        !matches!(node.kind(), "list_splat" | "dictionary_splat" | "pair")
            && matches!(self.origin(node), Origin::Buffer | Origin::Fresh)
    }

    pub(super) fn holds_references(&self, node: Node<'_>) -> bool {
        let kinds = ["list", "tuple", "list_comprehension"];
        children(node).iter().any(|c| {
            kinds.contains(&c.kind()) && !self.paths(*c).is_empty()
                || c.kind() == "binary_operator" && self.holds_references(*c)
        })
    }

    /// A sum or product that may be one of lists.
    fn joins(&self, node: Node<'_>) -> bool {
        let operator = node.child_by_field_name("operator");
        let operator = operator.map(|o| self.text(o)).unwrap_or_default();
        let parts = children(node);
        let number = parts.iter().any(|p| p.kind() == "float");
        let whole = parts.iter().any(|p| p.kind() == "integer");
        match operator.as_str() {
            "+" => !number && !whole,
            "*" => !number,
            _ => false,
        }
    }

    pub(super) fn buffer_operand(&self, node: Node<'_>) -> bool {
        children(node)
            .iter()
            .any(|c| self.origin(*c) == Origin::Buffer)
    }
}

fn within(range: &std::ops::Range<usize>, node: &Node<'_>) -> bool {
    let outer = node.byte_range();
    outer.start <= range.start && range.end <= outer.end
}

pub(super) fn deep(path: String) -> Access {
    Access {
        path,
        part: None,
        deep: true,
    }
}

/// The elements that an index in numbers names.
fn part(index: &str) -> Option<(i64, i64)> {
    let number = |text: &str| text.trim().parse::<i64>().ok();
    match index.split_once(':') {
        None => number(index).map(|n| (n, n + 1)),
        Some((from, to)) => {
            let from = number(from)?;
            let to = match to.trim() {
                "" if from < 0 => 0,
                to => number(to)?,
            };
            ((from < 0) == (to < 0 || from < 0 && to == 0) && from < to).then_some((from, to))
        }
    }
}
