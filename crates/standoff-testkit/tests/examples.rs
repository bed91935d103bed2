//! One test for each example and MPI library, `mpich::python::opening`, and one more for each that `standoff check` has something to
//! say of, `mpich::python::opening_swapped::check`. All of libtest's arguments work.
//!
//! A second library of a family adds its other version and Fortran; it gets what can differ by that: see [`repeats`].

use std::collections::BTreeMap;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use standoff_testkit::environment::Environment;
use standoff_testkit::example::{Example, Language};
use standoff_testkit::execute::{self, Outcome};
use standoff_testkit::{compile, in_ci};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A job has several processes already, but also waits: four at a time keep two processors busy.
    arguments.test_threads.get_or_insert(4);

    let mut trials = Vec::new();
    let environments = Environment::wanted();
    for environment in &environments {
        let missing = environment.missing();
        if let Some(missing) = missing.as_ref().filter(|_| !arguments.list) {
            let what = if in_ci() { "fails" } else { "is skipped" };
            eprintln!(
                "{} {what}: {} is missing (`make envs` makes it)",
                environment.name,
                missing.display()
            );
        }
        let second = environment.is_second(&environments);
        let lacks = lacks(environment, !arguments.list && missing.is_none());
        for example in Example::all() {
            if !example.is_for(environment) || (second && repeats(&example)) {
                continue;
            }
            let name = example.test_name(environment);
            let lack = lacks.get(&example.language).cloned();
            let ignored = (missing.is_some() || lack.is_some()) && !in_ci();
            let asked = [
                Some((name.clone(), execute::run as Execute)),
                (example.is_checked() && (!second || example.language == Language::Fortran))
                    .then(|| (format!("{name}::check"), execute::check as Execute)),
            ];
            for (name, execute) in asked.into_iter().flatten() {
                let (example, environment, lack) =
                    (example.clone(), environment.clone(), lack.clone());
                let trial = Trial::test(name, move || {
                    test(&example, &environment, lack.as_deref(), execute)
                });
                trials.push(trial.with_ignored_flag(ignored));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Whether a second library of a family shows nothing new with it: the wrappers are those of C, and a cured twin differs from its
/// deadlock in the order of the same calls.
fn repeats(example: &Example) -> bool {
    match example.language {
        Language::C => example.name.ends_with("_cured"),
        Language::Cpp | Language::Python | Language::Rust => true,
        Language::Fortran => false,
    }
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

type Execute = fn(&Example, &Environment) -> Result<Outcome, String>;

fn test(
    example: &Example,
    environment: &Environment,
    lack: Option<&str>,
    execute: Execute,
) -> Result<(), Failed> {
    if let Some(missing) = environment.missing() {
        return Err(format!("{} is missing", missing.display()).into());
    }
    if let Some(lack) = lack {
        return Err(lack.into());
    }
    let outcome = execute(example, environment)?;
    if outcome.wrong.is_empty() {
        Ok(())
    } else {
        Err(outcome.describe().into())
    }
}
