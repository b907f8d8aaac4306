//! # Keys
//!
//! A backend of one's own is taken to outlive the process, and so must the key.
//!
//! Fix: add `key = env("SESSION_KEYS")`.

use serde::{Deserialize, Serialize};
use session_runtime::{
    BackendError, OpenError, SessionData,
    backend::{Backend, Key, OpenBackend, Record, Scope, Touch, Written},
};

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = Store)]
struct User {
    name: String,
}

struct Store;

impl Backend for Store {
    async fn create(&self, _: &Key, _: Record, _: Touch) -> Result<bool, BackendError> {
        Ok(true)
    }

    async fn load(&self, _: &Key, _: Touch) -> Result<Option<Record>, BackendError> {
        Ok(None)
    }

    async fn peek(&self, _: &Key) -> Result<Option<Record>, BackendError> {
        Ok(None)
    }

    async fn update(&self, _: &Key, _: u64, _: Record, _: Touch) -> Result<Written, BackendError> {
        Ok(Written::Absent)
    }

    async fn delete(&self, _: &Key) -> Result<bool, BackendError> {
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
