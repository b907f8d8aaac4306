//! What the documents say of the code and of the tests is so.

mod reference;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The rows that the page of evidence must have, by their first cells.
const ROWS: &[&str] = &[
    "SM1",
    "SM2, V7.2.3",
    "SM3",
    "SM4",
    "SM5, V7.2.4",
    "SM6",
    "SM7, V7.3.1-2, N5, N6",
    "SM9, V7.4.1",
    "SM10, H1",
    "SM11, V16.2.5",
    "SM12",
    "V7.2.1",
    "V7.4.2, V7.4.5",
    "V7.4.3",
    "V7.5.1-3",
    "V7.5.2",
    "V7.6.2",
    "V3.3.1, V3.3.3, C5",
    "V3.3.2",
    "V3.3.4",
    "V3.3.5, C2, F4",
    "V3.7.2",
    "C3",
    "C4, C9",
    "C7",
    "V9.2.2-4",
    "F1",
    "F2",
    "F3",
    "X1, V3.5",
    "L1",
    "PB",
    "rotation",
    "retirement",
    "other services",
    "logout under a writer",
    "rotation under a writer",
    "fifty writers",
    "logout, then login",
    "login over a session",
    "the client goes away",
    "a panic, a 5xx",
    "an `Err`",
    "a lease that runs out",
    "the store is down, hangs, restarts",
    "stored garbage, another schema",
    "a write cut short",
    "the clock jumps",
    "R1",
    "R2",
    "R3",
    "R4",
    "R5",
    "R6",
    "R7",
    "R8",
    "R9",
    "device",
    "TLS to Redis",
    "restored from logout by an upsert",
    "id adopted from the client",
    "token good for ever",
    "expiry overwritten on load",
    "raw ids in the store",
    "a decoder's fallback",
    "ids in logs",
    "emptied state not stored",
    "cached Set-Cookie",
    "removals unlike what they remove",
    "a failed load overwrote good data",
    "a 500 after a login lost the session",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A row of a table: what it is called, without what stands in parentheses behind it, and its last cell.
fn rows(page: &str) -> Vec<(String, String)> {
    let lines = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| row |"));
    let cells = lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>());
    let rows = cells.map(|cells| {
        assert_eq!(cells.len(), 3, "{cells:?}");
        let name = cells[0].split(" (").next().unwrap_or_default();
        (name.to_owned(), cells[2].to_owned())
    });
    rows.collect()
}

/// The references in a cell; what is none of them is a mistake.
fn references(cell: &str) -> Vec<&str> {
    let parts: Vec<_> = cell.split('`').collect();
    assert!(parts.len() % 2 == 1 && parts.iter().step_by(2).all(|between| between.trim().is_empty()), "{cell}");
    parts.into_iter().skip(1).step_by(2).collect()
}

/// What is wrong with a reference to a test: `path/of/file.rs::name_of_the_test`, or the file of a use that must not
/// compile.
fn mistake(reference: &str) -> Option<String> {
    let Some((file, name)) = reference.split_once("::") else {
        let is_refused = reference.contains("/fail/") && root().join(reference).with_extension("stderr").is_file();
        return (!is_refused).then(|| format!("{reference}: no such refused use"));
    };
    let Ok(source) = fs::read_to_string(root().join(file)) else { return Some(format!("{file}: no such file")) };
    let lines: Vec<_> = source.lines().map(str::trim_start).collect();
    let defines = |line: &&str| line.split_once("fn ").is_some_and(|(_, rest)| starts_with_word(rest, name));
    let Some(at) = lines.iter().position(defines) else { return Some(format!("{file}: no test {name}")) };
    // Either it says itself that it is a test, or a macro is told its name, in this file or beside it.
    let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    let is_marked = attributes.into_iter().any(|line| line.contains("test]") || line.contains("test("));
    (!is_marked && mentions(file, name) < 2).then(|| format!("{file}: {name} is run by nobody"))
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// How often the files of this file's folder name a test.
fn mentions(file: &str, name: &str) -> usize {
    let folder: PathBuf = root().join(file).parent().expect("a file is in a folder").to_owned();
    let files = fs::read_dir(folder).expect("the folder can be read").map(|entry| entry.unwrap().path());
    let texts = files.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap_or_default());
    let words = |text: String| text.match_indices(name).filter(|(at, _)| starts_with_word(&text[*at..], name)).count();
    texts.map(words).sum()
}

