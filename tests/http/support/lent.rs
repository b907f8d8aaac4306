//! Leases for backends of the tests' own that have a memory inside.

/// Makes the leases of the field `memory` those of a backend.
macro_rules! lends_as_its_memory {
    ($backend:ty) => {
        impl session_runtime::backend::Leases for $backend {
            async fn acquire(
                &self,
                key: &RecordKey,
                lease: session_runtime::backend::Lease,
                touch: Touch,
            ) -> Result<session_runtime::backend::Acquired, BackendError> {
                session_runtime::backend::Leases::acquire(&self.memory, key, lease, touch).await
            }

            async fn extend(
                &self,
                key: &RecordKey,
                lease: session_runtime::backend::Lease,
            ) -> Result<bool, BackendError> {
                session_runtime::backend::Leases::extend(&self.memory, key, lease).await
            }

            async fn save(
                &self,
                key: &RecordKey,
                lease: session_runtime::backend::Lease,
                expected: u64,
                record: Record,
                touch: Touch,
            ) -> Result<Written, BackendError> {
                session_runtime::backend::Leases::save(&self.memory, key, lease, expected, record, touch).await
            }

            async fn release(
                &self,
                key: &RecordKey,
                lease: session_runtime::backend::Lease,
            ) -> Result<(), BackendError> {
                session_runtime::backend::Leases::release(&self.memory, key, lease).await
            }
        }
    };
}
pub(crate) use lends_as_its_memory;
