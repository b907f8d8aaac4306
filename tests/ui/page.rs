//! `session-runtime/docs/errors.md`: every mistake of the UI tests, with what the compiler says about it, why, and the fix.
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

Written from the UI tests in `tests/ui` by `cargo xtask bless`; a test holds it to them.
";

/// What a heading of the page stands for, with its sections: the common mistakes first.
struct Family {
    folder: &'static str,
    title: &'static str,
    sections: &'static [&'static str],
}

const FAMILIES: [Family; 2] = [
    Family {
        folder: "handler",
        title: "`#[session(...)]` on a handler",
        sections: &[
            "State and router",
            "Session parameters",
            "Access",
            "Extractors and responses",
            "Guards",
            "The function",
            "Options of the handler",
            "Descriptions",
            "Several mistakes at once",
        ],
    },
    Family {
        folder: "data",
        title: "`#[derive(SessionData)]` and its `#[session(...)]`",
        sections: &[
            "The type",
            "Options of the attribute",
            "Backends",
            "Keys",
            "Cookies",
            "Timeouts",
            "Environment variables",
            "Field options",
            "Owners and limits",
            "Device-bound sessions",
            "Transports",
            "Cross-site requests",
            "Responses without a session",
            "Validation and verification",
            "When a session ends",
            "Versions and migration",
            "Several mistakes at once",
        ],
    },
];

/// The page as it should be.
pub(crate) fn written(root: &Path) -> String {
    let (mut page, mut contents, mut anchors) = (String::new(), String::new(), Anchors::default());
    for Family { folder, title, sections } in FAMILIES {
        write!(page, "\n## {title}\n").expect("a string can be written to");
        writeln!(contents, "- [{title}](#{})", anchors.of(title)).expect("a string can be written to");
        let mut entries: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for file in mistakes(&root.join(folder).join("fail")) {
            let entry = Entry::read(folder, &file);
            entries.entry(entry.section.clone()).or_default().push(entry);
        }
        for section in sections {
            let entries =
                entries.remove(*section).unwrap_or_else(|| panic!("no mistake of {folder} is in {section:?}"));
            write!(page, "\n### {section}\n").expect("a string can be written to");
            writeln!(contents, "  - [{section}](#{})", anchors.of(section)).expect("a string can be written to");
            for entry in entries {
                anchors.of(&entry.title);
                page.push_str(&entry.written());
            }
        }
        assert!(entries.is_empty(), "{:?} are in no section of the page", entries.keys());
    }
    [INTRODUCTION, "\n", &contents, &page].concat()
}

/// The names by which a heading can be linked to, as GitHub gives them: a second one of the same words is numbered.
#[derive(Default)]
struct Anchors(BTreeMap<String, usize>);

impl Anchors {
    fn of(&mut self, heading: &str) -> String {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect();
        let times = self.0.entry(anchor.clone()).or_default();
        *times += 1;
        if *times == 1 { anchor } else { format!("{anchor}-{}", *times - 1) }
    }
}

/// Where the page is.
pub(crate) fn path(root: &Path) -> PathBuf {
    root.join("../../session-runtime/docs/errors.md")
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
        let said = said(&fs::read_to_string(file.with_extension("stderr")).unwrap_or_default());
        Self {
            section: section.to_owned(),
            title: title(&said, name),
            source: format!("tests/ui/{family}/fail/{name}.rs"),
            why: why.to_owned(),
            fix: fix.to_owned(),
            said,
        }
    }

    fn written(&self) -> String {
        let Self { section: _, title, source, why, fix, said } = self;
        let said = said.join("\n\n");
        let mut fix = fix.clone();
        fix[..1].make_ascii_uppercase();
        format!("\n#### {title}\n\n```text\n{said}\n```\n\n{why} **Fix:** {fix}\n\nExample: `{source}`\n")
    }
}

/// What somebody searches for: the first words of the first error, up to the remedy.
fn title(said: &[String], name: &str) -> String {
    let first = said.first().and_then(|said| said.lines().next()).unwrap_or(name);
    let words = first.split_once(": ").map_or(first, |(_, words)| words);
    let problem = words.split("; ").next().unwrap_or(words);
    let title = match problem.char_indices().nth(LONGEST_TITLE) {
        Some((end, _)) => format!("{}...", problem[..end].trim_end()),
        None => problem.to_owned(),
    };
    as_text(&title)
}

/// Outside of code, what Markdown would take for a tag or a link is escaped; code that was cut off is closed.
fn as_text(title: &str) -> String {
    let parts: Vec<&str> = title.split('`').collect();
    let shown = parts.iter().enumerate().map(|(at, part)| match at % 2 {
        0 => part.replace('<', "\\<").replace("://", ":\\/\\/"),
        _ => (*part).to_owned(),
    });
    let text = shown.collect::<Vec<_>>().join("`");
    if parts.len().is_multiple_of(2) { text + "`" } else { text }
}

/// In characters: some of the compiler's own errors spell out a whole type.
const LONGEST_TITLE: usize = 100;

/// The errors of a report, each with the source that it points at and with what it says to do.
fn said(report: &str) -> Vec<String> {
    let mut errors: Vec<Vec<&str>> = Vec::new();
    let mut within = false;
    for line in report.lines() {
        if line.starts_with("error") || line.starts_with("warning") {
            within = line.starts_with("error");
            errors.extend(within.then(Vec::new));
        }
        if let Some(error) = errors.last_mut().filter(|_| within) {
            error.push(line);
        }
    }
    errors.iter().map(|error| essence(error)).collect()
}

/// One error without what concerns the machine of the tests, and without what the compiler adds for its own reasons.
fn essence(error: &[&str]) -> String {
    const NOISE: [&str; 6] =
        ["this error ", "required ", "see issue", "`#[", "for types from other crates", "`SessionData` is a"];
    let (head, rest) = error.split_first().expect("an error has a first line");
    // Where a file is on that machine is of no use to a reader.
    let rest: Vec<&str> = rest.iter().map(|line| line.trim_end()).filter(|line| !line.contains("--> ")).collect();
    let is_source = |line: &str| {
        line == "..." || line.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit()).starts_with('|')
    };
    let source = rest.iter().take_while(|line| is_source(line)).count();
    let (source, words) = rest.split_at(source);
    let source = source.strip_suffix(&["   |"]).unwrap_or(source);

    let mut shown = false;
    let words = words.iter().filter(|line| {
        let note = line.strip_prefix("   = note: ");
        // A note goes on in lines that are indented further.
        shown =
            note.map_or(shown && line.starts_with("     "), |note| !NOISE.iter().any(|noise| note.starts_with(noise)));
        shown
    });
    [head].into_iter().chain(source).chain(words).copied().collect::<Vec<_>>().join("\n")
}
