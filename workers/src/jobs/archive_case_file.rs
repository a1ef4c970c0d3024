//! `archive_case_file`: an accepted case file gets its archival code (档号) and becomes part of the holdings.

use domain::{archival_code::ArchivalCodeParts, case_file::CaseState, ids::CaseFileId};

use super::missing;
use crate::context::{Claimed, JobFailure, WorkContext};

/// Archives one case file. Done already when it is archived, or no longer accepted.
pub(super) async fn run(context: &WorkContext, claimed: &Claimed, id: CaseFileId) -> Result<(), JobFailure> {
    let now = context.now();
    fail::fail_point!("archive_case_file::begun");
    let mut tx = context.backends.database.begin().await?;
    let mut case_file = tx.case_files().find(id).await?.ok_or_else(|| missing("the case file"))?;
    if case_file.state != CaseState::Accepted {
        return claimed.complete(context, tx, &[]).await;
    }
    // A case file that was reopened keeps the code it has on the shelf.
    if case_file.archival_code.is_none() {
        let (Some(outlet), Some(accepted_on)) = (&case_file.outlet_code, case_file.accepted_on) else {
            return Err(JobFailure::Dead {
                reason: "the case file has no outlet or no day of acceptance".to_owned(),
            });
        };
        let branch = case_file.branch_code.as_deref().unwrap_or(outlet);
        // Numbers run by day and outlet, whatever the pattern shows of them.
        let prefix = format!("{branch}-{accepted_on}-{outlet}");
        let number = tx.holdings().next_archival_number(&prefix).await?;
        let number = u32::try_from(number).map_err(|_| JobFailure::Dead {
            reason: "the running numbers of the day are used up".to_owned(),
        })?;
        let parts =
            ArchivalCodeParts { branch: branch.to_owned(), accepted_on, outlet: outlet.clone(), number };
        let code = context.archival_pattern.format(&parts);
        case_file.archival_code = Some(code.map_err(|error| JobFailure::Dead { reason: error.to_string() })?);
    }
    case_file.archived_at.get_or_insert(now);
    case_file.updated_at = now;
    tx.case_files().update(&mut case_file).await?;
    tx.case_files().change_state(&mut case_file, CaseState::Archived, "filed", now).await?;
    tx.operation_log()
        .append(&context.log_entry("archive_case_file", "case_file", id.uuid(), "done"))
        .await?;
    fail::fail_point!("archive_case_file::before_commit");
    claimed.complete(context, tx, &[]).await
}
