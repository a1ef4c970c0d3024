//! An archive in a temporary folder, for the tests of this crate.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
    response::Response,
};
use backends::{
    clock::HandClock,
    connect::{Backends, BackendsConfig},
    vault::RootKey,
};
use bytes::Bytes;
use chrono::DateTime;
use domain::access::Role;
use http_body_util::BodyExt;
use ingest::Sandbox;
use serde_json::Value;
use tokio::sync::watch;
use tower::ServiceExt;

use crate::{
    caller::Caller,
    entries::{EntryFormat, ImportReport, Importer},
    intake::{FileHead, FileSource, Labels, SourceError},
    router::router,
    state::{ApiSettings, ArchiveState},
    tokens::{NewAccount, create_account, create_token, local_caller},
};

/// An archive that is thrown away at the end.
pub(crate) struct TestArchive {
    pub state: ArchiveState,
    folder: tempfile::TempDir,
}

impl TestArchive {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("keys")).unwrap();
        let config = BackendsConfig::embedded(folder.path());
        RootKey::create(&config.root_key).unwrap();
        let clock = HandClock::new(DateTime::from_timestamp(1_790_000_000, 0).unwrap());
        let backends = Backends::connect(&config, Arc::new(clock)).await.unwrap();
        let settings = ApiSettings::default();
        let sandbox = Sandbox::new("/nonexistent".into(), settings.limits);
        let (_, searcher) = watch::channel(None);
        Self { state: ArchiveState::new(backends, searcher, sandbox, settings), folder }
    }

    /// The data folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn backends(&self) -> &Backends {
        &self.state.backends
    }

    pub(crate) async fn local(&self) -> Caller {
        local_caller(self.backends()).await.unwrap()
    }

    /// An account with a token.
    pub(crate) async fn account(
        &self,
        role: Role,
        outlet: Option<&str>,
        branch: Option<&str>,
    ) -> (Caller, String) {
        let local = self.local().await;
        let new = NewAccount {
            staff_number: format!("{role}-{}-{}", outlet.unwrap_or_default(), branch.unwrap_or_default()),
            role,
            outlet_code: outlet.map(str::to_owned),
            branch_code: branch.map(str::to_owned),
        };
        let account = create_account(self.backends(), &local, new).await.unwrap();
        let token = create_token(self.backends(), &local, &account, None).await.unwrap();
        (Caller::new(account, "test").unwrap(), token)
    }

    pub(crate) async fn import(&self, caller: &Caller, bytes: &[u8], format: EntryFormat) -> ImportReport {
        let importer = Importer { backends: self.backends().clone(), settings: ApiSettings::default() };
        let reader = Box::new(std::io::Cursor::new(bytes.to_vec()));
        importer.import(caller, reader, format, |_| ()).await.unwrap()
    }

    /// Sends a request with a token.
    pub(crate) async fn send(&self, token: &str, request: Request<Body>) -> Response {
        let (mut parts, body) = request.into_parts();
        parts.headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        router(self.state.clone()).oneshot(Request::from_parts(parts, body)).await.unwrap()
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> (StatusCode, Value) {
        let response = self.send(token, Request::get(path).body(Body::empty()).unwrap()).await;
        read(response).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        read(self.send(token, request.body(Body::from(body.to_string())).unwrap()).await).await
    }
}

/// Status and JSON of an answer.
pub(crate) async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// Most bytes a sender hands over at once.
const PIECE_BYTES: usize = 64 << 10;

/// Files that lie in memory; one that is `None` breaks off.
#[expect(clippy::option_option, reason = "no file, a file that breaks off, and a file are three things")]
pub(crate) struct Files {
    waiting: Vec<(Labels, Option<Vec<u8>>)>,
    current: Option<Option<Bytes>>,
}

impl Files {
    pub(crate) fn new(files: Vec<(Labels, Option<Vec<u8>>)>) -> Self {
        let mut waiting = files;
        waiting.reverse();
        Self { waiting, current: None }
    }
}

#[async_trait]
impl FileSource for Files {
    async fn next_file(&mut self) -> Result<Option<FileHead>, SourceError> {
        let Some((labels, bytes)) = self.waiting.pop() else { return Ok(None) };
        self.current = Some(bytes.map(Bytes::from));
        Ok(Some(FileHead { name: Some("张三.png".to_owned()), labels }))
    }

    async fn next_piece(&mut self) -> Result<Option<Bytes>, SourceError> {
        match self.current.take() {
            None => Ok(None),
            Some(Some(mut bytes)) if bytes.len() > PIECE_BYTES => {
                let piece = bytes.split_to(PIECE_BYTES);
                self.current = Some(Some(bytes));
                Ok(Some(piece))
            }
            Some(Some(bytes)) => Ok(Some(bytes)),
            Some(None) => Err(SourceError::Broken { source: "cut".into() }),
        }
    }
}

/// A PNG whose bytes depend on `shade`.
pub(crate) fn png(shade: u8) -> Vec<u8> {
    let picture = image::RgbImage::from_pixel(40, 30, image::Rgb([shade, 10, 20]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// One line of entered data as JSON.
pub(crate) fn entry(outlet: &str, slip_number: &str) -> Value {
    serde_json::json!({
        "outlet_code": outlet, "outlet_name": "一号营业厅", "channel": "自有营业厅", "accepted_on": "2026-09-18",
        "slip_number": slip_number, "service_numbers": ["13812345678"], "customer_type": "公众",
        "customer_name": "王小明", "id_type": "居民身份证", "id_number": "11010519491231002X",
        "id_address": "天津市河西区友谊路1号", "contact_name": "李四", "contact_phone": "18593093357",
        "mailing_address": "天津市河西区友谊路1号",
    })
}
