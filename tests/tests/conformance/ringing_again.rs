//! The sweep: what is due and was not heard is rung for again, but never more than the queue can bear.

use archive_tests::{engines, queues};
use backends::{connect::Backends, queue::JobQueue};
use chrono::TimeDelta;
use domain::job::JobName;
use std::sync::Arc;
use workers::timetable::ring_again;

use crate::{queues::hear, rows};

/// Jobs that became due long ago, and that nobody rang for.
async fn overdue(backends: &Backends, count: u128) {
    let mut tx = backends.database.begin().await.unwrap();
    for subject in 0..count {
        let mut job = rows::job(backends, subject);
        job.due_at -= TimeDelta::minutes(5);
        tx.jobs().enqueue(&job).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn with_queue(backends: &Backends, queue: &Arc<dyn JobQueue>) -> Backends {
    Backends { queue: Arc::clone(queue), ..backends.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_rang_for_is_rung_for_by_the_sweep() {
    for on in queues::all().await.unwrap() {
        let engine = engines::embedded().await.unwrap();
        let backends = with_queue(&engine.backends, &on.queue);
        overdue(&backends, 1).await;
        on.queue.listen(&JobName::ALL, 1);

        ring_again(&backends).await.unwrap();

        assert_eq!(hear(&on).await.ring().name, JobName::ReadScan, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_backlog_is_not_rung_for_over_and_over() {
    for on in queues::all().await.unwrap() {
        let engine = engines::embedded().await.unwrap();
        let backends = with_queue(&engine.backends, &on.queue);
        overdue(&backends, 1_000).await;

        for _ in 0..5 {
            ring_again(&backends).await.unwrap();
        }

        let waiting = on.queue.depths().await.unwrap().of(JobName::ReadScan);
        assert_eq!(waiting, 200, "{}", on.name);
    }
}
