//! `cargo test` runs every test that there is, and begins no program that has none.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::fs;
use std::path::{Path, PathBuf};

/// The folders of all crates of the workspace.
fn crates() -> Vec<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let below = |folder: &str| fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let all = below("functions").chain(below("infra")).chain([root.join("shared"), root.join("tests/api")]);
    all.filter(|folder| folder.join("Cargo.toml").is_file()).collect()
}

/// The sources of a library, or of a program.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

fn has_tests(files: &[PathBuf]) -> bool {
    files.iter().any(|file| {
        fs::read_to_string(file).unwrap().lines().any(|line| {
            let line = line.trim_start();
            line == "#[test]" || line.starts_with("#[tokio::test") || line.starts_with("proptest!")
        })
    })
}

#[test]
fn what_is_not_run_has_no_tests_and_what_is_run_has_some() {
    for folder in crates() {
        let manifest: toml::Table = toml::from_str(&fs::read_to_string(folder.join("Cargo.toml")).unwrap()).unwrap();
        let is_run = |target: Option<&toml::Value>| {
            target.and_then(|target| target.get("test")).and_then(toml::Value::as_bool).unwrap_or(true)
        };
        let main = folder.join("src/main.rs");
        let library: Vec<PathBuf> = sources(&folder.join("src")).into_iter().filter(|file| *file != main).collect();
        let name = folder.file_name().unwrap().display();
        assert_eq!(is_run(manifest.get("lib")), has_tests(&library), "{name}: `test` of its library");
        if main.is_file() {
            let program = manifest.get("bin").and_then(|programs| programs.get(0));
            assert_eq!(is_run(program), has_tests(&[main]), "{name}: `test` of its program");
        }
    }
}
