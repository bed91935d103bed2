//! C, parsed by tree-sitter. Macros are not expanded: what one does is not seen, and counts as a call that may do anything.

use std::collections::BTreeSet;

use tree_sitter::{Node, Parser};

use crate::signatures;
use crate::unit::{
    Access, Arg, Block, Branch, CallSite, Comm, Effect, Kind, Language, Origin, Scope, Shape, Stmt,
    Unit,
};

/// Functions that only look at their arguments.
const PURE: &[&str] = &[
    "abs", "labs", "fabs", "sqrt", "sin", "cos", "exp", "log", "pow", "floor", "ceil", "fmin",
    "fmax", "strlen", "malloc", "calloc",
];

/// Reads a file; an error says in which line it does not parse.
pub(crate) fn parse(text: &str) -> Result<Unit, String> {
    let mut parser = Parser::new();
    let language = tree_sitter_c::LANGUAGE.into();
    parser.set_language(&language).map_err(|e| e.to_string())?;
    let tree = parser.parse(text, None).ok_or("it could not be parsed")?;
    sound(tree.root_node())?;
    let unit = Unit {
        language: Language::C,
        text: text.to_owned(),
        blocks: Vec::new(),
        scopes: vec![Scope {
            range: 0..text.len(),
            ..Scope::default()
        }],
        calls: Vec::new(),
        fields: Vec::new(),
        defined: BTreeSet::new(),
        names: BTreeSet::new(),
    };
    let mut reader = Reader { unit };
    reader.names(tree.root_node());
    reader.file(tree.root_node());
    Ok(reader.unit)
}

/// Whether a tree is whole.
pub(crate) fn sound(root: Node<'_>) -> Result<(), String> {
    fn broken(node: Node<'_>) -> Option<usize> {
        if node.is_error() || node.is_missing() {
            return Some(node.start_position().row + 1);
        }
        if !node.has_error() {
            return None;
        }
        let mut cursor = node.walk();
        node.children(&mut cursor).find_map(broken)
    }
    match broken(root) {
        Some(line) => Err(format!("line {line} does not parse")),
        None => Ok(()),
    }
}

struct Reader {
    unit: Unit,
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

impl Reader {
    fn text(&self, node: Node<'_>) -> String {
        self.unit.slice(node.byte_range()).to_owned()
    }

    fn names(&mut self, node: Node<'_>) {
        if matches!(
            node.kind(),
            "identifier" | "field_identifier" | "type_identifier"
        ) {
            let name = self.text(node);
            self.unit.names.insert(name);
        }
        for child in children(node) {
            self.names(child);
        }
    }

    fn file(&mut self, node: Node<'_>) {
        for child in children(node) {
            match child.kind() {
                "function_definition" => self.function(child),
                "declaration" => {
                    self.declaration(child, 0, &mut Effect::default());
                }
                kind if kind.starts_with("preproc_if") || kind == "linkage_specification" => {
                    self.file(child);
                }
                _ => {}
            }
        }
    }

    fn function(&mut self, node: Node<'_>) {
        let declarator = node.child_by_field_name("declarator");
        let Some(declarator) = declarator.and_then(|d| find(d, "function_declarator")) else {
            return;
        };
        let name = declarator.child_by_field_name("declarator");
        let name = name.map(|n| self.text(n)).unwrap_or_default();
        self.unit.defined.insert(name.clone());
        let list = declarator.child_by_field_name("parameters");
        let list = list.map(children).unwrap_or_default();
        let params = list
            .into_iter()
            .filter(|p| p.kind() == "parameter_declaration");
        let params = params.map(|p| {
            let named = p.child_by_field_name("declarator");
            named
                .and_then(|d| find(d, "identifier"))
                .map(|n| self.text(n))
                .unwrap_or_default()
        });
        let params = params.collect();
        let scope = self.unit.scopes.len();
        self.unit.scopes.push(Scope {
            name,
            params,
            range: node.byte_range(),
            ..Scope::default()
        });
        if let Some(body) = node.child_by_field_name("body") {
            self.block(body, scope, None);
        }
    }

