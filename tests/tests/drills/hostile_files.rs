//! Files that try to break whoever opens them come in through the front door.

use archive_tests::{client::Upload, hostile, scans, server::Setup};
use domain::scan::ScanState;

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_cost_themselves_and_nothing_beside_them() {
    let setup = Setup::for_drills().with("INTAKE__MAX_SECONDS", "10").with("INTAKE__MAX_CPU_SECONDS", "10");
    let mut server = setup.start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", "TJHX0101"]).await.unwrap();
    let hostile = hostile::files().unwrap();
    let mut files = vec![scans::small_page(1).unwrap()];
    files.extend(hostile.iter().map(|hostile| hostile.file.clone()));
    files.push(scans::small_page(2).unwrap());

    let answer = clerk.upload(&Upload::of(files)).await.unwrap();
    server.wait_until_settled().await.unwrap();

    assert_eq!(answer.status.as_u16(), 201, "{}\n{}", answer.text, server.log());
    let outcomes = answer.outcomes();
    assert_eq!(
        (outcomes[0], outcomes[hostile.len() + 1]),
        ("received", "received"),
        "the good files beside them"
    );
    let catalogue = server.catalogue().await.unwrap();
    let answered = answer.body["files"].as_array().unwrap();
    for (hostile, file) in hostile.iter().zip(&answered[1..]) {
        let name = &hostile.file.name;
        let Some(scan_id) = file["scan_id"].as_str() else {
            let code = file["refusal"]["code"].as_str().unwrap_or_default();
            println!("{name}: refused as {code}");
            assert!(hostile.codes.contains(&code), "{name} was refused as {code}");
            let sentence = file["refusal"]["detail"].as_str().unwrap_or_default();
            assert!(hostile::is_promised(code, sentence).unwrap(), "{name}: {file}");
            continue;
        };
        let scan = catalogue.scan(scan_id).await.unwrap();
        println!("{name}: {} {}", scan.state, scan.problem.as_deref().unwrap_or_default());
        match (&scan.problem, scan.state) {
            (Some(code), ScanState::Unreadable) => {
                assert!(hostile.codes.contains(&code.as_str()), "{name}: {code}");
            }
            (_, ScanState::Tray) => {
                assert!(hostile.may_be_read, "{name} was read as if nothing were wrong with it");
            }
            (problem, state) => panic!("{name} is {state} {problem:?}"),
        }
    }
    assert_eq!(catalogue.dead_jobs().await.unwrap(), Vec::<String>::new());
    drop(catalogue);
    assert!(server.is_running(), "a hostile file ended the server");
    server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_nothing_but_refused_files_keeps_nothing() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", "TJHX0101"]).await.unwrap();
    let refused: Vec<_> =
        hostile::files().unwrap().into_iter().filter(|hostile| hostile.codes == ["mixed_formats"]).collect();
    let files = refused.iter().map(|hostile| hostile.file.clone()).collect();

    let answer = clerk.upload(&Upload::of(files)).await.unwrap();

    assert_eq!((answer.status.as_u16(), answer.code()), (422, "nothing_taken"), "{}", answer.text);
    assert_eq!(answer.outcomes(), vec!["mixed_formats"; refused.len()]);
    assert!(server.catalogue().await.unwrap().scans().await.unwrap().is_empty());
    server.verify().await.unwrap();
}
