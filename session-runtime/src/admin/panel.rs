//! The sessions of one type, without the type.

use std::sync::Arc;

use crate::sessions::{Core, ErasedData, SessionData, Sessions, typed};

/// What the application says of a session's data.
pub(super) type Line = Arc<dyn Fn(&dyn ErasedData) -> String + Send + Sync>;

/// A line by the application's function.
pub(super) fn line_of<T: SessionData>(line: impl Fn(&T) -> String + Send + Sync + 'static) -> Line {
    Arc::new(move |data| line(typed(data)))
}

/// The sessions of one type, under a title.
pub(super) struct Panel {
    title: String,
    /// Its name in addresses.
    slug: String,
    pub(super) core: Core,
    pub(super) line: Option<Line>,
    /// Whether the type has an owner.
    pub(super) owned: bool,
}

impl Panel {
    pub(super) fn new<T: SessionData>(title: String, sessions: &Sessions<T>, line: Option<Line>) -> Self {
        let slug = slug(&title);
        Self { title, slug, core: sessions.core().clone(), line, owned: T::OWNED }
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    pub(super) fn slug(&self) -> &str {
        &self.slug
    }
}

/// All that a page shows.
pub(super) struct Panels(pub(super) Vec<Panel>);

impl Panels {
    /// Two of one name are told apart by a number.
    pub(super) fn new(mut panels: Vec<Panel>) -> Self {
        for at in 0..panels.len() {
            let (before, rest) = panels.split_at_mut(at);
            let (panel, mut number) = (&mut rest[0], 2);
            let wanted = panel.slug.clone();
            while before.iter().any(|other| other.slug == panel.slug) {
                panel.slug = format!("{wanted}-{number}");
                number += 1;
            }
        }
        Self(panels)
    }

    pub(super) fn find(&self, slug: &str) -> Option<&Panel> {
        self.0.iter().find(|panel| panel.slug == slug)
    }
}

/// A title as part of an address: letters and digits of ASCII, and hyphens between them.
fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
    if slug.is_empty() { "sessions".into() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_part_of_an_address() {
        for (title, expected) in [
            ("Users", "users"),
            ("Shop carts (EU)", "shop-carts-eu"),
            ("style.css", "style-css"),
            ("../x?y#z", "x-y-z"),
            ("顧客", "sessions"),
            ("", "sessions"),
        ] {
            assert_eq!(slug(title), expected);
        }
    }
}
