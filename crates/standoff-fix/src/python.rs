//! Python, parsed by tree-sitter.

use std::collections::BTreeSet;

use tree_sitter::{Node, Parser};

use crate::alias;
use crate::signatures;
use crate::unit::{Arg, Block, Branch, Comm, Effect, Language, Origin, Scope, Shape, Stmt, Unit};

/// Reads a file; an error says in which line it does not parse.
pub(crate) fn parse(text: &str) -> Result<Unit, String> {
    let mut parser = Parser::new();
    let language = tree_sitter_python::LANGUAGE.into();
    parser.set_language(&language).map_err(|e| e.to_string())?;
    let tree = parser.parse(text, None).ok_or("it could not be parsed")?;
    crate::c::sound(tree.root_node())?;
    let unit = Unit::new(Language::Python, text);
    let mut reader = Reader {
        unit,
        stores: Vec::new(),
        buffers: BTreeSet::new(),
        modules: BTreeSet::new(),
    };
    reader.names(tree.root_node());
    reader.block(tree.root_node(), 0, None);
    Ok(reader.done())
}

mod values;

use values::deep;

struct Reader {
    unit: Unit,
    /// Names stored into an element of another.
    stores: Vec<(usize, String, Vec<String>)>,
    /// Names whose memory is sent or filled as it is: arrays of numbers.
    buffers: BTreeSet<(usize, String)>,
    /// Names of modules.
    modules: BTreeSet<String>,
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

impl Reader {
    fn done(mut self) -> Unit {
        // A copy of numbers is new; what is copied may be a copy itself.
        loop {
            let mut known = Vec::new();
            for (s, scope) in self.unit.scopes.iter().enumerate() {
                for (n, (name, origin)) in scope.bound.iter().enumerate() {
                    let Origin::Copy(paths) = origin else {
                        continue;
                    };
                    let numbers = |p: &String| alias::holds_numbers(&self.unit, s, p);
                    let sent = self.buffers.contains(&(s, name.clone()));
                    if sent || !paths.is_empty() && paths.iter().all(numbers) {
                        known.push((s, n));
                    }
                }
            }
            for (s, n) in &known {
                self.unit.scopes[*s].bound[*n].1 = Origin::Buffer;
            }
            if known.is_empty() {
                break;
            }
        }
        for (scope, target, names) in std::mem::take(&mut self.stores) {
            let numbers = self.buffers.contains(&(scope, target.clone()));
            if !numbers && !alias::holds_numbers(&self.unit, scope, &target) {
                self.unit.hold(scope, &target, names);
            }
        }
        self.unit
    }

    fn text(&self, node: Node<'_>) -> String {
        self.unit.slice(node.byte_range()).to_owned()
    }

    fn names(&mut self, node: Node<'_>) {
        if node.kind() == "identifier" {
            let name = self.text(node);
            self.unit.names.insert(name);
        }
        self.redefined(node);
        for child in children(node) {
            self.names(child);
        }
    }

