//! Whatever is asked, the index answers as a plain list of the case files would.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use common::{case, day, id, key, upsert};
use domain::{
    blind_index::{NamePattern, NumberPattern, fold, fold_number},
    case_file::CaseState,
    finding::FindingCode,
    ids::CaseFileId,
};
use indexer::{
    document::CaseDocument,
    query::{Count, Counting, Query, QueryError, Scope, SlipPattern, Sort},
    searcher::Searcher,
    writer::{Change, IndexWriter},
};
use proptest::{collection::vec, option, prelude::*, sample::select};

const OUTLETS: [&str; 3] = ["TJHX0101", "TJHX0102", "TJHQ0101"];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[王李一丁伟芳𠮷]{1,4}",
        1 => "[王李]·[伟芳]",
        1 => "[ABab] [AB]{1,3}",
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[15]{11}", 1 => "[15]{5,8}", 1 => "0[12]-[15]{7}", 1 => "[15]{1,3}", 1 => "[15]{17}[xX1]"]
}

fn address() -> impl Strategy<Value = String> {
    "[津河南路一二]{0,7}"
}

prop_compose! {
    fn document()(
        who in 0u8..24,
        // Ids of one moment are ordered by their tails.
        slip in "TJ[01]{1,3}",
        outlet in select(&OUTLETS[..]),
        channel in select(&["自有营业厅", "社会渠道"][..]),
        accepted in 1u32..5,
        state in select(&CaseState::ALL[..3]),
        finding_codes in vec(select(&FindingCode::ALL[..3]), 0..2),
        has_open_findings in any::<bool>(),
        archival_code in option::of("TJ-[12]"),
        names in vec(name(), 0..3),
        id_numbers in vec(number(), 0..3),
        phones in vec(number(), 0..4),
        addresses in vec(address(), 0..3),
    ) -> CaseDocument {
        CaseDocument {
            case_file_id: id(u64::from(who / 3), who),
            slip_number: if who == 9 { String::new() } else { slip },
            outlet_code: outlet.to_owned(),
            branch_code: outlet[..4].to_owned(),
            channel: channel.to_owned(),
            accepted_on: day(accepted),
            state, finding_codes, has_open_findings, archival_code, names, id_numbers, phones, addresses,
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        5 => document().prop_map(|case| Change::Upsert(Box::new(case))),
        1 => (0u8..24).prop_map(|who| Change::Delete(id(u64::from(who / 3), who))),
    ]
}

fn number_pattern() -> impl Strategy<Value = NumberPattern> {
    prop_oneof![
        number().prop_map(NumberPattern::Whole),
        "[15]{4,6}".prop_map(NumberPattern::Prefix),
        "[1]{3,8}[15]{2}".prop_map(NumberPattern::Prefix),
        "[15]{4,6}".prop_map(NumberPattern::Suffix),
        "[15]{4,9}".prop_map(NumberPattern::Part),
        "[0125]{2}-?[0125]{2,4}".prop_map(NumberPattern::Part),
    ]
}

fn name_pattern() -> impl Strategy<Value = NamePattern> {
    prop_oneof![
        name().prop_map(NamePattern::Whole),
        "[王李一丁伟芳𠮷]".prop_map(NamePattern::Part),
        "[王李伟芳]{2,3}".prop_map(NamePattern::Part),
    ]
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        2 => Just(Scope::Everything),
        1 => vec(select(&OUTLETS[..]).prop_map(str::to_owned), 1..3).prop_map(Scope::Outlets),
        1 => Just(Scope::Branches(vec!["TJHX".to_owned()])),
    ]
}

fn slip_pattern() -> impl Strategy<Value = SlipPattern> {
    prop_oneof!["TJ[01]{1,2}".prop_map(SlipPattern::Whole), "(T|TJ|TJ[01])".prop_map(SlipPattern::Prefix)]
}

