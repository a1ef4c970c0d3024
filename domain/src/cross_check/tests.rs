use super::{Judgement as J, *};
use crate::{
    ids::{CaseFileId, PageId},
    reading::{Capture, Mark, PaperKind, Presence, Quality},
};

mod kinds;
mod several;

const CARD_PAGE: u64 = 1;
const SLIP_PAGE: u64 = 2;
const AGENT_PAGE: u64 = 3;

fn page(number: u64) -> PageId {
    PageId::from_parts(number, [0; 10])
}

fn quad() -> Quad {
    Quad::rectangle(0.0, 0.0, 10.0, 10.0)
}

fn entered() -> EnteredData {
    EnteredData {
        outlet_code: "TJHX0307".to_owned(),
        outlet_name: "河西区友谊路营业厅".to_owned(),
        channel: "自有营业厅".to_owned(),
        accepted_on: "2026-09-18".parse().unwrap(),
        slip_number: "TJ20260918HX030700000".to_owned(),
        service_numbers: vec!["15562804516".to_owned()],
        customer_type: "公众".to_owned(),
        customer_name: "王小明".to_owned(),
        id_type: "居民身份证".to_owned(),
        id_number: "11010519491231002X".to_owned(),
        id_address: "天津市西青区解放南路凤城名苑12号楼2门903号".to_owned(),
        contact_name: "范麒康".to_owned(),
        contact_phone: "18593093357".to_owned(),
        mailing_address: "天津市西青区解放南路凤城名苑12号楼2门903号".to_owned(),
        agent_name: String::new(),
        agent_id_number: String::new(),
        staff_number: "HX9497".to_owned(),
        product: "预付费标准产品36元".to_owned(),
        details: std::collections::BTreeMap::new(),
    }
}

fn field(name: FieldName, text: &str, confidence: f32) -> FieldReading {
    FieldReading {
        field: name,
        text: (!text.is_empty()).then(|| text.to_owned()),
        confidence: Confidence::new(confidence),
        region: quad(),
        repair: None,
        lattices: Vec::new(),
        decided_by: "first".to_owned(),
    }
}

fn mark(presence: Presence) -> Mark {
    Mark {
        presence,
        confidence: Confidence::new(0.99),
        region: Some(quad()),
        text: None,
        lattices: Vec::new(),
        extent_mm: None,
        shape: Vec::new(),
    }
}

fn paper(kind: PaperKind, fields: Vec<FieldReading>) -> PaperReading {
    PaperReading {
        kind,
        form: "form".to_owned(),
        confidence: Confidence::FULL,
        region: quad(),
        capture: Capture::Photograph,
        quality: Quality { score: 1.0, ..Quality::default() },
        fields,
        copy_stamp: None,
        signature: None,
        illegible: Vec::new(),
        fingerprint: Vec::new(),
    }
}

/// A case in which everything agrees; tests spoil it.
struct Case {
    entered: EnteredData,
    papers: Vec<(Slot, u64, PaperReading)>,
    duplicate_of: Option<CaseFileId>,
    unreadable: Vec<UnreadablePage>,
    /// With the place of the paper whose ink it was.
    weights: Vec<(usize, FieldWeight)>,
    signature: Option<SignatureWeight>,
}

