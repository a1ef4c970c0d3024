//! What an operator watches a worker by.

use std::time::Duration;

use archive_tests::{client::ApiClient, cluster::Cluster, ports, tcp_proxy::Weather};

use crate::load::Sender;

/// Whoever watches a process gives it up when it says nothing for so long.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_tells_how_it_is_and_what_it_did() {
    let mut cluster = Cluster::start(&[]).await.unwrap();
    let listen = format!("127.0.0.1:{}", ports::free().unwrap());
    let mut sender = Sender::new(&cluster).await.unwrap();
    let worker = cluster.worker_with(&[("WORKERS__LISTEN", &listen)]).await.unwrap();
    for number in 0..3 {
        sender.send(number).await.unwrap();
    }
    sender.require_all_placed_once(&cluster).await.unwrap();

    let token = cluster.server.command(&["token", "create", "--role", "system_admin", "--staff", "S1"]).await;
    let address = format!("http://{listen}");
    let token = token.unwrap();
    let administrator = ApiClient::new(&address, token.trim()).unwrap();
    let stranger = ApiClient::new(&address, "gd_nobody").unwrap();
    let (live, ready) = (
        stranger.get("/healthz/live", &[]).await.unwrap(),
        stranger.get("/healthz/ready", &[]).await.unwrap(),
    );
    let metrics = administrator.get("/metrics", &[]).await.unwrap();
    let at_the_server = ApiClient::new(cluster.server.address(), token.trim()).unwrap();
    let jobs = at_the_server.get("/api/v1/jobs", &[]).await.unwrap();
    let listed = cluster.server.command(&["jobs", "list"]).await.unwrap();

    assert!(live.status.is_success() && ready.status.is_success(), "{}", ready.text);
    for name in ["catalogue", "keys", "objects", "queue"] {
        assert!(ready.text.contains(&format!("\"name\":\"{name}\",\"state\":\"ready\"")), "{}", ready.text);
    }
    assert!(!ready.text.contains("index"), "{}", ready.text);
    let done = "guidang_job_seconds_count{name=\"read_scan\",outcome=\"done\"} 3";
    assert!(metrics.text.contains(done), "{done} is missing in\n{}", metrics.text);
    for line in [
        "guidang_jobs{name=\"read_scan\",state=\"waiting\"} 0",
        "guidang_oldest_job_seconds{name=\"check_case_file\"} 0",
        "guidang_drain_seconds{name=\"check_case_file\"} 0",
        "guidang_job_seconds_count{name=\"place_scan\",outcome=\"done\"} 3",
        "guidang_findings_total{code=\"illegible\"} ",
        "guidang_findings_total{code=\"duplicate_scan\"} 0",
        "guidang_refusals_total{code=\"unavailable\"} 0",
        "guidang_catalogue_bytes ",
        "guidang_last_change ",
    ] {
        assert!(metrics.text.contains(line), "{line} is missing in\n{}", metrics.text);
    }
    let reading =
        jobs.body["backlog"].as_array().unwrap().iter().find(|one| one["name"] == "read_scan").unwrap();
    assert_eq!((&reading["waiting"], &reading["drain_seconds"]), (&0.into(), &0.0.into()), "{}", jobs.text);
    assert_eq!(reading["done_in_ten_minutes"], 3, "{}", jobs.text);
    assert!(listed.contains("time to drain") && listed.contains("read_scan"), "{listed}");
    assert_eq!(stranger.get("/metrics", &[]).await.unwrap().status.as_u16(), 401);
    assert_eq!(administrator.get("/api/v1/case-files", &[]).await.unwrap().status.as_u16(), 404);
    drop(worker);
}

/// A database that stands still keeps everybody waiting who asks it, but not whoever asks how things are.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_says_nothing_is_named_to_whoever_asks_for_health() {
    let (mut cluster, network) = Cluster::start_over_network(&[]).await.unwrap();
    let listen = format!("127.0.0.1:{}", ports::free().unwrap());
    let _worker = cluster.worker_with(&[("WORKERS__LISTEN", &listen)]).await.unwrap();
    let patient = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();

    network.database.turn(Weather::Silent);
    for address in [cluster.server.address(), &format!("http://{listen}")] {
        let answer = patient.get(format!("{address}/healthz/ready")).send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());

        assert_eq!(status, 503, "{text}");
        for (name, state) in [("catalogue", "unavailable"), ("keys", "unavailable"), ("objects", "ready")] {
            let said = format!("\"name\":\"{name}\",\"state\":\"{state}\"");
            assert!(text.contains(&said), "{said} is missing in {text}");
        }
    }
    network.database.turn(Weather::Fair);
}
