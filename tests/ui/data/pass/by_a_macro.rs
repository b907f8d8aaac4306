//! Types, values and functions may come through a macro.

use serde::{Deserialize, Serialize};
use session_runtime::{Invalid, SessionData};

macro_rules! sessions {
    ($($name:ident: $idle:literal, $check:path, $from:ty;)*) => {$(
        #[derive(Serialize, Deserialize, SessionData)]
        #[session(idle = $idle, validate = $check, version = 2, from = $from)]
        struct $name {
            name: String,
        }

        impl From<$from> for $name {
            fn from(old: $from) -> Self {
                Self { name: old.0 }
            }
        }
    )*};
}

#[derive(Serialize, Deserialize, SessionData)]
struct Old(String);

sessions! {
    User: "10m", checks::all, Old;
    Cart: "20m", checks::all, self::Old;
}

mod checks {
    pub fn all<T>(_: &T) -> Result<(), super::Invalid> {
        Ok(())
    }
}

fn main() {}
