//! The JSON and its contract.

mod common;

use common::*;
use standoff_report::json::{self, ReadError};
use standoff_report::{FindingKind, Op, Report, Verdict};

fn written(report: &Report) -> String {
    let mut out = Vec::new();
    json::write(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn golden() {
    let mut report = raised();
    let core = &mut report.findings[0].core;
    core.truncate(2);
    insta::assert_snapshot!(written(&report));
}

#[test]
fn every_field_of_the_contract_is_there() {
    let value: serde_json::Value = serde_json::from_str(&written(&raised())).unwrap();
    let has = |value: &serde_json::Value, fields: &[&str]| {
        for field in fields {
            assert!(value.get(field).is_some(), "{field} is missing");
        }
    };
    has(
        &value,
        &[
            "schema",
            "verdict",
            "scope",
            "ranks",
            "mpi",
            "exit",
            "detected_after_ms",
            "findings",
        ],
    );
    has(&value["mpi"], &["library", "abi"]);
    has(&value["exit"], &["code", "signal"]);
    let finding = &value["findings"][0];
    has(
        finding,
        &[
            "kind",
            "severity",
            "confirmed",
            "core",
            "victims",
            "causes",
            "explanation",
            "advice",
            "witness",
        ],
    );
    for entry in finding["core"].as_array().unwrap() {
        has(
            entry,
            &[
                "agent",
                "rank",
                "thread",
                "world",
                "call",
                "user_call",
                "comm",
                "peer",
                "tag",
                "wait",
                "stack",
                "waits_for",
            ],
        );
        for frame in entry["stack"].as_array().unwrap() {
            has(frame, &["file", "line", "function"]);
        }
    }
    has(&finding["causes"][0], &["rank", "what", "stack"]);
}

#[test]
fn round_trip() {
    for report in [opening(), opening_c(), ring(12), raised()] {
        assert_eq!(json::read(written(&report).as_bytes()).unwrap(), report);
    }
}

#[test]
fn the_words_of_the_contract() {
    let word = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    let verdict = |v: Verdict| word(serde_json::to_value(v).unwrap());
    assert_eq!(verdict(Verdict::PotentialDeadlock), "potential-deadlock");
    let wait = serde_json::to_value(standoff_report::WaitKind::KOfN).unwrap();
    assert_eq!(word(wait), "k-of-n");
    let kind: FindingKind = serde_json::from_str("\"unsafe-send\"").unwrap();
    assert_eq!(kind, FindingKind::UnsafeSend);
}

#[test]
fn what_is_not_known_is_ignored_or_kept() {
    let text = r#"{"schema": "standoff-report/1", "verdict": "deadlock", "later": [1],
        "findings": [{"kind": "lock-order", "more": {}, "core": [{"agent": "rank 1", "op": "lock", "x": 1}]}]}"#;
    let report = json::read(text.as_bytes()).unwrap();
    let finding = &report.findings[0];
    assert_eq!(finding.kind, FindingKind::Other("lock-order".into()));
    assert_eq!(finding.core[0].op, Some(Op::Other("lock".into())));
}

#[test]
fn errors_are_clear() {
    let error = |text: &str| json::read(text.as_bytes()).unwrap_err();
    assert!(matches!(error("{"), ReadError::NotJson(_)));
    assert!(matches!(error("[]"), ReadError::NoSchema));
    assert!(matches!(error("{}"), ReadError::NoSchema));
    let other = error(r#"{"schema": "standoff-report/2"}"#).to_string();
    insta::assert_snapshot!(other, @r#"schema "standoff-report/2" is not one this version of standoff reads (expected "standoff-report/1")"#);
    let malformed = error(r#"{"schema": "standoff-report/1", "verdict": "fine"}"#);
    assert!(matches!(malformed, ReadError::Malformed(_)), "{malformed}");
}
