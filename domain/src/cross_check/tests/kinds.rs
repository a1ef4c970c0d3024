//! Papers other than identity cards: which are expected, and what they say to machines.

use super::*;

const ZONE: &str =
    "POCHNWANG<<XIAOMING<<<<<<<<<<<<<<<<<<<<<<<<<\nE123456782CHN9001011M2801016<<<<<<<<<<<<<<04";

/// The customer shows a passport and nothing else.
fn with_passport() -> Case {
    use FieldName as F;
    let mut case = Case::clean();
    case.remove(Slot::IdFront);
    case.remove(Slot::IdBack);
    "护照".clone_into(&mut case.entered.id_type);
    "E12345678".clone_into(&mut case.entered.id_number);
    case.set(Slot::Slip, F::IdNumber, "E12345678", 0.98);
    let printed = [
        (F::Name, "王小明"),
        (F::IdNumber, "E12345678"),
        (F::Sex, "男"),
        (F::Birth, "1990-01-01"),
        (F::ValidTo, "2028-01-01"),
        (F::Mrz, ZONE),
    ];
    let fields = printed.map(|(name, text)| field(name, text, 0.98)).to_vec();
    case.papers.push((Slot::IdFront, CARD_PAGE, paper(PaperKind::Passport, fields)));
    case
}

#[test]
fn a_passport_needs_no_back_and_no_address() {
    with_passport().raises(&[]);
}

#[test]
fn a_card_where_a_passport_was_typed_is_another_kind_of_paper() {
    let mut case = Case::clean();
    "护照".clone_into(&mut case.entered.id_type);

    let findings = case.raises(&["field_mismatch:id_type", "id_number_invalid:id_number"]);

    assert_eq!(findings[0].evidence.read.as_deref(), Some("身份证"));
    assert_eq!(findings[0].evidence.entered.as_deref(), Some("护照"));
}

#[test]
fn words_that_name_no_kind_of_paper_are_no_other_kind() {
    let mut case = Case::clean();

    case.set(Slot::Slip, FieldName::IdType, "由本人承担责任", 0.98);
    case.raises(&[]);

    case.set(Slot::Slip, FieldName::IdType, "护照", 0.98);
    case.raises(&["field_mismatch:id_type"]);
}

#[test]
fn a_passport_that_had_expired_is_found_on_its_front() {
    let mut case = with_passport();
    case.remove_field(Slot::IdFront, FieldName::Mrz);
    case.set(Slot::IdFront, FieldName::ValidTo, "2026-01-01", 0.98);

    case.raises(&["id_expired:id_valid_to"]);
}

#[test]
fn print_that_differs_from_the_machine_readable_zone_contradicts_it() {
    let mut case = with_passport();
    case.set(Slot::IdFront, FieldName::ValidTo, "2029-01-01", 0.98);

    let findings = case.raises(&["id_inconsistent:id_valid_to"]);

    assert_eq!(findings[0].evidence.reason.as_deref(), Some("print_against_zone"));
}

#[test]
fn a_foreign_permanent_resident_shows_both_sides_and_the_expiry_on_either() {
    let mut case = with_passport();
    "外国人永久居留身份证".clone_into(&mut case.entered.id_type);
    case.papers.last_mut().unwrap().2.kind = PaperKind::Permit;
    for (slot, number) in [(Slot::IdFront, "MEX330076062718"), (Slot::Slip, "MEX330076062718")] {
        case.set(slot, FieldName::IdNumber, number, 0.98);
    }
    "MEX330076062718".clone_into(&mut case.entered.id_number);
    case.remove_field(Slot::IdFront, FieldName::Mrz);
    let findings = case.findings();
    assert!(findings.iter().any(|f| f.code == FindingCode::DocumentMissing && f.subject == "id_back"));

    let back = paper(PaperKind::IdCardBack, vec![field(FieldName::Authority, "国家移民管理局", 0.98)]);
    case.papers.push((Slot::IdBack, CARD_PAGE, back));
    let raised = case.findings();
    let codes: Vec<FindingCode> = raised.iter().map(|f| f.code).collect();
    assert!(!codes.contains(&FindingCode::Illegible) && !codes.contains(&FindingCode::DocumentMissing));
}

#[test]
fn a_child_shows_the_household_register_and_has_no_back() {
    let mut case = Case::clean();
    case.remove(Slot::IdBack);
    let front = case.paper(Slot::IdFront);
    front.kind = PaperKind::HouseholdRegister;
    front.fields.retain(|field| field.field == FieldName::Name);
    let number = "110105201512310023";
    case.entered.id_number = number.to_owned();
    case.set(Slot::IdFront, FieldName::IdNumber, number, 0.98);
    case.set(Slot::Slip, FieldName::IdNumber, number, 0.98);
    case.raises(&[]);

    // A grown-up has a card.
    let number = "11010519491231002X";
    case.entered.id_number = number.to_owned();
    case.set(Slot::IdFront, FieldName::IdNumber, number, 0.98);
    case.set(Slot::Slip, FieldName::IdNumber, number, 0.98);
    case.raises(&["field_mismatch:id_type", "document_missing:id_back"]);
}

#[test]
fn an_agent_with_a_passport_shows_no_back() {
    let mut case = Case::with_agent();
    case.entered.details.insert(FieldName::AgentIdType, "护照".to_owned());
    case.remove(Slot::AgentIdBack);
    "E12345678".clone_into(&mut case.entered.agent_id_number);
    case.set(Slot::AgentIdFront, FieldName::IdNumber, "E12345678", 0.98);
    case.set(Slot::Slip, FieldName::AgentIdNumber, "E12345678", 0.98);
    case.raises(&["field_mismatch:agent_id_type"]);

    case.paper(Slot::AgentIdFront).kind = PaperKind::Passport;
    case.raises(&[]);
}

#[test]
fn of_cards_that_look_alike_number_and_term_tell_which_it_is() {
    let read = |case: &Case| {
        let findings = case.findings();
        let kind = findings.into_iter().find(|finding| finding.subject == "id_type")?;
        kind.evidence.read
    };
    let mut case = Case::clean();
    case.set(Slot::IdBack, FieldName::ValidFrom, "2026-08-02", 0.98);
    case.set(Slot::IdBack, FieldName::ValidTo, "2026-11-02", 0.98);
    assert_eq!(read(&case).as_deref(), Some("临时居民身份证"));

    "临时居民身份证".clone_into(&mut case.entered.id_type);
    assert_eq!(read(&case), None);
    case.set(Slot::IdBack, FieldName::ValidTo, "2036-08-02", 0.98);
    assert_eq!(read(&case).as_deref(), Some("居民身份证"));

    let mut case = Case::clean();
    case.set(Slot::IdFront, FieldName::IdNumber, "810000199408230021", 0.98);
    assert_eq!(read(&case).as_deref(), Some("港澳台居民居住证"));
}

#[test]
fn the_back_of_a_permit_behind_a_card_is_another_paper() {
    let mut case = Case::clean();
    case.paper(Slot::IdBack).kind = PaperKind::Permit;

    case.raises(&["field_mismatch:id_type"]);
}