    fn block(&mut self, node: Node<'_>, scope: usize, owner: Option<(usize, usize)>) -> usize {
        let id = self.unit.blocks.len();
        self.unit.blocks.push(Block {
            scope,
            stmts: Vec::new(),
            owner,
        });
        for child in children(node) {
            if child.kind() == "comment" {
                continue;
            }
            let at = self.unit.blocks[id].stmts.len();
            self.unit.blocks[id].stmts.push(Stmt {
                range: child.byte_range(),
                rows: (child.start_position().row, child.end_position().row),
                effect: Effect::default(),
                comm: None,
                branch: None,
            });
            let mut effect = Effect::default();
            let (comm, branch) = self.statement(child, scope, (id, at), &mut effect);
            let stmt = &mut self.unit.blocks[id].stmts[at];
            (stmt.effect, stmt.comm, stmt.branch) = (effect, comm, branch);
        }
        id
    }

    fn statement(
        &mut self,
        node: Node<'_>,
        scope: usize,
        me: (usize, usize),
        effect: &mut Effect,
    ) -> (Option<Comm>, Option<Branch>) {
        let mut comm = None;
        let mut branch = None;
        match node.kind() {
            "expression_statement" => {
                for part in children(node) {
                    self.value(part, scope, effect, true);
                    comm = self.mpi(part, Shape::Bare);
                }
            }
            "declaration" => self.declaration(node, scope, effect),
            "compound_statement" => {
                self.inner(node, scope, me, effect);
            }
            "if_statement" => {
                let body = node.child_by_field_name("consequence");
                if let (Some(condition), Some(body)) = (node.child_by_field_name("condition"), body)
                {
                    self.value(condition, scope, effect, true);
                    let body = self.inner(body, scope, me, effect);
                    branch = Some(Branch {
                        condition: condition.byte_range(),
                        body,
                        others: node.child_by_field_name("alternative").is_some(),
                    });
                    if let Some(other) = node.child_by_field_name("alternative") {
                        for part in children(other) {
                            self.inner(part, scope, me, effect);
                        }
                    }
                }
            }
            "for_statement" | "while_statement" | "do_statement" | "else_clause"
            | "switch_statement" => {
                for child in children(node) {
                    if child.kind().ends_with("_statement") {
                        self.inner(child, scope, me, effect);
                    } else if child.kind() == "declaration" {
                        self.declaration(child, scope, effect);
                    } else {
                        self.value(child, scope, effect, true);
                    }
                }
            }
            "return_statement" | "break_statement" | "continue_statement" | "goto_statement" => {
                effect.jumps = true;
                for part in children(node) {
                    self.value(part, scope, effect, true);
                }
            }
            other => {
                let line = node.start_position().row + 1;
                let what = other.trim_end_matches("_statement").replace('_', " ");
                effect.opaque(format!("line {line} ({what}) may do anything"));
                for part in children(node) {
                    self.value(part, scope, effect, true);
                }
            }
        }
        if comm.is_none() && effect.comm && branch.is_none() {
            comm = self.first_call(node);
        }
        (comm, branch)
    }

    /// A statement within one; without braces it is a block of its own, of which only the parser's tree knows.
    fn inner(
        &mut self,
        node: Node<'_>,
        scope: usize,
        me: (usize, usize),
        effect: &mut Effect,
    ) -> usize {
        let id = if node.kind() == "compound_statement" {
            self.block(node, scope, Some(me))
        } else {
            let id = self.unit.blocks.len();
            self.unit.blocks.push(Block {
                scope,
                stmts: vec![Stmt {
                    range: node.byte_range(),
                    rows: (node.start_position().row, node.end_position().row),
                    effect: Effect::default(),
                    comm: None,
                    branch: None,
                }],
                owner: Some(me),
            });
            let mut inside = Effect::default();
            let (comm, branch) = self.statement(node, scope, (id, 0), &mut inside);
            let stmt = &mut self.unit.blocks[id].stmts[0];
            (stmt.effect, stmt.comm, stmt.branch) = (inside, comm, branch);
            id
        };
        for stmt in &self.unit.blocks[id].stmts {
            effect.add(&stmt.effect);
        }
        id
    }

    fn declaration(&mut self, node: Node<'_>, scope: usize, effect: &mut Effect) {
        let mut cursor = node.walk();
        let list: Vec<_> = node
            .children_by_field_name("declarator", &mut cursor)
            .collect();
        for declared in list {
            let (named, value) = match declared.kind() {
                "init_declarator" => (
                    declared.child_by_field_name("declarator"),
                    declared.child_by_field_name("value"),
                ),
                _ => (Some(declared), None),
            };
            let Some(named) = named.filter(|n| find(*n, "function_declarator").is_none()) else {
                continue;
            };
            let Some(name) = find(named, "identifier").map(|n| self.text(n)) else {
                continue;
            };
            self.unit.scopes[scope].declared.insert(name.clone());
            let pointer = find(named, "pointer_declarator").is_some();
            if let Some(value) = value {
                self.value(value, scope, effect, true);
            }
            let origin = match value {
                // A variable or an array is memory of its own.
                _ if !pointer => Origin::Buffer,
                Some(value) => self.origin(value),
                None => continue,
            };
            effect.binds.insert(name.clone());
            self.unit.scopes[scope].bound.push((name, origin));
        }
    }