    /// Names of functions and classes, wherever they are, and what other modules may call like something known.
    fn redefined(&mut self, node: Node<'_>) {
        match node.kind() {
            "function_definition" | "class_definition" => {
                if let Some(name) = node.child_by_field_name("name") {
                    let name = self.text(name);
                    self.unit.defined.insert(name);
                }
            }
            "import_from_statement" => {
                let module = node.child_by_field_name("module_name");
                let known = module.is_some_and(|m| {
                    let module = self.text(m);
                    let first = module.split('.').next().unwrap_or_default();
                    matches!(
                        first,
                        "numpy" | "math" | "cmath" | "copy" | "array" | "mpi4py"
                    )
                });
                for name in children(node).into_iter().skip(1).filter(|_| !known) {
                    let name = name.child_by_field_name("alias").unwrap_or(name);
                    let name = self.text(name);
                    self.unit.defined.insert(name);
                }
            }
            _ => {}
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
            // There first, as the blocks within name it.
            self.unit.blocks[id].stmts.push(Stmt {
                range: child.byte_range(),
                rows: (child.start_position().row, child.end_position().row),
                effect: Effect::default(),
                comm: None,
                branch: None,
            });
            let (effect, comm, branch) = self.statement(child, scope, (id, at));
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
    ) -> (Effect, Option<Comm>, Option<Branch>) {
        let mut effect = Effect::default();
        let mut comm = None;
        let mut branch = None;
        match node.kind() {
            "expression_statement" => {
                let parts = children(node);
                for part in &parts {
                    self.expression(*part, scope, &mut effect);
                }
                comm = match parts.as_slice() {
                    [one] => self.whole_call(*one),
                    _ => None,
                };
            }
            "return_statement" => {
                effect.jumps = true;
                for part in children(node) {
                    self.value(part, scope, &mut effect, true);
                    comm = self.mpi(part, Shape::Return);
                }
            }
            "if_statement" => {
                if let Some(condition) = node.child_by_field_name("condition") {
                    self.value(condition, scope, &mut effect, true);
                    let others = node.child_by_field_name("alternative").is_some();
                    if let Some(body) = node.child_by_field_name("consequence") {
                        let body = self.inner(body, scope, me, &mut effect);
                        branch = Some(Branch {
                            condition: condition.byte_range(),
                            body,
                            others,
                        });
                    }
                    let mut cursor = node.walk();
                    let others = node.children_by_field_name("alternative", &mut cursor);
                    for other in others.collect::<Vec<_>>() {
                        self.compound(other, scope, me, &mut effect);
                    }
                }
            }
            "function_definition" | "class_definition" | "decorated_definition" => {
                self.definition(node, scope, me, &mut effect);
            }
            "pass_statement" | "global_statement" | "nonlocal_statement" => {
                if node.kind() != "pass_statement" {
                    for name in children(node) {
                        let name = self.text(name);
                        self.unit.scopes[scope].shared.insert(name);
                    }
                }
            }
            "for_statement" | "while_statement" | "try_statement" | "with_statement" => {
                if matches!(node.kind(), "with_statement" | "try_statement") {
                    effect.opaque("a `with` or `try` stands between");
                }
                self.compound(node, scope, me, &mut effect);
            }
            "break_statement" | "continue_statement" | "raise_statement" => {
                effect.jumps = true;
                for part in children(node) {
                    self.value(part, scope, &mut effect, true);
                }
            }
            "assert_statement" => {
                effect.jumps = true;
                for part in children(node) {
                    self.value(part, scope, &mut effect, true);
                }
            }
            other => {
                let line = node.start_position().row + 1;
                let what = other.trim_end_matches("_statement").replace('_', " ");
                effect.opaque(format!("line {line} ({what}) may do anything"));
                for part in children(node) {
                    self.value(part, scope, &mut effect, true);
                    match other {
                        // Its patterns bind names, and its cases are not looked into.
                        "match_statement" => {
                            let paths = self.paths(node);
                            for name in &paths {
                                let from = Origin::Unknown(paths.clone());
                                self.unit.scopes[scope].bound.push((name.clone(), from));
                            }
                        }
                        "import_statement" => self.imported(part, scope, &Origin::Fresh),
                        "import_from_statement" => {
                            self.imported(part, scope, &Origin::Unknown(Vec::new()));
                        }
                        _ => {}
                    }
                }
            }
        }
        if comm.is_none() && effect.comm && branch.is_none() {
            comm = self.first_call(node);
        }
        (effect, comm, branch)
    }

    fn imported(&mut self, node: Node<'_>, scope: usize, from: &Origin) {
        if node.kind() == "identifier" {
            let name = self.text(node);
            if *from == Origin::Fresh {
                self.modules.insert(name.clone());
            }
            self.unit.scopes[scope].bound.push((name, from.clone()));
        }
        for child in children(node) {
            self.imported(child, scope, from);
        }
    }

    /// A block within a statement; its effects are the statement's.
    fn inner(
        &mut self,
        node: Node<'_>,
        scope: usize,
        me: (usize, usize),
        effect: &mut Effect,
    ) -> usize {
        let block = self.block(node, scope, Some(me));
        for stmt in &self.unit.blocks[block].stmts {
            effect.add(&stmt.effect);
        }
        block
    }

    fn compound(&mut self, node: Node<'_>, scope: usize, me: (usize, usize), effect: &mut Effect) {
        if node.kind() == "for_statement" {
            let (left, right) = (
                node.child_by_field_name("left"),
                node.child_by_field_name("right"),
            );
            if let (Some(left), Some(right)) = (left, right) {
                let from = self.origin(right);
                let from = match from {
                    Origin::Fresh | Origin::Buffer => Origin::Fresh,
                    other => other,
                };
                self.bind(left, &from, scope, effect);
            }
        }
        for child in children(node) {
            match child.kind() {
                "block" => {
                    self.inner(child, scope, me, effect);
                }
                "comment" => {}
                kind if kind.ends_with("_clause") && kind != "with_clause" => {
                    self.compound(child, scope, me, effect);
                }
                _ => self.value(child, scope, effect, true),
            }
        }
        if node.kind() == "with_statement" {
            self.as_targets(node, scope, effect);
        }
    }

    fn as_targets(&mut self, node: Node<'_>, scope: usize, effect: &mut Effect) {
        for child in children(node) {
            if child.kind() == "as_pattern_target" {
                let names = self.paths(child);
                for name in names {
                    effect.binds.insert(name.clone());
                    let unknown = Origin::Unknown(self.paths(node));
                    self.unit.scopes[scope].bound.push((name, unknown));
                }
            } else if child.kind() != "block" {
                self.as_targets(child, scope, effect);
            }
        }
    }

    fn definition(
        &mut self,
        node: Node<'_>,
        scope: usize,
        me: (usize, usize),
        effect: &mut Effect,
    ) {
        if node.kind() == "decorated_definition" {
            effect.opaque("a decorator stands between");
            if let Some(inner) = node.child_by_field_name("definition") {
                self.definition(inner, scope, me, effect);
            }
            return;
        }
        let Some(name) = node.child_by_field_name("name") else {
            return;
        };
        let name = self.text(name);
        effect.binds.insert(name.clone());
        self.unit.scopes[scope]
            .bound
            .push((name.clone(), Origin::Fresh));
        self.unit.defined.insert(name.clone());
        let Some(body) = node.child_by_field_name("body") else {
            return;
        };
        if node.kind() == "class_definition" {
            let first = self.unit.scopes.len();
            self.block(body, scope, Some(me));
            for method in &mut self.unit.scopes[first..] {
                method.class.get_or_insert_with(|| name.clone());
            }
            return;
        }
        let inner = self.unit.scopes.len();
        let params = node.child_by_field_name("parameters");
        let params = params.map(children).unwrap_or_default();
        let defaults = params.iter().any(|p| {
            p.child_by_field_name("value").is_some_and(|v| {
                !matches!(
                    v.kind(),
                    "integer" | "float" | "string" | "true" | "false" | "none" | "unary_operator"
                )
            })
        });
        let params = params.into_iter().map(|p| self.parameter(p)).collect();
        self.unit.scopes.push(Scope {
            name,
            params,
            defaults,
            range: node.byte_range(),
            ..Scope::default()
        });
        // Its statements run when it is called.
        self.block(body, inner, Some(me));
    }

    fn parameter(&self, node: Node<'_>) -> String {
        match node.kind() {
            "identifier" => self.text(node),
            _ => node
                .child_by_field_name("name")
                .or_else(|| node.named_child(0))
                .map(|n| self.text(n))
                .unwrap_or_default(),
        }
    }

    /// An expression that is a statement: an assignment, or a value that is dropped.
    fn expression(&mut self, node: Node<'_>, scope: usize, effect: &mut Effect) {
        match node.kind() {
            "assignment" => {
                let left = node.child_by_field_name("left");
                let right = node.child_by_field_name("right");
                if let Some(right) = right {
                    if right.kind() == "assignment" {
                        self.expression(right, scope, effect);
                        effect.opaque("a chained assignment stands between");
                    } else {
                        self.value(right, scope, effect, true);
                    }
                    if let Some(left) = left {
                        self.assign(left, right, scope, effect);
                    }
                }
            }
            "augmented_assignment" => {
                if let Some(right) = node.child_by_field_name("right") {
                    self.value(right, scope, effect, true);
                }
                if let Some(left) = node.child_by_field_name("left") {
                    self.value(left, scope, effect, true);
                    let right = node.child_by_field_name("right");
                    let added = right.map(|r| self.paths(r)).unwrap_or_default();
                    for path in self.paths(left) {
                        self.stores.push((scope, path.clone(), added.clone()));
                        effect.binds.insert(path.clone());
                        effect.mutates.push(deep(path));
                    }
                }
            }
            _ => self.value(node, scope, effect, true),
        }
    }

    fn assign(&mut self, left: Node<'_>, right: Node<'_>, scope: usize, effect: &mut Effect) {
        let tuple = |n: Node<'_>| {
            matches!(
                n.kind(),
                "pattern_list" | "tuple_pattern" | "expression_list" | "tuple"
            )
        };
        if tuple(left) && tuple(right) && children(left).len() == children(right).len() {
            for (l, r) in children(left).into_iter().zip(children(right)) {
                let from = self.origin(r);
                self.bind(l, &from, scope, effect);
            }
            return;
        }
        let from = match self.origin(right) {
            // What comes out of several is not known to be apart.
            Origin::Buffer if tuple(left) => Origin::Fresh,
            other => other,
        };
        self.bind(left, &from, scope, effect);
    }

