//! Saving parsed entries: new case files, new versions, and the checks and placings that follow.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use backends::{
    clock::new_id,
    database::{
        Transaction,
        case_files::{CaseFileRow, CaseToken},
        entered_data::EnteredDataRow,
        jobs::JobRow,
        organisation::OutletRow,
    },
    error::StorageError,
    queue::Ring,
    vault::{DataKey, KeyPurpose},
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    access::{Action, Permission},
    blind_index::BlindKey,
    case_file::CaseState,
    entered_data::{
        EnteredData, EntryWarning, NUMBERS_OF_ONE_IDENTITY, WarningReason, check_on_arrival,
        warnings_on_arrival,
    },
    field::FieldName,
    ids::{CaseFileId, EnteredDataId, KeyId},
    job::JobName,
};
use sha2::{Digest, Sha256};

use super::{BadLine, BadLineReason, Column, EntryFormat, ImportReport, Importer, tray_again};
use crate::{caller::Caller, record};

/// Numbers of one identity that are looked at to say whether there are many.
const NUMBERS_LOOKED_AT: i64 = 50;
/// Slip numbers of one file that are remembered, to tell a line that says the same twice from a change: some 20 MiB.
const NUMBERS_REMEMBERED: usize = 1 << 20;
/// Where it is already tomorrow somewhere, a day of acceptance is not in the future.
const TIME_ZONES: TimeDelta = TimeDelta::days(1);

/// Saves batches of one import.
pub(super) struct Saver<'a> {
    importer: &'a Importer,
    caller: &'a Caller,
    format: EntryFormat,
    blind: BlindKey,
    outlets: HashMap<String, OutletRow>,
    touched: BTreeSet<String>,
    /// Of the slip numbers that this file has had, as hashes.
    had: HashSet<u64>,
}

/// What became of one entry.
enum Saved {
    New(CaseFileId),
    Changed(CaseFileId),
    Unchanged,
    Refused(BadLineReason, Column),
}

/// One transaction's worth of work.
struct Batch {
    now: DateTime<Utc>,
    keys: HashMap<String, DataKey>,
    /// Keys of the case files that there were before, asked for before the transaction.
    known: HashMap<KeyId, DataKey>,
    changed: Vec<CaseFileId>,
    jobs: Vec<Ring>,
}

impl<'a> Saver<'a> {
    pub(super) fn new(importer: &'a Importer, caller: &'a Caller, format: EntryFormat) -> Self {
        let blind = BlindKey::new(importer.backends.vault.blind_index_secret());
        Self {
            importer,
            caller,
            format,
            blind,
            outlets: HashMap::new(),
            touched: BTreeSet::new(),
            had: HashSet::new(),
        }
    }

    /// Saves entries in one transaction.
    pub(super) async fn save(
        &mut self,
        entries: Vec<(u64, EnteredData)>,
        report: &mut ImportReport,
    ) -> Result<(), StorageError> {
        let backends = &self.importer.backends;
        let (keys, known) = self.keys_for(&entries).await?;
        let mut batch =
            Batch { now: backends.clock.now(), keys, known, changed: Vec::new(), jobs: Vec::new() };
        let mut tx = backends.database.begin().await?;
        let (mut bad, mut doubts) = (Vec::new(), Vec::new());
        let (mut new, mut changed, mut unchanged) = (0, 0, 0);
        for (line, entered) in &entries {
            match self.save_one(tx.as_mut(), &mut batch, entered).await? {
                Saved::New(id) => {
                    new += 1;
                    batch.changed.push(id);
                }
                Saved::Changed(id) => {
                    changed += 1;
                    batch.changed.push(id);
                }
                Saved::Unchanged => unchanged += 1,
                Saved::Refused(reason, column) => {
                    bad.push(self.bad_line(*line, reason, column));
                    continue;
                }
            }
            let warnings = case_warnings(tx.as_mut(), &self.blind, entered).await?;
            let is_to_come = entered.accepted_on > batch.now.date_naive() + TIME_ZONES;
            let to_come = EntryWarning { field: FieldName::AcceptedOn, reason: WarningReason::AfterToday };
            doubts.extend(
                warnings.into_iter().chain(is_to_come.then_some(to_come)).map(|warning| (*line, warning)),
            );
        }
        if !batch.changed.is_empty() {
            let result = format!("new={new} changed={changed}");
            let subject = ("case_files", digest_of(&batch.changed));
            let entry = self.caller.log_entry(batch.now, "import_entries", subject, &result);
            tx.operation_log().append(&entry).await?;
            fail::fail_point!("import::before_commit");
            tx.commit().await?;
        }
        report.new += new;
        report.changed += changed;
        report.unchanged += unchanged;
        for bad in bad {
            report.add_bad(bad);
        }
        for (line, warning) in doubts {
            report.add_doubt(line, warning);
        }
        record::announce(backends, &batch.jobs).await;
        // What is left was made for a slip number that somebody else opened meanwhile.
        for key in batch.keys.values() {
            backends.vault.destroy(key.id()).await?;
        }
        Ok(())
    }

