//! Lower layers know nothing of higher ones.

use std::fs;
use std::path::Path;

/// From the bottom to the top: a module uses only what stands before it.
const LAYERS: &[&str] = &[
    "clock",
    "invalid",
    "error",
    "id",
    "telemetry",
    "missing",
    "guard",
    "codec",
    "crypto",
    "record",
    "token",
    "setting",
    "backend",
    "declaration",
    "lease",
    "sessions",
    "session",
    "web",
    "testing",
    "__private",
];

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == module)
}

fn check(module: &str, path: &Path, wrong: &mut Vec<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            check(module, &entry.unwrap().path(), wrong);
        }
        return;
    }
    if path.extension().is_none_or(|extension| extension != "rs") {
        return;
    }
    for line in fs::read_to_string(path).unwrap().lines().filter(|line| !line.trim_start().starts_with("//")) {
        for (at, _) in line.match_indices("crate::") {
            let used: String = line[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            // A name at the crate's root is a re-export of a module's; those are for users.
            let Some(used_rank) = rank(&used) else { continue };
            if used != module && rank(module).is_none_or(|own| used_rank >= own) {
                wrong.push(format!("{}: `{module}` uses `crate::{used}`", path.display()));
            }
        }
    }
}

#[test]
fn each_module_uses_only_lower_layers() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for entry in fs::read_dir(&src).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if ["lib", "docs", "guide"].contains(&module.as_str()) {
            continue;
        }
        assert!(rank(&module).is_some(), "`{module}` has no layer; give it one in this test");
        seen += 1;
        check(&module, &path, &mut wrong);
    }
    assert_eq!(seen, LAYERS.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
