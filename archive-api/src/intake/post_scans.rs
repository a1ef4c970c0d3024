//! `POST /api/v1/scans`: takes scans in.

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::blind_index::BlindKey;
use serde_json::{Value, json};
use tracing::Instrument;

use super::{
    FileOutcome, IntakeError, MultipartSource, SourceError, UploadReceipt, UploadRequest,
    sign_of_life::LONGEST_HOURS,
};
use crate::{
    caller::Caller,
    language::Language,
    outlets::{self, OUTLET_UNKNOWN},
    parameters::not_usable,
    problem::{Problem, kinds, refusal_document},
    record::hex,
    state::ArchiveState,
};

/// Longest idempotency key.
const MAX_IDEMPOTENCY_KEY: usize = 200;

/// Takes the files of a multipart request.
pub(crate) async fn post_scans(
    State(state): State<ArchiveState>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let language = Language::accepted(request.headers());
    let receipt = receive_request(&state, caller, request).await?;
    receipt_response(&receipt, language)
}

/// The answer to an upload: what each file became, and where to follow it.
pub(crate) fn receipt_response(receipt: &UploadReceipt, language: Language) -> Result<Response, Problem> {
    let files: Vec<Value> = receipt.files.iter().map(|file| file_document(file, language)).collect();
    if receipt.is_refused() {
        return Err(Problem::new(kinds::NOTHING_TAKEN)
            .with("upload_id", json!(receipt.upload_id))
            .with("files", json!(files)));
    }
    let follow = format!("/api/v1/uploads/{}", receipt.upload_id);
    let mut body = json!({
        "upload_id": receipt.upload_id,
        "status": "received",
        "received_at": receipt.received_at,
        "follow": follow,
        "files": files,
    });
    if !receipt.unknown_outlets.is_empty() {
        let doubts = receipt.unknown_outlets.iter().map(|outlet| outlet_document(outlet, language));
        body["warnings"] = doubts.collect();
    }
    Ok((StatusCode::CREATED, [(header::LOCATION, follow)], Json(body)).into_response())
}

/// Takes the files of a request; for the API and for the form of the console.
pub(crate) async fn receive_request(
    state: &ArchiveState,
    caller: Caller,
    request: Request,
) -> Result<UploadReceipt, Problem> {
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let boundary = text("content-type").and_then(|media_type| multer::parse_boundary(media_type).ok());
    let boundary = boundary.ok_or_else(|| Problem::new(kinds::WRONG_MEDIA_TYPE))?;
    let upload = UploadRequest {
        idempotency_key: idempotency_key(headers, &state.blind_key())?,
        size_hint: size_hint(headers),
        ..UploadRequest::default()
    };
    let mut source = MultipartSource::new(request.into_body(), &boundary, state.settings.upload_idle);
    let intake = std::sync::Arc::clone(&state.intake);
    // A task of its own: a sender who leaves must not stop us between storing and recording.
    let work = async move { intake.receive(&caller, upload, &mut source).await };
    let task = tokio::spawn(work.in_current_span());
    let received = task.await.map_err(|error| Problem::new(kinds::INTERNAL).caused_by(error))?;
    received.map_err(Problem::from)
}

/// What stands for the sender's key, in which anything may stand. A key that cannot be read is refused: without it the
/// same upload would be received twice.
fn idempotency_key(headers: &HeaderMap, blind: &BlindKey) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let key = value.to_str().map_err(|_| {
        Problem::new(kinds::INVALID_REQUEST).with_detail(
            "Idempotency-Key 只能用英文字母、数字和 ASCII 符号。",
            "Idempotency-Key takes ASCII letters, digits and signs only.",
        )
    })?;
    if key.len() > MAX_IDEMPOTENCY_KEY {
        return Err(Problem::new(kinds::INVALID_REQUEST).with_detail(
            "Idempotency-Key 太长，最多 200 个字符。",
            "Idempotency-Key has more than 200 characters.",
        ));
    }
    Ok(Some(hex(&blind.idempotency_key(key))))
}

fn size_hint(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn file_document(file: &super::FileReceipt, language: Language) -> Value {
    match &file.outcome {
        FileOutcome::Received(scan) | FileOutcome::Linked(scan) => {
            let is_new = matches!(file.outcome, FileOutcome::Received(_));
            let outcome = if is_new { super::receipt::RECEIVED } else { super::receipt::LINKED };
            json!({
                "number": file.number,
                "outcome": outcome,
                "scan_id": scan,
                "follow": format!("/api/v1/scans/{scan}"),
            })
        }
        FileOutcome::Refused { code, refusal } => json!({
            "number": file.number,
            "outcome": "refused",
            "refusal": refusal_document(code, *refusal, language),
        }),
    }
}

fn outlet_document(outlet: &str, language: Language) -> Value {
    let (zh, en) = (outlets::doubt_zh(outlet), outlets::doubt_en(outlet));
    json!({ "code": OUTLET_UNKNOWN, "outlet": outlet, "detail": language.pick(&zh, &en) })
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Storage(error) => error.into(),
            IntakeError::NotAllowed => Self::new(kinds::FORBIDDEN)
                .with_detail("您不能为这个网点上传。", "You may not upload for this outlet."),
            IntakeError::NoFiles => Self::new(kinds::NO_FILES),
            IntakeError::KeyUsed => Self::new(kinds::IDEMPOTENCY_KEY_USED),
            IntakeError::Source(SourceError::Broken { .. }) => Self::new(kinds::UPLOAD_INCOMPLETE),
            IntakeError::Source(SourceError::TimedOut) => Self::new(kinds::UPLOAD_TIMED_OUT),
            IntakeError::Source(SourceError::TookTooLong) => Self::new(kinds::UPLOAD_TIMED_OUT).with_detail(
                format!("上传持续太久（最多 {LONGEST_HOURS} 小时），本次没有保存任何文件。请分几次上传。"),
                format!("The upload took too long ({LONGEST_HOURS} hours at most) and nothing was kept. Send it in several parts."),
            ),
            IntakeError::Source(SourceError::Unavailable { source }) => source.into(),
            IntakeError::Source(SourceError::NotAsPromised) => Self::new(kinds::TICKET_MISMATCH),
            IntakeError::Source(SourceError::TooManyFiles) => Self::new(kinds::TOO_MANY_FILES),
            IntakeError::Source(SourceError::BadLabel { name }) => {
                not_usable(kinds::INVALID_REQUEST, name, &[])
            }
            IntakeError::Source(SourceError::UnknownLabel { name }) => {
                let name = name.map(|name| format!(" {name} ")).unwrap_or_default();
                Self::new(kinds::INVALID_REQUEST).with_detail(
                    format!("没有{name}这个字段。可用的字段是 slip_number、outlet、slot；文件须带文件名。"),
                    format!(
                        "There is no field{}. The fields are slip_number, outlet and slot; a file needs a file name.",
                        name.trim_end()
                    ),
                )
            }
        }
    }
}
