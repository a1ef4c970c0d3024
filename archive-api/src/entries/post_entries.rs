//! `POST /api/v1/entries`: imports entered data from the body of the request.

use std::io::{self, Read};

use axum::{
    Json,
    body::{Body, BodyDataStream},
    extract::{Request, State},
    http::header,
};
use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tracing::Instrument;

use super::{EntryFormat, ImportError, ImportReport, Importer};
use crate::{
    caller::Caller,
    language::Language,
    problem::{Problem, kinds},
    state::ArchiveState,
};

/// Imports CSV (`text/csv`) or JSON lines (`application/x-ndjson`).
pub(crate) async fn post_entries(
    State(state): State<ArchiveState>,
    caller: Caller,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let format = format_of(media_type).ok_or_else(|| Problem::new(kinds::WRONG_MEDIA_TYPE))?;
    let language = Language::accepted(request.headers());
    let importer = Importer { backends: state.backends.clone(), settings: (*state.settings).clone() };
    let reader = BodyReader::start(request.into_body());
    // A task of its own: a batch that was begun is finished even when the sender leaves.
    let work = async move { importer.import(&caller, Box::new(reader), format, |_| ()).await };
    let task = tokio::spawn(work.in_current_span());
    let report = task.await.map_err(|error| Problem::new(kinds::INTERNAL).caused_by(error))?;
    let report = report?;
    let told = told(&report, language).map_err(|error| Problem::new(kinds::INTERNAL).caused_by(error))?;
    Ok(Json(told))
}

/// The report, with what is wrong with each bad line in words.
fn told(report: &ImportReport, language: Language) -> serde_json::Result<Value> {
    let mut told = serde_json::to_value(report)?;
    let lines = told.get_mut("bad_lines").and_then(Value::as_array_mut).into_iter().flatten();
    for (line, bad) in lines.zip(&report.bad_lines) {
        line["message"] = bad.told(language).into();
    }
    Ok(told)
}

fn format_of(media_type: Option<&str>) -> Option<EntryFormat> {
    let essence = media_type?.split(';').next()?.trim().to_ascii_lowercase();
    match essence.as_str() {
        "text/csv" | "application/csv" | "application/vnd.ms-excel" => Some(EntryFormat::Csv),
        "application/x-ndjson" | "application/jsonl" | "application/json" | "application/json-lines" => {
            Some(EntryFormat::JsonLines)
        }
        _ => None,
    }
}

/// The body of a request for a reader that blocks.
struct BodyReader {
    pieces: mpsc::Receiver<Result<Bytes, axum::Error>>,
    piece: Bytes,
}

impl BodyReader {
    fn start(body: Body) -> Self {
        const PIECES_AHEAD: usize = 8;
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        tokio::spawn(forward(body.into_data_stream(), sender));
        Self { pieces, piece: Bytes::new() }
    }
}

async fn forward(mut body: BodyDataStream, sender: mpsc::Sender<Result<Bytes, axum::Error>>) {
    while let Some(piece) = body.next().await {
        if sender.send(piece).await.is_err() {
            break;
        }
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(Ok(piece)) => self.piece = piece,
                Some(Err(error)) => return Err(io::Error::other(error)),
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::NotAllowed => Self::new(kinds::FORBIDDEN),
            ImportError::Encoding => Self::new(kinds::ENTRIES_UNREADABLE).with_detail(
                "文件编码无法识别。请另存为 UTF-8 或 GB18030（GBK）编码的 CSV 再导入。",
                "The encoding of the file is not known. Save it as CSV in UTF-8 or GB18030 (GBK) and import it again.",
            ),
            ImportError::Empty => Self::new(kinds::ENTRIES_UNREADABLE)
                .with_detail("文件是空的。", "The file is empty."),
            ImportError::ColumnsMissing { columns } => {
                let list = columns.join("、");
                Self::new(kinds::ENTRIES_COLUMNS_MISSING)
                    .with_detail(format!("缺少的列：{list}。"), format!("Missing columns: {list}."))
                    .with("columns", json!(columns))
            }
            ImportError::ColumnTwice { header } => Self::new(kinds::ENTRIES_COLUMN_TWICE).with_detail(
                format!("表头“{header}”出现了不止一次，无法确定用哪一列。请删除多余的列再导入。"),
                format!("The header {header} stands over more than one column. Take one of them out and import again."),
            ),
            ImportError::Read(_) => Self::new(kinds::UPLOAD_INCOMPLETE).with_detail(
                "文件没有传完。已导入的行保留，请把同一文件再导入一次。",
                "The file did not arrive in full. Lines imported so far are kept; import the same file again.",
            ),
            ImportError::Storage(error) => error.into(),
        }
    }
}