    fn bind(&mut self, left: Node<'_>, from: &Origin, scope: usize, effect: &mut Effect) {
        match left.kind() {
            "identifier" => {
                let name = self.text(left);
                effect.binds.insert(name.clone());
                self.unit.scopes[scope].bound.push((name, from.clone()));
            }
            "attribute" => {
                self.value(left, scope, effect, false);
                if let Some(path) = self.path(left) {
                    let field = path.rsplit('.').next().unwrap_or_default().to_owned();
                    if let Origin::Of(names) | Origin::Unknown(names) | Origin::Copy(names) = from {
                        self.unit.hold(scope, &path, names.clone());
                    }
                    effect.binds.insert(path);
                    self.unit.fields.push((field, scope, from.clone()));
                } else {
                    effect.opaque("an attribute of a computed object is set");
                }
            }
            "subscript" => {
                let mut inside = Effect::default();
                for part in children(left) {
                    self.value(part, scope, &mut inside, true);
                }
                effect.add(&inside);
                for access in self.memory(left) {
                    if let Origin::Of(names) | Origin::Unknown(names) | Origin::Copy(names) = from {
                        let store = (scope, access.path.clone(), names.clone());
                        self.stores.push(store);
                    }
                    effect.mutates.push(access);
                }
            }
            _ => {
                for part in children(left) {
                    self.bind(part, from, scope, effect);
                }
            }
        }
    }

