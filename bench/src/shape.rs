//! The two shapes of an archive: everything in one folder, or on servers started for the measurement.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::Result;
use archive_tests::{
    engines::PrivatePostgres,
    rabbit::PrivateRabbit,
    seaweed::{Seaweed, Versions},
};
use backends::connect::BackendsConfig;

/// Where archives are made.
pub enum Shape {
    /// SQLite, a folder of objects, and a bell within the process.
    Embedded,
    /// PostgreSQL, RabbitMQ and an S3 server on this machine.
    Distributed(Box<Servers>),
}

/// Servers that nobody else uses; they end with this process.
pub struct Servers {
    postgres: PrivatePostgres,
    rabbit: PrivateRabbit,
    seaweed: Seaweed,
    archives: AtomicU32,
}

impl Shape {
    /// Starts the servers. PostgreSQL syncs every commit, as SQLite does; SeaweedFS and RabbitMQ run as they come.
    pub async fn distributed() -> Result<Self> {
        let servers = Servers {
            postgres: PrivatePostgres::start_that_syncs()?,
            rabbit: PrivateRabbit::start()?,
            seaweed: Seaweed::start().await?,
            archives: AtomicU32::new(0),
        };
        Ok(Self::Distributed(Box::new(servers)))
    }

    /// Its name in tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Distributed(_) => "distributed",
        }
    }

    /// Addresses of an archive that is not made yet; what stays on this machine lies in the folder.
    pub async fn new_archive(&self, folder: &Path) -> Result<BackendsConfig> {
        let mut config = BackendsConfig::embedded(folder);
        if let Self::Distributed(servers) = self {
            let number = servers.archives.fetch_add(1, Ordering::Relaxed);
            config.database_url = servers.postgres.url(&format!("catalogue_{number}"))?;
            config.keys_url = servers.postgres.url(&format!("keys_{number}"))?;
            config.queue_url = servers.rabbit.url();
            config.objects_url = format!("s3://{}", servers.seaweed.bucket(Versions::NotKept).await?);
            config.s3 = servers.seaweed.settings();
        }
        Ok(config)
    }
}
