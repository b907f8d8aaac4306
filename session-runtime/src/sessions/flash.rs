//! Fields that are read once: what one request leaves for the next borrow.

use serde::Serialize;

use super::exclusive::{Borrowed, ExclusiveSession};
use super::schema::Schema;
use crate::error::Error;

/// What a field marked `#[session(flash)]` may be: `Option<_>` or `Vec<_>` of what can be stored.
#[diagnostic::on_unimplemented(
    message = "a `flash` field can't be a `{Self}`",
    label = "expected `Option<..>` or `Vec<..>`, which can be empty once it was read",
    note = "write `Option<{Self}>` for one message, or `Vec<{Self}>` for several, of a type that derives `serde::Serialize`"
)]
pub trait Flash {
    /// Whether there is nothing to read.
    #[doc(hidden)]
    fn is_empty(&self) -> bool;

    /// Forgets what was there.
    #[doc(hidden)]
    fn clear(&mut self);

    /// Forgets what was `lent` and keeps what came since.
    #[doc(hidden)]
    fn consume(&mut self, lent: &Self);
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Flash for Option<T> {
    fn is_empty(&self) -> bool {
        self.is_none()
    }

    fn clear(&mut self) {
        *self = None;
    }

    fn consume(&mut self, lent: &Self) {
        if lent.is_some() && same(self, lent) {
            *self = None;
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Flash for Vec<T> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn clear(&mut self) {
        self.clear();
    }

    fn consume(&mut self, lent: &Self) {
        if self.get(..lent.len()).is_some_and(|first| same(first, lent.as_slice())) {
            self.drain(..lent.len());
        }
    }
}

/// Whether two values are stored alike.
fn same<T: Serialize + ?Sized>(one: &T, other: &T) -> bool {
    let json = |value| serde_json::to_vec(value).ok();
    json(one).is_some_and(|one| json(other) == Some(one))
}

impl ExclusiveSession {
    /// Marks it as a handler's borrow, which takes the flash that is there if it `reads` it.
    ///
    /// # Errors
    /// The data can't be read a second time.
    pub(crate) fn lend(&mut self, schema: &Schema, reads: bool) -> Result<(), Error> {
        let flash = if reads && self.data.has_flash() {
            Some((schema.decode)(&self.json).map_err(|error| Error::Encode(error.into()))?)
        } else {
            None
        };
        self.borrowed = Borrowed::Yes { flash };
        Ok(())
    }

    /// What the handler was lent has been read.
    pub(super) fn consume_flash(&mut self) {
        if let Borrowed::Yes { flash: Some(lent) } = &self.borrowed {
            self.data.consume_flash(&**lent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Flash;

    fn consumed<F: Flash>(lent: &F, mut now: F) -> F {
        now.consume(lent);
        now
    }

    #[test]
    fn what_was_lent_is_gone_and_what_came_since_stays() {
        assert_eq!(consumed(&Some("a"), Some("a")), None);
        assert_eq!(consumed(&Some("a"), Some("b")), Some("b"));
        assert_eq!(consumed(&Some("a"), None), None);
        assert_eq!(consumed(&None, Some("a")), Some("a"));
        assert!(consumed(&vec![1, 2], vec![1, 2]).is_empty());
        assert_eq!(consumed(&vec![1, 2], vec![1, 2, 2, 1]), [2, 1]);
        assert_eq!(consumed(&vec![1, 2], vec![3]), [3], "the handler has put other messages in their place");
        assert_eq!(consumed(&vec![1, 2], vec![3, 4, 5]), [3, 4, 5]);
        assert_eq!(consumed(&vec![], vec![1]), [1]);
    }
}
