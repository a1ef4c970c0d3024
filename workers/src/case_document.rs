//! What the index is told about a case file: a pure function of the catalogue.

use backends::{
    clock::office_day,
    connect::Backends,
    database::{Transaction, case_files::CaseFileRow, entered_data::EnteredDataRow},
    error::StorageError,
};
use domain::{entered_data::EnteredData, finding::FindingState, validation::national_phone};
use indexer::{document::CaseDocument, writer::Change};

/// Opens a case file and describes it; a destroyed one, or one whose key is gone, leaves the index.
pub async fn describe(
    backends: &Backends,
    tx: &mut dyn Transaction,
    case_file: &CaseFileRow,
) -> Result<Change, StorageError> {
    if case_file.state.is_destroyed() {
        return Ok(Change::Delete(case_file.id));
    }
    let Some(key) = backends.vault.key(case_file.key_id).await? else {
        return Ok(Change::Delete(case_file.id));
    };
    let entered: Option<EnteredData> = match case_file.entered_data_id {
        Some(id) => match tx.entered_data().find(id).await? {
            Some(row) => Some(key.open(EnteredDataRow::place(id), &row.entered_sealed)?),
            None => None,
        },
        None => None,
    };
    let mut findings = tx.findings().of_case_file(case_file.id).await?;
    findings.retain(|finding| finding.state != FindingState::Withdrawn);
    let has_open_findings = findings.iter().any(|finding| finding.state.is_open());
    let mut finding_codes: Vec<_> = findings.into_iter().map(|finding| finding.code).collect();
    finding_codes.sort_unstable();
    finding_codes.dedup();
    let document = CaseDocument {
        case_file_id: case_file.id,
        slip_number: case_file.slip_number.clone(),
        outlet_code: case_file.outlet_code.clone().unwrap_or_default(),
        branch_code: case_file.branch_code.clone().unwrap_or_default(),
        channel: case_file.channel.clone().unwrap_or_default(),
        // Until entered data come, the day the first scan came stands for the day of acceptance.
        accepted_on: case_file
            .accepted_on
            .or(case_file.papers_received_on)
            .unwrap_or_else(|| office_day(case_file.created_at)),
        state: case_file.state,
        finding_codes,
        has_open_findings,
        archival_code: case_file.archival_code.clone(),
        names: texts(entered.as_ref(), |entered| vec![&entered.customer_name, &entered.agent_name]),
        id_numbers: texts(entered.as_ref(), |entered| vec![&entered.id_number, &entered.agent_id_number]),
        phones: entered.as_ref().map(phones).unwrap_or_default(),
        addresses: texts(entered.as_ref(), |entered| vec![&entered.id_address, &entered.mailing_address]),
    };
    Ok(Change::Upsert(Box::new(document)))
}

/// Every phone, as a search asks for it.
fn phones(entered: &EnteredData) -> Vec<String> {
    let written = entered.service_numbers.iter().chain([&entered.contact_phone]);
    written.map(|phone| national_phone(phone)).filter(|phone| !phone.is_empty()).collect()
}

fn texts(entered: Option<&EnteredData>, of: impl Fn(&EnteredData) -> Vec<&String>) -> Vec<String> {
    let texts = entered.map(of).unwrap_or_default();
    texts.into_iter().filter(|text| !text.trim().is_empty()).cloned().collect()
}
