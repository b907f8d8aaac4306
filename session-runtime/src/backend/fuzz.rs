//! What stores may hold, of any bytes.

/// The first byte says whose row the rest is.
pub fn stored_rows(input: &[u8]) {
    let Some((store, rest)) = input.split_first() else { return };
    match store % 4 {
        #[cfg(feature = "file")]
        0 => super::file::fuzz::file(rest),
        #[cfg(feature = "file")]
        1 => super::file::fuzz::altered_file(rest),
        #[cfg(feature = "redis")]
        2 => super::redis::fuzz::answer(rest),
        #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
        3 => super::sql::fuzz::row(rest),
        _ => _ = rest,
    }
}
