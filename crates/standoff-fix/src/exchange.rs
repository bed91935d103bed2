//! Sends and receives in the wrong order: their places swapped, both joined into one call, or one made nonblocking.
//!
//! Each side of a deadlock is an *exchange*: a run of receives and a run of sends in one block, in either order, with other statements
//! between. What may move past what is [`depend`]'s to say.

use crate::depend;
use crate::edit::Edit;
use crate::join::{joined, removal};
use crate::summary::resolved;
use crate::unit::{Comm, Effect, Kind, Language, Shape, Stmt, Unit};

/// One side.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub block: usize,
    /// Statements of the block in which the side is stuck first, in order.
    pub first: Vec<usize>,
    /// Those that would have released the others.
    pub second: Vec<usize>,
}

/// The exchange around a stuck statement, or why there is none.
pub(crate) fn around(unit: &Unit, block: usize, at: usize) -> Result<Exchange, String> {
    let stmts = &unit.blocks[block].stmts;
    let line = stmts[at].rows.0 + 1;
    let Some(stuck) = &stmts[at].comm else {
        return Err(format!(
            "line {line} makes no call of MPI that is understood here"
        ));
    };
    let class = |comm: &Comm| match comm.kind {
        Kind::Recv => Some(false),
        Kind::Send | Kind::Ssend => Some(true),
        _ => None,
    };
    let usable = |comm: &Comm| comm.shape != Shape::Nested && !comm.unclear;
    if !usable(stuck) {
        return Err(format!(
            "the call in line {line} is part of something larger"
        ));
    }
    let wait = stuck.kind == Kind::Wait;
    if class(stuck).is_none() && !wait {
        return Err(format!("line {line} neither sends nor receives"));
    }
    let mut first = vec![at];
    let mut second = Vec::new();
    let communicator = match wait {
        true => posted(unit, block, stuck).map(|c| c.on.clone()),
        false => Some(stuck.on.clone()),
    };
    let sends = match wait {
        true => posted(unit, block, stuck).map(|c| c.kind == Kind::Isend),
        false => class(stuck),
    };
    let same = |comm: &Comm| communicator.as_ref() == Some(&comm.on) && usable(comm);
    for (n, stmt) in stmts.iter().enumerate().skip(at + 1) {
        let Some(comm) = stmt.comm.as_ref().filter(|_| stmt.effect.comm) else {
            if stmt.effect.comm {
                break;
            }
            continue;
        };
        match class(comm) {
            Some(send) if same(comm) && Some(send) == sends && second.is_empty() && !wait => {
                first.push(n);
            }
            Some(send) if same(comm) && Some(!send) == sends => second.push(n),
            _ => break,
        }
    }
    for n in (0..at).rev().take_while(|_| !wait) {
        match &stmts[n].comm {
            Some(comm) if class(comm) == sends && same(comm) => first.insert(0, n),
            None if !stmts[n].effect.comm => {}
            _ => break,
        }
    }
    if second.is_empty() {
        let what = if sends == Some(true) {
            "receive"
        } else {
            "send"
        };
        return Err(format!(
            "no {what} on the same communicator follows line {line} in its block"
        ));
    }
    Ok(Exchange {
        block,
        first,
        second,
    })
}

/// The nonblocking call that a wait is for.
fn posted<'a>(unit: &'a Unit, block: usize, wait: &Comm) -> Option<&'a Comm> {
    let scope = unit.blocks[block].scope;
    let blocks = unit.blocks.iter().filter(|b| b.scope == scope);
    let calls = blocks
        .flat_map(|b| &b.stmts)
        .filter_map(|s| s.comm.as_ref());
    let mut calls = calls.filter(|c| match &c.shape {
        Shape::Assign(target) => *target == wait.on,
        _ => c.text("request").is_some_and(|r| r == wait.on) && c.kind != Kind::Wait,
    });
    let one = calls.next()?;
    calls.next().is_none().then_some(one)
}

/// What a statement does, a receive that is returned not being a jump for us, and a wait filling what its receive fills.
fn effect(unit: &Unit, block: usize, stmt: &Stmt) -> Effect {
    let mut effect = resolved(unit, &stmt.effect);
    let Some(comm) = &stmt.comm else {
        return effect;
    };
    if comm.shape == Shape::Return {
        effect.jumps = false;
    }
    if comm.kind == Kind::Wait {
        let scope = unit.blocks[block].scope;
        let blocks = unit.blocks.iter().filter(|b| b.scope == scope);
        let mut stmts = blocks.flat_map(|b| &b.stmts);
        let posted = posted(unit, block, comm);
        match posted
            .and_then(|p| stmts.find(|s| s.comm.as_ref().is_some_and(|c| c.range == p.range)))
        {
            Some(post) => effect.mutates.extend(post.effect.mutates.iter().cloned()),
            None => effect.opaque("which request is waited for is not seen here"),
        }
    }
    effect
}

