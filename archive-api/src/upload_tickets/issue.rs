//! `POST /api/v1/upload-tickets`: gives leave to bring one file straight to the object store.

use axum::{extract::State, http::StatusCode};
use backends::{
    blob_store::{BlobKey, TicketTerms},
    clock::new_id,
    database::upload_tickets::UploadTicketRow,
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{ids::UploadTicketId, upload_ticket::UploadTicketState};
use serde::{Deserialize, Serialize};

use crate::{
    caller::Caller,
    extract::Json,
    intake::Labels,
    problem::{Problem, kinds},
    state::ArchiveState,
};

/// How long a file that was brought in time may wait to be completed.
const COMPLETE_WITHIN: TimeDelta = TimeDelta::hours(1);

/// What is going to be brought.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TicketRequest {
    size_bytes: u64,
    sha256: String,
    slip_number: Option<String>,
    outlet: Option<String>,
    slot: Option<String>,
}

/// A ticket, and the one request it allows.
#[derive(Debug, Serialize)]
pub(crate) struct TicketView {
    ticket_id: UploadTicketId,
    put: PutView,
    upload_by: DateTime<Utc>,
    complete: String,
    expires_at: DateTime<Utc>,
}

/// `PUT` to this address with these headers.
#[derive(Debug, Serialize)]
struct PutView {
    url: String,
    headers: serde_json::Map<String, serde_json::Value>,
}

/// Issues a ticket for a file of this size and digest.
pub(crate) async fn issue(
    State(state): State<ArchiveState>,
    caller: Caller,
    Json(request): Json<TicketRequest>,
) -> Result<(StatusCode, Json<TicketView>), Problem> {
    let labels = labels_of(&request)?;
    let outlet = state.intake.outlet_for(&caller, labels.outlet.as_deref()).await?;
    let valid = state.settings.ticket_valid;
    let (terms, ticket) = {
        let now = state.backends.clock.now();
        let terms = terms_of(&request, state.settings.limits.max_bytes, valid)?;
        let upload_by = now + valid;
        let ticket = UploadTicketRow {
            id: new_id(now),
            account_id: caller.account.id,
            state: UploadTicketState::Open,
            outlet_code: outlet,
            slip_number_given: labels.slip_number,
            slot_given: labels.slot,
            size_bytes: i64::try_from(terms.size_bytes).unwrap_or(i64::MAX),
            sha256: terms.sha256,
            issued_at: now,
            upload_by,
            expires_at: upload_by + COMPLETE_WITHIN,
            settled_at: None,
            upload_id: None,
        };
        (terms, ticket)
    };
    let leave = state.backends.blobs.presign_put(BlobKey::Quarantine(ticket.id), &terms);
    let leave = leave.ok_or_else(|| Problem::new(kinds::TICKETS_NOT_OFFERED))?;
    put_on_record(&state, &caller, &ticket).await?;
    let headers = leave.headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    let view = TicketView {
        ticket_id: ticket.id,
        put: PutView { url: leave.url, headers },
        upload_by: ticket.upload_by,
        complete: format!("/api/v1/upload-tickets/{}/complete", ticket.id),
        expires_at: ticket.expires_at,
    };
    Ok((StatusCode::CREATED, Json(view)))
}

async fn put_on_record(
    state: &ArchiveState,
    caller: &Caller,
    ticket: &UploadTicketRow,
) -> Result<(), Problem> {
    let subject = ("upload_ticket", ticket.id.to_string());
    let entry = caller.log_entry(ticket.issued_at, "issue_upload_ticket", subject, "done");
    let mut tx = state.backends.database.begin().await?;
    tx.upload_tickets().insert(ticket).await?;
    tx.operation_log().append(&entry).await?;
    Ok(tx.commit().await?)
}

fn labels_of(request: &TicketRequest) -> Result<Labels, Problem> {
    let mut labels = Labels::default();
    let given = [("slip_number", &request.slip_number), ("outlet", &request.outlet), ("slot", &request.slot)];
    for (name, value) in given {
        if let Some(value) = value {
            labels.set(name, value.trim()).map_err(crate::intake::IntakeError::from)?;
        }
    }
    Ok(labels)
}

fn terms_of(
    request: &TicketRequest,
    max_bytes: u64,
    valid: std::time::Duration,
) -> Result<TicketTerms, Problem> {
    if request.size_bytes == 0 || request.size_bytes > max_bytes {
        return Err(Problem::new(kinds::INVALID_REQUEST).with_detail(
            format!("size_bytes 应为 1 到 {max_bytes}。"),
            format!("size_bytes takes 1 to {max_bytes}."),
        ));
    }
    let sha256 = digest_of(&request.sha256).ok_or_else(|| {
        Problem::new(kinds::INVALID_REQUEST)
            .with_detail("sha256 应为 64 位十六进制数。", "sha256 takes 64 hexadecimal digits.")
    })?;
    Ok(TicketTerms { size_bytes: request.size_bytes, sha256, valid })
}

fn digest_of(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, at) in digest.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(digest)
}
