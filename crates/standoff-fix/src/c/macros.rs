//! Macros that the file defines. They are not expanded; but a name that is one stands for the names in it, if it is no more than an expression.

use tree_sitter::Node;

use super::{Reader, children};
use crate::unit::Effect;

/// How deep macros stand in macros.
const DEPTH: u32 = 8;

impl Reader {
    /// Functions, macros and unions, wherever they are.
    pub(super) fn redefined(&mut self, node: Node<'_>) {
        match node.kind() {
            "preproc_def" | "preproc_function_def" => {
                let Some(name) = node.child_by_field_name("name") else {
                    return;
                };
                let name = self.text(name);
                let value = node.child_by_field_name("value");
                let body = value.map(|v| self.text(v)).unwrap_or_default();
                let names = match node.kind() {
                    "preproc_def" => named(&body),
                    _ => None,
                };
                // Defined twice, it is the one or the other.
                let names = match (self.unit.macros.get(&name), names) {
                    (None, names) => names,
                    (Some(Some(before)), Some(now)) => Some([before.clone(), now].concat()),
                    _ => None,
                };
                self.unit.defined.insert(name.clone());
                self.unit.macros.insert(name, names);
            }
            "function_definition" => {
                let declarator = node.child_by_field_name("declarator");
                let declarator = declarator.and_then(|d| super::find(d, "function_declarator"));
                if let Some(name) = declarator.and_then(|d| d.child_by_field_name("declarator")) {
                    let name = self.text(name);
                    self.unit.defined.insert(name);
                }
            }
            "declaration" | "parameter_declaration" => {
                let mut cursor = node.walk();
                let list = node.children_by_field_name("declarator", &mut cursor);
                for declared in list.collect::<Vec<_>>() {
                    if super::find(declared, "pointer_declarator").is_some()
                        && let Some(name) = super::find(declared, "identifier")
                    {
                        let name = self.text(name);
                        self.pointers.insert(name);
                    }
                }
            }
            "union_specifier" => self.unit.overlaid = true,
            _ => {}
        }
    }

    /// Names in macros are used where the macros are.
    pub(super) fn expand(&self, effect: &mut Effect) {
        for _ in 0..DEPTH {
            let mut more = Effect::default();
            let used = effect.reads.iter().map(|a| (a, false));
            let used = used.chain(effect.mutates.iter().map(|a| (a, true)));
            for (access, written) in used {
                let root = access.path.split('.').next().unwrap_or_default();
                let Some(names) = self.unit.macros.get(root) else {
                    continue;
                };
                let Some(names) = names else {
                    more.opaque(format!("`{root}` is a macro that may do anything"));
                    continue;
                };
                for name in names {
                    let access = crate::unit::Access {
                        path: name.clone(),
                        part: None,
                        deep: access.deep,
                    };
                    let list = if written {
                        &effect.mutates
                    } else {
                        &effect.reads
                    };
                    if !list.contains(&access) {
                        match written {
                            true => more.mutates.push(access),
                            false => more.reads.push(access),
                        }
                    }
                }
            }
            for bound in &effect.binds {
                let root = bound.split('.').next().unwrap_or_default();
                if self.unit.macros.contains_key(root) {
                    more.opaque(format!("`{root}` is a macro that is set"));
                }
            }
            if more.reads.is_empty() && more.mutates.is_empty() && more.opaque.is_none() {
                return;
            }
            effect.add(&more);
        }
        effect.opaque("macros stand in macros");
    }

    /// The names that macros in an expression hide.
    pub(super) fn hidden(&self, mut paths: Vec<String>) -> Vec<String> {
        let mut n = 0;
        while n < paths.len() {
            let root = paths[n].split('.').next().unwrap_or_default();
            if let Some(Some(names)) = self.unit.macros.get(root) {
                let new: Vec<_> = names
                    .iter()
                    .filter(|n| !paths.contains(n))
                    .cloned()
                    .collect();
                paths.extend(new);
            }
            n += 1;
        }
        paths
    }

    /// An expression in which a macro does more than to name.
    pub(super) fn unclear(&self, node: Node<'_>) -> bool {
        let is = node.kind() == "identifier" && {
            let names = self.unit.macros.get(&self.text(node));
            names.is_some_and(Option::is_none)
        };
        is || children(node).into_iter().any(|n| self.unclear(n))
    }
}

/// The names in the body of a macro that is an expression without effects; constants of MPI are not among them.
fn named(body: &str) -> Option<Vec<String>> {
    let body = body.split("//").next().unwrap_or_default();
    let body = body
        .split("/*")
        .next()
        .unwrap_or_default()
        .replace("->", ".");
    let plain = |c: char| c.is_ascii_alphanumeric() || " \t_.()[]+-*/%&<>|'\"".contains(c);
    if !body.chars().all(plain) || body.contains("++") || body.contains("--") {
        return None;
    }
    if body.contains('"') {
        return body.starts_with('"').then(Vec::new);
    }
    let mut names = Vec::new();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let mut rest = body.as_str();
    while let Some(start) = rest.find(word) {
        let tail = &rest[start..];
        let end = tail.find(|c| !word(c)).unwrap_or(tail.len());
        let name = &tail[..end];
        rest = &tail[end..];
        if name.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            continue;
        }
        if rest.trim_start().starts_with('(') {
            // A call, or a cast before something in brackets.
            return None;
        }
        if !name.starts_with("MPI_") {
            names.push(name.to_owned());
        }
    }
    Some(names)
}