    fn bad_line(&self, line: u64, reason: BadLineReason, column: Column) -> BadLine {
        let column = Some(self.importer.settings.columns.header(column).to_owned());
        BadLine { line, column, reason, values: None }
    }

    /// Makes keys, durable before any row needs them, for the slip numbers that are not known yet, and asks for those of
    /// the others.
    async fn keys_for(
        &self,
        entries: &[(u64, EnteredData)],
    ) -> Result<(HashMap<String, DataKey>, HashMap<KeyId, DataKey>), StorageError> {
        let backends = &self.importer.backends;
        let mut look = backends.database.begin_read().await?;
        let (mut unknown, mut known) = (HashSet::new(), HashSet::new());
        for (_, entered) in entries {
            match look.case_files().find_by_slip_number(&entered.slip_number).await? {
                Some(case_file) => known.insert(case_file.key_id),
                None => unknown.insert(entered.slip_number.clone()),
            };
        }
        drop(look);
        let known: Vec<KeyId> = known.into_iter().collect();
        let known = backends.vault.readable_keys(&known).await?;
        if unknown.is_empty() {
            return Ok((HashMap::new(), known));
        }
        let keys = backends.vault.new_keys(KeyPurpose::CaseFile, unknown.len(), backends.clock.now()).await?;
        Ok((unknown.into_iter().zip(keys).collect(), known))
    }

    async fn save_one(
        &mut self,
        tx: &mut dyn Transaction,
        batch: &mut Batch,
        entered: &EnteredData,
    ) -> Result<Saved, StorageError> {
        let known = tx.case_files().find_by_slip_number(&entered.slip_number).await?;
        let outlet = self.outlet(tx, entered).await?;
        let may_enter =
            self.caller.may_at(Action::ImportEntries, Some(&outlet.code), Some(&outlet.branch_code), None);
        let may_change = known.as_ref().map(|case_file| self.caller.may(Action::ImportEntries, case_file));
        if may_enter != Permission::Allowed
            || may_change.is_some_and(|may_change| may_change != Permission::Allowed)
        {
            return Ok(Saved::Refused(BadLineReason::OutletNotYours, Column::OutletCode));
        }
        let is_first = self.is_first(&entered.slip_number);
        let saved = match known {
            None => {
                self.put_outlet(tx, &outlet).await?;
                self.open(tx, batch, entered, outlet).await?
            }
            Some(case_file) => self.add_version(tx, batch, entered, case_file, (outlet, is_first)).await?,
        };
        if matches!(saved, Saved::New(_) | Saved::Changed(_)) {
            self.touched.insert(entered.outlet_code.clone());
        }
        Ok(saved)
    }

    /// Whether this file has not had a slip number yet, as far as that is remembered.
    fn is_first(&mut self, slip_number: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        slip_number.hash(&mut hasher);
        let hash = hasher.finish();
        if self.had.len() < NUMBERS_REMEMBERED { self.had.insert(hash) } else { !self.had.contains(&hash) }
    }

