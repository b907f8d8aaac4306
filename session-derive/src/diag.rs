//! Every mistake of one use is collected and reported in one go.

use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;

/// Collects errors. Whoever makes one must read it with [`Errors::finish`].
#[must_use]
pub(crate) struct Errors {
    collected: Vec<syn::Error>,
    read: bool,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Self { collected: Vec::new(), read: false }
    }

    /// Reports a mistake at one token.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    /// Reports a mistake at everything from the first to the last of the tokens.
    pub(crate) fn over(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.collected.push(error);
    }

    /// The value, or its error in the sink.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// `value` if no mistake was reported, else all mistakes as one error.
    pub(crate) fn finish<T>(mut self, value: T) -> syn::Result<T> {
        self.read = true;
        let mut errors = std::mem::take(&mut self.collected).into_iter();
        let Some(mut all) = errors.next() else { return Ok(value) };
        all.extend(errors);
        Err(all)
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        if cfg!(debug_assertions) && !self.read && !std::thread::panicking() {
            panic!("an error sink was dropped without being read");
        }
    }
}

/// The candidate that `written` is probably a slip of.
pub(crate) fn closest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (distance(&written, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len().max(written.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", or the whole choice when nothing is close.
pub(crate) fn suggestion<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match closest(written, candidates.clone()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("expected {}", choice(candidates)),
    }
}

/// "`a`, `b` and `c`".
pub(crate) fn listing<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    joined(names, "and")
}

/// "`a`, `b` or `c`".
pub(crate) fn choice<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    joined(names, "or")
}

fn joined<'a>(names: impl IntoIterator<Item = &'a str>, word: &str) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.pop() {
        Some(last) if !names.is_empty() => format!("{} {word} {last}", names.join(", ")),
        Some(only) => only,
        None => String::new(),
    }
}

/// The edits (insert, delete, replace, swap neighbours) that lead from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_an_unrelated_word_is_not() {
        let options = ["backend", "key", "cookie", "idle", "lifetime", "missing"];
        for (written, meant) in
            [("idel", "idle"), ("Backend", "backend"), ("lifetme", "lifetime"), ("kee", "key"), ("cookies", "cookie")]
        {
            assert_eq!(closest(written, options), Some(meant), "{written}");
        }
        for written in ["timeout", "csrf", "x", ""] {
            assert_eq!(closest(written, options), None, "{written}");
        }
    }

    #[test]
    fn every_mistake_is_reported_in_order() {
        let mut errors = Errors::new();
        errors.at(Span::call_site(), "one");
        errors.at(Span::call_site(), "two");
        let all: Vec<String> = errors.finish(()).unwrap_err().into_iter().map(|error| error.to_string()).collect();
        assert_eq!(all, ["one", "two"]);
    }

    #[test]
    #[should_panic(expected = "without being read")]
    fn a_sink_that_nobody_reads_is_a_bug() {
        let mut errors = Errors::new();
        errors.at(Span::call_site(), "lost");
        drop(errors);
    }
}