impl Case {
    fn clean() -> Self {
        use FieldName as F;
        let front = [
            (F::Name, "王小明"),
            (F::Sex, "女"),
            (F::Birth, "1949-12-31"),
            (F::Address, "天津市西青区解放南路凤城名苑12号楼2门903号"),
            (F::IdNumber, "11010519491231002X"),
        ];
        let back =
            [(F::Authority, "天津市公安局西青分局"), (F::ValidFrom, "2018-01-02"), (F::ValidTo, "长期")];
        let slip = [
            (F::SlipNumber, "TJ20260918HX030700000"),
            (F::ServiceNumber, "15562804516"),
            (F::CustomerName, "王小明"),
            (F::IdNumber, "11010519491231002X"),
            (F::IdAddress, "天津市西青区解放南路凤城名苑12号楼2门903号"),
            (F::ContactName, "范麒康"),
            (F::ContactPhone, "18593093357"),
            (F::MailingAddress, "天津市西青区解放南路凤城名苑12号楼2门903号"),
        ];
        let read = |list: &[(F, &str)]| list.iter().map(|(name, text)| field(*name, text, 0.98)).collect();
        let mut slip = paper(PaperKind::Slip, read(&slip));
        slip.signature = Some(mark(Presence::Present));
        let agrees = NameWeight { judgement: Judgement::Agrees, log_ratio: 0.0, is_legible: true };
        Self {
            entered: entered(),
            papers: vec![
                (Slot::IdFront, CARD_PAGE, paper(PaperKind::IdCardFront, read(&front))),
                (Slot::IdBack, CARD_PAGE, paper(PaperKind::IdCardBack, read(&back))),
                (Slot::Slip, SLIP_PAGE, slip),
            ],
            duplicate_of: None,
            unreadable: Vec::new(),
            weights: Vec::new(),
            signature: Some(SignatureWeight { customer: Some(agrees), ..SignatureWeight::default() }),
        }
    }

    fn with_agent() -> Self {
        let mut case = Self::clean();
        case.entered.agent_name = "李建国".to_owned();
        case.entered.agent_id_number = "440305200001011235".to_owned();
        for (slot, kind) in
            [(Slot::AgentIdFront, PaperKind::IdCardFront), (Slot::AgentIdBack, PaperKind::IdCardBack)]
        {
            let mut agents = case.paper(side(slot)).clone();
            agents.kind = kind;
            case.papers.push((slot, AGENT_PAGE, agents));
        }
        case.set(Slot::AgentIdFront, FieldName::Name, "李建国", 0.98);
        case.set(Slot::AgentIdFront, FieldName::IdNumber, "440305200001011235", 0.98);
        case.set(Slot::AgentIdFront, FieldName::Birth, "2000-01-01", 0.98);
        case.set(Slot::AgentIdFront, FieldName::Sex, "男", 0.98);
        case.set(Slot::Slip, FieldName::AgentName, "李建国", 0.98);
        case.set(Slot::Slip, FieldName::AgentIdNumber, "440305200001011235", 0.98);
        case.signature.as_mut().unwrap().agent =
            Some(NameWeight { judgement: Judgement::Agrees, log_ratio: 0.0, is_legible: true });
        case
    }

    fn paper(&mut self, slot: Slot) -> &mut PaperReading {
        &mut self.papers.iter_mut().find(|(other, _, _)| *other == slot).unwrap().2
    }

    fn set(&mut self, slot: Slot, name: FieldName, text: &str, confidence: f32) {
        let paper = self.paper(slot);
        paper.fields.retain(|other| other.field != name);
        paper.fields.push(field(name, text, confidence));
    }

    fn remove_field(&mut self, slot: Slot, name: FieldName) {
        self.paper(slot).fields.retain(|other| other.field != name);
    }

    fn weigh(&mut self, slot: Slot, field: FieldName, judgement: Judgement, log_ratio: f32) {
        let paper = self.papers.iter().position(|(other, _, _)| *other == slot).unwrap();
        self.weights.push((paper, FieldWeight { field, judgement, log_ratio }));
    }

    fn remove(&mut self, slot: Slot) {
        self.papers.retain(|(other, _, _)| *other != slot);
    }

    fn findings(&self) -> Vec<RaisedFinding> {
        self.with_inputs(check_case_file)
    }