    async fn open(
        &mut self,
        tx: &mut dyn Transaction,
        batch: &mut Batch,
        entered: &EnteredData,
        outlet: OutletRow,
    ) -> Result<Saved, StorageError> {
        let Some(key) = batch.keys.remove(&entered.slip_number) else {
            return Err(StorageError::Conflict { what: "slip number" });
        };
        let entered_data_id = new_id(batch.now);
        let case_file = CaseFileRow {
            accepted_on: Some(entered.accepted_on),
            entered_data_id: Some(entered_data_id),
            ..CaseFileRow::opened(entered.slip_number.clone(), Some(outlet), &key, batch.now)
        };
        let id = case_file.id;
        tx.case_files().insert(&case_file).await?;
        self.insert_version(tx, batch, entered, &key, (id, entered_data_id, 1)).await?;
        if !check_on_arrival(entered).is_empty() {
            enqueue_check(tx, batch, id).await?;
        }
        Ok(Saved::New(id))
    }

    async fn add_version(
        &mut self,
        tx: &mut dyn Transaction,
        batch: &mut Batch,
        entered: &EnteredData,
        mut case_file: CaseFileRow,
        (outlet, is_first): (OutletRow, bool),
    ) -> Result<Saved, StorageError> {
        let versions = tx.entered_data().of_case_file(case_file.id).await?;
        let in_force = versions.iter().find(|version| Some(version.id) == case_file.entered_data_id);
        if in_force.is_some_and(|version| version.digest == entered.digest()) {
            self.put_outlet(tx, &outlet).await?;
            return Ok(Saved::Unchanged);
        }
        if !is_first {
            return Ok(Saved::Refused(BadLineReason::SlipNumberTwice, Column::SlipNumber));
        }
        self.put_outlet(tx, &outlet).await?;
        let is_reopened = !matches!(case_file.state, CaseState::Assembling | CaseState::Reading);
        if is_reopened && !case_file.state.may_become(CaseState::Reading) {
            return Ok(Saved::Refused(BadLineReason::CaseFileClosed, Column::SlipNumber));
        }
        let key = match batch.known.get(&case_file.key_id) {
            Some(key) => key.clone(),
            // Opened since this batch was begun.
            None => self.importer.backends.vault.required_key(case_file.key_id).await?,
        };
        let number = versions.last().map_or(1, |version| version.version + 1);
        let entered_data_id = new_id(batch.now);
        self.insert_version(tx, batch, entered, &key, (case_file.id, entered_data_id, number)).await?;
        if let Some(verdict) = case_file.verdict_id.take() {
            tx.findings().fell(verdict, batch.now).await?;
        }
        case_file.outlet_code = Some(outlet.code);
        case_file.branch_code = Some(outlet.branch_code);
        case_file.channel = Some(outlet.channel);
        case_file.accepted_on = Some(entered.accepted_on);
        case_file.entered_data_id = Some(entered_data_id);
        case_file.updated_at = batch.now;
        tx.case_files().update(&mut case_file).await?;
        if is_reopened {
            tx.case_files()
                .change_state(&mut case_file, CaseState::Reading, "entry_changed", batch.now)
                .await?;
        }
        let has_scans = !tx.scans().of_case_file(case_file.id).await?.is_empty();
        if is_reopened || has_scans || !check_on_arrival(entered).is_empty() {
            enqueue_check(tx, batch, case_file.id).await?;
        }
        Ok(if number == 1 { Saved::New(case_file.id) } else { Saved::Changed(case_file.id) })
    }

    async fn insert_version(
        &self,
        tx: &mut dyn Transaction,
        batch: &Batch,
        entered: &EnteredData,
        key: &DataKey,
        (case_file_id, id, version): (CaseFileId, EnteredDataId, i64),
    ) -> Result<(), StorageError> {
        let row = EnteredDataRow {
            id,
            case_file_id,
            version,
            digest: entered.digest(),
            entered_sealed: key.seal(EnteredDataRow::place(id), entered)?,
            source: self.format.source().to_owned(),
            received_by: Some(self.caller.account.id),
            received_at: batch.now,
        };
        tx.entered_data().insert(&row).await?;
        tx.case_files().put_tokens(case_file_id, &CaseToken::of(&self.blind, entered)).await
    }

