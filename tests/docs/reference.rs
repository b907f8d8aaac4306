//! The reference has all that there is to be named, and no more.

use std::collections::BTreeSet;

use session_rules::cookie::CookieAttribute;

use super::{read, root};

const PAGE: &str = "session-runtime/docs/reference.md";

/// The implementations that users call, by the files that they are in.
const METHODS: [(&str, &str); 11] = [
    ("session/mod.rs", "\nimpl<T: SessionData> Session<T> {\n"),
    ("session/slot.rs", "\nimpl<T: SessionData> SessionSlot<T> {\n"),
    ("session/slot.rs", "\nimpl<T: SessionData, O> Start<'_, T, O> {\n"),
    ("sessions/mod.rs", "\nimpl<T> Sessions<T> {\n"),
    ("sessions/all.rs", "\nimpl<T: SessionData> Sessions<T> {\n"),
    ("sessions/owners/mod.rs", "\nimpl<T: SessionData> Sessions<T> {\n"),
    ("web/layer.rs", "\nimpl<T: SessionData> Sessions<T> {\n"),
    ("web/snapshot.rs", "\nimpl<T: SessionData> Sessions<T> {\n"),
    ("session/slot.rs", "\nimpl<T: SessionData> Sessions<T> {\n"),
    ("session/started.rs", "\nimpl Started {\n"),
    ("web/started.rs", "\nimpl Started {\n"),
];

/// What stands under a heading, up to the next one of the same level or a higher one.
fn section(page: &str, heading: &str) -> String {
    let level = heading.bytes().take_while(|byte| *byte == b'#').count();
    let mut lines = page.lines().skip_while(|line| *line != heading).skip(1).peekable();
    assert!(lines.peek().is_some(), "there is no {heading:?}");
    let ends = |line: &&str| (1..=level).any(|level| line.starts_with(&format!("{} ", "#".repeat(level))));
    lines.take_while(|line| !ends(line)).flat_map(|line| [line, "\n"]).collect()
}

/// The rows of the first table of a text, without its head.
fn table(text: &str) -> Vec<&str> {
    let lines = text.lines().skip_while(|line| !line.starts_with('|'));
    lines.take_while(|line| line.starts_with('|')).skip(2).collect()
}

/// The names in the first cells, as far as they are one word in backquotes.
fn names(rows: &[&str]) -> BTreeSet<String> {
    let first = |row: &&str| row.strip_prefix("| `")?.split('`').next().map(str::to_owned);
    let names: Vec<_> = rows.iter().filter_map(first).collect();
    let unique: BTreeSet<_> = names.iter().cloned().collect();
    assert_eq!(names.len(), unique.len(), "each once: {names:?}");
    unique
}

/// The names in the tables of options of the macros' source.
fn options(file: &str) -> BTreeSet<String> {
    let source = read(format!("session-derive/src/{file}"));
    let (_, table) = source.split_once("const TABLE").expect("a table of options");
    let table = table.split("\n];\n").next().expect("which ends");
    let names: BTreeSet<_> = between(table, "name: \"").map(str::to_owned).collect();
    assert!(names.len() > 3, "{file}: {names:?}");
    names
}

/// What stands between `before` and the next quotation mark, wherever it does.
fn between<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next())
}

/// The public functions of the implementations that begin with one of these lines.
fn functions(file: &str, blocks: &[&str]) -> BTreeSet<String> {
    let source = read(format!("session-runtime/src/{file}"));
    let mut found = BTreeSet::new();
    for block in blocks {
        assert!(source.contains(block), "{file} has no `{block}`");
        for body in source.split(block).skip(1) {
            let body = body.split("\n}\n").next().unwrap_or_default();
            let lines = body.lines().filter_map(|line| line.strip_prefix("    pub "));
            let functions = lines.filter_map(|line| line.trim_start_matches("async ").strip_prefix("fn "));
            found.extend(functions.filter_map(|rest| rest.split(['(', '<']).next()).map(str::to_owned));
        }
    }
    assert!(!found.is_empty(), "{file}");
    found
}

#[test]
fn every_option_has_a_row_of_the_reference_and_each_row_is_an_option() {
    let page = read(PAGE);
    for (heading, file) in [
        ("## Options of a session type", "data/parse.rs"),
        ("### Options of a field", "options/field.rs"),
        ("## Options of a handler", "handler/parse.rs"),
    ] {
        assert_eq!(names(&table(&section(&page, heading))), options(file), "{heading}");
    }
    let attributes: BTreeSet<_> = CookieAttribute::ALL.iter().map(|attribute| attribute.key().to_owned()).collect();
    assert_eq!(names(&table(&section(&page, "### The cookie"))), attributes);
    // Each backend with all of its arguments.
    let source = read("session-derive/src/options/backend/mod.rs");
    let rows = section(&page, "### Backends");
    let rows = table(&rows);
    for backend in ["memory", "redis", "file", "sqlite", "postgres", "mysql", "cookie"] {
        assert!(source.contains(&format!("name: \"{backend}\"")), "{backend}");
        assert!(names(&rows).contains(backend), "{backend}");
    }
    assert_eq!(
        between(&source, "    name: \"").collect::<BTreeSet<_>>().len(),
        rows.len() - 1,
        "one row is the user's own"
    );
    let redis = read("session-derive/src/options/backend/redis.rs");
    let arguments: Vec<_> = between(&source, "argument(\"").chain(between(&redis, "argument(\"")).collect();
    assert!(arguments.len() > 15, "{arguments:?}");
    for argument in arguments {
        assert!(rows.iter().any(|row| row.contains(&format!("`{argument} = "))), "{argument}");
    }
}