    /// What a pointer is set to.
    fn origin(&self, node: Node<'_>) -> Origin {
        match node.kind() {
            "call_expression" => {
                let function = node.child_by_field_name("function").map(|f| self.text(f));
                match function.as_deref() {
                    Some("malloc" | "calloc") => Origin::Buffer,
                    _ => Origin::Unknown(self.paths(node)),
                }
            }
            "cast_expression" => match node.child_by_field_name("value") {
                Some(value) => self.origin(value),
                None => Origin::Unknown(Vec::new()),
            },
            "number_literal" | "null" | "string_literal" => Origin::Fresh,
            "identifier"
            | "field_expression"
            | "pointer_expression"
            | "subscript_expression"
            | "binary_expression" => Origin::Of(self.paths(node)),
            _ => Origin::Unknown(self.paths(node)),
        }
    }

    fn paths(&self, node: Node<'_>) -> Vec<String> {
        if let Some(path) = self.path(node) {
            return vec![path];
        }
        children(node)
            .into_iter()
            .flat_map(|n| self.paths(n))
            .collect()
    }

    /// `a`, `a.b`, `a->b`.
    fn path(&self, node: Node<'_>) -> Option<String> {
        match node.kind() {
            "identifier" => Some(self.text(node)),
            "field_expression" => {
                let object = self.path(node.child_by_field_name("argument")?)?;
                let field = self.text(node.child_by_field_name("field")?);
                Some(format!("{object}.{field}"))
            }
            _ => None,
        }
    }

    /// The memory that an argument for a buffer leads to; `one`: a single element.
    fn memory(&self, node: Node<'_>, one: bool) -> Vec<Access> {
        let inner = match node.kind() {
            "pointer_expression" => node.child_by_field_name("argument").unwrap_or(node),
            _ => node,
        };
        if inner.kind() == "subscript_expression"
            && let Some(array) = inner.child_by_field_name("argument")
            && let Some(path) = self.path(array)
        {
            let index = inner.child_by_field_name("index");
            let index = index.and_then(|i| self.text(i).trim().parse::<i64>().ok());
            return vec![Access {
                path,
                part: index.filter(|_| one).map(|n| (n, n + 1)),
                deep: true,
            }];
        }
        self.paths(node)
            .into_iter()
            .map(|path| Access {
                path,
                part: None,
                deep: true,
            })
            .collect()
    }

    fn assign(&mut self, left: Node<'_>, from: &Origin, scope: usize, effect: &mut Effect) {
        match left.kind() {
            "identifier" => {
                let name = self.text(left);
                effect.binds.insert(name.clone());
                // It may be set through a pointer, too.
                effect.mutates.extend(self.memory(left, false));
                let known = self.unit.scopes[scope]
                    .bound
                    .iter()
                    .any(|b| b.0 == name && b.1 == Origin::Buffer);
                if !known {
                    self.unit.scopes[scope].bound.push((name, from.clone()));
                }
            }
            "field_expression" => {
                effect.mutates.extend(self.memory(left, false));
                if let Some(path) = self.path(left) {
                    let field = path.rsplit('.').next().unwrap_or_default().to_owned();
                    effect.binds.insert(path);
                    self.unit.fields.push((field, from.clone()));
                } else {
                    effect.opaque("a field of a computed object is set");
                }
            }
            _ => {
                self.value(left, scope, effect, true);
                effect.mutates.extend(self.memory(left, true));
            }
        }
    }