    /// The outlet of an entry, as it stands with what the entry says about it.
    async fn outlet(
        &self,
        tx: &mut dyn Transaction,
        entered: &EnteredData,
    ) -> Result<OutletRow, StorageError> {
        let stored = match self.outlets.get(&entered.outlet_code) {
            Some(known) => Some(known.clone()),
            None => tx.organisation().outlet(&entered.outlet_code).await?,
        };
        Ok(self.outlet_as_entered(entered, stored.as_ref()))
    }

    /// Stores an outlet that is new or says something new about itself.
    async fn put_outlet(&mut self, tx: &mut dyn Transaction, outlet: &OutletRow) -> Result<(), StorageError> {
        if self.outlets.get(&outlet.code) == Some(outlet) {
            return Ok(());
        }
        let stored = tx.organisation().outlet(&outlet.code).await?;
        if stored.is_none() {
            tx.organisation().put_branch(&outlet.branch_code, &outlet.branch_code).await?;
        }
        if stored.as_ref() != Some(outlet) {
            tx.organisation().put_outlet(outlet).await?;
        }
        self.outlets.insert(outlet.code.clone(), outlet.clone());
        Ok(())
    }

    fn outlet_as_entered(&self, entered: &EnteredData, stored: Option<&OutletRow>) -> OutletRow {
        let code = entered.outlet_code.clone();
        let channel =
            entered.known_channel().map_or(entered.channel.clone(), |known| known.as_str().to_owned());
        let or_stored = |value: String, stored: Option<&String>| match stored {
            Some(stored) if value.is_empty() => stored.clone(),
            _ => value,
        };
        let name = or_stored(entered.outlet_name.clone(), stored.map(|outlet| &outlet.name));
        OutletRow {
            name: if name.is_empty() { code.clone() } else { name },
            branch_code: stored.map_or_else(|| self.branch_of(&code), |outlet| outlet.branch_code.clone()),
            channel: or_stored(channel, stored.map(|outlet| &outlet.channel)),
            code,
        }
    }

    /// The branch of an outlet nobody told us about: the first two letters of its code, as the operator maps them.
    fn branch_of(&self, outlet_code: &str) -> String {
        let letters: String = outlet_code.chars().filter(|c| c.is_alphanumeric()).take(2).collect();
        self.importer.settings.branch_codes.get(&letters).cloned().unwrap_or(letters)
    }

    /// Scans that wait in the tray may have found their acceptance now.
    pub(super) async fn try_tray_again(&self) -> Result<(), StorageError> {
        tray_again::place(&self.importer.backends, &self.touched).await
    }
}

/// What there is to doubt in an entry, by itself and beside the others of the same identity.
pub(crate) async fn case_warnings(
    tx: &mut dyn Transaction,
    blind: &BlindKey,
    entered: &EnteredData,
) -> Result<Vec<EntryWarning>, StorageError> {
    let mut warnings = warnings_on_arrival(entered);
    if let Some(identity) = CaseToken::of_identity(blind, entered)
        && tx.case_files().numbers_with_token(&identity, NUMBERS_LOOKED_AT).await? > NUMBERS_OF_ONE_IDENTITY
    {
        let reason = WarningReason::ManyNumbersOnOneIdentity;
        warnings.push(EntryWarning { field: FieldName::IdNumber, reason });
    }
    Ok(warnings)
}

async fn enqueue_check(
    tx: &mut dyn Transaction,
    batch: &mut Batch,
    id: CaseFileId,
) -> Result<(), StorageError> {
    let job = JobRow::due_at_once(JobName::CheckCaseFile, id.uuid(), batch.now);
    batch.jobs.push(tx.jobs().enqueue(&job).await?);
    Ok(())
}

/// Stands for a list of case files in the operation log.
fn digest_of(ids: &[CaseFileId]) -> String {
    let mut hasher = Sha256::new();
    for id in ids {
        hasher.update(id.uuid());
    }
    record::hex(&hasher.finalize())
}
