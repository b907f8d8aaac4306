//! What an error says of the connection that it came on.

use redis::{ErrorKind, RedisError, ServerErrorKind};

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