    fn value(&mut self, node: Node<'_>, scope: usize, effect: &mut Effect, deeply: bool) {
        match node.kind() {
            "identifier" | "field_expression" if self.path(node).is_some() => {
                if let Some(path) = self.path(node) {
                    effect.reads.push(Access {
                        path,
                        part: None,
                        deep: deeply,
                    });
                }
            }
            "assignment_expression" => {
                let (left, right) = (
                    node.child_by_field_name("left"),
                    node.child_by_field_name("right"),
                );
                if let (Some(left), Some(right)) = (left, right) {
                    self.value(right, scope, effect, true);
                    let plain = node
                        .child_by_field_name("operator")
                        .is_some_and(|o| o.kind() == "=");
                    if !plain {
                        self.value(left, scope, effect, true);
                    }
                    let from = self.origin(right);
                    self.assign(left, &from, scope, effect);
                }
            }
            "update_expression" => {
                if let Some(left) = node.child_by_field_name("argument") {
                    self.value(left, scope, effect, true);
                    self.assign(left, &Origin::Of(Vec::new()), scope, effect);
                }
            }
            "call_expression" => self.call(node, scope, effect),
            "sizeof_expression" => {}
            "comment" | "string_literal" | "number_literal" | "char_literal" => {}
            _ => {
                for part in children(node) {
                    self.value(part, scope, effect, deeply);
                }
            }
        }
    }

    fn call(&mut self, node: Node<'_>, scope: usize, effect: &mut Effect) {
        let name = node
            .child_by_field_name("function")
            .map(|f| self.text(f))
            .unwrap_or_default();
        let list = node
            .child_by_field_name("arguments")
            .map(children)
            .unwrap_or_default();
        if let Some(comm) = self.mpi(node, Shape::Nested) {
            effect.comm |= comm.kind != Kind::Other;
            let one = comm.text("count") == Some("1");
            for part in &list {
                let Some(arg) = comm.args.iter().find(|a| a.range == part.byte_range()) else {
                    continue;
                };
                if signatures::is_data(arg.name) {
                    effect.reads.extend(self.memory(*part, one));
                } else {
                    self.value(*part, scope, effect, false);
                }
                let fills = match comm.kind {
                    Kind::Recv | Kind::Irecv => arg.name == "buf",
                    Kind::Collective | Kind::Icollective => {
                        matches!(arg.name, "recvbuf" | "buf")
                    }
                    _ => false,
                };
                let out = ["status", "request", "rank", "size", "newcomm"];
                if fills || out.contains(&arg.name) {
                    let ignored = arg.text.starts_with("MPI_");
                    effect
                        .mutates
                        .extend(self.memory(*part, one).into_iter().filter(|_| !ignored));
                }
            }
            return;
        }
        if !PURE.contains(&name.as_str()) || self.unit.defined.contains(&name) {
            let line = node.start_position().row + 1;
            effect.calls.push((name.clone(), line));
        }
        effect.comm |= name.starts_with("MPI_");
        let args = list.iter().map(|a| {
            let origin = match a.kind() {
                "number_literal" | "string_literal" => Origin::Fresh,
                _ => Origin::Of(self.paths(*a)),
            };
            (None, origin)
        });
        let args = args.collect();
        self.unit.calls.push(CallSite {
            callee: name,
            scope,
            args,
            method: false,
        });
        for part in list {
            self.value(part, scope, effect, true);
            if part.kind() == "pointer_expression" {
                effect.mutates.extend(self.memory(part, false));
            }
        }
    }

    fn first_call(&self, node: Node<'_>) -> Option<Comm> {
        if node.kind() == "compound_statement" {
            return None;
        }
        if let Some(comm) = self.mpi(node, Shape::Nested) {
            return Some(comm);
        }
        children(node).into_iter().find_map(|n| self.first_call(n))
    }

    fn mpi(&self, node: Node<'_>, shape: Shape) -> Option<Comm> {
        if node.kind() != "call_expression" {
            return None;
        }
        let name = self.text(node.child_by_field_name("function")?);
        let signature = signatures::c(&name)?;
        let list = children(node.child_by_field_name("arguments")?);
        let list: Vec<_> = list.into_iter().filter(|c| c.kind() != "comment").collect();
        let args: Vec<Arg> = signature
            .params
            .iter()
            .zip(&list)
            .map(|(name, part)| Arg {
                name,
                text: self.text(*part),
                range: part.byte_range(),
            })
            .collect();
        let on = args.iter().find(|a| matches!(a.name, "comm"));
        let on = on.or(args.iter().find(|a| a.name == "request"));
        let (on, on_range) = on
            .map(|a| (a.text.clone(), a.range.clone()))
            .unwrap_or_default();
        Some(Comm {
            kind: signature.kind,
            unclear: args.len() != signature.params.len() || list.len() != args.len(),
            name,
            on,
            on_range,
            args,
            shape,
            range: node.byte_range(),
        })
    }
}

/// The first node of this kind, this one included.
fn find<'a>(node: Node<'a>, kind: &str) -> Option<Node<'a>> {
    if node.kind() == kind {
        return Some(node);
    }
    children(node).into_iter().find_map(|n| find(n, kind))
}
