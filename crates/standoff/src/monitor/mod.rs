//! The monitor: from the boards of a session to reports.
//!
//! [`ranks`] finds and reads boards, [`picture`] makes of them what `standoff-mpi` analyses, [`watch`] decides when what
//! is stuck is proven, [`stall`] knows who only polls, [`stacks`], [`native`] and [`names`] say where in the source, [`places`] where and how often MPI was called before, [`rescue`] has standard sends return instead, [`raise`] has blocked calls return errors, [`pause`] keeps
//! stuck ranks quiet meanwhile, [`report`] puts it together; [`doing`] tells what each rank does, [`failures`] how ranks ended, [`memory`] whether for want of memory.

pub mod agree;
pub mod deaths;
mod destructors;
pub mod doing;
pub mod failures;
pub mod memory;
pub mod names;
pub mod native;
mod notes;
pub mod pause;
pub mod picture;
pub mod places;
pub mod processor;
pub mod raise;
pub mod ranks;
pub mod reason;
pub mod report;
pub mod rescue;
mod rest;
mod spoken;
pub mod stacks;
pub mod stall;
pub mod warnings;
pub mod watch;
