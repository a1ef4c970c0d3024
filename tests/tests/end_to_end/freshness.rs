//! Whoever names a change finds what it did, by API, by console and on the command line.

use archive_tests::{
    browser::Browser,
    client::Upload,
    entries::{self, Entry},
    scans,
    server::{Setup, TestServer},
};

const OUTLET: &str = "TJHX0101";
/// The index follows so late that nobody finds anything new by chance.
const LATE_MS: &str = "1500";

async fn server() -> TestServer {
    Setup::for_drills().with("INDEX__COMMIT_MS", LATE_MS).start().await.unwrap()
}

async fn import(server: &TestServer, number: u64) -> u64 {
    let entry = Entry::of(number, OUTLET);
    let answer = server.archivist().unwrap().import(entries::csv(&[entry])).await.unwrap();
    assert!(answer.status.is_success(), "{}", answer.text);
    answer.change.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_and_the_command_line_show_what_was_just_entered() {
    let server = server().await;
    let browser = Browser::sign_in(&server, "auditor").await.unwrap();

    for number in 0..3 {
        let (shown, typed) = (number * 2, number * 2 + 1);
        let (shown_slip, typed_slip) =
            (entries::slip_number(shown, OUTLET), entries::slip_number(typed, OUTLET));
        let change = import(&server, shown).await;
        let path = format!("/case-files?slip_number={shown_slip}&at_least={change}");
        let page = browser.page(&path).await.unwrap();
        let change = import(&server, typed).await.to_string();
        let told = server.command(&["search", "--slip", &typed_slip, "--at-least", &change]).await.unwrap();

        assert!(page.contains(&format!(">{shown_slip}</a>")), "{page}");
        assert!(told.contains(&typed_slip) && told.contains("1 shown"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_never_was_is_said_and_not_waited_for() {
    let server = server().await;
    let browser = Browser::sign_in(&server, "auditor").await.unwrap();
    let change = import(&server, 1).await;

    let page = browser.page("/case-files?slip_number=TJ2026*&at_least=99999999").await.unwrap();
    let told = server.command(&["search", "--at-least", "99999999"]).await.unwrap_err().to_string();

    let said = format!("the last one is {change}");
    assert!(page.contains(&said), "{page}");
    assert!(told.contains(&said), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_button_of_the_console_did_has_its_change_named() {
    let server = server().await;
    let browser = Browser::sign_in(&server, "auditor").await.unwrap();
    // A case file with most of its papers missing has open findings, which make a task of it.
    let page = Upload::of(vec![scans::small_page(1).unwrap()]).for_slip(&entries::slip_number(1, OUTLET));
    server.archivist().unwrap().upload(&page).await.unwrap().document().unwrap();
    let change = import(&server, 1).await;
    server.wait_until_settled().await.unwrap();
    let case_file = server.catalogue().await.unwrap();
    let id = case_file.case_file(&entries::slip_number(1, OUTLET)).await.unwrap().id;

    let taken = browser.press(&format!("/case-files/{id}/take")).await.unwrap();

    assert_eq!(taken.status().as_u16(), 303);
    let named = taken.headers().get("guidang-change").unwrap().to_str().unwrap();
    assert!(named.parse::<u64>().unwrap() >= change, "{named}");
}
