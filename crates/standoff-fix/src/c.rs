//! C, parsed by tree-sitter. Macros are not expanded: see `c/macros.rs`.

use std::collections::BTreeSet;

use tree_sitter::{Node, Parser};

use crate::signatures;
use crate::unit::{Arg, Block, Branch, Comm, Effect, Language, Origin, Scope, Shape, Stmt, Unit};

/// Reads a file; an error says in which line it does not parse.
pub(crate) fn parse(text: &str) -> Result<Unit, String> {
    let mut parser = Parser::new();
    let language = tree_sitter_c::LANGUAGE.into();
    parser.set_language(&language).map_err(|e| e.to_string())?;
    let tree = parser.parse(text, None).ok_or("it could not be parsed")?;
    sound(tree.root_node())?;
    let unit = Unit::new(Language::C, text);
    let mut reader = Reader {
        unit,
        pointers: BTreeSet::new(),
    };
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

mod macros;
mod values;

struct Reader {
    unit: Unit,
    /// Names that are declared as pointers somewhere.
    pointers: BTreeSet<String>,
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
        self.redefined(node);
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
        let mut numbers = BTreeSet::new();
        let mut params = Vec::new();
        for p in list {
            if p.kind() != "parameter_declaration" {
                continue;
            }
            let named = p.child_by_field_name("declarator");
            let name = named.and_then(|d| find(d, "identifier"));
            let name = name.map(|n| self.text(n)).unwrap_or_default();
            if named.is_some_and(|d| self.numbers(p, d)) {
                numbers.insert(name.clone());
            }
            params.push(name);
        }
        let scope = self.unit.scopes.len();
        self.unit.scopes.push(Scope {
            name,
            params,
            numbers,
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
            self.expand(&mut effect);
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
            self.expand(&mut inside);
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
            if self.numbers(node, named) {
                self.unit.scopes[scope].numbers.insert(name.clone());
            }
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
            if let Some(value) = value.filter(|_| !pointer) {
                // A struct or a list may have pointers.
                self.put(&name, value, scope);
            }
            self.unit.scopes[scope].bound.push((name, origin));
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
        if self.unit.macros.contains_key(&name) {
            return None;
        }
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
