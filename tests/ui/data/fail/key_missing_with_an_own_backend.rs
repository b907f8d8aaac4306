//! # Keys
//!
//! A backend of your own is taken to outlive the process, and so must the key.
//!
//! Fix: add `key = env("SESSION_KEYS")`.

use serde::{Deserialize, Serialize};
use session_runtime::{
    BackendError, OpenError, SessionData,
    backend::{Backend, RecordKey, OpenBackend, Record, Scope, Touch, Written},
};

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = Store)]
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

#[derive(Default)]
struct Config {
    dir: Option<String>,
}

impl OpenBackend for Store {
    type Config = Config;

    async fn open(_: Config, _: &Scope) -> Result<Self, OpenError> {
        Ok(Self)
    }
}

fn main() {}
