//! `standoff doctor`: what was found on this machine, and what does not fit together.
//!
//! It looks with the same functions that `run` uses, so that what it says holds for a run. It starts no job.

mod environment;
mod found;
mod machine;
mod program;

use std::io::{self, Write};

use crate::cli::DoctorArgs;
use crate::error::Error;
use crate::exit::{self, Status};

use environment::{look_at_probe, look_at_python, look_at_session};
use found::Findings;
use machine::{Machine, look_at_system};
use program::look_at_program;

/// Looks at everything, prints it, and says how to exit: with 0 if a run would work.
pub fn doctor(args: &DoctorArgs) -> Result<Status, Error> {
    let mut found = Findings::default();
    look_at_probe(&mut found);
    look_at_python(&mut found, &args.environment);
    if let Some(program) = &args.program {
        look_at_program(&mut found, program, &args.environment);
    }
    look_at_session(&mut found);
    look_at_system(&mut found, &Machine::this());
    let mut stdout = io::stdout().lock();
    let _ = stdout
        .write_all(found.text().as_bytes())
        .and_then(|()| stdout.flush());
    Ok(if found.works() {
        Status::OK
    } else {
        Status::Code(exit::BROKEN)
    })
}
