//! One test for each example and MPI library: `mpich::python::opening`. All of libtest's arguments work.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use standoff_testkit::environment::Environment;
use standoff_testkit::example::Example;
use standoff_testkit::{execute, in_ci};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A job has several processes already; more than two at a time only make each other slow.
    arguments.test_threads.get_or_insert(2);

    let mut trials = Vec::new();
    for environment in Environment::wanted() {
        let missing = environment.missing();
        if let Some(missing) = missing.as_ref().filter(|_| !arguments.list) {
            let what = if in_ci() { "fails" } else { "is skipped" };
            eprintln!(
                "{} {what}: {} is missing (`make envs` makes it)",
                environment.name,
                missing.display()
            );
        }
        for example in Example::all() {
            if !example.is_for(&environment) {
                continue;
            }
            let name = example.test_name(&environment);
            let environment = environment.clone();
            let trial = Trial::test(name, move || test(&example, &environment));
            trials.push(trial.with_ignored_flag(missing.is_some() && !in_ci()));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn test(example: &Example, environment: &Environment) -> Result<(), Failed> {
    if let Some(missing) = environment.missing() {
        return Err(format!("{} is missing", missing.display()).into());
    }
    let outcome = execute::run(example, environment)?;
    if outcome.wrong.is_empty() {
        Ok(())
    } else {
        Err(outcome.describe().into())
    }
}
