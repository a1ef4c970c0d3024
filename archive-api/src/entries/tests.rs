use domain::{access::Role, job::JobState};
use encoding_rs::GB18030;

use super::*;
use crate::testing::{TestArchive, entry};

mod every_line;

const HEADERS: &str = "受理网点编码,受理网点,渠道,受理日期,业务流水号,业务号码,客户类型,客户名称,证件类型,证件号码,\
                       证件地址,联系人,联系电话,通信地址,代办人姓名,代办人证件号码,受理人工号,办理业务";

fn row(slip_number: &str, name: &str) -> String {
    format!(
        "TJ01,一号厅,自有营业厅,2026-09-18,{slip_number},13812345678;13912345678,公众,{name},居民身份证,\
         11010519491231002X,天津市河西区友谊路1号,李四,18593093357,天津市河西区友谊路1号,,,7,套餐"
    )
}

fn file(rows: &[String]) -> String {
    format!("{HEADERS}\r\n{}\r\n", rows.join("\r\n"))
}

async fn stored(archive: &TestArchive, slip_number: &str) -> (i64, domain::entered_data::EnteredData) {
    use backends::database::entered_data::EnteredDataRow;
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let case_file = tx.case_files().find_by_slip_number(slip_number).await.unwrap().unwrap();
    let key = archive.backends().vault.required_key(case_file.key_id).await.unwrap();
    let row = tx.entered_data().find(case_file.entered_data_id.unwrap()).await.unwrap().unwrap();
    (row.version, key.open(EnteredDataRow::place(row.id), &row.entered_sealed).unwrap())
}

#[tokio::test]
async fn every_encoding_of_a_file_gives_the_same_entries() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let text = file(&[row("S1", "王小明")]);
    let (gb, _, _) = GB18030.encode(&text);

    let first = archive.import(&caller, format!("\u{feff}{text}").as_bytes(), EntryFormat::Csv).await;
    let second = archive.import(&caller, text.as_bytes(), EntryFormat::Csv).await;
    let third = archive.import(&caller, &gb, EntryFormat::Csv).await;

    assert_eq!((first.new, first.bad), (1, 0));
    assert_eq!((second.unchanged, third.unchanged), (1, 1));
    let (version, entered) = stored(&archive, "S1").await;
    assert_eq!((version, entered.customer_name.as_str()), (1, "王小明"));
    assert_eq!(entered.service_numbers, ["13812345678", "13912345678"]);
}

#[tokio::test]
async fn a_bad_line_is_named_and_the_good_ones_are_kept() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let bad_day = row("S2", "王小明").replace("2026-09-18", "2026-02-30");
    let text = file(&[row("S1", "王小明"), bad_day, "a,b".to_owned(), row("", "王小明"), row("S3", "李雷")]);

    let report = archive.import(&caller, text.as_bytes(), EntryFormat::Csv).await;

    assert_eq!((report.lines, report.new, report.bad), (5, 2, 3));
    let named: Vec<_> =
        report.bad_lines.iter().map(|bad| (bad.line, bad.column.as_deref(), bad.reason)).collect();
    let expected = [
        (3, Some("受理日期"), BadLineReason::NotADay),
        (4, None, BadLineReason::WrongNumberOfColumns),
        (5, Some("业务流水号"), BadLineReason::Missing),
    ];
    assert_eq!(named, expected);
}

#[tokio::test]
async fn a_changed_line_is_a_new_version_and_the_old_one_stays() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    archive.import(&caller, file(&[row("S1", "王小明")]).as_bytes(), EntryFormat::Csv).await;

    let report = archive.import(&caller, file(&[row("S1", "王小朋")]).as_bytes(), EntryFormat::Csv).await;

    assert_eq!((report.new, report.changed, report.unchanged), (0, 1, 0));
    let (version, entered) = stored(&archive, "S1").await;
    assert_eq!((version, entered.customer_name.as_str()), (2, "王小朋"));
    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let case_file = tx.case_files().find_by_slip_number("S1").await.unwrap().unwrap();
    assert_eq!(tx.entered_data().of_case_file(case_file.id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_slip_number_that_stands_twice_is_told_and_the_same_file_changes_nothing() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let text = file(&[row("S1", "王小明"), row("s1", "王小朋"), row("S1", "王小明")]);

    for (new, unchanged) in [(1, 1), (0, 2)] {
        let report = archive.import(&caller, text.as_bytes(), EntryFormat::Csv).await;

        assert_eq!((report.new, report.changed, report.unchanged, report.bad), (new, 0, unchanged, 1));
        let bad = &report.bad_lines[0];
        assert_eq!((bad.line, bad.reason), (3, BadLineReason::SlipNumberTwice));
    }
    let (version, entered) = stored(&archive, "S1").await;
    assert_eq!((version, entered.customer_name.as_str()), (1, "王小明"));
}

#[tokio::test]
async fn one_broken_character_costs_its_line_only() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let text = file(&[row("S1", "王小明"), row("S2", "#"), row("S3", "李雷")]);
    let at = text.find('#').unwrap();
    let mut bytes = text.into_bytes();
    bytes[at] = 0xe5;

    let report = archive.import(&caller, &bytes, EntryFormat::Csv).await;

    assert_eq!((report.new, report.bad), (2, 1));
    assert_eq!((report.bad_lines[0].line, report.bad_lines[0].reason), (3, BadLineReason::NotText));
}

