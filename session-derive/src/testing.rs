//! What the unit tests of both macros share.

use std::{fs, path::Path};

use proc_macro2::{TokenStream, TokenTree};

/// The messages of the errors that an expansion reports, in order.
pub(crate) fn messages(expansion: &TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(expansion.clone()).expect("an expansion is a list of items");
    let errors = file.items.into_iter().filter_map(|item| match item {
        syn::Item::Macro(item) if item.mac.path.segments.last().is_some_and(|name| name.ident == "compile_error") => {
            Some(item.mac.parse_body::<syn::LitStr>().expect("an error has a message").value())
        }
        _ => None,
    });
    errors.collect()
}

/// Each message has the words expected of it, in order, and there is no other.
pub(crate) fn assert_refused(found: &[String], expected: &[&str]) {
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found:?} has no {expected:?}");
    }
}

/// Compares an expansion, formatted, with the file of this name; `cargo xtask bless` writes it.
pub(crate) fn snapshot(name: &str, expansion: TokenStream) {
    let file = syn::parse2(expansion).expect("an expansion is a list of items");
    let formatted = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name).with_extension("rs");
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a snapshot is in a folder")).expect("the folder can be made");
        fs::write(&path, &formatted).expect("the snapshot can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        expected,
        formatted,
        "{} is not what the macro writes; `cargo xtask bless` writes it anew",
        path.display()
    );
}

/// Tokens that come from a text, each with the line and column that it stands at, in order.
pub(crate) fn places(tokens: TokenStream) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => found.extend(places(group.stream())),
            TokenTree::Punct(_) => {}
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                let start = token.span().start();
                found.push((token.to_string(), start.line, start.column));
            }
        }
    }
    found
}
