//! How an event is written: one place for its name and its target.

/// An event of this level and name, with its fields and its message: `event!(warn, "session.forged", tokens, "...")`.
///
/// The target is the crate and not the module, so that a filter on it holds whatever the code is called inside. The name
/// is a field as well, since the usual formatters of `tracing` write an event's fields and not its name.
macro_rules! event {
    ($level:ident, $name:literal, $($rest:tt)*) => {
        tracing::$level!(name: $name, target: "session_runtime", event = $name, $($rest)*)
    };
}

/// A span of the level debug under the same target.
macro_rules! span {
    ($name:literal, $($fields:tt)*) => {
        tracing::debug_span!(target: "session_runtime", $name, $($fields)*)
    };
}
