//! One living connection: publishing with confirms, consumers, counting.

use std::{sync::Arc, time::Duration};

use domain::job::JobName;
use futures_util::StreamExt;
use lapin::{
    Acker, BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer, Error,
    options::{
        BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, BasicRejectOptions,
        ConfirmSelectOptions, QueueDeclareOptions,
    },
    types::FieldTable,
    uri::AMQPUri,
};
use tokio::{sync::watch, task::JoinSet};

use super::{
    address::Brokers,
    message, topology,
    trouble::{self, unavailable},
};
use crate::queue::{QueueDepths, QueueError, Ring, arrivals::Arrivals};

/// How long one host may take to let us in and to declare everything.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long confirms are waited for. One that is pending when a broker dies never comes.
const CONFIRM_WITHIN: Duration = Duration::from_secs(5);
/// How long closing may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// A message is kept through a restart of the broker.
const PERSISTENT: u8 = 2;

/// A connection with everything declared.
pub(super) struct Link {
    connection: Connection,
    publisher: Channel,
    /// Whether it was given up; whoever waits for this ends it.
    given_up: watch::Sender<bool>,
}

impl Link {
    /// Connects to one host.
    pub(super) async fn open(brokers: &Brokers, address: &AMQPUri) -> Result<Self, QueueError> {
        let opening = tokio::time::timeout(CONNECT_WITHIN, Self::connect(brokers, address)).await;
        match opening {
            Ok(opened) => opened.map_err(|error| trouble::explain(&error, address)),
            Err(_) => Err(unavailable(format!("{} does not answer", super::address::name_of(address)))),
        }
    }

    async fn connect(brokers: &Brokers, address: &AMQPUri) -> Result<Self, Error> {
        let properties = ConnectionProperties::default().with_connection_name("guidang".into());
        let builder = lapin::DefaultConnectionBuilder::new()?;
        let builder = builder.with_uri(address.clone()).with_properties(properties);
        let connection = builder.with_tls_config(brokers.tls.clone()).connect().await?;
        let publisher = connection.create_channel().await?;
        topology::declare(&publisher).await?;
        publisher.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { connection, publisher, given_up: watch::Sender::new(false) })
    }

    /// Whether it still can be used.
    pub(super) fn is_alive(&self) -> bool {
        self.connection.status().connected()
            && self.publisher.status().connected()
            && !*self.given_up.borrow()
    }

    /// Waits until somebody gave it up.
    pub(super) async fn until_given_up(&self) {
        let mut given_up = self.given_up.subscribe();
        // An error means that the link is gone, which is as given up as can be.
        let _ = given_up.wait_for(|given_up| *given_up).await;
    }

    /// Ends it, so that the broker hands over again what it had handed over here.
    pub(super) async fn close(&self) {
        self.given_up.send_replace(true);
        let closing = self.connection.close(200, "given up".into());
        // A broker that is gone does not answer, and has given everything back by itself.
        drop(tokio::time::timeout(CLOSE_WITHIN, closing).await);
    }

    /// Sends rings and waits until the broker has them safe.
    pub(super) async fn publish(&self, rings: &[Ring], delay: Duration) -> Result<(), QueueError> {
        if self.connection.status().blocked() {
            let reason = "the broker takes nothing: it is short of memory or disk";
            return Err(unavailable(reason.to_owned()));
        }
        // What is due later than any delay there is, the sweep rings for.
        let Some(exchange) = topology::exchange_for(delay) else { return Ok(()) };
        let sent = tokio::time::timeout(CONFIRM_WITHIN, self.publish_to(&exchange, rings)).await;
        if let Ok(published) = sent {
            return published;
        }
        self.given_up.send_replace(true);
        Err(unavailable(format!("the broker did not confirm within {CONFIRM_WITHIN:?}")))
    }

    async fn publish_to(&self, exchange: &str, rings: &[Ring]) -> Result<(), QueueError> {
        let mut confirms = Vec::with_capacity(rings.len());
        for ring in rings {
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let body = message::encode(*ring).map_err(|error| unavailable(error.to_string()))?;
            let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
            let key = ring.name.as_str().into();
            let sent = self.publisher.basic_publish(exchange.into(), key, options, &body, properties).await;
            confirms.push(sent.map_err(|error| unavailable(error.to_string()))?);
        }
        for confirm in confirms {
            match confirm.await.map_err(|error| unavailable(error.to_string()))? {
                Confirmation::Ack(None) => {}
                Confirmation::Ack(Some(_)) => {
                    return Err(unavailable("the broker has no queue for this kind of job".to_owned()));
                }
                Confirmation::Nack(_) | Confirmation::NotRequested => {
                    return Err(unavailable("the broker refused a ring; its queue is full".to_owned()));
                }
            }
        }
        Ok(())
    }

    /// Counts what waits.
    pub(super) async fn depths(&self) -> Result<QueueDepths, QueueError> {
        let counting = async {
            let channel = self.connection.create_channel().await?;
            let mut rings = Vec::with_capacity(JobName::ALL.len());
            for name in JobName::ALL {
                rings.push((name, count(&channel, &topology::queue_of(name)).await?));
            }
            let refused = count(&channel, topology::REFUSED).await?;
            channel.close(200, "counted".into()).await?;
            Ok::<QueueDepths, Error>(QueueDepths { rings, refused })
        };
        let counted = tokio::time::timeout(CONFIRM_WITHIN, counting).await;
        let counted = counted.map_err(|_| unavailable("the broker does not answer".to_owned()))?;
        counted.map_err(|error| unavailable(error.to_string()))
    }

    /// Opens a consumer for each kind of job, on a channel that hands over at most `slots` rings of a kind at once.
    pub(super) async fn consume(
        &self,
        names: &[JobName],
        slots: u16,
        arrivals: &Arc<Arrivals<Acker>>,
    ) -> Result<Consumers, Error> {
        let channel = self.connection.create_channel().await?;
        channel.basic_qos(slots, BasicQosOptions::default()).await?;
        let (mut pumps, mut tags) = (JoinSet::new(), Vec::new());
        for name in names {
            let queue = topology::queue_of(*name).as_str().into();
            let options = BasicConsumeOptions::default();
            let consumer = channel.basic_consume(queue, "".into(), options, FieldTable::default()).await?;
            tags.push(consumer.tag());
            pumps.spawn(pump(consumer, *name, Arc::clone(arrivals)));
        }
        Ok(Consumers { channel, tags, pumps })
    }
}

