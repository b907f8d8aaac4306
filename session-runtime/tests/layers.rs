//! Lower layers know nothing of higher ones.

use std::fs;
use std::path::Path;

/// From the bottom to the top: a module uses only what stands before it, and of outside crates only those beside it.
///
/// `axum` and `http` stand where a user's own function is called with their types (`guard`, `missing`, `verify` in
/// `sessions`) and where a header's name is kept; requests and responses are read and written in `web` alone.
const LAYERS: &[(&str, &[&str])] = &[
    ("event", &["tracing"]),
    ("clock", &[]),
    ("invalid", &["garde"]),
    ("error", &["axum", "serde_json"]),
    ("id", &["base64", "getrandom", "hashbrown", "serde", "sha2"]),
    ("activity", &[]),
    ("telemetry", &["metrics", "tracing"]),
    ("timers", &["metrics"]),
    ("return_to", &["axum", "serde"]),
    ("missing", &["axum", "form_urlencoded", "futures_util", "http", "session_rules"]),
    ("guard", &["axum", "http"]),
    ("codec", &["serde", "serde_json"]),
    ("crypto", &["aes", "base64", "cbc", "chacha20poly1305", "fernet", "hkdf", "hmac", "sha2"]),
    ("device", &["base64", "p256", "serde", "serde_json", "sha2"]),
    ("record", &["bytes"]),
    // With the ciphers by which its tests word Fernet once more.
    ("token", &["aes", "base64", "bytes", "cbc", "fernet", "hmac", "quick_cache", "sha2", "siphasher"]),
    ("setting", &["session_rules"]),
    (
        "backend",
        &[
            "base64",
            "bytes",
            "fs4",
            "futures_util",
            "hashbrown",
            "quick_cache",
            "redis",
            "rustix",
            "rustls_native_certs",
            "sha2",
            "sqlx",
            "tokio",
            "tokio_rustls",
            "tracing",
        ],
    ),
    ("declaration", &["http", "session_rules"]),
    ("scheme", &["session_rules", "utoipa"]),
    // With the crate that draws the storms of its tests.
    ("lease", &["proptest", "tokio"]),
    (
        "sessions",
        &[
            "axum",
            "bytes",
            "futures_util",
            "http",
            "lru",
            "quick_cache",
            "serde",
            "serde_json",
            "session_derive",
            "session_rules",
            "tokio",
            "tracing",
        ],
    ),
    ("inspect", &["serde_json", "session_rules"]),
    ("session", &["serde", "tracing"]),
    (
        "web",
        &[
            "axum",
            "cookie",
            "futures_util",
            "http",
            "memchr",
            "serde",
            "serde_json",
            "session_rules",
            "tower_layer",
            "tower_service",
            "tracing",
            "tokio",
        ],
    ),
    ("admin", &["axum", "form_urlencoded", "http", "humantime", "maud", "serde", "serde_json"]),
    ("describe", &["http", "serde_json", "session_rules", "utoipa"]),
    ("openapi", &["utoipa"]),
    (
        "testing",
        &[
            "axum",
            "bytes",
            "cookie",
            "form_urlencoded",
            "futures_util",
            "http",
            "serde",
            "serde_json",
            "session_rules",
            "tokio",
            "tower_service",
            "tracing",
        ],
    ),
    ("__private", &["axum", "http", "serde_json", "session_rules", "utoipa"]),
];

/// The crate's dependencies, as its code spells them: those of `[dependencies]` in the manifest.
fn dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let table = manifest.lines().skip_while(|line| line.trim() != "[dependencies]").skip(1);
    let names = table.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| !name.is_empty() && !name.starts_with('#')).map(|name| name.replace('-', "_")).collect()
}

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|(layer, _)| *layer == module)
}

/// Whether a line names a crate, and nothing longer that ends or begins like it, and no module of our own.
fn names(line: &str, krate: &str) -> bool {
    line.match_indices(krate).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let path = line[..at].trim_end_matches("::").len() < at;
        let own = path && line[..at - 2].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let behind = &line[at + krate.len()..];
        let used = behind.starts_with("::") || line.trim_start().starts_with(&format!("use {krate};"));
        used && !own && before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
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
    for line in fs::read_to_string(path)
        .unwrap()
        .lines()
        .take_while(|line| *line != "mod tests {")
        .filter(|line| !line.trim_start().starts_with("//"))
    {
        let code = line.split("//").next().unwrap_or_default();
        let allowed = rank(module).map_or(&[][..], |rank| LAYERS[rank].1);
        for krate in dependencies().iter().filter(|krate| !allowed.contains(&krate.as_str()) && names(code, krate)) {
            // Its name may also be one of ours, such as the backend `redis` or the module `cookie`.
            let ours =
                ["self::", "super::", "crate::", "rules::"].iter().any(|own| code.contains(&format!("{own}{krate}")));
            if !ours {
                wrong.push(format!("{}: `{module}` uses the crate `{krate}`", path.display()));
            }
        }
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
fn each_module_uses_only_lower_layers_and_the_crates_it_is_allowed() {
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
