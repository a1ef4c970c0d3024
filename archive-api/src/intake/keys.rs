//! Keys in reserve: one durable write makes several, so that a scan seldom waits for its key.

use backends::{
    connect::Backends,
    error::StorageError,
    vault::{DataKey, KeyPurpose},
};
use tokio::sync::Mutex;

/// Keys made at once.
const RESERVE: usize = 64;

/// Keys for scans that have not come yet. A crash leaves at most `RESERVE` of them behind, which open nothing.
pub(super) struct KeyReserve {
    backends: Backends,
    ready: Mutex<Vec<DataKey>>,
}

impl KeyReserve {
    pub(super) fn new(backends: Backends) -> Self {
        Self { backends, ready: Mutex::new(Vec::new()) }
    }

    /// Hands out keys, each once.
    pub(super) async fn take(&self, count: usize) -> Result<Vec<DataKey>, StorageError> {
        let mut ready = self.ready.lock().await;
        if ready.len() < count {
            let now = self.backends.clock.now();
            let made = self.backends.vault.new_keys(KeyPurpose::Scan, count.max(RESERVE), now).await?;
            ready.extend(made);
        }
        let keep = ready.len().saturating_sub(count);
        Ok(ready.split_off(keep))
    }

    /// Destroys what was not handed out.
    pub(super) async fn close(&self) -> Result<(), StorageError> {
        for key in self.ready.lock().await.drain(..) {
            self.backends.vault.destroy(key.id()).await?;
        }
        Ok(())
    }
}
