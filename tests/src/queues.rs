//! Every queue under test.

use std::{path::Path, sync::Arc};

use anyhow::Result;
use backends::{
    clock::SystemClock,
    connect::{Backends, BackendsConfig},
    queue::JobQueue,
    vault::RootKey,
};
use tempfile::TempDir;

use crate::rabbit;

/// A queue that nobody else rings.
pub struct TestQueue {
    /// Which one, for the log.
    pub name: &'static str,
    /// Ready for use.
    pub queue: Arc<dyn JobQueue>,
    _folder: TempDir,
}

/// The bell within one process.
pub async fn in_process() -> Result<TestQueue> {
    open("in-process", "in-process:", None).await
}

/// A virtual host of the suite's RabbitMQ.
pub async fn rabbitmq() -> Result<TestQueue> {
    rabbitmq_at(&rabbit::shared()?.url()).await
}

/// RabbitMQ at an address, as one more process would open it.
pub async fn rabbitmq_at(url: &str) -> Result<TestQueue> {
    open("rabbitmq", url, None).await
}

/// The same, believing this authority only.
pub async fn rabbitmq_with_authority(url: &str, ca_file: &Path) -> Result<TestQueue> {
    open("rabbitmq", url, Some(ca_file)).await
}

/// Every queue.
pub async fn all() -> Result<Vec<TestQueue>> {
    let every = vec![in_process().await?, rabbitmq().await?];
    for one in &every {
        println!("conformance runs on {}", one.name);
    }
    Ok(every)
}

async fn open(name: &'static str, url: &str, ca_file: Option<&Path>) -> Result<TestQueue> {
    let folder = tempfile::tempdir()?;
    let mut config = BackendsConfig::embedded(folder.path());
    url.clone_into(&mut config.queue_url);
    config.queue_ca_file = ca_file.map(Path::to_owned);
    std::fs::create_dir_all(folder.path().join("keys"))?;
    RootKey::create(&config.root_key)?;
    let backends = Backends::connect(&config, Arc::new(SystemClock)).await?;
    Ok(TestQueue { name, queue: backends.queue, _folder: folder })
}