#[test]
fn the_page_of_security_has_every_row_once() {
    let rows = rows(&read("session-runtime/docs/security.md"));
    let named: Vec<&str> = rows.iter().map(|(row, _)| row.as_str()).collect();
    let (expected, found): (BTreeSet<&str>, BTreeSet<&str>) =
        (ROWS.iter().copied().collect(), named.iter().copied().collect());
    assert_eq!(expected, found);
    assert_eq!(named.len(), ROWS.len(), "each once");
}

#[test]
fn every_row_of_the_page_of_security_has_tests_and_every_test_that_it_names_is_there() {
    let mut mistakes = Vec::new();
    for (row, tests) in rows(&read("session-runtime/docs/security.md")) {
        if tests == "not yet" {
            continue;
        }
        let references = references(&tests);
        assert!(!references.is_empty(), "{row} has a test");
        mistakes.extend(references.into_iter().filter_map(mistake).map(|mistake| format!("{row}: {mistake}")));
    }
    assert!(mistakes.is_empty(), "{mistakes:#?}");
}

#[test]
fn what_names_no_test_is_told() {
    for reference in [
        "tests/docs/main.rs::there_is_no_such_test",
        "tests/docs/main.rs::the_page_of_security_has_every_row",
        "tests/docs/main.rs::starts_with_word_of_no_test",
        "tests/docs/nowhere.rs::what_names_no_test_is_told",
        "tests/docs/main.rs",
        "tests/ui/data/pass/defaults.rs",
        "tests/ui/data/fail/nowhere.rs",
    ] {
        assert!(mistake(reference).is_some(), "{reference}");
    }
    assert_eq!(mistake("tests/docs/main.rs::what_names_no_test_is_told"), None);
}

/// The documents of the repository and the pages of the guide.
fn documents() -> Vec<PathBuf> {
    let markdown = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let folders = ["", "benches", "session-runtime/docs"].map(|folder| root().join(folder));
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("the folder can be read"));
    entries.map(|entry| entry.unwrap().path()).filter(markdown).collect()
}

/// Where the links of a document lead: those in the text, and definitions such as `[name]: file.md`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let inline = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let defined = text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).map(|(_, link)| link);
    inline.chain(defined)
}

#[test]
fn links_in_the_documents_lead_to_files() {
    let pages = documents();
    assert!(pages.len() > 20, "{pages:?}");
    let mut dead = Vec::new();
    for page in pages {
        let (text, folder) = (fs::read_to_string(&page).unwrap(), page.parent().unwrap());
        for link in links(&text) {
            let file = link.split('#').next().unwrap_or_default();
            let is_elsewhere = file.contains("://") || file.is_empty();
            if !is_elsewhere && !folder.join(file).exists() {
                dead.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

/// In the documentation the names of pages lead to modules, where the page's own definitions lead to files.
#[test]
fn each_page_of_the_guide_is_a_module_and_has_a_link_to_it() {
    let (modules, names) = (read("session-runtime/src/guide.rs"), read("session-runtime/src/docs/links.md"));
    for page in documents().iter().filter(|page| page.starts_with(root().join("session-runtime/docs"))) {
        let file = page.file_name().and_then(|name| name.to_str()).expect("a page has a name");
        let name = if file == "README.md" { "guide" } else { file.trim_end_matches(".md") };
        assert!(modules.contains(&format!("{file}\"")), "{file} is no module");
        assert!(names.contains(&format!("[{name}]: crate::guide")), "links.md has no [{name}]");
        let text = fs::read_to_string(page).unwrap();
        for (name, link) in text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")) {
            assert!(
                names.contains(&format!("[{name}]: crate::")),
                "{file}: [{name}] leads to {link} in the documentation too"
            );
        }
    }
}
