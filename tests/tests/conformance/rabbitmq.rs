//! What only a queue of many processes can promise: it outlives each of them, its broker's restart, and whatever else
//! is put into it.

use std::{collections::BTreeSet, time::Duration};

use archive_tests::{
    queues::{self, TestQueue},
    rabbit::{self, PrivateRabbit},
};
use backends::queue::QueueError;
use domain::job::JobName;
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};

use crate::queues::{hear, hears_nothing, ring};

const NAME: JobName = JobName::ReadScan;

/// Announces until it works: a broker that was away is found again by itself.
async fn announce(on: &TestQueue, number: u128) {
    while let Err(error) = on.queue.announce(&[ring(number, NAME)], Duration::ZERO).await {
        println!("not yet: {error}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_rings_and_each_is_heard_once() {
    let url = rabbit::shared().unwrap().url();
    let (one, two) = (queues::rabbitmq_at(&url).await.unwrap(), queues::rabbitmq_at(&url).await.unwrap());
    let rings: Vec<_> = (1..=60).map(|number| ring(number, NAME)).collect();
    for on in [&one, &two] {
        on.queue.listen(&JobName::ALL, 2);
    }

    one.queue.announce(&rings, Duration::ZERO).await.unwrap();

    let mut heard = BTreeSet::new();
    while heard.len() < rings.len() {
        let delivery = tokio::select! {
            delivery = hear(&one) => delivery,
            delivery = hear(&two) => delivery,
        };
        assert!(heard.insert(delivery.ring().job), "it was heard twice");
        delivery.ack().await;
    }
    hears_nothing(&one).await;
    hears_nothing(&two).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_heard_that_then_died_another_one_hears() {
    let url = rabbit::shared().unwrap().url();
    let dying = queues::rabbitmq_at(&url).await.unwrap();
    dying.queue.listen(&JobName::ALL, 1);
    announce(&dying, 7).await;
    let unfinished = hear(&dying).await;

    // Within one process a delivery keeps its connection; it ends with it here.
    drop(dying);
    drop(unfinished);
    let other = queues::rabbitmq_at(&url).await.unwrap();
    other.queue.listen(&JobName::ALL, 1);

    assert_eq!(hear(&other).await.ring(), ring(7, NAME));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_survives_the_brokers_death_and_the_connection_comes_back() {
    let rabbit = PrivateRabbit::start().unwrap();
    let on = queues::rabbitmq_at(&rabbit.url()).await.unwrap();
    announce(&on, 1).await;

    rabbit.kill().unwrap();
    let away = on.queue.announce(&[ring(2, NAME)], Duration::ZERO).await;
    rabbit.run().unwrap();
    announce(&on, 3).await;
    on.queue.listen(&JobName::ALL, 1);

    assert!(matches!(away, Err(QueueError::Unavailable { .. })), "{away:?}");
    for number in [1, 3] {
        let heard = hear(&on).await;
        assert_eq!(heard.ring(), ring(number, NAME));
        heard.ack().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_hosts_any_that_answers_will_do() {
    let rabbit = rabbit::shared().unwrap();
    let url = rabbit.url().replace(&rabbit.address(), &format!("127.0.0.1:1,{}", rabbit.address()));

    let on = queues::rabbitmq_at(&url).await.unwrap();

    on.queue.probe().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_ring_is_put_aside_and_does_no_harm() {
    let url = rabbit::shared().unwrap().url();
    let on = queues::rabbitmq_at(&url).await.unwrap();
    on.queue.probe().await.unwrap();
    on.queue.listen(&JobName::ALL, 2);
    let newer = format!("{{\"version\":9,\"name\":\"read_scan\",\"job\":\"{}\"}}", ring(1, NAME).job);
    let huge = vec![b'{'; 100 << 20];
    let poison: [&[u8]; 5] = [b"", b"\x00\xff garbage", b"{\"version\":1}", newer.as_bytes(), &huge];

    let properties = ConnectionProperties::default();
    // The connection must outlive what is sent on it, which the confirms say.
    let connection = Connection::connect(&url, properties).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    for body in poison {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let sent =
            channel.basic_publish("guidang.jobs".into(), "read_scan".into(), options, body, properties);
        assert!(sent.await.unwrap().await.unwrap().is_ack());
    }
    announce(&on, 5).await;

    let heard = hear(&on).await;
    assert_eq!(heard.ring(), ring(5, NAME));
    heard.ack().await;
    while on.queue.depths().await.unwrap().refused < poison.len() as u64 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    hears_nothing(&on).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_that_nobody_can_finish_with_ends_among_the_refused() {
    let on = queues::rabbitmq().await.unwrap();
    on.queue.listen(&JobName::ALL, 1);
    announce(&on, 1).await;

    while on.queue.depths().await.unwrap().refused == 0 {
        let next = tokio::time::timeout(Duration::from_millis(300), on.queue.receive()).await;
        if let Ok(Some(delivery)) = next {
            delivery.nack().await;
        }
    }

    hears_nothing(&on).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_connection_holds_the_broker_against_the_authority_named() {
    let rabbit = rabbit::shared().unwrap();
    let url = rabbit.encrypted_url();

    let on = queues::rabbitmq_with_authority(&url, &rabbit.ca_file()).await.unwrap();
    on.queue.probe().await.unwrap();
    announce(&on, 1).await;
    let distrust = advice_for(&url).await;

    assert!(distrust.contains("queue.ca_file"), "{distrust}");
}

/// What `probe` says about an address.
async fn advice_for(url: &str) -> String {
    let on = queues::rabbitmq_at(url).await.unwrap();
    on.queue.probe().await.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_cannot_be_used_is_refused_with_what_to_do() {
    let rabbit = rabbit::shared().unwrap();
    let host = rabbit.address();

    let nobody = advice_for("amqp://guidang:guidang@127.0.0.1:1/v0").await;
    let wrong_password = advice_for(&format!("amqp://guidang:s3cret@{host}/v0")).await;
    let no_such_host = advice_for(&format!("amqp://guidang:guidang@{host}/nowhere")).await;
    let stranger = advice_for(&rabbit.url_of_stranger()).await;

    assert!(
        nobody.contains("127.0.0.1:1 cannot be reached") && nobody.contains("start RabbitMQ"),
        "{nobody}"
    );
    assert!(wrong_password.contains("correct queue.url"), "{wrong_password}");
    assert!(!wrong_password.contains("s3cret"), "{wrong_password}");
    assert!(no_such_host.contains("rabbitmqctl add_vhost"), "{no_such_host}");
    assert!(stranger.contains("rights to configure, write and read"), "{stranger}");
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_made_by_hand_are_refused_with_what_to_do() {
    use lapin::{options::QueueDeclareOptions, types::FieldTable};
    let url = rabbit::shared().unwrap().url();
    let properties = ConnectionProperties::default();
    let connection = Connection::connect(&url, properties).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let name = "guidang.jobs.read_scan".into();
    channel.queue_declare(name, QueueDeclareOptions::durable(), FieldTable::default()).await.unwrap();

    let advice = advice_for(&url).await;

    assert!(advice.contains("quorum queues") && advice.contains("made by hand"), "{advice}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_may_not_have_quorum_queues_is_refused_with_what_to_do() {
    let rabbit = PrivateRabbit::start_without_features().unwrap();

    let advice = advice_for(&rabbit.url()).await;

    assert!(advice.contains("rabbitmqctl enable_feature_flag quorum_queue"), "{advice}");
}