async fn count(channel: &Channel, queue: &str) -> Result<u64, Error> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare(queue.into(), options, FieldTable::default()).await?;
    Ok(queue.message_count().into())
}

/// The running consumers.
pub(super) struct Consumers {
    channel: Channel,
    tags: Vec<lapin::types::ShortString>,
    pumps: JoinSet<()>,
}

impl Consumers {
    /// Waits until one of them has ended, which it does only when its channel is gone or the broker took it away.
    pub(super) async fn until_ended(&mut self) {
        self.pumps.join_next().await;
    }

    /// Ends them; what was handed over can still be acknowledged.
    pub(super) async fn cancel(self) -> Channel {
        for tag in &self.tags {
            // A channel that is gone has no consumers either.
            let _ = self.channel.basic_cancel(tag.clone(), BasicCancelOptions::default()).await;
        }
        self.channel
    }
}

/// Takes over what a consumer gets; what is no ring goes to the refused.
async fn pump(mut consumer: Consumer, name: JobName, arrivals: Arc<Arrivals<Acker>>) {
    while let Some(Ok(delivery)) = consumer.next().await {
        if let Some(ring) = message::decode(&delivery.data, name) {
            arrivals.push(ring, delivery.acker, usize::MAX);
            continue;
        }
        tracing::warn!(
            job.name = name.as_str(),
            size_bytes = delivery.data.len(),
            "a message on the queue is no ring; it is put aside in {}",
            topology::REFUSED
        );
        let options = BasicRejectOptions { requeue: false };
        if let Err(error) = delivery.acker.reject(options).await {
            tracing::debug!(%error, "a message could not be refused; it comes again");
        }
    }
}