#[test]
fn the_macros_documentation_has_the_same_tables_as_the_reference() {
    let page = read(PAGE);
    for (heading, file) in [
        ("## Options of a session type", "derive.md"),
        ("### Options of a field", "derive.md"),
        ("### Transports", "derive.md"),
        ("## Options of a handler", "session.md"),
        ("### Parameters of a handler", "session.md"),
        ("## Cargo features", "crate.md"),
    ] {
        let documentation = read(format!("session-runtime/src/docs/{file}")).replace("(crate::guide::reference#", "(#");
        for row in table(&section(&page, heading)) {
            assert!(documentation.contains(row), "{file} lacks {row}");
        }
    }
}

#[test]
fn every_method_is_in_the_reference() {
    let page = read(PAGE);
    let builder: BTreeSet<_> = functions("sessions/builder.rs", &["\nimpl<T> Builder<T> {\n"]);
    assert_eq!(names(&table(&section(&page, "## The builder"))), builder);
    let headings = ["## Session", "## SessionSlot and Start", "## SessionSlot and Start"];
    let headings = headings.into_iter().chain(std::iter::repeat("## Sessions"));
    for ((file, block), heading) in METHODS.into_iter().zip(headings) {
        let text = section(&page, heading);
        for function in functions(file, &[block]) {
            assert!(text.contains(&format!("{function}(")), "{heading} lacks `{function}` of {file}");
        }
    }
}

#[test]
fn every_method_of_the_page_for_operators_is_on_the_page_about_it_and_has_an_example() {
    let (file, block) = ("admin/mod.rs", "\nimpl<T: SessionData> Admin<T> {\n");
    let page = read("session-runtime/docs/admin.md");
    let source = read("session-runtime/src/admin/mod.rs");
    for function in functions(file, &[block]) {
        assert!(page.contains(&format!("| `{function}(")), "the page lacks `{function}`");
        let at = source.find(&format!("pub fn {function}")).expect("it is there");
        let documentation = source[..at].rsplit("\n\n").next().unwrap_or_default();
        assert!(documentation.contains("/// ```"), "`{function}` has no example");
    }
}

#[test]
fn every_cargo_feature_is_in_the_reference_and_in_the_readme() {
    let manifest = read("session-runtime/Cargo.toml");
    let features = manifest.split("[features]\n").nth(1).and_then(|rest| rest.split("\n[").next()).expect("features");
    let features = features.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    let features: BTreeSet<_> = features.map(|(name, _)| name.to_owned()).filter(|name| name != "default").collect();
    assert_eq!(names(&table(&section(&read(PAGE), "## Cargo features"))), features);
    let readme = read("README.md");
    for feature in features {
        assert!(readme.contains(&format!("`{feature}`")), "README lacks `{feature}`");
    }
}

#[test]
fn every_response_in_the_reference_is_one_that_is_sent() {
    let page = read(PAGE);
    let source = read("session-runtime/src/web/problem_kind.rs");
    let rows = section(&page, "## Responses");
    let rows = table(&rows);
    let kinds: BTreeSet<_> = rows.iter().filter_map(|row| row.split('`').nth(1)).collect();
    assert_eq!(kinds.len(), rows.len(), "each once");
    for kind in kinds {
        assert!(source.contains(&format!("\"{kind}\"")), "{kind}");
    }
}

#[test]
fn no_cell_of_the_reference_has_more_than_thirty_words() {
    for line in read(PAGE).lines().filter(|line| line.starts_with('|')) {
        for cell in line.replace("\\|", " ").split('|') {
            assert!(cell.split_whitespace().count() <= 30, "{cell}");
        }
    }
}

/// A guide that tells of an event under another name is of no use to who searches the log for it.
#[test]
fn events_that_the_guide_names_exist() {
    let events = read("session-runtime/docs/observability.md");
    let pages = std::fs::read_dir(root().join("session-runtime/docs")).expect("there are pages");
    for page in pages.map(|page| page.unwrap().path()) {
        let text = std::fs::read_to_string(&page).unwrap();
        for name in text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("session.")) {
            let is_event = name[8..].chars().all(|c| c.is_ascii_lowercase() || c == '_');
            let is_field = ["id", "name", "visits"].contains(&&name[8..]);
            assert!(!is_event || is_field || events.contains(&format!("| `{name}` |")), "{}: {name}", page.display());
        }
    }
}

#[test]
fn every_method_of_sessions_and_builders_has_an_example() {
    let mut without = Vec::new();
    for (file, block) in METHODS.into_iter().chain([("sessions/builder.rs", "\nimpl<T> Builder<T> {\n")]) {
        let source = read(format!("session-runtime/src/{file}"));
        let body = source.split(block).nth(1).and_then(|rest| rest.split("\n}\n").next()).expect("a block");
        for function in functions(file, &[block]) {
            let at = body.find(&format!("fn {function}")).expect("it is there");
            let documentation = body[..at].rsplit("\n\n").next().unwrap_or_default();
            if !documentation.contains("/// ```") && !documentation.contains("docs/examples/") {
                without.push(format!("{file}: {function}"));
            }
        }
    }
    assert!(without.is_empty(), "{without:#?}");
}