#[tokio::test]
async fn a_file_of_semicolons_or_tabs_is_read_as_one_of_commas() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let text = file(&[row("S1", "王小明").replace(';', "、")]);
    for (mark, new) in [(";", 1), ("\t", 0)] {
        let report = archive.import(&caller, text.replace(',', mark).as_bytes(), EntryFormat::Csv).await;

        assert_eq!((report.new, report.unchanged, report.bad), (new, 1 - new, 0));
    }
}

#[tokio::test]
async fn what_is_passed_over_is_named_and_what_is_doubtful_is_told() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let mut line = entry("TJ01", "S1");
    line["customer_nmae"] = "王小明".into();
    line["accepted_on"] = "2999-09-18".into();

    let report = archive.import(&caller, line.to_string().as_bytes(), EntryFormat::JsonLines).await;

    assert_eq!((report.new, report.bad), (1, 0));
    assert_eq!(report.ignored_columns.iter().collect::<Vec<_>>(), ["customer_nmae"]);
    assert!(report.doubtful_lines.iter().any(|doubt| doubt.reason == WarningReason::AfterToday));
}

#[tokio::test]
async fn a_header_over_two_columns_is_refused() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let importer = Importer { backends: archive.backends().clone(), settings: ApiSettings::default() };
    for twice in ["客户名称", "customer_name"] {
        let text = format!("{HEADERS},{twice}\n{},王小朋\n", row("S1", "王小明"));

        let refused =
            importer.import(&caller, Box::new(std::io::Cursor::new(text)), EntryFormat::Csv, |_| ()).await;

        let Err(ImportError::ColumnTwice { header }) = refused else { panic!("{refused:?}") };
        assert_eq!(header, "客户名称");
    }
}

#[tokio::test]
async fn an_entry_that_fails_its_check_is_checked_at_once() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let mut line = entry("TJ01", "S1");
    line["id_number"] = "110105194912310021".into();

    archive
        .import(&caller, format!("{line}\n{}", entry("TJ01", "S2")).as_bytes(), EntryFormat::JsonLines)
        .await;

    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let waiting = tx.jobs().in_state(JobState::Waiting, 10).await.unwrap();
    let case_file = tx.case_files().find_by_slip_number("S1").await.unwrap().unwrap();
    let subjects: Vec<_> = waiting.iter().map(|job| job.subject).collect();
    assert_eq!(subjects, [case_file.id.uuid()]);
}

#[tokio::test]
async fn columns_that_are_missing_are_named() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let importer = Importer { backends: archive.backends().clone(), settings: ApiSettings::default() };
    let text = "业务流水号,客户名称\nS1,王小明\n";

    let refused = importer.import(&caller, Box::new(text.as_bytes()), EntryFormat::Csv, |_| ()).await;

    let Err(ImportError::ColumnsMissing { columns }) = refused else { panic!("{refused:?}") };
    assert!(columns.contains(&"证件号码".to_owned()));
}

#[tokio::test]
async fn a_clerk_enters_for_the_own_outlet_only() {
    let archive = TestArchive::open().await;
    let (clerk, _) = archive.account(Role::Clerk, Some("TJ01"), None).await;
    let text = format!("{}\n{}", entry("TJ01", "S1"), entry("TJ02", "S2"));

    let report = archive.import(&clerk, text.as_bytes(), EntryFormat::JsonLines).await;

    assert_eq!((report.new, report.bad), (1, 1));
    assert_eq!(report.bad_lines[0].reason, BadLineReason::OutletNotYours);
}

