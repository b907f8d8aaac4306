//! The instructions that a session adds to a request, held against those that were recorded. Instructions are counted by
//! valgrind and do not depend on what else the machine does; they do depend on the compiler, which the workspace pins.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What is counted, and what it is compared with.
const KINDS: [(&str, &str); 6] = [
    ("memory-read", "bare-read"),
    ("memory-write", "bare-write"),
    ("memory-update", "bare-write"),
    ("cold-read", "bare-read"),
    ("cookie-read", "bare-read"),
    ("cookie-update", "bare-write"),
];
const FEW: u64 = 100;
const MORE: u64 = 1_000;
/// How much more than recorded is too much, in percent.
const TOLERANCE: u64 = 5;

const REMEDY: &str =
    "if that is meant, run `BLESS=1 cargo test --package session-instructions` and say why in the commit";

#[test]
fn a_session_adds_no_more_instructions_than_recorded() {
    let program = optimised();
    let mut counts = BTreeMap::new();
    for kind in KINDS.iter().flat_map(|(kind, bare)| [kind, bare]) {
        counts.entry(*kind).or_insert_with(|| per_request(&program, kind));
    }
    let added: BTreeMap<&str, u64> =
        KINDS.iter().map(|(kind, bare)| (*kind, counts[kind].saturating_sub(counts[bare]))).collect();
    if env::var_os("BLESS").is_some() {
        let lines: Vec<String> = added.iter().map(|(kind, count)| format!("{kind} {count}\n")).collect();
        fs::write(recorded_at(), lines.concat()).unwrap();
    }
    let recorded = recorded();
    let mut risen = Vec::new();
    for (kind, count) in &added {
        let before = *recorded.get(*kind).unwrap_or_else(|| panic!("{kind} is not recorded: {REMEDY}"));
        println!("{kind}: {count} instructions more than without a session, {before} recorded");
        if count * 100 > before * (100 + TOLERANCE) {
            risen.push(format!("{kind}: {count} instead of {before}"));
        }
    }
    assert!(risen.is_empty(), "more than {TOLERANCE} % above what was recorded: {}; {REMEDY}", risen.join(", "));
}

/// The program, built as the benchmarks are: what a debug build executes says nothing.
fn optimised() -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--locked", "--profile", "bench", "--package", "session-instructions"];
    let built = Command::new(cargo).args(arguments).arg("--message-format=json").output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let told = String::from_utf8(built.stdout).unwrap();
    // {"reason":"compiler-artifact", ... "executable":"/.../session-instructions", ...}
    let path = told.lines().rev().find_map(|line| line.split_once("\"executable\":\"")?.1.split_once('"'));
    PathBuf::from(path.expect("cargo says where it put the program").0)
}

fn per_request(program: &Path, kind: &str) -> u64 {
    let [few, more] = [FEW, FEW + MORE].map(|requests| executed(program, kind, requests));
    more.saturating_sub(few) / MORE
}

/// All instructions of the program.
fn executed(program: &Path, kind: &str, requests: u64) -> u64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    let output = valgrind.args([kind, &requests.to_string()]).output().expect("`cargo xtask setup` installs valgrind");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{kind}: {said}");
    // ==1234== Collected : 123456789
    let collected = said.lines().rev().find_map(|line| line.split_once("Collected :"));
    collected.and_then(|(_, number)| number.trim().parse().ok()).unwrap_or_else(|| panic!("{kind}: {said}"))
}

fn recorded_at() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded.txt")
}

/// Lines of a kind and its number.
fn recorded() -> BTreeMap<String, u64> {
    let lines = fs::read_to_string(recorded_at()).unwrap_or_default();
    let pairs = lines.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(kind, count)| (kind.to_owned(), count.parse().expect("a number"))).collect()
}
