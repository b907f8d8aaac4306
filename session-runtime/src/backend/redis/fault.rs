//! What an error says of the connection that it came on.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::error::BackendError;

/// What Redis 7 says before it repeats the arguments of a command that it does not know. They may be a password, or what a
/// session holds.
const ARGUMENTS: &str = ", with args beginning with:";

/// What a server said, without what it was sent.
pub(super) fn said(error: &RedisError) -> Option<&str> {
    error.detail()?.split(ARGUMENTS).next()
}

/// The same error, without what the server was sent.
pub(super) fn without_arguments(error: RedisError) -> RedisError {
    match said(&error) {
        Some(said) if error.detail().is_some_and(|detail| detail.len() > said.len()) => {
            (error.kind(), "the server refused a command", said.to_owned()).into()
        }
        _ => error,
    }
}

/// What a store is told.
pub(super) fn unavailable(error: RedisError) -> BackendError {
    BackendError::new(without_arguments(error))
}

/// Why a connection is of no more use.
pub(super) enum Fault {
    /// It broke: what was asked may have been done.
    Lost,
    /// The server can't serve: what was asked was not done.
    Refused,
}

impl Fault {
    pub(super) fn of(error: &RedisError) -> Option<Self> {
        let elsewhere = [ServerErrorKind::ReadOnly, ServerErrorKind::MasterDown, ServerErrorKind::BusyLoading];
        match error.kind() {
            ErrorKind::Server(kind) if elsewhere.contains(&kind) => Some(Self::Refused),
            // Redis 6 wraps what a command in a script was refused by.
            ErrorKind::Server(ServerErrorKind::ResponseError) => {
                let detail = error.detail().unwrap_or_default();
                ["-READONLY", "-MASTERDOWN", "-LOADING"]
                    .iter()
                    .any(|code| detail.contains(code))
                    .then_some(Self::Refused)
            }
            _ if error.is_unrecoverable_error() || error.is_io_error() => Some(Self::Lost),
            _ => None,
        }
    }
}
