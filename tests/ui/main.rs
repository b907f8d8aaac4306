//! What the compiler says: each file in a `fail` folder is one mistake, and the `.stderr` file beside it is what a
//! user reads; each file in a `pass` folder must compile, and run when it has something to show.
//!
//! `cargo xtask bless` writes the `.stderr` files anew, and `session-runtime/docs/errors.md` with them; read them
//! before they are committed.

mod page;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

const FAMILIES: [&str; 2] = ["data", "handler"];

#[test]
fn mistakes_are_reported_as_written_and_the_rest_compiles() {
    let cases = trybuild::TestCases::new();
    for family in FAMILIES {
        cases.pass(format!("{family}/pass/*.rs"));
        cases.compile_fail(format!("{family}/fail/*.rs"));
    }
    // They run when the list of them ends, and the page is made of what they say.
    drop(cases);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (path, page) = (page::path(root), page::written(root));
    if env::var_os("TRYBUILD").is_some_and(|mode| mode == "overwrite") {
        fs::create_dir_all(path.parent().expect("a page is in a folder")).expect("the folder can be made");
        fs::write(&path, &page).expect("the page can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "{} is not what the UI tests say; `cargo xtask bless` writes it anew", path.display());
}

#[test]
fn every_report_belongs_to_a_mistake() {
    let files = FAMILIES.iter().flat_map(|family| ["pass", "fail"].map(|kind| files(&Path::new(family).join(kind))));
    let orphans: Vec<_> = files
        .flatten()
        .filter(|file| file.extension().is_some_and(|extension| extension == "stderr"))
        .filter(|report| !report.with_extension("rs").exists())
        .collect();
    assert!(orphans.is_empty(), "reports without a mistake, to be removed: {orphans:?}");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
