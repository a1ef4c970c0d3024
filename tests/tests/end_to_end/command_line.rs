//! What the commands say about single case files and scans.

use archive_tests::{
    client::Upload,
    entries::{self, Entry},
    scans,
    server::Setup,
};

const OUTLET: &str = "TJHX0101";

#[tokio::test(flavor = "multi_thread")]
async fn a_case_file_is_shown_straight_after_it_was_imported() {
    let server = Setup::for_drills().with("INDEX__COMMIT_MS", "2500").start().await.unwrap();
    let archivist = server.archivist().unwrap();
    let slip_number = entries::slip_number(1, OUTLET);
    archivist.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();

    let shown = server.command(&["show", &slip_number]).await.unwrap();
    let missing = server.command(&["show", "TJ0"]).await.unwrap_err().to_string();

    assert!(shown.contains(&slip_number), "{shown}");
    assert!(missing.contains("there is no case file TJ0"), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_is_found_however_it_was_typed_and_is_asked_for() {
    let server = Setup::for_drills().start().await.unwrap();
    let entry = Entry { contact_phone: "+86 186-2000-0001".to_owned(), ..Entry::of(1, OUTLET) };
    server.archivist().unwrap().import(entries::csv(&[entry])).await.unwrap().document().unwrap();
    server.wait_until_findable().await.unwrap();

    for phone in ["18620000001", "+8618620000001", "0086 186 2000 0001", "15510000001", "+86 155-1000-0001"] {
        let found = server.command(&["search", "--phone", phone]).await.unwrap();

        assert!(found.contains(&entries::slip_number(1, OUTLET)), "{phone}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_taken_out_of_its_case_file_by_a_command() {
    let server = Setup::for_drills().start().await.unwrap();
    let archivist = server.archivist().unwrap();
    let slip_number = entries::slip_number(1, OUTLET);
    archivist.import(entries::csv(&[Entry::of(1, OUTLET)])).await.unwrap().document().unwrap();
    let page = Upload::of(vec![scans::small_page(1).unwrap()]).for_slip(&slip_number).from_outlet(OUTLET);
    let scan = archivist.upload(&page).await.unwrap().scan_ids().remove(0);
    server.wait_until_settled().await.unwrap();

    let said = server.command(&["tray", "unplace", &scan]).await.unwrap();
    let tray = server.command(&["tray", "list"]).await.unwrap();
    let twice = server.command(&["tray", "unplace", &scan]).await.unwrap_err().to_string();

    assert!(said.contains("waits in the tray"), "{said}");
    assert!(tray.contains(&scan), "{tray}");
    assert!(twice.contains("cannot be placed or taken out"), "{twice}");
    server.wait_until_settled().await.unwrap();
    server.verify().await.unwrap();
}
