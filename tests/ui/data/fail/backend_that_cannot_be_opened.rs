//! # Backends
//!
//! `backend = path` opens the type by its `OpenBackend`.
//!
//! Fix: implement `OpenBackend` for it.

use serde::{Deserialize, Serialize};
use session_runtime::{
    BackendError, SessionData,
    backend::{Backend, RecordKey, Record, Touch, Written},
};

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = Store, key = env("SESSION_KEYS"))]
struct User {
    name: String,
}

struct Store;

impl Backend for Store {
    async fn create(&self, _: &RecordKey, _: Record, _: Touch) -> Result<bool, BackendError> {
        Ok(true)
    }

    async fn load(&self, _: &RecordKey, _: Touch) -> Result<Option<Record>, BackendError> {
        Ok(None)
    }

    async fn peek(&self, _: &RecordKey) -> Result<Option<Record>, BackendError> {
        Ok(None)
    }

    async fn update(&self, _: &RecordKey, _: u64, _: Record, _: Touch) -> Result<Written, BackendError> {
        Ok(Written::Absent)
    }

    async fn delete(&self, _: &RecordKey) -> Result<bool, BackendError> {
        Ok(false)
    }
}

fn main() {}
