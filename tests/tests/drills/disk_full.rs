//! The disk fills up: first the one with the data, then the one with the index.

use std::time::Duration;

use archive_tests::{
    client::Upload,
    entries::{self, Entry},
    scans,
    server::Setup,
    small_disk::SmallDisk,
};

const OUTLET: &str = "TJHX0101";
const MIB: u64 = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_data_disk_refuses_uploads_and_loses_nothing_that_was_received() {
    let disk = SmallDisk::mount(48 * MIB).unwrap();
    let mut server = Setup::for_drills().in_folder(&disk.path().join("data")).start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    server.wait_until_settled().await.unwrap();
    let upload = |seed| {
        let file = scans::page_of_bytes(seed, MIB as u32 / 2).unwrap();
        Upload::of(vec![file]).for_slip(&entries::slip_number(1, OUTLET)).with_key(&format!("key-{seed}"))
    };

    disk.fill_but(5 * MIB).unwrap();
    let (mut received, mut refused) = (Vec::new(), None);
    for seed in 1..40 {
        let answer = clerk.upload(&upload(seed)).await.unwrap();
        if answer.status.is_success() {
            received.extend(answer.scan_ids());
        } else {
            assert_eq!((answer.status.as_u16(), answer.code()), (507, "storage_full"), "{}", answer.text);
            refused = Some(seed);
            break;
        }
    }
    let refused = refused.expect("the disk never filled up");
    assert!(server.is_running(), "a full disk ended the server");
    disk.clear().unwrap();
    let again = clerk.upload(&upload(refused)).await.unwrap();
    server.wait_until_settled().await.unwrap();

    assert_eq!(again.outcomes(), ["received"], "{}", again.text);
    received.extend(again.scan_ids());
    println!("{} uploads received on the full disk, then 507, then received again", received.len() - 1);
    let catalogue = server.catalogue().await.unwrap();
    assert_eq!(catalogue.scans().await.unwrap().len(), received.len());
    for id in &received {
        assert!(catalogue.scan(id).await.unwrap().case_file_id.is_some(), "scan {id} was not placed");
    }
    drop(catalogue);
    server.verify().await.unwrap();
    server.kill_and_restart().await.unwrap();
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_disk_without_a_byte_left_is_survived_even_by_a_restart() {
    let disk = SmallDisk::mount(32 * MIB).unwrap();
    let mut server = Setup::for_drills().in_folder(&disk.path().join("data")).start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let slip_number = entries::slip_number(1, OUTLET);
    let upload = |seed| Upload::of(vec![scans::small_page(seed).unwrap()]).for_slip(&slip_number);
    let kept = clerk.upload(&upload(1)).await.unwrap().scan_ids();
    server.wait_until_settled().await.unwrap();

    disk.fill().unwrap();
    let refused = clerk.upload(&upload(2)).await.unwrap();
    let import = clerk.import(entries::csv(&[Entry::of(2, OUTLET)])).await.unwrap();
    server.kill().await.unwrap();
    disk.clear().unwrap();
    server.restart().await.unwrap();
    let taken = clerk.upload(&upload(2)).await.unwrap();
    server.wait_until_settled().await.unwrap();

    assert_eq!(refused.status.as_u16(), 507, "{}", refused.text);
    assert_eq!(import.status.as_u16(), 507, "{}", import.text);
    assert_eq!(taken.outcomes(), ["received"], "{}", taken.text);
    let catalogue = server.catalogue().await.unwrap();
    assert!(catalogue.scan(&kept[0]).await.unwrap().case_file_id.is_some());
    assert_eq!(catalogue.scans().await.unwrap().len(), 2);
    drop(catalogue);
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_index_disk_stops_no_upload_and_the_index_catches_up() {
    let disk = SmallDisk::mount(8 * MIB).unwrap();
    let index = disk.path().join("index");
    let setup = Setup::for_drills().with("INDEX__FOLDER", index.to_str().unwrap());
    let mut server = setup.start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    clerk.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    server.wait_until_findable().await.unwrap();

    disk.fill().unwrap();
    let more: Vec<Entry> = (2..200).map(|number| Entry::of(number, OUTLET)).collect();
    clerk.import(entries::csv(&more)).await.unwrap().document().unwrap();
    let upload = Upload::of(vec![scans::small_page(1).unwrap()]).for_slip(&entries::slip_number(150, OUTLET));
    let received = clerk.upload(&upload).await.unwrap();
    // The index has tried, and failed, a few times by then.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let during =
        clerk.get("/api/v1/case-files", &[("slip_number", &entries::slip_number(1, OUTLET))]).await.unwrap();
    assert!(server.is_running(), "a full disk ended the server");
    disk.clear().unwrap();
    server.wait_until_settled().await.unwrap();
    server.wait_until_findable().await.unwrap();

    assert_eq!(received.outcomes(), ["received"], "{}", received.text);
    assert!(during.status.is_success() || during.status.as_u16() == 503, "{}", during.text);
    let found = clerk.search(&[("slip_number", &entries::slip_number(150, OUTLET))]).await.unwrap();
    assert_eq!(found.len(), 1);
    server.stop().await.unwrap();
    server.verify().await.unwrap();
}
