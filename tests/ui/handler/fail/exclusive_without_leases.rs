//! # Session parameters
//!
//! `&mut` is an exclusive borrow, which the backend has to lend on all machines.
//!
//! Fix: take `&User`, change it with `Session::update`, or choose a backend with leases, such as `redis`.

use serde::{Deserialize, Serialize};
use session_runtime::{
    BackendError, OpenError, SessionData,
    backend::{Backend, RecordKey, OpenBackend, Record, Scope, Touch, Written},
    session,
};

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = Store, key = env("SESSION_KEYS"))]
struct User {
    visits: u32,
}

#[session(protected)]
async fn visit(user: &mut User) -> String {
    user.visits += 1;
    user.visits.to_string()
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

impl OpenBackend for Store {
    type Config = ();

    async fn open(_: (), _: &Scope) -> Result<Self, OpenError> {
        Ok(Self)
    }
}

fn main() {}
