//! Ranks that can be exchanged.
//!
//! Two ranks can be exchanged if doing so in all programs changes nothing but their order: they do the same, nobody names
//! either of them, and the collectives they share do not tell them apart. States that differ by such an exchange have the same
//! future, so one of them is enough (Emerson & Sistla, Symmetry and Model Checking, 1996).
//!
//! **Deviation**: only ranks that nobody sends to, receives from by name, or names as root are looked at. That finds the senders of a
//! wildcard receiver, and misses workers who are answered by name.

use std::collections::{BTreeMap, HashMap};

use crate::program::{Kind, NONE, Needs, Program};

/// A number for each rank, equal for ranks that can be exchanged; `NONE` for the others.
pub(crate) fn orbits(program: &Program) -> Vec<u32> {
    let mut named = vec![false; program.ranks.len()];
    for op in program.ranks.iter().flat_map(|r| &r.ops) {
        match &op.kind {
            Kind::Send { to, .. } => named[*to as usize] = true,
            Kind::Recv(r) | Kind::Probe { receive: r, .. } => {
                if let Some(from) = r.pattern.from {
                    named[from as usize] = true;
                }
                // What follows a source tells that source from others.
                if let Some((from, _)) = r.told.filter(|_| r.follows != NONE || r.bound) {
                    named[from as usize] = true;
                }
            }
            _ => {}
        }
    }
    // A member whose data is needed by some and not by all is told apart by that.
    for instance in &program.instances {
        for member in &instance.members {
            if let Needs::Members(list) = &member.needs {
                for &place in list {
                    if let Some(other) = instance.members.get(place as usize) {
                        named[other.rank as usize] = true;
                    }
                }
                named[member.rank as usize] = true;
            }
        }
    }
    let mut groups: BTreeMap<Vec<u64>, Vec<usize>> = BTreeMap::new();
    let mut needs_of: HashMap<(u32, u32), u64> = HashMap::new();
    for (at, instance) in program.instances.iter().enumerate() {
        for member in &instance.members {
            needs_of.insert(
                (at as u32, member.rank),
                u64::from(member.needs == Needs::All),
            );
        }
    }
    for rank in (0..program.ranks.len()).filter(|&rank| !named[rank]) {
        if let Some(word) = signature(program, rank, &needs_of) {
            groups.entry(word).or_default().push(rank);
        }
    }
    let mut orbits = vec![NONE; program.ranks.len()];
    for (number, ranks) in groups
        .into_values()
        .filter(|ranks| ranks.len() > 1)
        .enumerate()
    {
        // All of them are members of the same communicators, or the shared instances would differ.
        for rank in ranks {
            orbits[rank] = number as u32;
        }
    }
    orbits
}

/// What a rank does, in numbers. `None`: it does what cannot be compared (it receives).
fn signature(program: &Program, rank: usize, needs: &HashMap<(u32, u32), u64>) -> Option<Vec<u64>> {
    let content = &program.ranks[rank];
    let mut words = Vec::with_capacity(4 * content.ops.len());
    for op in &content.ops {
        match &op.kind {
            Kind::Send {
                to,
                tag,
                comm,
                mode,
                ..
            } => {
                words.extend([
                    1,
                    u64::from(*to),
                    *tag as u32 as u64,
                    u64::from(*comm),
                    *mode as u64,
                ]);
            }
            Kind::Enter { instance } => {
                let need = needs.get(&(*instance, rank as u32)).copied();
                words.extend([2, u64::from(*instance), need.unwrap_or(2)]);
            }
            Kind::Wait(wait) => {
                words.extend([
                    3,
                    wait.need as u64,
                    u64::from(wait.tells),
                    u64::from(wait.poll),
                    u64::from(wait.len),
                ]);
                words.extend(program.list(rank, wait).iter().map(|&op| u64::from(op)));
            }
            Kind::Stop => words.push(4),
            Kind::Deliver { send } => words.extend([5, u64::from(*send)]),
            Kind::Recv(_) | Kind::Probe { .. } | Kind::Mrecv { .. } => return None,
        }
    }
    Some(words)
}
