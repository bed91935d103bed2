//! One test for each example and MPI library: `mpich::python::opening`. All of libtest's arguments work.

use std::collections::BTreeMap;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use standoff_testkit::environment::Environment;
use standoff_testkit::example::{Example, Language};
use standoff_testkit::{compile, execute, in_ci};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A job has several processes already, but also waits: three at a time keep two processors busy.
    arguments.test_threads.get_or_insert(3);

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
        let lacks = lacks(&environment, !arguments.list && missing.is_none());
        for example in Example::all() {
            if !example.is_for(&environment) {
                continue;
            }
            let name = example.test_name(&environment);
            let environment = environment.clone();
            let lack = lacks.get(&example.language).cloned();
            let ignored = (missing.is_some() || lack.is_some()) && !in_ci();
            let trial = Trial::test(name, move || test(&example, &environment, lack.as_deref()));
            trials.push(trial.with_ignored_flag(ignored));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The languages that cannot be compiled for an environment, with the reason, which is told, too.
fn lacks(environment: &Environment, wanted: bool) -> BTreeMap<Language, String> {
    let mut lacks = BTreeMap::new();
    for language in Language::ALL.into_iter().filter(|_| wanted) {
        let (name, word) = (&environment.name, language.name());
        if language == Language::Fortran && environment.without_fortran() {
            eprintln!("{name} has no Fortran: its {word} examples are left out");
        } else if let Some(lack) = compile::lacks(language, environment) {
            let what = if in_ci() { "fail" } else { "are skipped" };
            eprintln!("{name}: {lack}: its {word} examples {what}");
            lacks.insert(language, lack);
        }
    }
    lacks
}

fn test(example: &Example, environment: &Environment, lack: Option<&str>) -> Result<(), Failed> {
    if let Some(missing) = environment.missing() {
        return Err(format!("{} is missing", missing.display()).into());
    }
    if let Some(lack) = lack {
        return Err(lack.into());
    }
    let outcome = execute::run(example, environment)?;
    if outcome.wrong.is_empty() {
        Ok(())
    } else {
        Err(outcome.describe().into())
    }
}
