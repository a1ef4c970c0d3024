//! What the index is told about a case file: a pure function of the catalogue.

use backends::{
    clock::office_day,
    connect::Backends,
    database::{Transaction, case_files::CaseFileRow, entered_data::EnteredDataRow},
    error::StorageError,
    vault::DataKey,
};
use domain::{entered_data::EnteredData, finding::FindingState, validation::national_phone};
use indexer::{document::CaseDocument, writer::Change};

/// Opens a case file and describes it; a destroyed one, or one whose key is gone, leaves the index. What is damaged is
/// left out and the rest indexed: one damaged row must not keep every later case file from being found.
pub async fn describe(
    backends: &Backends,
    tx: &mut dyn Transaction,
    case_file: &CaseFileRow,
) -> Result<Change, StorageError> {
    if case_file.state.is_destroyed() {
        return Ok(Change::Delete(case_file.id));
    }
    let key = match backends.vault.key(case_file.key_id).await {
        Ok(None) => return Ok(Change::Delete(case_file.id)),
        found => unless_damaged(case_file, found)?.flatten(),
    };
    let entered: Option<EnteredData> = match &key {
        Some(key) => unless_damaged(case_file, entered_data(key, tx, case_file).await)?.flatten(),
        None => None,
    };
    let findings = tx.findings().of_case_file(case_file.id).await;
    let mut findings = unless_damaged(case_file, findings)?.unwrap_or_default();
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

async fn entered_data(
    key: &DataKey,
    tx: &mut dyn Transaction,
    case_file: &CaseFileRow,
) -> Result<Option<EnteredData>, StorageError> {
    let Some(id) = case_file.entered_data_id else { return Ok(None) };
    let row = tx.entered_data().find(id).await?;
    row.map(|row| key.open(EnteredDataRow::place(id), &row.entered_sealed)).transpose()
}

/// What was found; `None`, and a line in the log, where it is damaged.
fn unless_damaged<T>(
    case_file: &CaseFileRow,
    found: Result<T, StorageError>,
) -> Result<Option<T>, StorageError> {
    match found {
        Err(error @ StorageError::Corrupt { .. }) => {
            tracing::error!(case_file.id = %case_file.id, error = %error, "a case file is damaged; only the rest of it is found");
            Ok(None)
        }
        found => found.map(Some),
    }
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