prop_compose! {
    fn clear_conditions()(
        scope in scope(),
        accepted_from in option::weighted(0.2, (1u32..3).prop_map(day)),
        accepted_to in option::weighted(0.2, (3u32..5).prop_map(day)),
        outlets in vec(select(&OUTLETS[..]).prop_map(str::to_owned), 0..2),
        channel in option::weighted(0.1, Just("自有营业厅".to_owned())),
        states in vec(select(&CaseState::ALL[..3]), 0..2),
        finding_code in option::weighted(0.1, select(&FindingCode::ALL[..3])),
        open_findings in option::weighted(0.1, any::<bool>()),
        slip_number in option::weighted(0.2, slip_pattern()),
        archival_code in option::weighted(0.1, "TJ-[12]"),
        sort in select(&[Sort::NewestFirst, Sort::SlipNumber][..]),
        limit in 1usize..4,
    ) -> Query {
        Query {
            accepted_from, accepted_to, outlets, channel, states, finding_code, open_findings, slip_number,
            archival_code, sort, limit, counting: Counting::Exact, ..Query::within(scope)
        }
    }
}

prop_compose! {
    fn query()(
        clear in prop_oneof![clear_conditions(), Just(Query { limit: 3, ..Query::within(Scope::Everything) })],
        phone in option::weighted(0.3, number_pattern()),
        id_number in option::weighted(0.2, number_pattern()),
        name in option::weighted(0.3, name_pattern()),
        address in option::weighted(0.2, "[津河南路一二]{2,4}"),
    ) -> Query {
        Query { phone, id_number, name, address, counting: Counting::Exact, ..clear }
    }
}

fn number_meets(values: &[String], pattern: &NumberPattern) -> bool {
    values.iter().map(|value| fold_number(value)).any(|value| match pattern {
        NumberPattern::Whole(text) => value == fold_number(text),
        NumberPattern::Prefix(text) => value.starts_with(&fold_number(text)),
        NumberPattern::Suffix(text) => value.ends_with(&fold_number(text)),
        NumberPattern::Part(text) => value.contains(&fold_number(text)),
    })
}

fn name_meets(values: &[String], pattern: &NamePattern) -> bool {
    values.iter().map(|value| fold(value)).any(|value| match pattern {
        NamePattern::Whole(text) => value == fold(text),
        NamePattern::Part(text) => value.contains(&fold(text)),
    })
}

fn in_days(day: NaiveDate, query: &Query) -> bool {
    query.accepted_from.is_none_or(|from| day >= from) && query.accepted_to.is_none_or(|to| day <= to)
}

fn clear_meets(case: &CaseDocument, query: &Query) -> bool {
    let in_scope = match &query.scope {
        Scope::Everything => true,
        Scope::Branches(codes) => codes.contains(&case.branch_code),
        Scope::Outlets(codes) => codes.contains(&case.outlet_code),
    };
    let slip = query.slip_number.as_ref().is_none_or(|pattern| match pattern {
        SlipPattern::Whole(text) => case.slip_number == *text,
        SlipPattern::Prefix(text) => case.slip_number.starts_with(text),
    });
    in_scope
        && slip
        && in_days(case.accepted_on, query)
        && (query.outlets.is_empty() || query.outlets.contains(&case.outlet_code))
        && query.channel.as_ref().is_none_or(|channel| *channel == case.channel)
        && (query.states.is_empty() || query.states.contains(&case.state))
        && query.finding_code.is_none_or(|code| case.finding_codes.contains(&code))
        && query.open_findings.is_none_or(|open| open == case.has_open_findings)
        && query.archival_code.as_ref().is_none_or(|code| case.archival_code.as_ref() == Some(code))
}

fn meets(case: &CaseDocument, query: &Query) -> bool {
    clear_meets(case, query)
        && query.phone.as_ref().is_none_or(|pattern| number_meets(&case.phones, pattern))
        && query.id_number.as_ref().is_none_or(|pattern| number_meets(&case.id_numbers, pattern))
        && query.name.as_ref().is_none_or(|pattern| name_meets(&case.names, pattern))
        && query
            .address
            .as_ref()
            .is_none_or(|text| case.addresses.iter().any(|a| fold(a).contains(&fold(text))))
}