#[tokio::test]
async fn a_mark_within_a_value_costs_no_line() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let mut rows: Vec<String> = (1..=5).map(|number| row(&format!("Q{number}"), "王小明")).collect();
    rows[0] = rows[0].replace("套餐", "32\"电视套餐");
    rows[3] = rows[3].replace("套餐", "42\"电视套餐");

    let report = archive.import(&caller, file(&rows).as_bytes(), EntryFormat::Csv).await;

    assert_eq!((report.lines, report.new, report.bad), (5, 5, 0), "{:?}", report.bad_lines);
    assert_eq!(stored(&archive, "Q4").await.1.product, "42\"电视套餐");
}

#[tokio::test]
async fn a_mark_that_is_never_closed_costs_its_own_line_and_is_named() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let mut rows: Vec<String> = (1..=5).map(|number| row(&format!("Q{number}"), "王小明")).collect();
    rows[0] = rows[0].replace("王小明", "\"张三");
    rows[3] = rows[3].replace("王小明", "\"李四");

    let report = archive.import(&caller, file(&rows).as_bytes(), EntryFormat::Csv).await;

    assert_eq!((report.lines, report.new, report.bad), (5, 3, 2), "{:?}", report.bad_lines);
    let named: Vec<_> = report.bad_lines.iter().map(|bad| (bad.line, bad.reason)).collect();
    assert_eq!(named, [(2, BadLineReason::QuotationMark), (5, BadLineReason::QuotationMark)]);
}

#[tokio::test]
async fn a_file_whose_lines_end_with_carriage_returns_is_read() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let text = file(&[row("S1", "王小明"), row("S2", "李雷")]).replace("\r\n", "\r");

    let report = archive.import(&caller, text.as_bytes(), EntryFormat::Csv).await;

    assert_eq!((report.lines, report.new), (2, 2));
}

#[tokio::test]
async fn a_json_line_that_says_a_column_twice_or_in_a_wrong_type_is_told_as_that() {
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let line = entry("TJ01", "S1").to_string();
    let also = |member: &str| line.replacen('{', &format!("{{{member},"), 1);
    let lines = [
        also("\"业务流水号\":\"S2\""),
        also("\"slip_number\":\"S2\""),
        also("\"product\":true"),
        line.clone(),
    ];

    let report = archive.import(&caller, lines.join("\n").as_bytes(), EntryFormat::JsonLines).await;

    let named: Vec<_> =
        report.bad_lines.iter().map(|bad| (bad.line, bad.column.as_deref(), bad.reason)).collect();
    let twice = BadLineReason::ColumnTwice;
    let expected = [
        (1, Some("业务流水号"), twice),
        (2, Some("业务流水号"), twice),
        (3, Some("办理业务"), BadLineReason::WrongType),
    ];
    assert_eq!((named.as_slice(), report.new), (expected.as_slice(), 1));
}

#[tokio::test]
async fn scans_of_the_tray_without_an_outlet_are_tried_again_too() {
    use backends::database::scans::ScanRow;
    use domain::{job::JobName, scan::ScanState};
    let archive = TestArchive::open().await;
    let caller = archive.local().await;
    let files = ["TJ01", "TJ02", ""].map(|outlet| {
        let outlet = Some(outlet.to_owned()).filter(|outlet| !outlet.is_empty());
        (crate::intake::Labels { outlet, ..crate::intake::Labels::default() }, Some(crate::testing::png(1)))
    });
    let mut files = crate::testing::Files::new(files.to_vec());
    let request = crate::intake::UploadRequest::default();
    archive.state.intake.receive(&caller, request, &mut files).await.unwrap();
    let mut tx = archive.backends().database.begin().await.unwrap();
    let scans = tx.scans().in_state(ScanState::Received, None, None, 10).await.unwrap();
    for scan in &scans {
        tx.scans()
            .update(&ScanRow { state: ScanState::Tray, ..scan.clone() }, ScanState::Received)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();

    archive.import(&caller, entry("TJ01", "S1").to_string().as_bytes(), EntryFormat::JsonLines).await;

    let mut tx = archive.backends().database.begin_read().await.unwrap();
    let waiting = tx.jobs().in_state(JobState::Waiting, 10).await.unwrap();
    let placed: Vec<_> =
        waiting.iter().filter(|job| job.name == JobName::PlaceScan).map(|job| job.subject).collect();
    let expected: Vec<_> = scans
        .iter()
        .filter(|scan| scan.outlet_code.as_deref() != Some("TJ02"))
        .map(|scan| scan.id.uuid())
        .collect();
    assert_eq!(placed, expected);
}
