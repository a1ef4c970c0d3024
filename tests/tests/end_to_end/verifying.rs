//! What `verify` and `audit verify` notice, and what they say they could not look at.

use std::{fs, path::Path};

use archive_tests::{
    client::Upload,
    entries::{self, Entry},
    scans,
    server::Setup,
};

const OUTLET: &str = "TJHX0101";

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_its_signed_heads_is_not_called_intact() {
    let mut server = Setup::for_drills().start().await.unwrap();
    server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    server.stop().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("heads.jsonl");
    let intact = server.command(&["audit", "verify"]).await.unwrap();
    fs::rename(server.data().join("log-heads").join("heads.jsonl"), &copy).unwrap();

    let alone = server.command(&["audit", "verify"]).await.unwrap_err().to_string();
    let in_part = server.command(&["verify"]).await.unwrap_err().to_string();
    let copy = copy.to_str().unwrap();
    let by_copy = server.command(&["audit", "verify", "--heads", copy]).await.unwrap();
    server.command(&["verify", "--heads", copy]).await.unwrap();

    assert!(intact.contains("is intact") && by_copy.contains("is intact"), "{intact}{by_copy}");
    assert!(alone.contains("exit status: 3") && alone.contains("no signed heads"), "{alone}");
    assert!(in_part.contains("exit status: 3") && in_part.contains("-      3 "), "{in_part}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_whose_object_is_gone_was_not_kept() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let entry = Entry::of(1, OUTLET);
    clerk.import(entries::csv(std::slice::from_ref(&entry))).await.unwrap().document().unwrap();
    let page = Upload::of(vec![scans::small_page(1).unwrap()]).for_slip(&entry.slip_number);
    clerk.upload(&page).await.unwrap();
    server.wait_until_settled().await.unwrap();
    let objects = files_below(&server.data().join("objects"));
    assert!(!objects.is_empty());

    for object in objects {
        fs::remove_file(object).unwrap();
    }
    let broken = server.command(&["verify"]).await.unwrap_err().to_string();

    assert!(broken.contains("BROKEN 1 ") && broken.contains("BROKEN 2 "), "{broken}");
    assert!(broken.contains("exit status: 1"), "{broken}");
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}
