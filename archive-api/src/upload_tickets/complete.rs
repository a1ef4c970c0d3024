//! `POST /api/v1/upload-tickets/{id}/complete`: takes in what was brought, by the rules of every other upload.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use backends::{
    blob_store::BlobKey, connect::Backends, database::upload_tickets::UploadTicketRow, error::StorageError,
};
use domain::{
    ids::{UploadId, UploadTicketId},
    upload_ticket::UploadTicketState,
};
use serde::Deserialize;
use tracing::Instrument;

use super::source::QuarantinedFile;
use crate::{
    caller::Caller,
    extract::{Json, Path},
    intake::{IntakeError, Labels, SourceError, UploadReceipt, UploadRequest, receipt_response},
    language::Language,
    problem::{Problem, kinds},
    state::ArchiveState,
};

/// Longest file name.
const MAX_NAME_CHARACTERS: usize = 255;

/// What may be said about the file besides what the ticket says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompleteRequest {
    /// Its name; kept sealed.
    name: Option<String>,
}

/// Takes the file of a ticket in. Asked again, it gives the same receipt again.
pub(crate) async fn complete(
    State(state): State<ArchiveState>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<UploadTicketId>,
    request: Option<Json<CompleteRequest>>,
) -> Result<Response, Problem> {
    let language = Language::accepted(&headers);
    let name = request.and_then(|Json(request)| request.name);
    let name = name.map(|name| name.chars().take(MAX_NAME_CHARACTERS).collect());
    // A task of its own: a holder who leaves must not stop us between storing and recording.
    let work = async move { take_in(&state, &caller, id, name).await };
    let task = tokio::spawn(work.in_current_span());
    let receipt = task.await.map_err(|error| Problem::new(kinds::INTERNAL).caused_by(error))??;
    receipt_response(&receipt, language)
}

async fn take_in(
    state: &ArchiveState,
    caller: &Caller,
    id: UploadTicketId,
    name: Option<String>,
) -> Result<UploadReceipt, Problem> {
    let backends = &state.backends;
    let mut tx = backends.database.begin_read().await?;
    let ticket = tx.upload_tickets().find(id).await?.filter(|ticket| ticket.account_id == caller.account.id);
    drop(tx);
    let ticket = ticket.ok_or_else(|| Problem::new(kinds::NOT_FOUND))?;
    let request = upload_request(&ticket);
    let receipt = match state.intake.answered_before(caller, &request).await? {
        Some(receipt) => receipt,
        None => receive(state, caller, &ticket, request, name).await?,
    };
    if ticket.state == UploadTicketState::Open {
        settle(backends, caller, id, UploadTicketState::Completed, Some(receipt.upload_id)).await?;
    }
    Ok(receipt)
}

async fn receive(
    state: &ArchiveState,
    caller: &Caller,
    ticket: &UploadTicketRow,
    request: UploadRequest,
    name: Option<String>,
) -> Result<UploadReceipt, Problem> {
    let backends = &state.backends;
    if ticket.state != UploadTicketState::Open || ticket.expires_at < backends.clock.now() {
        return Err(Problem::new(kinds::TICKET_EXPIRED));
    }
    let reader = backends.blobs.open(BlobKey::Quarantine(ticket.id)).await?;
    let reader = reader.ok_or_else(|| Problem::new(kinds::TICKET_NOT_USED))?;
    let mut file = QuarantinedFile::new(ticket, name, reader);
    let intake = Arc::clone(&state.intake);
    match intake.receive(caller, request, &mut file).await {
        Ok(receipt) => Ok(receipt),
        Err(error) => {
            if matches!(error, IntakeError::Source(SourceError::NotAsPromised)) {
                settle(backends, caller, ticket.id, UploadTicketState::Closed, None).await?;
            }
            Err(error.into())
        }
    }
}

/// The key makes completing twice the same as completing once. It holds a line break, which no header can, so that no
/// ordinary upload bears it.
fn upload_request(ticket: &UploadTicketRow) -> UploadRequest {
    UploadRequest {
        idempotency_key: Some(format!("upload ticket\n{}", ticket.id)),
        labels: Labels { outlet: ticket.outlet_code.clone(), ..Labels::default() },
        size_hint: Some(ticket.size_bytes.unsigned_abs()),
    }
}

/// Ends the ticket, then empties its place in quarantine; what cannot be removed is found by the sweep.
async fn settle(
    backends: &Backends,
    caller: &Caller,
    id: UploadTicketId,
    end: UploadTicketState,
    upload: Option<UploadId>,
) -> Result<(), StorageError> {
    let now = backends.clock.now();
    let action = match end {
        UploadTicketState::Completed => "complete_upload_ticket",
        UploadTicketState::Open | UploadTicketState::Closed => "close_upload_ticket",
    };
    let mut tx = backends.database.begin().await?;
    match tx.upload_tickets().settle(id, end, upload, now).await {
        Ok(()) => {
            let entry = caller.log_entry(now, action, ("upload_ticket", id.to_string()), "done");
            tx.operation_log().append(&entry).await?;
            tx.commit().await?;
        }
        // Another request for the same ticket was quicker, and came to the same upload.
        Err(StorageError::Conflict { .. }) => drop(tx),
        Err(error) => return Err(error),
    }
    if let Err(error) = backends.blobs.delete(BlobKey::Quarantine(id)).await {
        tracing::warn!(ticket.id = %id, %error, "a settled file was left in quarantine; the sweep removes it");
    }
    Ok(())
}
