//! Measures ringing: `cargo run --release -p archive-bench --bin queue -- [--rounds 5] [--rings 4000]`.
//!
//! Publishes the same number of messages of the same size in turn by a bare `lapin` publisher and by the program's
//! bell, both persistent, to quorum queues of one RabbitMQ, every confirm awaited: one at a time, as an upload rings, and
//! a hundred under way, as a sweep does. Prints medians as a Markdown table; the share is the bare time over ours,
//! taken within each round. It starts a RabbitMQ of its own, of one node with one scheduler.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use archive_bench::corpus::argument;
use archive_tests::{
    queues::{self, TestQueue},
    rabbit::PrivateRabbit,
};
use backends::{
    clock::{Clock, SystemClock, new_id},
    queue::Ring,
};
use domain::job::JobName;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueuePurgeOptions},
    types::{AMQPValue, FieldTable},
};

/// Messages whose confirms are awaited together.
const UNDER_WAY: [usize; 2] = [1, 100];
const BARE_QUEUE: &str = "bench.bare";
/// Where the program's rings of the kind that is rung end up.
const OUR_QUEUE: &str = "guidang.jobs.read_scan";
const PERSISTENT: u8 = 2;

#[tokio::main]
async fn main() -> Result<()> {
    let rounds: usize = argument("--rounds", 5)?;
    let count: usize = argument("--rings", 4_000)?;
    let rabbit = PrivateRabbit::start()?;
    let url = rabbit.url();
    let ours = queues::rabbitmq_at(&url).await?;
    ours.queue.probe().await?;
    let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
    let bare = bare_channel(&connection).await?;
    println!("| under way | bare messages/s | ours rings/s | share |");
    println!("|---|---|---|---|");
    for under_way in UNDER_WAY {
        let mut measured = Vec::with_capacity(rounds);
        // The first round warms up.
        for round in 0..=rounds {
            let times = (publish(&bare, count, under_way).await?, ring(&ours, count, under_way).await?);
            for queue in [BARE_QUEUE, OUR_QUEUE] {
                bare.queue_purge(queue.into(), QueuePurgeOptions::default()).await?;
            }
            if round > 0 {
                measured.push(times);
            }
        }
        print_row(under_way, count, &measured);
    }
    connection.close(200, "done".into()).await?;
    Ok(())
}

async fn bare_channel(connection: &Connection) -> Result<Channel> {
    let channel = connection.create_channel().await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    channel.queue_declare(BARE_QUEUE.into(), QueueDeclareOptions::durable(), arguments).await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

async fn publish(channel: &Channel, count: usize, under_way: usize) -> Result<Duration> {
    // As long as one of our rings.
    let body = vec![b'x'; 82];
    let started = Instant::now();
    let mut left = count;
    while left > 0 {
        let now = left.min(under_way);
        let mut confirms = Vec::with_capacity(now);
        for _ in 0..now {
            let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
            let options = BasicPublishOptions::default();
            confirms
                .push(channel.basic_publish("".into(), BARE_QUEUE.into(), options, &body, properties).await?);
        }
        for confirm in confirms {
            ensure!(matches!(confirm.await?, Confirmation::Ack(_)), "the broker did not take a message");
        }
        left -= now;
    }
    Ok(started.elapsed())
}

async fn ring(bell: &TestQueue, count: usize, under_way: usize) -> Result<Duration> {
    let rings: Vec<Ring> =
        (0..count).map(|_| Ring { job: new_id(SystemClock.now()), name: JobName::ReadScan }).collect();
    let started = Instant::now();
    for some in rings.chunks(under_way) {
        bell.queue.announce(some, Duration::ZERO).await?;
    }
    Ok(started.elapsed())
}

fn print_row(under_way: usize, count: usize, measured: &[(Duration, Duration)]) {
    let (bare, ours) = (median(measured, |times| times.0), median(measured, |times| times.1));
    let mut shares: Vec<f64> =
        measured.iter().map(|(bare, ours)| bare.as_secs_f64() / ours.as_secs_f64() * 100.0).collect();
    shares.sort_by(f64::total_cmp);
    let share = shares.get(shares.len() / 2).copied().unwrap_or(f64::NAN);
    println!("| {under_way} | {:.0} | {:.0} | {share:.0} % |", count as f64 / bare, count as f64 / ours);
}

fn median(measured: &[(Duration, Duration)], time: impl Fn(&(Duration, Duration)) -> Duration) -> f64 {
    let mut times: Vec<f64> = measured.iter().map(|times| time(times).as_secs_f64()).collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
