//! `POST /api/v1/entries`: imports entered data from the body of the request.

use std::{
    io::{self, Read},
    sync::Arc,
    time::Duration,
};

use axum::{
    Json,
    body::{Body, BodyDataStream},
    extract::{Request, State},
    http::header,
};
use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::timeout};
use tracing::Instrument;

use super::{EntryFormat, ImportError, ImportReport, Importer};
use crate::{
    caller::Caller,
    language::Language,
    problem::{Problem, kinds},
    state::ArchiveState,
};

/// Imports of requests at once; each holds a thread while its file comes in.
pub(crate) const IMPORTS_AT_ONCE: usize = 8;
/// Largest file of one request.
const MAX_IMPORT_BYTES: u64 = 4 << 30;

/// Imports CSV (`text/csv`) or JSON lines (`application/x-ndjson`).
pub(crate) async fn post_entries(
    State(state): State<ArchiveState>,
    caller: Caller,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let format = format_of(media_type).ok_or_else(|| Problem::new(kinds::WRONG_MEDIA_TYPE))?;
    let language = Language::accepted(request.headers());
    let permit = Arc::clone(&state.imports).try_acquire_owned().map_err(|_| {
        Problem::new(kinds::UNAVAILABLE).with_detail(
            "同时导入的文件太多，请稍后重试。",
            "Too many files are being imported at once. Try again shortly.",
        )
    })?;
    let importer = Importer { backends: state.backends.clone(), settings: (*state.settings).clone() };
    let reader = BodyReader::start(request.into_body(), state.settings.upload_idle, MAX_IMPORT_BYTES);
    // A task of its own: a batch that was begun is finished even when the sender leaves.
    let work = async move {
        let report = importer.import(&caller, Box::new(reader), format, |_| ()).await;
        drop(permit);
        report
    };
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
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
    /// Bytes that may still come.
    left: u64,
}

impl BodyReader {
    fn start(body: Body, idle: Duration, limit: u64) -> Self {
        const PIECES_AHEAD: usize = 8;
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        tokio::spawn(forward(body.into_data_stream(), idle, sender));
        Self { pieces, piece: Bytes::new(), left: limit }
    }
}

/// Hands over what comes. A sender that says nothing for too long would hold the thread of the parser.
async fn forward(mut body: BodyDataStream, idle: Duration, sender: mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let piece = match timeout(idle, body.next()).await {
            Ok(Some(piece)) => piece.map_err(io::Error::other),
            Ok(None) => return,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        let is_last = piece.is_err();
        if sender.send(piece).await.is_err() || is_last {
            return;
        }
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(Ok(piece)) => {
                    let left = self.left.checked_sub(piece.len() as u64);
                    self.left = left.ok_or(io::ErrorKind::FileTooLarge)?;
                    self.piece = piece;
                }
                Some(Err(error)) => return Err(error),
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
            ImportError::Headers => Self::new(kinds::ENTRIES_UNREADABLE).with_detail(
                "表头无法读取。请检查表头是否有没有闭合的引号。",
                "The line of headers cannot be read. Look for a quotation mark in it that is not closed.",
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
            ImportError::Read(error) if error.kind() == io::ErrorKind::TimedOut => {
                Self::new(kinds::UPLOAD_TIMED_OUT).with_detail(
                    "长时间没有收到数据。已导入的行保留，请把同一文件再导入一次。",
                    "No data came for too long. Lines imported so far are kept; import the same file again.",
                )
            }
            ImportError::Read(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                Self::new(kinds::REQUEST_TOO_LARGE).with_detail(
                    "文件超过 4 GiB。已导入的行保留，请分成几个文件导入其余的行。",
                    "The file is larger than 4 GiB. Lines imported so far are kept; import the rest in several files.",
                )
            }
            ImportError::Read(_) => Self::new(kinds::UPLOAD_INCOMPLETE).with_detail(
                "文件没有传完。已导入的行保留，请把同一文件再导入一次。",
                "The file did not arrive in full. Lines imported so far are kept; import the same file again.",
            ),
            ImportError::Storage(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use domain::access::Role;
    use futures_util::stream;

    use super::*;
    use crate::{
        state::ApiSettings,
        testing::{TestArchive, entry, read},
    };

    fn import(body: Body) -> Request {
        Request::post("/api/v1/entries")
            .header(header::CONTENT_TYPE, "application/x-ndjson")
            .body(body)
            .unwrap()
    }

    #[tokio::test]
    async fn a_sender_that_stops_is_given_up_and_what_came_is_kept() {
        let mut archive = TestArchive::open().await;
        let idle = Duration::from_millis(50);
        archive.state.settings = Arc::new(ApiSettings { upload_idle: idle, ..ApiSettings::default() });
        let (_, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;
        let line = format!("{}\n", entry("TJ01", "S1"));
        let stops = stream::iter([Ok::<_, io::Error>(line)]).chain(stream::pending());

        let (status, problem) = read(archive.send(&token, import(Body::from_stream(stops))).await).await;

        assert_eq!((status, &problem["code"]), (StatusCode::REQUEST_TIMEOUT, &json!("upload_timed_out")));
        let mut tx = archive.backends().database.begin_read().await.unwrap();
        assert!(tx.case_files().find_by_slip_number("S1").await.unwrap().is_some());
        assert_eq!(archive.state.imports.available_permits(), IMPORTS_AT_ONCE);
    }

    #[tokio::test]
    async fn more_imports_than_there_are_threads_for_are_asked_to_come_again() {
        let archive = TestArchive::open().await;
        let (_, token) = archive.account(Role::Clerk, Some("TJ01"), None).await;
        let others = archive.state.imports.acquire_many(IMPORTS_AT_ONCE as u32).await.unwrap();

        let refused = archive.send(&token, import(Body::from(entry("TJ01", "S1").to_string()))).await;
        drop(others);
        let taken = archive.send(&token, import(Body::from(entry("TJ01", "S1").to_string()))).await;

        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(refused.headers().contains_key(header::RETRY_AFTER));
        assert_eq!(taken.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn a_body_ends_at_its_limit() {
        let read_all = |limit| async move {
            let mut reader = BodyReader::start(Body::from("12345"), Duration::from_mins(1), limit);
            tokio::task::spawn_blocking(move || reader.read_to_end(&mut Vec::new())).await.unwrap()
        };

        assert_eq!(read_all(5).await.unwrap(), 5);
        assert_eq!(read_all(4).await.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
