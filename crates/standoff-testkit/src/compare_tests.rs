//! The comparison must fail whatever is not as the header says: each test spoils one thing of a right observation.

use standoff_report::FindingKind;

use super::*;

const SOURCE: &str = "\
# standoff: title: two ranks each receive before they send
# standoff: ranks: 9
# standoff: expect: deadlock
# standoff: core: 1, 5
# standoff: victims: none
# standoff: stdout: rank 0 is done
# standoff: text: each waits for the other
got = comm.recv(source=5)  # @core 1
got = comm.recv(source=1)  # @core 5
";

/// A report as it is written, in the words of the contract and not of the types that it is read into.
const REPORT: &str = r#"{
  "schema": "standoff-report/1", "verdict": "deadlock", "scope": "this-run", "ranks": 9,
  "mpi": {"library": "MPICH Version: 5.0.2", "abi": "mpich"},
  "exit": {"code": null, "signal": 15}, "detected_after_ms": 12,
  "findings": [ { "kind": "deadlock", "severity": "error", "confirmed": true,
    "core": [
      {"agent": "rank 1", "rank": 1, "thread": null, "world": 0, "call": "MPI_Mprobe", "user_call": "comm.recv",
       "comm": "MPI_COMM_WORLD", "peer": 5, "tag": -1, "wait": "all",
       "stack": [{"file": "/somewhere/opening.py", "line": 8, "function": "<module>"}], "waits_for": ["rank 5"]},
      {"agent": "rank 5", "rank": 5, "thread": null, "world": 0, "call": "MPI_Mprobe", "user_call": "comm.recv",
       "comm": "MPI_COMM_WORLD", "peer": 1, "tag": -1, "wait": "all",
       "stack": [{"file": "opening.py", "line": 9, "function": "<module>"}], "waits_for": ["rank 1"]} ],
    "victims": [], "causes": [],
    "explanation": "Ranks 1 and 5 wait for each other.", "advice": [], "witness": null } ] }"#;

const SUBJECT: Subject<'static> = Subject {
    file: "opening.py",
    family: "mpich",
};

fn report() -> Report {
    serde_json::from_str(REPORT).expect("the contract's words are what the types read")
}

fn observation() -> Observation {
    Observation {
        ended: Ended::Status(99),
        stdout: "starting\nrank 0 is done\n".into(),
        stderr: "ranks 1 and 5: each waits\n  │ for the other\n".into(),
        report: Ok(report()),
        left_over: Vec::new(),
    }
}

fn check(source: &str, seen: &Observation) -> Vec<Mismatch> {
    compare(&Header::parse(source).unwrap(), SUBJECT, seen)
}

/// What is wrong after `spoil` changed the report.
fn spoiled(spoil: impl FnOnce(&mut Report)) -> Vec<Mismatch> {
    let mut report = report();
    spoil(&mut report);
    check(
        SOURCE,
        &Observation {
            report: Ok(report),
            ..observation()
        },
    )
}

#[test]
fn a_right_run_passes() {
    assert_eq!(check(SOURCE, &observation()), []);
}

#[test]
fn a_wrong_exit_status_fails() {
    for ended in [
        Ended::Status(0),
        Ended::Status(124),
        Ended::Signal(9),
        Ended::Backstop,
    ] {
        let wrong = check(
            SOURCE,
            &Observation {
                ended,
                ..observation()
            },
        );
        assert_eq!(
            wrong,
            [Mismatch::Exit {
                expected: "status 99".into(),
                found: ended
            }]
        );
    }
}

#[test]
fn a_missing_report_fails() {
    let wrong = check(
        SOURCE,
        &Observation {
            report: Err("no such file".into()),
            ..observation()
        },
    );
    assert_eq!(wrong, [Mismatch::NoReport("no such file".into())]);
}

#[test]
fn a_wrong_verdict_fails() {
    let wrong = spoiled(|report| report.verdict = Verdict::Stalled);
    assert_eq!(
        wrong,
        [Mismatch::Verdict {
            expected: Verdict::Deadlock,
            found: Verdict::Stalled
        }]
    );
}

#[test]
fn a_clean_report_of_a_deadlock_fails() {
    let wrong = spoiled(|report| {
        report.verdict = Verdict::Clean;
        report.findings.clear();
    });
    assert!(wrong.contains(&Mismatch::Verdict {
        expected: Verdict::Deadlock,
        found: Verdict::Clean
    }));
    assert!(wrong.contains(&Mismatch::Findings {
        expected: 1,
        found: 0
    }));
}

#[test]
fn a_deadlock_in_a_clean_program_fails() {
    let clean = "# standoff: title: t\n# standoff: ranks: 9\n# standoff: expect: clean\n";
    let wrong = check(
        clean,
        &Observation {
            ended: Ended::Status(0),
            ..observation()
        },
    );
    assert!(wrong.contains(&Mismatch::Verdict {
        expected: Verdict::Clean,
        found: Verdict::Deadlock
    }));
    assert!(wrong.contains(&Mismatch::Findings {
        expected: 0,
        found: 1
    }));
}

