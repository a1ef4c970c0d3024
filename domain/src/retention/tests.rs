use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn rule() -> RetentionRule {
    RetentionSchedule::defaults().unwrap().rule(RecordClass::CustomerEntry).unwrap().clone()
}

fn record() -> Record {
    Record {
        case_file: CaseFileId::from_parts(1, [0; 10]),
        class: RecordClass::CustomerEntry,
        customer_tokens: vec![vec![1, 2, 3]],
        events: BTreeMap::from([(RetentionEvent::AccountClosedOn, day("2024-02-29"))]),
        conditions: BTreeSet::from([RetentionCondition::NoArrears]),
        promised_through: None,
        decision: None,
    }
}

fn hold(scope: HoldScope) -> LegalHold {
    LegalHold { id: HoldId::from_parts(1, [0; 10]), scope, released_on: None }
}

fn check(record: &Record, today: &str, expected: Disposition) {
    assert_eq!(disposition(record, &rule(), &[], day(today)), expected, "{today}");
}

#[test]
fn a_record_is_kept_through_its_last_day_and_due_on_the_next() {
    check(&record(), "2026-02-28", Disposition::RetainThrough(day("2026-02-28")));
    check(&record(), "2026-03-01", Disposition::DueForAppraisal);
}

#[test]
fn what_has_no_date_is_never_due() {
    let mut undated = record();
    undated.events.clear();

    check(&undated, "2999-01-01", Disposition::Undated);
}

#[test]
fn a_record_on_hold_is_suspended_whatever_its_date() {
    let by_file = hold(HoldScope::CaseFiles(BTreeSet::from([record().case_file])));
    let by_customer = hold(HoldScope::Customer(BTreeSet::from([vec![1, 2, 3]])));
    let of_another = hold(HoldScope::Customer(BTreeSet::from([vec![9]])));
    let released = LegalHold { released_on: Some(day("2026-01-01")), ..by_file.clone() };
    let judge =
        |hold: &LegalHold| disposition(&record(), &rule(), std::slice::from_ref(hold), day("2030-01-01"));

    assert_eq!(judge(&by_file), Disposition::Suspended);
    assert_eq!(judge(&by_customer), Disposition::Suspended);
    assert_eq!(judge(&of_another), Disposition::DueForAppraisal);
    assert_eq!(judge(&released), Disposition::DueForAppraisal);
}

#[test]
fn arrears_keep_a_record_whose_time_is_up() {
    let mut indebted = record();
    indebted.conditions.clear();

    check(&indebted, "2030-01-01", Disposition::Blocked(RetentionCondition::NoArrears));
}

#[test]
fn a_changed_rule_and_an_appraisal_never_shorten_what_runs() {
    let mut promised = record();
    promised.promised_through = Some(day("2027-06-30"));
    check(&promised, "2027-06-30", Disposition::RetainThrough(day("2027-06-30")));

    let mut appraised = record();
    appraised.decision = Some(AppraisalDecision::KeepThrough(day("2025-01-01")));
    check(&appraised, "2026-02-28", Disposition::RetainThrough(day("2026-02-28")));
    appraised.decision = Some(AppraisalDecision::Transfer);
    check(&appraised, "2999-01-01", Disposition::Transfer);
}

#[test]
fn destruction_registers_are_kept_for_ever() {
    let schedule = RetentionSchedule::defaults().unwrap();
    let permanent = schedule.rule(RecordClass::DestructionRegister).unwrap();

    assert_eq!(disposition(&record(), permanent, &[], day("2999-01-01")), Disposition::Permanent);
    assert_eq!(schedule.destruction.cooling_off_days, 7);
}

#[test]
fn a_schedule_weaker_than_the_law_is_refused() {
    let text = include_str!("../../rules/retention.toml");
    let check = |from: &str, to: &str| RetentionSchedule::parse(&text.replacen(from, to, 1)).unwrap_err();

    assert!(matches!(check("approvals = 2", "approvals = 1"), RetentionError::WeakDestruction));
    assert!(matches!(
        check("cooling_off_days = 7", "cooling_off_days = 181"),
        RetentionError::WeakDestruction
    ));
    assert!(matches!(
        check("keep = \"3 years\"\nminimum", "keep = \"5 months\"\nminimum"),
        RetentionError::BelowMinimum { .. }
    ));
    assert!(matches!(check("keep = \"2 years\"", "keep = \"2 moons\""), RetentionError::Unreadable { .. }));
    assert!(matches!(check("from = \"account_closed_on\"\n", ""), RetentionError::NoEvent { position: 1 }));
}

proptest::proptest! {
    #[test]
    fn nothing_held_undated_or_kept_is_ever_due(
        closed in proptest::option::of(0_u64..20_000),
        today in 0_u64..40_000,
        is_held: bool,
        promised in proptest::option::of(0_u64..40_000),
    ) {
        let start = day("2000-01-01");
        let at = |offset: u64| start + chrono::Days::new(offset);
        let mut subject = record();
        subject.events = closed.map(|offset| (RetentionEvent::AccountClosedOn, at(offset))).into_iter().collect();
        subject.promised_through = promised.map(at);
        let holds = is_held.then(|| hold(HoldScope::CaseFiles(BTreeSet::from([subject.case_file]))));

        let outcome = disposition(&subject, &rule(), holds.as_slice(), at(today));

        if outcome == Disposition::DueForAppraisal {
            proptest::prop_assert!(!is_held);
            proptest::prop_assert!(closed.is_some_and(|offset| at(offset) + Months::new(24) < at(today)));
            proptest::prop_assert!(promised.is_none_or(|offset| offset < today));
        }
    }
}
