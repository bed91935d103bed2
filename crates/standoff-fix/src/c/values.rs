//! What expressions of C read, do and stand for.

use tree_sitter::Node;

use super::{Reader, children, find};
use crate::signatures;
use crate::unit::{Access, CallSite, Effect, Kind, Origin, Shape};

/// Functions that only look at their arguments.
const PURE: &[&str] = &[
    "abs", "labs", "fabs", "sqrt", "sin", "cos", "exp", "log", "pow", "floor", "ceil", "fmin",
    "fmax", "strlen", "malloc", "calloc",
];

impl Reader {
    /// What a pointer is set to.
    pub(super) fn origin(&self, node: Node<'_>) -> Origin {
        match node.kind() {
            _ if self.unclear(node) => Origin::Unknown(self.paths(node)),
            "call_expression" => {
                let function = node.child_by_field_name("function").map(|f| self.text(f));
                let defined = function
                    .as_ref()
                    .is_some_and(|f| self.unit.defined.contains(f));
                match function.as_deref() {
                    Some("malloc" | "calloc") if !defined => Origin::Buffer,
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

    pub(super) fn paths(&self, node: Node<'_>) -> Vec<String> {
        if let Some(path) = self.path(node) {
            return self.hidden(vec![path]);
        }
        children(node)
            .into_iter()
            .flat_map(|n| self.paths(n))
            .collect()
    }

    /// `a`, `a.b`, `a->b`.
    pub(super) fn path(&self, node: Node<'_>) -> Option<String> {
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
    pub(super) fn memory(&self, node: Node<'_>, one: bool) -> Vec<Access> {
        let inner = match node.kind() {
            "pointer_expression" => node.child_by_field_name("argument").unwrap_or(node),
            _ => node,
        };
        if inner != node
            && !one
            && inner.kind() == "field_expression"
            && let Some(object) = inner.child_by_field_name("argument")
            && let Some(path) = self.path(object)
        {
            // From this field on.
            return vec![Access {
                path,
                part: None,
                deep: true,
            }];
        }
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

    pub(super) fn assign(
        &mut self,
        left: Node<'_>,
        from: &Origin,
        scope: usize,
        effect: &mut Effect,
    ) {
        match left.kind() {
            "parenthesized_expression" if children(left).len() == 1 => {
                self.assign(children(left)[0], from, scope, effect);
            }
            "identifier" => {
                let name = self.text(left);
                effect.binds.insert(name.clone());
                // It may be set through a pointer, too.
                effect.mutates.extend(self.memory(left, false));
                let bound = &mut self.unit.scopes[scope].bound;
                let own = bound.iter().any(|b| b.0 == name && b.1 == Origin::Buffer);
                match own && !self.pointers.contains(&name) {
                    // It stays the memory that it is.
                    true => self.hold(&name, from, scope),
                    false => bound.push((name, from.clone())),
                }
            }
            "field_expression" => {
                effect.mutates.extend(self.memory(left, false));
                if let Some(path) = self.path(left) {
                    let field = path.rsplit('.').next().unwrap_or_default().to_owned();
                    self.hold(&path, from, scope);
                    effect.binds.insert(path);
                    self.unit.fields.push((field, scope, from.clone()));
                } else {
                    effect.opaque("a field of a computed object is set");
                }
            }
            _ => {
                self.value(left, scope, effect, true);
                let written = self.memory(left, true);
                for access in &written {
                    self.hold(&access.path, from, scope);
                    if find(left, "cast_expression").is_some() {
                        let bound = &mut self.unit.scopes[scope].bound;
                        bound.push((access.path.clone(), from.clone()));
                    }
                }
                effect.mutates.extend(written);
            }
        }
    }

    /// What is stored there may be a pointer.
    fn hold(&mut self, target: &str, from: &Origin, scope: usize) {
        let numbers = |s: usize| self.unit.scopes[s].numbers.contains(target);
        let own = self.unit.scopes[scope].declared.contains(target)
            || self.unit.scopes[scope].params.iter().any(|p| p == target);
        if numbers(scope) || !own && numbers(0) {
            return;
        }
        if let Origin::Of(paths) | Origin::Unknown(paths) = from {
            self.unit.hold(scope, target, paths.clone());
        }
    }

    /// What a variable starts with.
    pub(super) fn put(&mut self, name: &str, value: Node<'_>, scope: usize) {
        let paths = self.paths(value);
        let cast = find(value, "cast_expression").and_then(|c| c.child_by_field_name("type"));
        let cast = cast.map(|t| self.text(t)).unwrap_or_default();
        if ["long", "ptr", "size_t"].iter().any(|t| cast.contains(t)) {
            // A pointer as a number.
            self.unit.hold(scope, name, paths);
        } else {
            self.hold(name, &Origin::Of(paths), scope);
        }
    }

    /// Whether what is declared is a number, or leads to numbers, and to no pointers.
    pub(super) fn numbers(&self, declaration: Node<'_>, named: Node<'_>) -> bool {
        let kind = declaration.child_by_field_name("type").map(|t| t.kind());
        let pointer = find(named, "pointer_declarator");
        let array = find(named, "array_declarator").is_some();
        let pointers = pointer.is_some_and(|p| {
            let inner = p.child_by_field_name("declarator");
            array || inner.is_some_and(|i| find(i, "pointer_declarator").is_some())
        });
        matches!(kind, Some("primitive_type" | "sized_type_specifier")) && !pointers
    }

    pub(super) fn value(
        &mut self,
        node: Node<'_>,
        scope: usize,
        effect: &mut Effect,
        deeply: bool,
    ) {
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
            "pointer_expression" if self.text(node).starts_with('&') => {
                let inner = node.child_by_field_name("argument").unwrap_or(node);
                if inner.kind() == "identifier" {
                    self.pointed(inner, scope);
                }
                self.value(inner, scope, effect, deeply);
            }
            "gnu_asm_expression" => {
                effect.opaque("assembler code stands between");
            }
            "sizeof_expression" => {}
            "comment" | "string_literal" | "number_literal" | "char_literal" => {}
            _ => {
                for part in children(node) {
                    self.value(part, scope, effect, deeply);
                }
            }
        }
    }

    /// The address of a variable is taken: if that is a pointer, it may be set where its name is not.
    fn pointed(&mut self, variable: Node<'_>, scope: usize) {
        let name = self.text(variable);
        let here = &mut self.unit.scopes[scope];
        if self.pointers.contains(&name) {
            here.bound.push((name, Origin::Unknown(Vec::new())));
        }
    }

    pub(super) fn call(&mut self, node: Node<'_>, scope: usize, effect: &mut Effect) {
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
            callee: name.clone(),
            scope,
            args,
            method: false,
        });
        let in_macro = self.unit.macros.contains_key(&name);
        let given: Vec<Vec<String>> = list.iter().map(|p| self.paths(*p)).collect();
        for (n, part) in list.into_iter().enumerate() {
            self.value(part, scope, effect, true);
            if part.kind() == "pointer_expression" {
                effect.mutates.extend(self.memory(part, false));
                // It may be set to any of the others.
                let others = given.iter().enumerate().filter(|(m, _)| *m != n);
                let others = others.flat_map(|(_, p)| p.clone()).collect();
                if let Some(name) = given[n].first() {
                    let from = Origin::Of(others);
                    self.hold(name, &from, scope);
                    if self.pointers.contains(name) {
                        self.unit.scopes[scope].bound.push((name.clone(), from));
                    }
                }
            } else if in_macro && part.kind() == "identifier" {
                // To whatever the macro names.
                let others = [given.concat(), vec![name.clone()]].concat();
                let set = self.text(part);
                let from = Origin::Of(others);
                self.unit.scopes[scope].bound.push((set, from));
            }
        }
    }
}
