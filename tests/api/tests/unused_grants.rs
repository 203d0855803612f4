//! Last of all tests of a run: each function was granted what it needed in some story, and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use gatehouse_local::grants::{Line, of_this_run};
use gatehouse_template::Template;

/// Grants that no story can show the use of: function, word, and why it is there.
const EXCEPTIONS: [(&str, &str, &str); 11] = [
    ("deliver-mail", "sqs:SendMessage", "Lambda itself sends there what failed to the end, in the function's name"),
    ("deliver-mail", "ses:SendRawEmail", "SES may ask for it by what a mail consists of, and does not say when"),
    ("deliver-mail", "FailedMailBatches.Arn", "the same"),
    ("run-tasks", "sqs:SendMessage", "the same"),
    ("run-tasks", "FailedTaskBatches.Arn", "the same"),
    ("session", "secretsmanager:GetSecretValue", "the local stack has the secret in its data folder"),
    ("activate", "secretsmanager:GetSecretValue", "the same"),
    ("session", "KEYRING", "a new key is published by the first function that starts with it, which is activate here"),
    ("session", "SigningSecret", "the same"),
    ("activate", "SigningSecret", "the same"),
    (
        "apply-retention",
        "s3:DeleteObjectVersion",
        "for bytes that came, that nobody told of, and that are not what was announced",
    ),
];

/// Grants of two functions, of which whichever comes first makes use in the other's place: one of them did.
const EITHER: [([&str; 2], &str, &str); 1] = [(
    ["presign-upload", "finish-upload"],
    "s3:DeleteObjectVersion",
    "bytes that are not what was announced are deleted by whoever looks at them first: who is told, or the bucket's event",
)];

/// Whether a test program was asked for all of its tests.
fn ran_all(arguments: &[String]) -> bool {
    let mut arguments = arguments.iter().skip(1).map(String::as_str);
    while let Some(argument) = arguments.next() {
        match argument {
            "--nocapture" | "--no-capture" | "--show-output" | "-q" | "--quiet" | "--include-ignored" => {}
            "--test-threads" | "--format" | "--color" => drop(arguments.next()),
            argument if ["--test-threads=", "--format=", "--color="].iter().any(|all| argument.starts_with(all)) => {}
            _ => return false,
        }
    }
    true
}

#[test]
fn every_grant_of_the_template_is_used_in_some_story_and_nothing_else_is_asked_for() {
    let run: Vec<Line> = of_this_run().into_iter().flatten().collect();
    let refused = run.iter().filter_map(|line| if let Line::Refused(call) = line { Some(call.as_str()) } else { None });
    let refused: Vec<_> = refused.collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));

    let is_stories = |program: &String| {
        Path::new(program).file_name().is_some_and(|name| name.to_string_lossy().starts_with("stories-"))
    };
    let all = run
        .iter()
        .any(|line| matches!(line, Line::Began(arguments) if is_stories(&arguments[0]) && ran_all(arguments)));
    if !all {
        // Past the test's captured output: whoever asked for some stories only is to know what that does not show.
        let note =
            "\nnote: unused grants are looked for only where all stories have run before: cargo test --workspace\n";
        std::io::stderr().write_all(note.as_bytes()).unwrap();
        return;
    }
    let used: BTreeSet<(&str, &str, &str)> = run
        .iter()
        .filter_map(|line| match line {
            Line::Used { function, sid, word } => Some((function.as_str(), sid.as_str(), word.as_str())),
            _ => None,
        })
        .collect();
    let (mut unused, mut exceptions) =
        (Vec::new(), BTreeSet::from(EXCEPTIONS.map(|(function, word, _)| (function, word))));
    for function in Template::of_workspace().unwrap().functions {
        for grant in function.policy.grants() {
            let (name, sid, word) = (function.name.as_str(), grant.sid.as_str(), grant.word.as_str());
            if used.contains(&(name, sid, word)) {
                continue;
            }
            let by_the_other = EITHER.iter().any(|(functions, either, _)| {
                *either == word
                    && functions.contains(&name)
                    && used.iter().any(|(other, _, used)| used == either && functions.contains(other))
            });
            if by_the_other {
                continue;
            }
            let exception = EXCEPTIONS.iter().find(|(function, exception, _)| (*function, *exception) == (name, word));
            match exception {
                Some((function, word, _)) => drop(exceptions.remove(&(*function, *word))),
                None => unused.push(format!("functions/{name}: {sid}: {word}")),
            }
        }
    }
    assert!(unused.is_empty(), "template.yaml grants what no story needs; take it away:\n{}", unused.join("\n"));
    assert!(exceptions.is_empty(), "these are no exceptions any more: {exceptions:?}");
}
