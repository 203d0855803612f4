//! Builds the pages with npm and esbuild, in a copy below `OUT_DIR`, and says which files to embed.
//!
//! npm is asked for the packages again only when the lock file has changed, so that an ordinary build needs no network.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// What the bundle is made of; the rest of `web/` is for checks and tests.
const SOURCES: [&str; 5] = ["package.json", "package-lock.json", "build.mjs", "messages", "src"];

/// What `build.mjs` says of what it has made.
#[derive(serde::Deserialize)]
struct Bundle {
    folder: String,
    files: Vec<File>,
}

#[derive(serde::Deserialize)]
struct File {
    path: String,
    content_type: String,
    is_first: bool,
}

fn main() {
    if let Err(problem) = build() {
        println!("cargo::error=the pages cannot be built: {problem}");
    }
}

fn build() -> Result<(), String> {
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or(format!("{name} is not set"));
    let (web, copy) = (variable("CARGO_MANIFEST_DIR")?.join("web"), variable("OUT_DIR")?.join("web"));
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", web.join(source).display());
        let done = replace(&web.join(source), &copy.join(source));
        done.map_err(|error| format!("{source} cannot be copied: {error}"))?;
    }
    install(&copy)?;
    run(Command::new("node").arg("build.mjs").current_dir(&copy))?;
    let text = fs::read_to_string(copy.join("dist/bundle.json")).map_err(|error| error.to_string())?;
    let bundle: Bundle = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    fs::write(copy.join("dist/bundle.rs"), embedded(&bundle)).map_err(|error| error.to_string())
}

/// The packages of the lock file, if they are not there already.
fn install(copy: &Path) -> Result<(), String> {
    let (lock, installed) = (fs::read(copy.join("package-lock.json")), copy.join("installed.json"));
    let lock = lock.map_err(|error| error.to_string())?;
    if fs::read(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let ci = ["ci", "--ignore-scripts", "--omit=dev", "--prefer-offline", "--no-audit", "--no-fund"];
    run(Command::new("npm").args(ci).current_dir(copy))?;
    fs::write(installed, lock).map_err(|error| error.to_string())
}

/// Copies a file or a folder, in which nothing older is left.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        if to.exists() {
            fs::remove_dir_all(to)?;
        }
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            replace(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    to.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::copy(from, to).map(drop)
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program} of Node 20 or later is needed ({error})"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    // Cargo takes one line for one message.
    let said: Vec<_> = String::from_utf8_lossy(&said).lines().map(str::to_owned).collect();
    Err(format!("{program} failed: {}", said.join(" / ")))
}

fn embedded(bundle: &Bundle) -> String {
    let mut code = format!("Bundle {{ folder: {:?}, files: &[\n", bundle.folder);
    for File { path, content_type, is_first } in &bundle.files {
        let include = |end: &str| format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/web/dist/{path}{end}\"))");
        let (plain, brotli, gzip) = (include(""), include(".br"), include(".gz"));
        let _ = writeln!(
            code,
            "    File {{ path: {path:?}, content_type: {content_type:?}, is_first: {is_first}, plain: {plain}, brotli: {brotli}, gzip: {gzip} }},"
        );
    }
    code + "] }"
}
