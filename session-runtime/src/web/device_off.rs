//! What stands in the place of device-bound sessions where the feature `device-bound` is off: nothing is bound, so nothing
//! is asked.

use std::time::Duration;

use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderName};

use super::authorize::Absence;
use crate::clock::Timestamp;
use crate::declaration::Transport;
use crate::error::Error;
use crate::record::SessionMeta;
use crate::session::TokenChange;
use crate::sessions::{Core, LoadedSession, TokenEntry};

/// What tells a browser to register a device: never sent.
pub(super) const REGISTRATION: HeaderName = HeaderName::from_static("secure-session-registration");

#[derive(Default)]
pub(super) struct Presented {}

impl Presented {
    pub(super) fn of(_: &Core, _: &TokenEntry, _: &Parts) -> Self {
        Self {}
    }

    pub(super) fn is_doubtful(&self, _: &Core, _: &TokenEntry) -> bool {
        false
    }

    pub(super) fn admits(&self, _: &Core, _: &TokenEntry, _: &SessionMeta) -> bool {
        true
    }

    pub(super) fn absence(&self, _: &Core, _: &TokenEntry, _: &SessionMeta) -> Option<Absence> {
        None
    }

    pub(super) fn recent(
        &self,
        _: &Core,
        _: &TokenEntry,
        _: &SessionMeta,
        _: Option<Duration>,
        _: Option<&Parts>,
    ) -> Result<(), Response> {
        Ok(())
    }
}

pub(super) fn note(_: &Core, _: &LoadedSession, _: Timestamp) {}

pub(super) fn announce(_: &Core, _: &Transport, _: &TokenChange, _: &mut HeaderMap) -> Result<(), Error> {
    Ok(())
}
