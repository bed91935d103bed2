//! Random programs: messages and collectives that fit together, then disturbed.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::job::{Coll, Do, Job, Mode};

/// One thing that several ranks do together, as bytes to be reduced to what there is.
#[derive(Clone, Debug)]
struct Joint {
    what: u8,
    a: u8,
    b: u8,
    tag: u8,
    how: u8,
    wild: u8,
}

fn joint() -> impl Strategy<Value = Joint> {
    (
        any::<u8>(),
        any::<u8>(),
        any::<u8>(),
        any::<u8>(),
        any::<u8>(),
        any::<u8>(),
    )
        .prop_map(|(what, a, b, tag, how, wild)| Joint {
            what,
            a,
            b,
            tag,
            how,
            wild,
        })
}

/// What programs may hold.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    pub wildcards: bool,
    pub collectives: bool,
    /// Completions of one or some of several.
    pub any: bool,
}

pub fn job(draw: Draw) -> impl Strategy<Value = Job> {
    let disturb = vec((any::<u8>(), any::<u8>()), 0..4);
    (2_usize..=4, vec(joint(), 1..7), disturb, any::<bool>()).prop_map(
        move |(size, joints, disturb, second)| {
            let low = usize::from(size > 2);
            let mut comms = vec![(0..size).collect::<Vec<_>>()];
            if second {
                comms.push((low..size).rev().collect());
            }
            let mut programs = vec![Vec::new(); size];
            for joint in &joints {
                add(draw, &comms, &mut programs, joint);
            }
            for program in &mut programs {
                if program.iter().any(|c: &Do| c.makes_request()) {
                    program.push(Do::WaitAll);
                }
            }
            for (rank, at) in disturb {
                let program = &mut programs[usize::from(rank) % size];
                if program.len() > 1 {
                    let at = usize::from(at) % (program.len() - 1);
                    program.swap(at, at + 1);
                }
            }
            Job { comms, programs }
        },
    )
}

fn add(draw: Draw, comms: &[Vec<usize>], programs: &mut [Vec<Do>], joint: &Joint) {
    let comm = usize::from(joint.tag >> 5) % (comms.len() * 2) / 2;
    let size = comms[comm].len();
    let (a, b) = (usize::from(joint.a) % size, usize::from(joint.b) % size);
    match joint.what % 16 {
        0..=10 => {
            let tag = i32::from(joint.tag.is_multiple_of(5));
            let mode = match joint.how & 7 {
                0 => Mode::Synchronous,
                1 => Mode::Buffered,
                _ => Mode::Standard,
            };
            let blocking = joint.how & 24 != 0;
            programs[comms[comm][a]].push(Do::Send {
                comm,
                to: b,
                tag,
                mode,
                blocking,
            });
            let from = if draw.wildcards && joint.wild & 1 == 0 {
                None
            } else {
                Some(a)
            };
            let pattern = if joint.wild & 6 == 0 { None } else { Some(tag) };
            let to = &mut programs[comms[comm][b]];
            match joint.wild >> 3 & 7 {
                0 => to.push(Do::Probe {
                    comm,
                    from,
                    tag: pattern,
                }),
                1 if draw.wildcards => {
                    to.push(Do::MprobeRecv {
                        comm,
                        from,
                        tag: pattern,
                    });
                    return;
                }
                _ => {}
            }
            let blocking = joint.how & 96 != 0;
            to.push(Do::Recv {
                comm,
                from,
                tag: pattern,
                blocking,
            });
        }
        11 => programs[comms[comm][a]].push(Do::WaitAll),
        12 if draw.any => {
            let wait = if joint.how & 1 == 0 {
                Do::WaitAny
            } else {
                Do::WaitSome
            };
            programs[comms[comm][a]].push(wait);
        }
        12 => {}
        13 => {
            let program = &mut programs[comms[comm][a]];
            let made: Vec<usize> = (0..program.len())
                .filter(|&at| program[at].makes_request())
                .collect();
            if !made.is_empty() {
                program.push(Do::WaitOne(made[usize::from(joint.how) % made.len()]));
            }
        }
        _ if draw.collectives => {
            let what = match joint.how % 6 {
                0 | 1 => Coll::Bcast(a),
                2 => Coll::Reduce(a),
                3 => Coll::Allreduce,
                4 => Coll::Scan,
                _ => Coll::Barrier,
            };
            let blocking = joint.wild & 3 != 0;
            for &rank in &comms[comm] {
                programs[rank].push(Do::Collective {
                    comm,
                    what,
                    blocking,
                });
            }
        }
        _ => {}
    }
}
