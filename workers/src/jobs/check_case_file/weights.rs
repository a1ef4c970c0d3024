//! How well each entered value explains the ink it should be.

use domain::{
    cross_check::FieldWeight,
    entered_data::EnteredData,
    field::{FieldName, Slot},
    reading::{FieldReading, PaperReading},
};
use reading::verification::weigh;

/// Weighs every entered value against every field of a paper that should bear it.
pub(super) fn of_paper(entered: Option<&EnteredData>, slot: Slot, paper: &PaperReading) -> Vec<FieldWeight> {
    let Some(entered) = entered else { return Vec::new() };
    let weigh_field = |field: &FieldReading| {
        let weight = weigh(field, &entered_for(slot, field.field, entered)?);
        Some(FieldWeight { field: field.field, judgement: weight.judgement, log_ratio: weight.log_ratio })
    };
    paper.fields.iter().filter_map(weigh_field).collect()
}

/// What was typed for a field of the paper in a slot; `None` when nothing was.
fn entered_for(slot: Slot, field: FieldName, entered: &EnteredData) -> Option<String> {
    let asked = match (slot, field) {
        (Slot::Slip, FieldName::AcceptedOn) => return Some(entered.accepted_on.to_string()),
        (Slot::Slip, field) => field,
        (Slot::AgentIdFront | Slot::AgentIdBack, FieldName::Name) => FieldName::AgentName,
        (Slot::AgentIdFront | Slot::AgentIdBack, FieldName::IdNumber) => FieldName::AgentIdNumber,
        (Slot::AgentIdFront | Slot::AgentIdBack, _) => return None,
        (_, FieldName::Name | FieldName::OrganisationName) => FieldName::CustomerName,
        (_, FieldName::IdNumber | FieldName::CreditCode) => FieldName::IdNumber,
        (_, FieldName::Address) => FieldName::IdAddress,
        _ => return None,
    };
    entered.value(asked).filter(|value| !value.trim().is_empty()).map(str::to_owned)
}
