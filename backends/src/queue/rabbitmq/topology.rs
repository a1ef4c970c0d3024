//! What is declared at the broker. Declaring again what is there changes nothing, so every process does it.
//!
//! `guidang.jobs` is a topic exchange with one quorum queue for each kind of job. A ring with a delay goes to an
//! exchange for that delay, waits in its queue until it expires, and comes back to `guidang.jobs` with the key it was
//! sent with. What is refused, or was handed over too often, goes to `guidang.refused`.

use std::time::Duration;

use domain::job::JobName;
use lapin::{
    Channel, Error, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

/// Every ring goes here, with the name of the job as its key.
pub(super) const JOBS: &str = "guidang.jobs";
/// Exchange and queue of what is no ring.
pub(super) const REFUSED: &str = "guidang.refused";

/// A ring handed over more often than this without being acknowledged is refused. There is no such limit by default.
const DELIVERY_LIMIT: i64 = 20;
/// Rings of one kind beyond which publishers are told no; the sweep rings for the rest when workers catch up.
const MOST_RINGS: i64 = 500_000;
/// Refused messages that are kept for people to look at.
const MOST_REFUSED: i64 = 10_000;
/// Delays there are; another one is rounded up. They are those of the back-off, and a short one for what waits for its
/// twin. All rings in a queue have the same, so none waits behind a longer one.
const DELAYS_MS: [u32; 7] = [500, 1_000, 4_000, 16_000, 64_000, 256_000, 1_024_000];

/// The queue of a kind of job.
pub(super) fn queue_of(name: JobName) -> String {
    format!("{JOBS}.{}", name.as_str())
}

/// The exchange for a delay; `None` when it is longer than any, and the sweep has to ring.
pub(super) fn exchange_for(delay: Duration) -> Option<String> {
    if delay.is_zero() {
        return Some(JOBS.to_owned());
    }
    DELAYS_MS.into_iter().find(|tier| Duration::from_millis((*tier).into()) >= delay).map(delay_name)
}

fn delay_name(delay_ms: u32) -> String {
    format!("guidang.delay.{delay_ms}ms")
}

/// Declares everything.
pub(super) async fn declare(channel: &Channel) -> Result<(), Error> {
    exchange(channel, JOBS, ExchangeKind::Topic).await?;
    exchange(channel, REFUSED, ExchangeKind::Fanout).await?;
    let refused = [("x-max-length", number(MOST_REFUSED)), ("x-overflow", text("drop-head"))];
    queue(channel, REFUSED, &refused).await?;
    bind(channel, REFUSED, REFUSED, "").await?;
    for name in JobName::ALL {
        declare_jobs(channel, name).await?;
    }
    for delay_ms in DELAYS_MS {
        declare_delay(channel, delay_ms).await?;
    }
    Ok(())
}

async fn declare_jobs(channel: &Channel, name: JobName) -> Result<(), Error> {
    let arguments = [
        ("x-delivery-limit", number(DELIVERY_LIMIT)),
        ("x-max-length", number(MOST_RINGS)),
        ("x-dead-letter-exchange", text(REFUSED)),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ];
    let queue_name = queue_of(name);
    queue(channel, &queue_name, &arguments).await?;
    bind(channel, &queue_name, JOBS, name.as_str()).await
}

async fn declare_delay(channel: &Channel, delay_ms: u32) -> Result<(), Error> {
    let arguments = [
        ("x-message-ttl", number(delay_ms.into())),
        ("x-dead-letter-exchange", text(JOBS)),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ];
    let name = delay_name(delay_ms);
    exchange(channel, &name, ExchangeKind::Fanout).await?;
    queue(channel, &name, &arguments).await?;
    bind(channel, &name, &name, "").await
}

async fn exchange(channel: &Channel, name: &str, kind: ExchangeKind) -> Result<(), Error> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(name.into(), kind, options, FieldTable::default()).await
}

async fn queue(channel: &Channel, name: &str, arguments: &[(&str, AMQPValue)]) -> Result<(), Error> {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    for (key, value) in arguments {
        table.insert((*key).into(), value.clone());
    }
    channel.queue_declare(name.into(), QueueDeclareOptions::durable(), table).await?;
    Ok(())
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), Error> {
    let options = QueueBindOptions::default();
    channel.queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default()).await
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

fn number(value: i64) -> AMQPValue {
    AMQPValue::LongLongInt(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_rounded_up_and_never_down() {
        let cases = [(0, Some(JOBS)), (1, Some("guidang.delay.500ms")), (400, Some("guidang.delay.500ms"))];
        for (delay_ms, expected) in cases {
            assert_eq!(exchange_for(Duration::from_millis(delay_ms)).as_deref(), expected);
        }
        assert_eq!(exchange_for(Duration::from_secs(5)).as_deref(), Some("guidang.delay.16000ms"));
        assert_eq!(exchange_for(Duration::from_hours(1)), None);
    }
}
