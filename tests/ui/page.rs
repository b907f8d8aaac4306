//! `docs/errors.md`: every mistake of the UI tests, with what the compiler says about it, why, and the fix.
//!
//! A mistake's file begins with `//! # <section>`, then why it is one, then `Fix:` and what to write.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

const INTRODUCTION: &str = "\
# What the compiler says, and what to write instead

Each entry is a mistake, the compiler's words about it, why it is one, and the fix. Search for the words of your own
error. Where several mistakes are in one declaration or handler, all of them are told at once.

Written from the UI tests in `tests/ui` by `cargo xtask ui-bless`; a test holds it to them.
";

const FAMILIES: [(&str, &str); 2] =
    [("data", "`#[derive(SessionData)]` and its `#[session(...)]`"), ("handler", "`#[session(...)]` on a handler")];

/// The page as it should be.
pub(crate) fn written(root: &Path) -> String {
    let mut page = INTRODUCTION.to_owned();
    for (family, title) in FAMILIES {
        write!(page, "\n## {title}\n").expect("a string can be written to");
        let mut sections: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for file in mistakes(&root.join(family).join("fail")) {
            let entry = Entry::read(family, &file);
            sections.entry(entry.section.clone()).or_default().push(entry);
        }
        for (section, entries) in sections {
            write!(page, "\n### {section}\n").expect("a string can be written to");
            for entry in entries {
                page.push_str(&entry.written());
            }
        }
    }
    page
}

/// Where the page is.
pub(crate) fn path(root: &Path) -> PathBuf {
    root.join("../../docs/errors.md")
}

fn mistakes(folder: &Path) -> BTreeSet<PathBuf> {
    let files = fs::read_dir(folder).expect("the folder of mistakes can be read");
    let files = files.map(|file| file.expect("the folder of mistakes can be read").path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")).collect()
}

struct Entry {
    section: String,
    title: String,
    source: String,
    why: String,
    fix: String,
    said: Vec<String>,
}

impl Entry {
    fn read(family: &str, file: &Path) -> Self {
        let text = fs::read_to_string(file).expect("a mistake can be read");
        let header: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
        let header = header.join("\n");
        let shown = file.display();
        let (section, prose) = header.split_once("\n\n").unwrap_or_else(|| panic!("{shown} has no header"));
        let section = section.strip_prefix("# ").unwrap_or_else(|| panic!("{shown} has no section"));
        let (why, fix) = prose.split_once("\n\nFix: ").unwrap_or_else(|| panic!("{shown} has no fix"));
        let name = file.file_stem().and_then(|name| name.to_str()).expect("a mistake has a name");
        let (first, rest) = name.split_at(1);
        Self {
            section: section.to_owned(),
            title: first.to_uppercase() + &rest.replace('_', " "),
            source: format!("tests/ui/{family}/fail/{name}.rs"),
            why: why.to_owned(),
            fix: fix.to_owned(),
            said: said(&fs::read_to_string(file.with_extension("stderr")).unwrap_or_default()),
        }
    }

    fn written(&self) -> String {
        let Self { section: _, title, source, why, fix, said } = self;
        let said = said.join("\n\n");
        let mut fix = fix.clone();
        fix[..1].make_ascii_uppercase();
        format!("\n#### {title}\n\n```text\n{said}\n```\n\n{why} **Fix:** {fix}\n\n[Example](../{source})\n")
    }
}

/// The errors of a report, each with the source it points at, without what the compiler adds.
fn said(report: &str) -> Vec<String> {
    let mut errors: Vec<String> = Vec::new();
    let mut shown = false;
    for line in report.lines() {
        if line.starts_with("error") {
            errors.push(line.to_owned());
            shown = true;
        } else if line.trim_start().starts_with("-->") {
            // Where a file is on the machine of the tests is of no use to a reader.
        } else if shown
            && line.trim_start_matches([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']).starts_with('|')
            || line == "..."
        {
            if let Some(error) = errors.last_mut().filter(|_| shown) {
                error.push('\n');
                error.push_str(line.trim_end());
            }
        } else if line.trim_start().starts_with("= note: expected") || line.trim_start().starts_with("found ") {
            if let Some(error) = errors.last_mut().filter(|_| shown) {
                error.push('\n');
                error.push_str(line.trim_end());
            }
        } else {
            shown = false;
        }
    }
    errors
}