    /// The call of MPI that an expression statement is.
    fn whole_call(&self, node: Node<'_>) -> Option<Comm> {
        match node.kind() {
            "call" => self.mpi(node, Shape::Bare),
            "assignment" => {
                let left = node.child_by_field_name("left")?;
                let simple = matches!(left.kind(), "identifier" | "attribute" | "subscript");
                if !simple || node.child_by_field_name("type").is_some() {
                    return None;
                }
                let target = self.text(left);
                self.mpi(node.child_by_field_name("right")?, Shape::Assign(target))
            }
            _ => None,
        }
    }

    fn first_call(&self, node: Node<'_>) -> Option<Comm> {
        if matches!(
            node.kind(),
            "block" | "function_definition" | "class_definition"
        ) {
            return None;
        }
        if let Some(comm) = self.mpi(node, Shape::Nested) {
            return Some(comm);
        }
        children(node).into_iter().find_map(|n| self.first_call(n))
    }

    /// What a call of MPI is.
    fn mpi(&self, node: Node<'_>, shape: Shape) -> Option<Comm> {
        if node.kind() != "call" {
            return None;
        }
        let function = node.child_by_field_name("function")?;
        let name = self.text(function.child_by_field_name("attribute")?);
        let on = function.child_by_field_name("object")?;
        let signature = signatures::python(&name)?;
        let mut args = Vec::new();
        let mut unclear = false;
        let list = node.child_by_field_name("arguments")?;
        for (n, part) in children(list)
            .into_iter()
            .filter(|c| c.kind() != "comment")
            .enumerate()
        {
            let (name, value) = match part.kind() {
                "keyword_argument" => {
                    let name = self.text(part.child_by_field_name("name")?);
                    let name = match name.as_str() {
                        "obj" => "buf",
                        "sendobj" => "sendbuf",
                        other => other,
                    };
                    let param = signature.params.iter().find(|p| **p == name);
                    (param.copied(), part.child_by_field_name("value")?)
                }
                "list_splat" | "dictionary_splat" => (None, part),
                _ => (signature.params.get(n).copied(), part),
            };
            match name {
                Some(name) => args.push(Arg {
                    name,
                    text: self.text(value),
                    range: value.byte_range(),
                }),
                None => unclear = true,
            }
        }
        Some(Comm {
            kind: signature.kind,
            name,
            on: self.text(on),
            on_range: on.byte_range(),
            args,
            shape,
            range: node.byte_range(),
            unclear,
        })
    }
}