    fn with_inputs<T>(&self, look: impl Fn(&CaseInputs<'_>) -> T) -> T {
        let placed: Vec<PlacedPaper<'_>> = self
            .papers
            .iter()
            .enumerate()
            .map(|(place, (slot, number, paper))| PlacedPaper {
                slot: *slot,
                page: page(*number),
                paper,
                duplicate_of_other_customer: self.duplicate_of.filter(|_| *slot != Slot::Slip),
                weights: self
                    .weights
                    .iter()
                    .filter(|(of, _)| *of == place)
                    .map(|(_, weight)| *weight)
                    .collect(),
            })
            .collect();
        look(&CaseInputs {
            entered: Some(&self.entered),
            papers: &placed,
            unreadable: &self.unreadable,
            signature: self.signature,
        })
    }

    #[track_caller]
    fn raises(&self, expected: &[&str]) -> Vec<RaisedFinding> {
        let findings = self.findings();
        let names: Vec<String> = findings.iter().map(|f| format!("{}:{}", f.code, f.subject)).collect();
        assert_eq!(names, expected);
        findings
    }
}

const fn side(slot: Slot) -> Slot {
    match slot {
        Slot::AgentIdFront => Slot::IdFront,
        _ => Slot::IdBack,
    }
}

#[test]
fn a_clean_case_raises_nothing() {
    Case::clean().raises(&[]);
    Case::with_agent().raises(&[]);
}

#[test]
fn another_persons_card_differs_in_name_number_and_address() {
    let mut case = Case::clean();
    case.set(Slot::IdFront, FieldName::Name, "吕曦佑", 0.95);
    case.set(Slot::IdFront, FieldName::IdNumber, "440305200001011235", 0.95);
    case.set(Slot::IdFront, FieldName::Address, "广东省深圳市南山区科技路35号楼2门1402号", 0.95);
    case.set(Slot::IdFront, FieldName::Birth, "2000-01-01", 0.95);
    case.set(Slot::IdFront, FieldName::Sex, "男", 0.95);
    case.set(Slot::IdBack, FieldName::ValidTo, "2038-01-02", 0.95);
    case.set(Slot::IdBack, FieldName::ValidFrom, "2028-01-02", 0.5);

    let findings = case.raises(&[
        "field_mismatch:customer_name",
        "field_mismatch:id_address",
        "field_mismatch:id_number",
    ]);

    assert_eq!(findings[0].evidence.page, Some(page(CARD_PAGE)));
    assert_eq!(findings[0].evidence.read.as_deref(), Some("吕曦佑"));
    assert_eq!(findings[0].evidence.entered.as_deref(), Some("王小明"));
    assert_eq!(findings[0].evidence.difference, Some(Difference::Conflicting));
}

#[test]
fn of_what_nobody_is_blamed_for_only_a_sure_difference_is_found() {
    let check = |read: &str, confidence: f32, expected: &[&str]| {
        let mut case = Case::clean();
        case.set(Slot::Slip, FieldName::CustomerType, read, confidence);

        case.raises(expected);
    };

    check("颂", 0.75, &[]);
    check("众", 0.95, &[]);
    check("政企", 0.95, &["field_mismatch:customer_type"]);
}

#[test]
fn a_card_filed_before_for_another_customer_is_a_duplicate_once() {
    let mut case = Case::clean();
    case.duplicate_of = Some(CaseFileId::from_parts(9, [1; 10]));

    case.raises(&["duplicate_scan:id_copy"]);
}

#[test]
fn a_mistyped_number_differs_from_the_paper_and_fails_its_own_check() {
    let mut case = Case::clean();
    case.entered.id_number = "11010519491232001X".to_owned();

    let findings = case.raises(&["field_mismatch:id_number", "id_number_invalid:id_number"]);

    assert_eq!(findings[1].evidence.reason.as_deref(), Some("date"));
}

#[test]
fn one_wrong_character_of_the_name_is_found_by_the_weight() {
    let mut case = Case::clean();
    case.entered.customer_name = "王小朋".to_owned();
    case.weigh(Slot::IdFront, FieldName::Name, Judgement::Differs, -9.0);
    case.weigh(Slot::Slip, FieldName::CustomerName, Judgement::Differs, -8.0);

    let findings = case.raises(&["field_mismatch:customer_name"]);

    assert_eq!(findings[0].evidence.difference, Some(Difference::OneCharacter));
}

#[test]
fn a_misreading_that_the_ink_does_not_bear_out_is_no_finding() {
    let mut case = Case::clean();
    case.set(Slot::IdFront, FieldName::Name, "王小朋", 0.7);
    case.weigh(Slot::IdFront, FieldName::Name, Judgement::Agrees, -0.2);
    case.set(Slot::Slip, FieldName::ContactPhone, "18593093351", 0.7);
    case.weigh(Slot::Slip, FieldName::ContactPhone, Judgement::Agrees, -0.4);

    case.raises(&[]);
}

#[test]
fn a_field_that_cannot_be_told_goes_to_a_person() {
    let mut case = Case::clean();
    case.set(Slot::IdFront, FieldName::Address, "天津市西青区解放南路凤城名苑12号楼2门908号", 0.6);
    case.weigh(Slot::IdFront, FieldName::Address, Judgement::CannotTell, -2.0);
    case.raises(&["illegible:id_address"]);

    case.weights.clear();
    case.weigh(Slot::IdFront, FieldName::Address, Judgement::CannotTell, -4.0);
    case.set(Slot::IdFront, FieldName::Address, "天津市西青区解放南路凤城名苑12号楼2门908号", 0.95);
    let findings = case.raises(&["field_mismatch:id_address"]);
    assert_eq!(findings[0].evidence.difference, Some(Difference::Uncertain));
}

#[test]
fn a_slip_that_cannot_be_read_does_no_harm_where_the_card_bears_the_value_out() {
    let mut case = Case::clean();
    case.set(Slot::Slip, FieldName::IdAddress, "", 0.0);
    case.raises(&[]);

    case.set(Slot::Slip, FieldName::ServiceNumber, "", 0.0);
    case.raises(&["illegible:service_number"]);
}

#[test]
fn a_card_that_cannot_be_read_is_not_excused_by_the_slip() {
    let mut case = Case::clean();
    case.set(Slot::IdFront, FieldName::Name, "", 0.0);

    case.raises(&["illegible:customer_name"]);
}

#[test]
fn an_illegible_card_is_said_once_and_nothing_is_claimed_about_its_fields() {
    let mut case = Case::clean();
    for slot in [Slot::IdFront, Slot::IdBack] {
        let paper = case.paper(slot);
        for reading in &mut paper.fields {
            (reading.text, reading.confidence) = (Some("王".to_owned()), Confidence::new(0.2));
        }
        paper.quality.causes = vec![QualityCause::Blurred];
    }

    let findings = case.raises(&["illegible:id_copy"]);

    assert_eq!(findings[0].evidence.reason.as_deref(), Some("id_front,blurred"));
    assert_eq!(findings[0].evidence.read, None);
}

#[test]
fn a_page_on_which_nothing_is_recognised_is_illegible_and_not_missing() {
    let mut case = Case::clean();
    case.remove(Slot::IdFront);
    case.remove(Slot::IdBack);
    case.unreadable.push(UnreadablePage {
        page: page(CARD_PAGE),
        slot: None,
        causes: vec![QualityCause::Glare],
    });

    case.raises(&["illegible:id_copy"]);
}

#[test]
fn what_is_required_and_not_there_is_missing() {
    let mut case = Case::with_agent();
    case.remove(Slot::IdBack);
    case.remove(Slot::AgentIdFront);

    case.raises(&["document_missing:agent_id_front", "document_missing:id_back"]);
}

#[test]
fn an_organisation_must_file_its_licence_and_name_its_handler() {
    let mut case = Case::clean();
    case.entered.customer_type = "政企".to_owned();
    case.entered.id_type = "营业执照".to_owned();
    case.entered.id_number = "91110000123456788M".to_owned();
    case.set(Slot::Slip, FieldName::IdNumber, "91110000123456788M", 0.99);

    case.raises(&["document_missing:licence", "required_field_empty:agent_name"]);
}

#[test]
fn a_paper_that_had_expired_on_the_day_of_acceptance_is_expired() {
    let check = |valid_to: &str, expected: &[&str]| {
        let mut case = Case::clean();
        case.set(Slot::IdFront, FieldName::IdNumber, "440305200001011235", 0.98);
        case.set(Slot::IdFront, FieldName::Birth, "2000-01-01", 0.98);
        case.set(Slot::IdFront, FieldName::Sex, "男", 0.98);
        case.set(Slot::Slip, FieldName::IdNumber, "440305200001011235", 0.98);
        case.entered.id_number = "440305200001011235".to_owned();
        case.set(Slot::IdBack, FieldName::ValidFrom, "2016-09-18", 0.98);
        case.set(Slot::IdBack, FieldName::ValidTo, valid_to, 0.98);
        case.raises(expected);
    };
    check("2026-09-18", &[]);
    check("2026-09-17", &["id_expired:id_valid_to"]);
    check("2036-09-18", &[]);
    check("2033-09-18", &["id_inconsistent:id_valid_to"]);
}

#[test]
fn a_licence_whose_term_is_over_has_expired() {
    let check = |valid_to: &str, confidence: f32, expected: &[&str]| {
        let mut case = Case::clean();
        case.entered.customer_type = "政企".to_owned();
        case.entered.agent_name = "李建国".to_owned();
        let term = vec![
            field(FieldName::OrganisationName, "王小明", 0.98),
            field(FieldName::ValidTo, valid_to, confidence),
        ];
        case.papers.push((Slot::Licence, AGENT_PAGE, paper(PaperKind::Licence, term)));
        let raised: Vec<String> = case
            .findings()
            .iter()
            .filter(|raised| raised.code == FindingCode::IdExpired)
            .map(|raised| format!("{}:{}", raised.code, raised.subject))
            .collect();
        assert_eq!(raised, expected);
    };
    check("2026-09-17", 0.98, &["id_expired:id_valid_to"]);
    check("2026-09-17", 0.7, &[]);
    check("长期", 0.98, &[]);
}

#[test]
fn digits_under_a_stamp_are_borne_out_by_the_check_of_the_number() {
    let mut case = Case::clean();
    case.set(Slot::IdFront, FieldName::IdNumber, "11010577777777002X", 0.4);
    case.raises(&[]);

    // A misprinted number that is clear is another number, and a mistyped one stays one.
    case.set(Slot::IdFront, FieldName::IdNumber, "11010519491231082X", 0.97);
    case.raises(&["illegible:id_number"]);
    case.set(Slot::IdFront, FieldName::IdNumber, "11010519491231082X", 0.6);
    case.entered.id_number = "11010519491231092X".to_owned();
    case.raises(&["field_mismatch:id_number", "id_number_invalid:id_number"]);
}

#[test]
fn an_expiry_that_cannot_be_read_follows_from_the_shortest_term_or_goes_to_a_person() {
    let mut case = Case::clean();
    case.set(Slot::IdBack, FieldName::ValidTo, "", 0.0);
    case.raises(&[]);

    case.set(Slot::IdBack, FieldName::ValidFrom, "", 0.0);
    case.raises(&["illegible:id_valid_to"]);
}

#[test]
fn sex_and_birth_are_held_against_the_number() {
    let mut case = Case::clean();
    case.set(Slot::IdFront, FieldName::Sex, "男", 0.97);
    case.set(Slot::IdFront, FieldName::Birth, "1949-12-30", 0.97);

    case.raises(&["id_inconsistent:id_birth", "id_inconsistent:id_sex"]);
}

#[test]
fn only_photocopies_need_the_stamp_and_one_stamp_serves_a_sheet() {
    let check = |capture, front: Option<Presence>, back: Option<Presence>, expected: &[&str]| {
        let mut case = Case::clean();
        for (slot, presence) in [(Slot::IdFront, front), (Slot::IdBack, back)] {
            case.paper(slot).capture = capture;
            case.paper(slot).copy_stamp = presence.map(mark);
        }
        case.raises(expected);
    };
    check(Capture::Photograph, Some(Presence::Absent), None, &[]);
    check(Capture::Photocopy, Some(Presence::Absent), Some(Presence::Present), &[]);
    check(
        Capture::Photocopy,
        Some(Presence::Absent),
        Some(Presence::Absent),
        &["copy_stamp_missing:id_copy"],
    );
    check(Capture::Photocopy, Some(Presence::Unclear), None, &["copy_stamp_missing:id_copy"]);
}

#[test]
fn signatures_are_missing_or_of_another_name_or_unlike() {
    let check = |presence, judgement, likeness, expected: &[&str]| {
        let mut case = Case::clean();
        case.paper(Slot::Slip).signature = Some(mark(presence));
        let customer = Some(NameWeight { judgement, log_ratio: -4.0, is_legible: true });
        case.signature = Some(SignatureWeight { customer, likeness, ..SignatureWeight::default() });
        case.raises(expected);
    };
    check(Presence::Absent, J::Differs, None, &["signature_missing:slip"]);
    check(Presence::Unclear, J::CannotTell, None, &["signature_missing:slip"]);
    check(Presence::Present, J::Differs, None, &["signature_name_mismatch:slip"]);
    check(Presence::Present, J::CannotTell, None, &["illegible:signature"]);
    check(Presence::Present, J::CannotTell, Some(J::Agrees), &[]);
    check(Presence::Present, J::Agrees, Some(J::Differs), &["signature_differs:slip"]);
    check(Presence::Present, J::Agrees, Some(J::CannotTell), &[]);
}

#[test]
fn an_earlier_signature_once_more_was_not_written() {
    let mut case = Case::clean();
    let weight = case.signature.as_mut().unwrap();
    weight.likeness = Some(Judgement::Agrees);
    weight.is_copied = true;

    let findings = case.raises(&["signature_differs:slip"]);

    assert_eq!(findings[0].evidence.reason.as_deref(), Some("copy_of_an_earlier_signature"));
}

#[test]
fn a_hand_nobody_can_read_has_signed() {
    let check = |confidence: f32, read: Option<&str>, is_legible, expected: &[&str]| {
        let mut case = Case::clean();
        let mut signed = mark(Presence::Present);
        signed.confidence = Confidence::new(confidence);
        signed.text = read.map(str::to_owned);
        case.paper(Slot::Slip).signature = Some(signed);
        let judgement = Judgement::CannotTell;
        let customer = Some(NameWeight { judgement, log_ratio: -4.0, is_legible });
        case.signature = Some(SignatureWeight { customer, ..SignatureWeight::default() });
        case.raises(expected);
    };
    check(0.95, None, false, &[]);
    check(0.6, None, false, &["illegible:signature"]);
    check(0.95, Some("李大刚"), true, &["illegible:signature"]);
    check(0.95, Some("王小明高飞"), true, &[]);
}

#[test]
fn where_an_agent_acted_the_agent_signs() {
    let mut case = Case::with_agent();
    let differs = NameWeight { judgement: Judgement::Differs, log_ratio: -9.0, is_legible: true };
    case.signature.as_mut().unwrap().agent = Some(differs);

    let findings = case.raises(&["signature_name_mismatch:slip"]);

    assert_eq!(findings[0].evidence.reason.as_deref(), Some("customer_signed_for_agent"));
    assert_eq!(findings[0].evidence.entered.as_deref(), Some("李建国"));
}

#[test]
fn the_contact_is_neither_the_customer_nor_the_number_opened() {
    let mut case = Case::clean();
    case.entered.contact_name = " 王小 明".to_owned();
    case.entered.contact_phone = "+86 155-6280-4516".to_owned();
    case.set(Slot::Slip, FieldName::ContactName, "王小明", 0.9);
    case.set(Slot::Slip, FieldName::ContactPhone, "15562804516", 0.9);

    case.raises(&["contact_is_customer:contact_name", "contact_phone_is_service_number:contact_phone"]);
}

#[test]
fn one_of_several_service_numbers_on_the_slip_is_enough() {
    let mut case = Case::clean();
    case.entered.service_numbers = vec!["02223456789".to_owned(), "15562804516".to_owned()];
    case.raises(&[]);

    case.set(Slot::Slip, FieldName::ServiceNumber, "15562804519", 0.97);
    case.raises(&["field_mismatch:service_number"]);
}

#[test]
fn the_newest_legible_paper_of_a_slot_counts() {
    let mut case = Case::clean();
    let right = case.paper(Slot::IdFront).clone();
    case.set(Slot::IdFront, FieldName::Name, "李四", 0.99);
    case.papers.push((Slot::IdFront, 7, right));

    case.raises(&[]);
}

#[test]
fn cards_find_their_owner_by_name_and_number() {
    let mut case = Case::with_agent();
    let agents_back = case.paper(Slot::AgentIdBack).clone();
    let (agents, customers) = (case.paper(Slot::AgentIdFront).clone(), case.paper(Slot::IdFront).clone());
    let (back, slip) = (case.paper(Slot::IdBack).clone(), case.paper(Slot::Slip).clone());
    let order = [(4, &agents), (5, &agents_back), (1, &customers), (1, &back), (2, &slip)];
    let candidates: Vec<_> = order
        .iter()
        .map(|(number, paper)| Candidate { page: page(*number), paper, sent_for: None })
        .collect();

    let slots = place_papers(Some(&case.entered), &candidates);

    assert_eq!(slots, [Slot::AgentIdFront, Slot::AgentIdBack, Slot::IdFront, Slot::IdBack, Slot::Slip]);
}

#[test]
fn a_back_that_comes_before_its_front_goes_to_whom_lives_there() {
    let mut case = Case::with_agent();
    case.set(Slot::IdFront, FieldName::Address, "天津市西青区解放南路12号", 0.99);
    case.set(Slot::IdBack, FieldName::Authority, "天津市公安局西青分局", 0.99);
    case.set(Slot::AgentIdFront, FieldName::Address, "河北省唐山市路北区建设路3号", 0.99);
    case.set(Slot::AgentIdBack, FieldName::Authority, "唐山市公安局路北分局", 0.99);
    let papers = [Slot::AgentIdBack, Slot::AgentIdFront, Slot::IdBack, Slot::IdFront]
        .map(|slot| case.paper(slot).clone());
    let candidates: Vec<_> = papers
        .iter()
        .zip(4..)
        .map(|(paper, number)| Candidate { page: page(number), paper, sent_for: None })
        .collect();

    let slots = place_papers(Some(&case.entered), &candidates);

    assert_eq!(slots, [Slot::AgentIdBack, Slot::AgentIdFront, Slot::IdBack, Slot::IdFront]);
}

#[test]
fn without_an_entry_only_the_papers_are_held_against_each_other() {
    let mut case = Case::clean();
    case.set(Slot::Slip, FieldName::CustomerName, "李建国", 0.98);
    case.set(Slot::Slip, FieldName::IdNumber, "440305200001011235", 0.98);
    let placed: Vec<PlacedPaper<'_>> = case
        .papers
        .iter()
        .map(|(slot, number, paper)| PlacedPaper {
            slot: *slot,
            page: page(*number),
            paper,
            duplicate_of_other_customer: None,
            weights: Vec::new(),
        })
        .collect();

    let findings =
        check_case_file(&CaseInputs { entered: None, papers: &placed, unreadable: &[], signature: None });

    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].code, findings[0].subject.as_str()), (FindingCode::IdInconsistent, "slip"));
}
