//! Searching by everything a case file can be known by.

use archive_tests::{
    entries::{self, Entry},
    server::Setup,
};
use serde_json::{Value, json};

const OUTLET: &str = "TJHX0101";

fn slips(found: &[Value]) -> Vec<&str> {
    found.iter().map(|case_file| case_file["slip_number"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_file_is_found_by_each_thing_it_is_known_by() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let entry = Entry {
        customer_name: "欧阳诗雨".to_owned(),
        id_address: "天津市红桥区丁字沽三号路8号".to_owned(),
        accepted_on: "2026-07-15".to_owned(),
        ..Entry::of(41, OUTLET)
    };
    let mut all: Vec<Entry> = (1..30).map(|number| Entry::of(number, OUTLET)).collect();
    all.push(entry.clone());
    clerk.import(entries::csv(&all)).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();
    server.wait_until_findable().await.unwrap();

    let id = &entry.id_number;
    let questions: [Vec<(&str, &str)>; 15] = [
        vec![("slip_number", &entry.slip_number)],
        vec![("phone", &entry.service_number)],
        vec![("phone", &entry.contact_phone)],
        vec![("id_number", id)],
        vec![("id_number", &id[14..]), ("name", "欧")],
        vec![("id_number", &id[6..14])],
        vec![("name", "诗")],
        vec![("name", "阳诗")],
        vec![("whole_name", "欧阳诗雨")],
        vec![("address", "丁字")],
        vec![("address", "字沽三号")],
        vec![("accepted_from", "2026-07-01"), ("accepted_to", "2026-07-31")],
        vec![("accepted_to", "2026-08-01"), ("outlet", OUTLET), ("state", "assembling")],
        vec![("phone", "0041"), ("name", "雨")],
        vec![("channel", "direct"), ("name", "诗雨")],
    ];
    for question in questions {
        let answer = clerk.get("/api/v1/case-files", &question).await.unwrap();
        let found = answer.body["items"].as_array().cloned().unwrap_or_default();
        assert_eq!(slips(&found), [entry.slip_number.as_str()], "{question:?}: {}", answer.text);
    }
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let all: Vec<Entry> = (1..=25).map(|number| Entry::of(number, OUTLET)).collect();
    clerk.import(entries::csv(&all)).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();
    server.wait_until_findable().await.unwrap();

    for sort in ["date", "slip_number"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let query = [("sort", sort), ("limit", "7"), ("count", "exact"), ("cursor", cursor.as_str())];
            let page = clerk.get("/api/v1/case-files", &query).await.unwrap().document().unwrap();
            assert_eq!(page["count"], json!(25), "{page}");
            seen.extend(slips(page["items"].as_array().unwrap()).into_iter().map(str::to_owned));
            match page["next"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }

        let unique: std::collections::BTreeSet<&String> = seen.iter().collect();
        assert_eq!((seen.len(), unique.len()), (25, 25), "by {sort}: {seen:?}");
        if sort == "slip_number" {
            assert!(seen.is_sorted(), "{seen:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_lost_is_made_again() {
    let mut server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let all: Vec<Entry> = (1..=5).map(|number| Entry::of(number, OUTLET)).collect();
    clerk.import(entries::csv(&all)).await.unwrap().document().unwrap();
    server.wait_until_findable().await.unwrap();

    server.kill().await.unwrap();
    std::fs::remove_dir_all(server.data().join("index")).unwrap();
    server.restart().await.unwrap();
    server.wait_until_findable().await.unwrap();

    let found = clerk.search(&[("slip_number", &all[2].slip_number)]).await.unwrap();
    assert_eq!(slips(&found), [all[2].slip_number.as_str()]);
    server.verify().await.unwrap();
}