#[test]
fn a_warning_must_be_expected_with_its_lines() {
    let head = "# standoff: title: t\n# standoff: ranks: 9\n# standoff: expect: clean\n";
    let mut warned = report();
    warned.verdict = Verdict::Clean;
    warned.findings[0].severity = Severity::Warning;
    warned.findings[0].kind = FindingKind::RequestLeak;
    let seen = Observation {
        ended: Ended::Status(0),
        report: Ok(warned),
        ..observation()
    };
    assert!(matches!(
        check(head, &seen)[..],
        [Mismatch::Warnings { .. }]
    ));
    // The lines of the report are 8 and 9.
    let marked =
        format!("{head}# standoff: warns: request-leak\n\n\n\na()  # @warn\nb()  # @warn\n");
    assert_eq!(check(&marked, &seen), []);
    let one = format!("{head}# standoff: warns: request-leak\n\n\n\na()  # @warn\nb()\n");
    assert!(matches!(
        check(&one, &seen)[..],
        [Mismatch::Warnings { .. }]
    ));
}

#[test]
fn a_core_with_a_rank_too_few_fails() {
    let wrong = spoiled(|report| drop(report.findings[0].core.pop()));
    assert_eq!(
        wrong[0],
        Mismatch::Core {
            expected: "[{1, 5}]".into(),
            found: "[{1}]".into()
        }
    );
    assert!(matches!(wrong[1], Mismatch::Lines { rank: 5, .. }));
}

#[test]
fn a_core_with_a_rank_too_many_fails() {
    let wrong = spoiled(|report| {
        let bystander = AgentEntry {
            agent: "rank 0".into(),
            rank: 0,
            ..AgentEntry::default()
        };
        report.findings[0].core.push(bystander);
    });
    assert_eq!(
        wrong,
        [Mismatch::Core {
            expected: "[{1, 5}]".into(),
            found: "[{0, 1, 5}]".into()
        }]
    );
}

#[test]
fn a_wrong_line_fails() {
    let wrong = spoiled(|report| report.findings[0].core[1].stack[0].line = Some(8));
    let expected = BTreeSet::from([9]);
    assert_eq!(
        wrong,
        [Mismatch::Lines {
            rank: 5,
            expected,
            found: vec!["opening.py:8".into()]
        }]
    );
}

#[test]
fn the_right_line_of_another_file_fails() {
    let wrong =
        spoiled(|report| report.findings[0].core[1].stack[0].file = Some("mpi4py/run.py".into()));
    assert!(matches!(wrong[..], [Mismatch::Lines { rank: 5, .. }]));
}

#[test]
fn an_empty_stack_fails() {
    let wrong = spoiled(|report| report.findings[0].core[0].stack.clear());
    let expected = BTreeSet::from([8]);
    assert_eq!(
        wrong,
        [Mismatch::Lines {
            rank: 1,
            expected,
            found: vec!["?:?".into()]
        }]
    );
}

#[test]
fn a_victim_too_many_fails() {
    let wrong = spoiled(|report| {
        let bystander = AgentEntry {
            agent: "rank 0".into(),
            rank: 0,
            ..AgentEntry::default()
        };
        report.findings[0].victims.push(bystander);
    });
    assert_eq!(
        wrong,
        [Mismatch::Victims {
            expected: Ranks::new(),
            found: Ranks::from([0])
        }]
    );
}

#[test]
fn a_finding_too_many_fails() {
    let wrong = spoiled(|report| {
        let twin = report.findings[0].clone();
        report.findings.push(twin);
    });
    assert_eq!(
        wrong,
        [Mismatch::Findings {
            expected: 1,
            found: 2
        }]
    );
}

#[test]
fn two_cores_in_one_finding_fail_where_two_findings_are_stated() {
    let two = SOURCE
        .replace("core: 1, 5\n", "core: 1\n# standoff: core: 5\n")
        .replace("# @core", "# was");
    let wrong = check(&two, &observation());
    assert_eq!(
        wrong[0],
        Mismatch::Findings {
            expected: 2,
            found: 1
        }
    );
    assert_eq!(
        wrong[1],
        Mismatch::Core {
            expected: "[{1}, {5}]".into(),
            found: "[{1, 5}]".into()
        }
    );
}

#[test]
fn a_rank_that_left_must_be_a_cause_and_in_the_core() {
    let left = SOURCE.replace("core: 1, 5", "core: 1\n# standoff: left: 5");
    let wrong = check(&left, &observation());
    // One header line more moves the marked lines: that these fail, too, is right.
    assert_eq!(
        wrong[0],
        Mismatch::Causes {
            missing: Ranks::from([5]),
            found: Ranks::new()
        }
    );

    let never = SOURCE.replace("core: 1, 5", "core: 1, 5\n# standoff: left: 3");
    let wrong = check(&never, &observation());
    assert_eq!(
        wrong[0],
        Mismatch::Core {
            expected: "[{1, 3, 5}]".into(),
            found: "[{1, 5}]".into()
        }
    );
}

