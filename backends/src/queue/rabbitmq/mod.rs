//! RabbitMQ: one quorum queue for each kind of job, confirms awaited, acknowledgements by hand.
//!
//! One task keeps the connection (`supervisor`), to any of the hosts; what needs it finds it there or is told at once
//! that there is none. Nothing here is needed for safety: the job's row is the truth.

mod address;
mod link;
mod message;
mod supervisor;
mod topology;
mod trouble;

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::job::JobName;
use lapin::{
    Acker,
    options::{BasicAckOptions, BasicNackOptions},
};

use self::{address::Brokers, link::Link, supervisor::Supervisor};
use super::{Delivery, JobQueue, QueueDepths, QueueError, Ring, arrivals::Arrivals};

/// How long a settlement may take; one that is lost does no harm.
const SETTLE_WITHIN: Duration = Duration::from_secs(5);

/// The bell of many processes.
pub(crate) struct RabbitQueue {
    supervisor: Supervisor,
    arrivals: Arc<Arrivals<Acker>>,
}

impl RabbitQueue {
    /// Starts connecting. `probe` says whether it worked.
    pub(crate) fn open(url: &str, ca_file: Option<&Path>) -> Result<Self, QueueError> {
        let arrivals = Arc::new(Arrivals::new());
        let supervisor = Supervisor::start(Brokers::parse(url, ca_file)?, Arc::clone(&arrivals));
        Ok(Self { supervisor, arrivals })
    }

    async fn link(&self) -> Result<Arc<Link>, QueueError> {
        self.supervisor.link().await
    }
}

/// What it takes to acknowledge a ring.
#[derive(Debug)]
pub(super) struct Receipt {
    acker: Option<Acker>,
}

impl Receipt {
    pub(super) async fn ack(mut self) {
        let Some(acker) = self.acker.take() else { return };
        let settled = tokio::time::timeout(SETTLE_WITHIN, acker.ack(BasicAckOptions::default())).await;
        if !matches!(settled, Ok(Ok(true))) {
            tracing::debug!("a ring could not be acknowledged; it comes again");
        }
    }

    pub(super) async fn nack(mut self) {
        if let Some(acker) = self.acker.take() {
            give_back(acker).await;
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let (Some(acker), Ok(runtime)) = (self.acker.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(give_back(acker));
        }
    }
}

/// Lets a ring be heard again, by whoever is free.
async fn give_back(acker: Acker) {
    let options = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
    // A channel that is gone has given everything back by itself.
    drop(tokio::time::timeout(SETTLE_WITHIN, acker.nack(options)).await);
}

#[async_trait]
impl JobQueue for RabbitQueue {
    async fn announce(&self, rings: &[Ring], delay: Duration) -> Result<(), QueueError> {
        if rings.is_empty() {
            return Ok(());
        }
        self.link().await?.publish(rings, delay).await
    }

    fn listen(&self, names: &[JobName], slots: usize) {
        self.arrivals.listen(names);
        self.supervisor.listen(names, u16::try_from(slots).unwrap_or(u16::MAX).max(1));
    }

    async fn receive(&self) -> Option<Delivery> {
        let (ring, acker) = self.arrivals.next().await?;
        Some(Delivery { ring, receipt: super::Receipt::RabbitMq(Receipt { acker: Some(acker) }) })
    }

    async fn probe(&self) -> Result<(), QueueError> {
        self.link().await.map(|_| ())
    }

    async fn depths(&self) -> Result<QueueDepths, QueueError> {
        self.link().await?.depths().await
    }

    async fn close(&self) {
        self.arrivals.close();
        self.supervisor.end_listening().await;
        for acker in self.arrivals.drain() {
            give_back(acker).await;
        }
    }
}