impl Exchange {
    /// Two statements, whatever they are.
    pub fn of(block: usize, first: usize, second: usize) -> Exchange {
        Exchange {
            block,
            first: vec![first],
            second: vec![second],
        }
    }

    fn stmts<'a>(&self, unit: &'a Unit) -> &'a [Stmt] {
        &unit.blocks[self.block].stmts
    }

    fn comm<'a>(&self, unit: &'a Unit, at: usize) -> &'a Comm {
        // Only statements with a call are members.
        self.stmts(unit)[at]
            .comm
            .as_ref()
            .expect("a member is a call")
    }

    /// The first call that is stuck.
    pub fn stuck<'a>(&self, unit: &'a Unit) -> &'a Comm {
        self.comm(unit, self.first[0])
    }

    pub fn stuck_wait(&self, unit: &Unit) -> bool {
        self.stuck(unit).kind == Kind::Wait
    }

    fn span(&self) -> Vec<usize> {
        let last = self.second.iter().chain(&self.first).max();
        (self.first[0]..=last.copied().unwrap_or(self.first[0])).collect()
    }

    fn commute(&self, unit: &Unit, x: usize, y: usize) -> Result<(), String> {
        let scope = unit.blocks[self.block].scope;
        let stmts = self.stmts(unit);
        let effects = [x, y].map(|n| effect(unit, self.block, &stmts[n]));
        let member = |n: &usize| self.first.contains(n) || self.second.contains(n);
        if effects.iter().all(|e| e.comm) && !(member(&x) && member(&y)) {
            return Err("another communication stands between".to_owned());
        }
        depend::commute(unit, scope, &effects[0], &effects[1]).map_err(|why| {
            let (x, y) = (stmts[x].rows.0 + 1, stmts[y].rows.0 + 1);
            let lines = if x == y {
                format!("in line {x}")
            } else {
                format!("lines {x} and {y}")
            };
            format!("{lines}: {why}")
        })
    }

    /// The statements with the second run before the first; an error says what forbids it.
    fn swapped(&self, unit: &Unit) -> Result<Vec<usize>, String> {
        let span = self.span();
        let between = |n: &&usize| !self.first.contains(n) && !self.second.contains(n);
        let mut needed: Vec<usize> = Vec::new();
        for &n in span.iter().rev().filter(between) {
            let later = self.second.iter().chain(&needed).filter(|&&m| m > n);
            if later
                .into_iter()
                .any(|&m| self.commute(unit, n, m).is_err())
            {
                needed.insert(0, n);
            }
        }
        let rest = span.iter().filter(between).filter(|n| !needed.contains(n));
        let order: Vec<usize> = needed
            .iter()
            .chain(&self.second)
            .chain(&self.first)
            .chain(rest)
            .copied()
            .collect();
        for (i, &x) in order.iter().enumerate() {
            for &y in order[i + 1..].iter().filter(|&&y| y < x) {
                self.commute(unit, y, x)?;
            }
        }
        Ok(order)
    }

    /// Whether nothing else stands on the lines of the statements.
    fn alone(&self, unit: &Unit) -> bool {
        let stmts = self.stmts(unit);
        self.span().iter().all(|&n| unit.alone(&stmts[n].range))
    }

    fn indent<'a>(&self, unit: &'a Unit) -> Option<&'a str> {
        unit.indent(self.stmts(unit)[self.first[0]].range.start)
    }

    /// A statement's text, and the remark behind it.
    fn text(&self, unit: &Unit, at: usize) -> String {
        let range = self.stmts(unit)[at].range.clone();
        let remark = unit.remark(range.end).filter(|_| self.alone(unit));
        format!("{}{}", unit.slice(range), remark.unwrap_or_default())
    }

    fn slot(&self, unit: &Unit, at: usize) -> std::ops::Range<usize> {
        let range = self.stmts(unit)[at].range.clone();
        let remark = unit.remark(range.end).filter(|_| self.alone(unit));
        range.start..range.end + remark.map_or(0, str::len)
    }

    fn returned(&self, unit: &Unit) -> Option<usize> {
        let mut members = self.first.iter().chain(&self.second).copied();
        let comm = |n: usize| self.stmts(unit)[n].comm.as_ref();
        members.find(|&n| comm(n).is_some_and(|c| c.shape == Shape::Return))
    }

    /// `name = call` instead of `return call`.
    fn kept(&self, unit: &Unit, at: usize, name: &str) -> String {
        match &self.stmts(unit)[at].comm {
            Some(comm) if comm.shape == Shape::Return => {
                format!("{name} = {}", unit.slice(comm.range.clone()))
            }
            _ => self.text(unit, at),
        }
    }

    /// The second run before the first, for all ranks that come here.
    pub fn swap(&self, unit: &Unit) -> Result<Vec<Edit>, String> {
        let order = self.swapped(unit)?;
        let name = unit.fresh_name("received", &[]);
        let mut texts: Vec<String> = order.iter().map(|&n| self.kept(unit, n, &name)).collect();
        if self.returned(unit).is_some() {
            self.append(unit, &mut texts, &format!("return {name}"));
        }
        Ok(self.fill(unit, texts))
    }

    /// The same for some of the ranks, by a condition on the rank under which they keep their order.
    pub fn swap_if(&self, unit: &Unit, condition: &Condition) -> Result<Vec<Edit>, String> {
        let order = self.swapped(unit)?;
        let (Some(indent), true) = (self.indent(unit), self.alone(unit)) else {
            return Err("the statements share a line with others".to_owned());
        };
        let name = unit.fresh_name("received", &[]);
        let step = unit.step(indent);
        let deeper = format!("{indent}{step}");
        let span = self.span();
        let whole = self.slot(unit, span[0]).start..self.slot(unit, span[span.len() - 1]).end;
        if unit.slice(whole.clone()).contains("\"\"\"") || unit.slice(whole.clone()).contains("'''")
        {
            return Err("a text of several lines stands between".to_owned());
        }
        let deepen = |text: &str| text.replace('\n', &format!("\n{step}"));
        let lines = |list: Vec<String>| {
            list.iter()
                .map(|t| deepen(t))
                .collect::<Vec<_>>()
                .join(&format!("\n{deeper}"))
        };
        let kept = match self.returned(unit) {
            // As it is, with the remarks between.
            None => deepen(unit.slice(whole.clone())),
            Some(_) => lines(span.iter().map(|&n| self.kept(unit, n, &name)).collect()),
        };
        let other = lines(order.iter().map(|&n| self.kept(unit, n, &name)).collect());
        let test = self.condition(unit, condition);
        let text = match unit.language {
            Language::Python => {
                let back = match self.returned(unit) {
                    Some(_) => format!("\n{indent}return {name}"),
                    None => String::new(),
                };
                format!(
                    "if {}:\n{deeper}{kept}\n{indent}else:\n{deeper}{other}{back}",
                    test.0
                )
            }
            Language::C => {
                let declared = test.1.map(|d| format!("{d}\n{indent}")).unwrap_or_default();
                format!(
                    "{declared}if ({}) {{\n{deeper}{kept}\n{indent}}} else {{\n{deeper}{other}\n{indent}}}",
                    test.0
                )
            }
        };
        Ok(vec![Edit::replace(whole, text)])
    }

    /// The condition as an expression, and statements that it needs before.
    fn condition(&self, unit: &Unit, condition: &Condition) -> (String, Option<String>) {
        let comm = &self.stuck(unit).on;
        let (rank, before) = self.rank(unit, comm);
        let test = match condition {
            Condition::Parity => format!("{rank} % 2 == 0"),
            Condition::Before(peer) if peer.contains([' ', '?']) => format!("{rank} < ({peer})"),
            Condition::Before(peer) => format!("{rank} < {peer}"),
        };
        (test, before)
    }

    /// The rank in a communicator: a variable that has it, or a call.
    fn rank(&self, unit: &Unit, comm: &str) -> (String, Option<String>) {
        let scope = unit.blocks[self.block].scope;
        let scopes = if scope == 0 { vec![0] } else { vec![scope, 0] };
        for s in scopes {
            let blocks = unit.blocks.iter().filter(|b| b.scope == s);
            for stmt in blocks.flat_map(|b| &b.stmts) {
                let name = match unit.language {
                    Language::Python => {
                        let text = unit.slice(stmt.range.clone());
                        let set = text.split_once('=');
                        let value = set.map(|s| s.1.trim().to_owned());
                        let is = value == Some(format!("{comm}.rank"))
                            || value == Some(format!("{comm}.Get_rank()"));
                        set.map(|s| s.0.trim().to_owned()).filter(|_| is)
                    }
                    Language::C => stmt.comm.as_ref().and_then(|c| {
                        let is = c.name == "MPI_Comm_rank" && c.on == comm;
                        let name = c.text("rank")?.strip_prefix('&')?;
                        is.then(|| name.to_owned())
                    }),
                };
                let Some(name) = name else { continue };
                let times = unit.scopes[s].bound.iter().filter(|b| b.0 == name).count();
                if times == 1 {
                    return (name, None);
                }
            }
        }
        match unit.language {
            Language::Python if unit.text.contains(".rank") => (format!("{comm}.rank"), None),
            Language::Python => (format!("{comm}.Get_rank()"), None),
            Language::C => {
                let name = unit.fresh_name("own_rank", &[]);
                let indent = self.indent(unit).unwrap_or_default();
                let get = format!("int {name};\n{indent}MPI_Comm_rank({comm}, &{name});");
                (name, Some(get))
            }
        }
    }

    /// Another statement behind the last of them.
    fn append(&self, unit: &Unit, texts: &mut [String], more: &str) {
        let Some(last) = texts.last_mut() else { return };
        match self.indent(unit).filter(|_| self.alone(unit)) {
            Some(indent) => last.push_str(&format!("\n{indent}{more}")),
            None if unit.language == Language::Python => last.push_str(&format!("; {more}")),
            None => last.push_str(&format!(" {more}")),
        }
    }

    /// Puts texts where the statements stand.
    fn fill(&self, unit: &Unit, texts: Vec<String>) -> Vec<Edit> {
        let span = self.span();
        let slots = span.iter().map(|&n| self.slot(unit, n));
        let changed = slots
            .zip(texts)
            .filter(|(slot, text)| unit.slice(slot.clone()) != text);
        changed
            .map(|(slot, text)| Edit::replace(slot, text))
            .collect()
    }

    /// Sends that do not block, with their waits behind the receives.
    pub fn nonblocking(&self, unit: &Unit) -> Result<Vec<Edit>, String> {
        if self.stuck_wait(unit) {
            return Err("the call waits already".to_owned());
        }
        let sends_first = self.comm(unit, self.first[0]).sends();
        let sends = if sends_first {
            &self.first
        } else {
            &self.second
        };
        let order = if sends_first {
            self.untouched(unit).map(|()| self.span())?
        } else {
            self.swapped(unit)?
        };
        let mut taken = Vec::new();
        let mut texts = Vec::new();
        let kept = unit.fresh_name("received", &[]);
        for &n in &order {
            if !sends.contains(&n) {
                texts.push(self.kept(unit, n, &kept));
                continue;
            }
            let comm = self.comm(unit, n);
            let request = unit.fresh_name("request", &taken);
            texts.push(match unit.language {
                Language::Python => {
                    let call = unit.slice(comm.range.clone());
                    let rest = call.strip_prefix(&format!("{}.{}", comm.on, comm.name));
                    let rest = rest.ok_or("the call is written over several lines")?;
                    let name = match comm.name.chars().next() {
                        Some('S') => format!("I{}", comm.name.to_lowercase()),
                        _ => format!("i{}", comm.name),
                    };
                    format!("{request} = {}.{name}{rest}", comm.on)
                }
                Language::C => {
                    let args: Vec<&str> = comm.args.iter().map(|a| a.text.as_str()).collect();
                    let name = comm.name.replace("MPI_S", "MPI_Is");
                    let indent = self.indent(unit).filter(|_| self.alone(unit));
                    let next = indent.map_or(" ".to_owned(), |i| format!("\n{i}"));
                    format!(
                        "MPI_Request {request};{next}{name}({}, &{request});",
                        args.join(", ")
                    )
                }
            });
            taken.push(request);
        }
        for (request, &n) in taken.iter().zip(sends) {
            let wait = match unit.language {
                Language::Python if self.comm(unit, n).buffers() => format!("{request}.Wait()"),
                Language::Python => format!("{request}.wait()"),
                Language::C => format!("MPI_Wait(&{request}, MPI_STATUS_IGNORE);"),
            };
            self.append(unit, &mut texts, &wait);
        }
        if self.returned(unit).is_some() {
            self.append(unit, &mut texts, &format!("return {kept}"));
        }
        Ok(self.fill(unit, texts))
    }

    /// Whether what the first run sends is left alone until the second is done. Objects are copied when they are sent.
    fn untouched(&self, unit: &Unit) -> Result<(), String> {
        let stmts = self.stmts(unit);
        for &n in &self.span() {
            let effect = effect(unit, self.block, &stmts[n]);
            if effect.jumps {
                return Err(format!("line {} may leave the block", stmts[n].rows.0 + 1));
            }
        }
        for &s in self.first.iter().filter(|&&s| self.comm(unit, s).buffers()) {
            for &n in self.span().iter().filter(|n| !self.first.contains(n)) {
                if n > s {
                    let both = stmts[n].effect.comm && !self.second.contains(&n);
                    if both {
                        return Err("another communication stands between".to_owned());
                    }
                    self.commute(unit, s, n)?;
                }
            }
        }
        Ok(())
    }

    /// One call that does both.
    pub fn join(&self, unit: &Unit) -> Result<Vec<Edit>, String> {
        let ([first], [second]) = (self.first.as_slice(), self.second.as_slice()) else {
            return Err("there are several sends or receives".to_owned());
        };
        let (first, second) = (*first, *second);
        let (a, b) = (self.comm(unit, first), self.comm(unit, second));
        let (send, recv) = if a.sends() { (a, b) } else { (b, a) };
        if send.kind != Kind::Send || recv.kind != Kind::Recv {
            return Err("a synchronous send or a wait cannot be joined with a receive".to_owned());
        }
        if send.buffers() != recv.buffers() {
            return Err("one is of objects, the other of buffers".to_owned());
        }
        let same = send.text("buf") == recv.text("buf");
        let replace = send.buffers() && same && a.sends();
        if replace {
            // Named once instead of twice.
            for n in [first, second] {
                let effect = effect(unit, self.block, &self.stmts(unit)[n]);
                if let Some(why) = effect.doubt() {
                    return Err(why);
                }
            }
        }
        // What is received before is not yet there when both are begun.
        if !a.sends() || send.buffers() && !replace {
            self.commute(unit, first, second)?;
        }
        // Where both can come together: there, or here.
        let between = || (first + 1..second).collect::<Vec<_>>();
        let to_first = between()
            .into_iter()
            .try_for_each(|n| self.commute(unit, n, second));
        let to_second = between()
            .into_iter()
            .try_for_each(|n| self.commute(unit, first, n));
        let (stays, goes) = match (to_second, to_first) {
            // Before its send, what is received is not known; behind, it is too late for those between.
            (Ok(()), _) => (second, first),
            (_, Ok(())) => (first, second),
            (Err(why), _) => return Err(why),
        };
        let call = joined(unit.language, send, recv, replace)?;
        let text = match &recv.shape {
            Shape::Assign(target) => format!("{target} = {call}"),
            Shape::Return => format!("return {call}"),
            _ => call,
        };
        let text = if unit.language == Language::C {
            text + ";"
        } else {
            text
        };
        let stmts = self.stmts(unit);
        let keeps = stmts[stays].range.clone();
        Ok(vec![
            Edit::replace(keeps, text),
            removal(unit, &stmts[goes].range),
        ])
    }
}

/// Which ranks keep their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Those with an even rank.
    Parity,
    /// Those before this one.
    Before(String),
}

impl Exchange {
    /// Conditions worth a trial.
    pub fn conditions(&self, unit: &Unit, pair: bool) -> Vec<Condition> {
        let peers = |list: &[usize]| {
            list.iter()
                .map(|&n| self.comm(unit, n).peer().map(str::to_owned))
                .collect::<Vec<_>>()
        };
        let sends_first = self.stuck(unit).sends();
        let (to, from) = if sends_first {
            (peers(&self.first), peers(&self.second))
        } else {
            (peers(&self.second), peers(&self.first))
        };
        let simple = match to.as_slice() {
            [Some(to)] if !to.contains('(') => Some(to.clone()),
            _ => None,
        };
        let mutual = to == from;
        match simple {
            Some(to) if mutual || pair => vec![Condition::Before(to), Condition::Parity],
            Some(to) => vec![Condition::Parity, Condition::Before(to)],
            None => vec![Condition::Parity],
        }
    }
}
