//! An archive of many processes: PostgreSQL, RabbitMQ, one server that does no jobs, and as many workers as asked for.

use std::path::PathBuf;

use anyhow::Result;
use backends::{connect::BackendsConfig, queue::Ring};
use tempfile::TempDir;

use crate::{
    engines::PrivatePostgres,
    queues,
    rabbit::PrivateRabbit,
    server::{Setup, TestServer},
    worker::TestWorker,
};

/// Everything, ended and removed when dropped.
pub struct Cluster {
    /// The server.
    pub server: TestServer,
    /// The broker, which nobody else uses.
    pub rabbit: PrivateRabbit,
    /// Where everything is kept.
    pub stores: BackendsConfig,
    setup: Setup,
    started: usize,
    folder: TempDir,
    _postgres: PrivatePostgres,
}

impl Cluster {
    /// Starts the engines and the server, with settings for drills and these besides.
    pub async fn start(more: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("guidang-cluster-").tempdir()?;
        let (postgres, rabbit) = (PrivatePostgres::start()?, PrivateRabbit::start()?);
        let mut stores = BackendsConfig::embedded(folder.path());
        stores.database_url = postgres.url("catalogue")?;
        stores.keys_url = postgres.url("keys")?;
        stores.queue_url = rabbit.url();
        let mut setup = Setup::for_drills().with("WORKERS__MAX_ATTEMPTS", "20").with_stores(&stores);
        for (key, value) in more {
            setup = setup.with(key, value);
        }
        let server = setup.clone().without_work().start().await?;
        Ok(Self { server, rabbit, stores, setup, started: 0, folder, _postgres: postgres })
    }

    /// Starts one more worker.
    pub async fn worker(&mut self, arguments: &[&str]) -> Result<TestWorker> {
        self.started += 1;
        let folder: PathBuf = self.folder.path().join(format!("worker-{}", self.started));
        TestWorker::start(&folder, &self.setup, arguments).await
    }

    /// Rings without any job having become necessary, until it works.
    pub async fn ring(&self, rings: &[Ring]) -> Result<()> {
        let bell = queues::rabbitmq_at(&self.stores.queue_url).await?;
        bell.queue.probe().await?;
        for some in rings.chunks(500) {
            bell.queue.announce(some, std::time::Duration::ZERO).await?;
        }
        Ok(())
    }
}