/// The case files as a plain list, sorted as asked.
fn expected(cases: &BTreeMap<CaseFileId, CaseDocument>, query: &Query) -> Vec<CaseFileId> {
    let mut found: Vec<&CaseDocument> = cases.values().filter(|case| meets(case, query)).collect();
    match query.sort {
        Sort::NewestFirst => found.sort_by_key(|case| {
            let moment = case.case_file_id.uuid().as_u128() >> 80;
            std::cmp::Reverse((case.accepted_on, moment, case.case_file_id))
        }),
        Sort::SlipNumber => found.sort_by_key(|case| (case.slip_number.clone(), case.case_file_id)),
    }
    found.into_iter().map(|case| case.case_file_id).collect()
}

fn all_pages(searcher: &Searcher, query: &Query) -> (Vec<CaseFileId>, Option<Count>) {
    let mut query = query.clone();
    let mut found = Vec::new();
    loop {
        let page = searcher.search(&query).unwrap();
        assert!(page.hits.len() <= query.limit);
        found.extend(page.hits.iter().map(|hit| hit.case_file_id));
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return (found, page.count),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_index_answers_as_a_plain_list_would(
        batches in vec(vec(change(), 1..30), 1..4),
        queries in vec(prop_oneof![2 => query(), 1 => clear_conditions()], 40),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = IndexWriter::open(folder.path(), key()).unwrap();
        let searcher = Searcher::open(folder.path(), key()).unwrap();
        let mut cases = BTreeMap::new();

        for (number, batch) in (1..).zip(&batches) {
            writer.apply(batch, number).unwrap();
            writer.commit().unwrap();
            for change in batch {
                match change {
                    Change::Upsert(case) => { cases.insert(case.case_file_id, (**case).clone()); }
                    Change::Delete(id) => { cases.remove(id); }
                }
            }
        }
        searcher.reload().unwrap();

        prop_assert_eq!(searcher.reached(), batches.len() as u64);
        let mut ids = searcher.ids();
        ids.sort();
        prop_assert_eq!(ids, cases.keys().copied().collect::<Vec<_>>());
        for query in &queries {
            let expected = expected(&cases, query);
            let (found, count) = all_pages(&searcher, query);
            let count = count.unwrap();
            prop_assert_eq!(count, Count { value: expected.len() as u64, is_capped: false });
            prop_assert_eq!(found, expected, "{:?} {:?}", query, query.slip_number);
        }
    }
}

/// An index of these case files.
fn index_of(cases: &[CaseDocument]) -> (tempfile::TempDir, IndexWriter, Searcher) {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = IndexWriter::open(folder.path(), key()).unwrap();
    let changes: Vec<Change> = cases.iter().map(upsert).collect();
    writer.apply(&changes, 1).unwrap();
    writer.commit().unwrap();
    let searcher = Searcher::open(folder.path(), key()).unwrap();
    (folder, writer, searcher)
}

fn everything() -> Query {
    Query::within(Scope::Everything)
}

fn found(searcher: &Searcher, query: &Query) -> usize {
    searcher.search(query).unwrap().hits.len()
}

#[test]
fn each_kind_of_search_finds_the_case_file() {
    let (_folder, _writer, searcher) = index_of(&[case(id(0, 1))]);
    let phone = |text: &str| Query { phone: Some(NumberPattern::parse(text)), ..everything() };
    let id_number = |text: &str| Query { id_number: Some(NumberPattern::parse(text)), ..everything() };
    let name = |text: &str| Query { name: Some(NamePattern::Part(text.to_owned())), ..everything() };
    let address = |text: &str| Query { address: Some(text.to_owned()), ..everything() };

    for query in [
        phone("15562804516"),
        phone("155 6280 4516"),
        phone("１５５６２８０４５１６"),
        phone("*4516"),
        phone("*04516"),
        phone("1556*"),
        phone("*2804*"),
        phone("022-27318846"),
        id_number("12010119850614273x"),
        id_number("*273X"),
        id_number("*198506*"),
        name("岚"),
        name("欧阳"),
        name("阳晓岚"),
        address("凤城"),
        address("解放南路 凤城名苑"),
    ] {
        assert_eq!(found(&searcher, &query), 1, "{query:?}");
    }
    for query in [
        phone("*1556"),
        phone("4516*"),
        phone("*45160222*"),
        name("欧岚"),
        address("津西南"),
        id_number("1556*"),
    ] {
        assert_eq!(found(&searcher, &query), 0, "{query:?}");
    }
}

#[test]
fn a_part_does_not_run_from_one_value_into_the_next() {
    let mut document = case(id(0, 1));
    document.phones = vec!["13312345678".to_owned(), "18687654321".to_owned()];
    document.addresses = vec!["天津市河西区".to_owned(), "友谊路五号".to_owned()];
    let (_folder, _writer, searcher) = index_of(&[document]);

    // The first half of one number with the second half of the other, at the places they stand.
    let mixed = Query { phone: Some(NumberPattern::Prefix("13387654321".to_owned())), ..everything() };
    let across = Query { address: Some("西区友谊".to_owned()), ..everything() };

    assert_eq!(found(&searcher, &mixed), 0);
    assert_eq!(found(&searcher, &across), 0);
}

#[test]
fn what_cannot_be_looked_for_is_said() {
    let (_folder, _writer, searcher) = index_of(&[case(id(0, 1))]);
    let message = |query: Query| {
        let error = searcher.search(&query).unwrap_err();
        assert!(error.is_users());
        error.to_string()
    };

    assert_eq!(
        message(Query { phone: Some(NumberPattern::parse("*451*")), ..everything() }),
        "phone number: at least 4 characters are needed, 3 given"
    );
    assert_eq!(
        message(Query { name: Some(NamePattern::Part(" - ".to_owned())), ..everything() }),
        "name: there is no letter, digit or character to look for"
    );
    assert_eq!(
        message(Query { address: Some("津".to_owned()), ..everything() }),
        "address: at least 2 characters are needed, 1 given"
    );
    assert_eq!(
        message(Query { accepted_from: Some(day(2)), accepted_to: Some(day(1)), ..everything() }),
        "the first day 2026-09-02 is after the last day 2026-09-01"
    );
    assert!(message(Query::within(Scope::Outlets(Vec::new()))).contains("no outlet"));
    assert!(message(Query { limit: 0, ..everything() }).contains("0 asked for"));
    assert!(message(Query { cursor: Some("zz".to_owned()), ..everything() }).contains("not valid"));
    assert!(
        message(Query { slip_number: Some(SlipPattern::Prefix(" ".to_owned())), ..everything() })
            .contains("empty")
    );
}

#[test]
fn a_cursor_serves_only_the_search_it_came_from() {
    let cases: Vec<_> = (1..4).map(|tail| case(id(0, tail))).collect();
    let (_folder, _writer, searcher) = index_of(&cases);
    let first = searcher.search(&Query { limit: 1, ..everything() }).unwrap();

    let other = Query { cursor: first.next, channel: Some("自有营业厅".to_owned()), ..everything() };

    assert!(matches!(searcher.search(&other), Err(QueryError::CursorOfOtherQuery)));
}

#[test]
fn paging_neither_repeats_nor_skips_while_case_files_arrive_and_change() {
    let cases: Vec<_> = (1..8).map(|tail| case(id(u64::from(tail), tail))).collect();
    let (_folder, mut writer, searcher) = index_of(&cases);
    let mut query = Query { limit: 3, ..everything() };
    let first = searcher.search(&query).unwrap();

    // A newer one arrives, one on each side of the cursor changes.
    let mut changed = [case(id(9, 9)), case(id(6, 6)), case(id(3, 3))];
    changed[1].state = CaseState::Accepted;
    changed[2].state = CaseState::Accepted;
    writer.apply(&changed.iter().map(upsert).collect::<Vec<_>>(), 2).unwrap();
    writer.commit().unwrap();
    searcher.reload().unwrap();
    query.cursor.clone_from(&first.next);
    query.limit = 10;
    let second = searcher.search(&query).unwrap();

    let tails = |page: &indexer::query::Page| -> Vec<u8> {
        page.hits.iter().map(|hit| hit.case_file_id.uuid().as_bytes()[15]).collect()
    };
    assert_eq!(tails(&first), [7, 6, 5]);
    assert_eq!(tails(&second), [4, 3, 2, 1]);
}

#[test]
fn a_capped_count_says_that_there_are_more() {
    let cases: Vec<_> = (0..10_005)
        .map(|moment| CaseDocument {
            names: vec!["王".to_owned()],
            phones: Vec::new(),
            id_numbers: Vec::new(),
            addresses: Vec::new(),
            ..case(id(moment, 1))
        })
        .collect();
    let (_folder, _writer, searcher) = index_of(&cases);
    let count = |counting| searcher.search(&Query { counting, ..everything() }).unwrap().count;

    assert_eq!(count(Counting::Capped), Some(Count { value: 10_000, is_capped: true }));
    assert_eq!(count(Counting::Exact), Some(Count { value: 10_005, is_capped: false }));
    assert_eq!(count(Counting::No), None);
}

#[test]
fn a_prefix_that_very_many_slip_numbers_have_is_found_too() {
    let cases: Vec<_> = (0..5_000)
        .map(|moment| CaseDocument { slip_number: format!("S{moment:05}"), ..case(id(moment, 1)) })
        .collect();
    let (_folder, _writer, searcher) = index_of(&cases);
    let count = |text: &str| {
        let slip_number = Some(SlipPattern::Prefix(text.to_owned()));
        let page =
            searcher.search(&Query { slip_number, counting: Counting::Exact, ..everything() }).unwrap();
        page.count.unwrap().value
    };

    assert_eq!(count("S0"), 5_000);
    assert_eq!(count("S00"), 1_000);
    assert_eq!(count("S04999"), 1);
    assert_eq!(count("S5"), 0);
}

#[test]
fn a_slip_prefix_and_an_outlet_meet_wherever_their_case_files_stand() {
    // Newest first: other outlet, other prefix in turn, and every third has both.
    let cases: Vec<_> = (0..300)
        .map(|moment| CaseDocument {
            slip_number: format!("{}{moment:05}", if moment % 3 == 1 { "B" } else { "A" }),
            outlet_code: if moment % 3 == 2 { "TJHX0102" } else { "TJHX0101" }.to_owned(),
            ..case(id(moment, 1))
        })
        .collect();
    let (_folder, _writer, searcher) = index_of(&cases);
    let query = Query {
        slip_number: Some(SlipPattern::Prefix("A".to_owned())),
        counting: Counting::Exact,
        ..Query::within(Scope::Outlets(vec!["TJHX0101".to_owned()]))
    };

    let page = searcher.search(&query).unwrap();

    assert_eq!((page.hits.len(), page.count.unwrap().value), (20, 100));
}

#[test]
fn printing_a_question_shows_no_personal_data() {
    let query = Query {
        name: Some(NamePattern::Part("欧阳".to_owned())),
        phone: Some(NumberPattern::parse("15562804516")),
        address: Some("凤城".to_owned()),
        ..everything()
    };

    let printed = format!("{query:?} {:?} {:?}", case(id(0, 1)), key());

    assert!(!printed.contains("欧阳") && !printed.contains("15562804516") && !printed.contains("凤城"));
}
