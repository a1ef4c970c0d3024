//! Searching in the console: what is typed comes back in no address.

use archive_tests::{
    browser::Browser,
    entries::{self, Entry},
    server::Setup,
};

const OUTLET: &str = "TJHX0101";

#[tokio::test(flavor = "multi_thread")]
async fn a_search_for_a_person_is_read_page_by_page_and_names_nobody_in_an_address() {
    let server = Setup::for_drills().start().await.unwrap();
    let people = [Entry::of(1, OUTLET), Entry::of(2, OUTLET)];
    server.archivist().unwrap().import(entries::csv(&people)).await.unwrap().document().unwrap();
    server.wait_until_findable().await.unwrap();
    let browser = Browser::sign_in(&server, "auditor").await.unwrap();

    // 赵, which both are called, and one row a page.
    let asked = browser.send_form("/case-files", "name=%E8%B5%B5&phone=&limit=1").await.unwrap();
    let first_address = asked.headers()["location"].to_str().unwrap().to_owned();
    let first = browser.page(&first_address).await.unwrap();
    let next_address =
        first.split("href=\"/searches/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let second = browser.page(&format!("/searches/{next_address}")).await.unwrap();
    let again = browser.page(&first_address).await.unwrap();

    assert_eq!(asked.status().as_u16(), 303);
    assert!(first_address.starts_with("/searches/"), "{first_address}");
    let shows =
        |page: &str| people.clone().map(|entry| page.contains(&format!(">{}</a>", entry.slip_number)));
    assert_eq!((shows(&first), shows(&second)), ([false, true], [true, false]), "{first} {second}");
    assert_eq!(shows(&first), shows(&again), "the way back loads the page again");
    assert!(!first.contains("%E8%B5%B5") && !first.contains("name=\"name\" value"), "{first}");
    server.verify().await.unwrap();
}
