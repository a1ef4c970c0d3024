//! Several papers in one slot, and whose signature counts.

use super::*;

/// The card of another person, with what ink says of the entered values on it.
fn strangers_card(case: &mut Case) -> PaperReading {
    let mut card = case.paper(Slot::IdFront).clone();
    for (name, text) in [(FieldName::Name, "欧阳若兰"), (FieldName::IdNumber, "440305200001011235")] {
        card.fields.retain(|field| field.field != name);
        card.fields.push(field(name, text, 0.99));
    }
    card
}

fn weigh_cards(case: &mut Case, right: usize, strange: usize) {
    for field in [FieldName::Name, FieldName::IdNumber] {
        for (place, judgement, log_ratio) in
            [(right, Judgement::Agrees, 20.0), (strange, Judgement::Differs, -40.0)]
        {
            case.weights.push((place, FieldWeight { field, judgement, log_ratio }));
        }
    }
}

#[test]
fn a_strangers_card_that_comes_later_is_not_vouched_for_by_the_right_one() {
    let mut case = Case::clean();
    let card = strangers_card(&mut case);
    case.papers.push((Slot::IdFront, 7, card));
    weigh_cards(&mut case, 0, 3);

    let findings = case.findings();

    let of_number = findings.iter().find(|finding| finding.subject == "id_number").unwrap();
    assert_eq!((of_number.code, of_number.evidence.page), (FindingCode::FieldMismatch, Some(page(7))));
    let stranger = findings.iter().find(|finding| finding.subject == "id_copy").unwrap();
    assert_eq!((stranger.code, stranger.evidence.page), (FindingCode::IdInconsistent, Some(page(7))));
}

#[test]
fn a_strangers_card_that_came_first_is_told_though_the_right_one_counts() {
    let mut case = Case::clean();
    let card = strangers_card(&mut case);
    case.papers.insert(0, (Slot::IdFront, 7, card));
    weigh_cards(&mut case, 1, 0);

    let findings = case.raises(&["id_inconsistent:id_copy"]);

    assert_eq!(findings[0].evidence.page, Some(page(7)));
}

#[test]
fn the_signature_on_a_strangers_slip_stands_for_none() {
    let mut case = Case::clean();
    let mut strange = case.paper(Slot::Slip).clone();
    for (name, text) in [(FieldName::CustomerName, "欧阳若兰"), (FieldName::IdNumber, "440305200001011235")]
    {
        strange.fields.retain(|field| field.field != name);
        strange.fields.push(field(name, text, 0.99));
    }
    case.paper(Slot::Slip).signature = Some(mark(Presence::Absent));
    case.papers.insert(2, (Slot::Slip, 8, strange));

    let findings = case.findings();

    assert!(findings.iter().any(|finding| finding.code == FindingCode::SignatureMissing));
}

#[test]
fn a_signature_with_the_name_of_the_papers_is_right_where_the_entry_is_wrong() {
    let mut case = Case::clean();
    "王子明".clone_into(&mut case.entered.customer_name);
    let weight = |judgement| NameWeight { judgement, log_ratio: -20.0, is_legible: true };
    case.signature = Some(SignatureWeight {
        customer: Some(weight(Judgement::Differs)),
        printed: Some(weight(Judgement::Agrees)),
        ..SignatureWeight::default()
    });

    case.raises(&["field_mismatch:customer_name"]);
    case.signature.as_mut().unwrap().printed = None;
    case.raises(&["field_mismatch:customer_name", "signature_name_mismatch:slip"]);
}

#[test]
fn the_name_to_weigh_besides_is_what_card_and_slip_bear() {
    let mut case = Case::clean();
    let printed = |case: &Case| {
        case.with_inputs(|inputs| {
            signature_to_weigh(inputs).and_then(|weigh| weigh.printed_name.map(str::to_owned))
        })
    };

    assert_eq!(printed(&case), None);
    "王子明".clone_into(&mut case.entered.customer_name);
    assert_eq!(printed(&case).as_deref(), Some("王小明"));
    case.set(Slot::Slip, FieldName::CustomerName, "王子明", 0.99);
    assert_eq!(printed(&case), None);
}

#[test]
fn a_longer_name_that_holds_the_typed_one_is_another_name() {
    let mut case = Case::clean();
    case.paper(Slot::Slip).signature =
        Some(Mark { text: Some("王小明明".to_owned()), ..mark(Presence::Present) });
    let differs = NameWeight { judgement: Judgement::Differs, log_ratio: -20.0, is_legible: true };
    case.signature = Some(SignatureWeight { customer: Some(differs), ..SignatureWeight::default() });

    case.raises(&["signature_name_mismatch:slip"]);
    case.paper(Slot::Slip).signature =
        Some(Mark { text: Some("王小明张丽".to_owned()), ..mark(Presence::Present) });
    case.raises(&[]);
}