#[test]
fn a_wrong_number_of_ranks_fails() {
    let wrong = spoiled(|report| report.ranks = 1);
    assert_eq!(
        wrong,
        [Mismatch::RankCount {
            expected: 9,
            found: 1
        }]
    );
}

#[test]
fn a_missing_line_of_output_fails() {
    let wrong = check(
        SOURCE,
        &Observation {
            stdout: "rank 0 is done for\n".into(),
            ..observation()
        },
    );
    assert_eq!(wrong, [Mismatch::Stdout("rank 0 is done".into())]);
}

#[test]
fn missing_words_of_the_diagnosis_fail() {
    let wrong = check(
        SOURCE,
        &Observation {
            stderr: "deadlock\n".into(),
            ..observation()
        },
    );
    assert_eq!(wrong, [Mismatch::Text("each waits for the other".into())]);
}

#[test]
fn a_process_left_behind_fails() {
    let left_over = vec!["python3 (pid 7)".to_owned()];
    let wrong = check(
        SOURCE,
        &Observation {
            left_over: left_over.clone(),
            ..observation()
        },
    );
    assert_eq!(wrong, [Mismatch::LeftOver(left_over)]);
}

#[test]
fn a_report_that_breaks_its_contract_fails() {
    let broken: [fn(&mut Report); 5] = [
        |report| report.schema = "standoff-report/2".into(),
        |report| report.mpi = None,
        |report| report.findings[0].explanation.clear(),
        |report| report.findings[0].core[1].agent = "rank 1".into(),
        |report| report.findings[0].cycle = vec!["rank 1".into(), "rank 7".into()],
    ];
    for spoil in broken {
        let wrong = spoiled(spoil);
        assert!(matches!(wrong[..], [Mismatch::Malformed(_)]), "{wrong:?}");
    }
}

#[test]
fn a_failed_program_must_end_with_a_status_of_its_own() {
    let failed = "# standoff: title: t\n# standoff: ranks: 9\n# standoff: expect: failed\n";
    let mut report = report();
    report.verdict = Verdict::Failed;
    report.findings.clear();
    for (status, right) in [
        (1, true),
        (139, true),
        (0, false),
        (99, false),
        (96, false),
        (124, false),
    ] {
        let seen = Observation {
            ended: Ended::Status(status),
            report: Ok(report.clone()),
            ..observation()
        };
        assert_eq!(check(failed, &seen).is_empty(), right, "status {status}");
    }
}

const CHECKED: &str = "\
# standoff: title: two ranks each send before they receive
# standoff: ranks: 9
# standoff: expect: clean
# standoff: check: potential-deadlock
# standoff: check-text: each waits for the other
comm.send(1, dest=5)
comm.send(1, dest=1)
got = comm.recv(source=5)  # @check 1
got = comm.recv(source=1)  # @check 5
";

/// What is wrong with a check after `spoil` changed its report.
fn checked(source: &str, status: i32, spoil: impl FnOnce(&mut Report)) -> Vec<Mismatch> {
    let mut report = report();
    report.verdict = Verdict::PotentialDeadlock;
    report.findings[0].kind = FindingKind::PotentialDeadlock;
    spoil(&mut report);
    let seen = Observation {
        ended: Ended::Status(status),
        report: Ok(report),
        ..observation()
    };
    let header = Header::parse(source).unwrap();
    compare_check(&header, header.check.as_ref().unwrap(), SUBJECT, &seen)
}

#[test]
fn a_check_is_compared_with_what_is_said_of_it() {
    assert_eq!(checked(CHECKED, 98, |_| ()), []);
    assert!(matches!(
        checked(CHECKED, 99, |_| ())[..],
        [Mismatch::Exit { .. }]
    ));
    assert_eq!(
        checked(CHECKED, 98, |r| r.findings[0].confirmed = false),
        [Mismatch::Confirmed { expected: true }]
    );
    let lines = checked(CHECKED, 98, |r| {
        r.findings[0].core[0].stack[0].line = Some(6)
    });
    assert!(matches!(lines[..], [Mismatch::Lines { rank: 1, .. }]));
    let unconfirmed = CHECKED.replace(
        "check-text: each waits for the other",
        "check-confirmed: no (why)",
    );
    assert_eq!(
        checked(&unconfirmed, 98, |_| ()),
        [Mismatch::Confirmed { expected: false }]
    );
    let clean = "# standoff: title: t\n# standoff: ranks: 9\n# standoff: expect: clean\n# standoff: check: clean\n";
    let all = |r: &mut Report| {
        r.verdict = Verdict::Clean;
        r.findings.clear();
        r.scope = Scope::AllExecutions;
    };
    assert_eq!(checked(clean, 0, all), []);
    let bounded = checked(clean, 0, |r| {
        all(r);
        r.scope = Scope::Bounded;
    });
    assert!(matches!(bounded[..], [Mismatch::Scope { .. }]));
    assert_ne!(checked(clean, 98, |_| ()), []);
}
