//! Files of a multipart request. Labels are fields that come before the files they hold for.

use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use domain::archival_code;
use multer::{Field, Multipart};
use tokio::time::timeout;

use super::{
    part_head::PartHead,
    source::{FileHead, FileSource, Labels, SourceError},
};
use crate::slip_number;

/// Longest text field.
const MAX_TEXT_BYTES: usize = 1024;

/// Longest name of a field that is said back.
const MAX_NAME_BYTES: usize = 40;

/// A multipart body as a source of files.
pub(crate) struct MultipartSource {
    multipart: Multipart<'static>,
    current: Option<Field<'static>>,
    /// What has come of the current file and was not handed over yet.
    first: Option<Bytes>,
    labels: Labels,
    idle: Duration,
}

impl MultipartSource {
    /// Reads `body`, whose parts `boundary` divides.
    pub(crate) fn new(body: Body, boundary: &str, idle: Duration) -> Self {
        let multipart = Multipart::new(body.into_data_stream(), boundary);
        Self { multipart, current: None, first: None, labels: Labels::default(), idle }
    }

    async fn next_field(&mut self) -> Result<Option<Field<'static>>, SourceError> {
        let field = timeout(self.idle, self.multipart.next_field()).await;
        field.map_err(|_| SourceError::TimedOut)?.map_err(broken)
    }

    async fn label(&mut self, name: &str, mut field: Field<'static>) -> Result<(), SourceError> {
        let mut bytes = Vec::new();
        while let Some(piece) = piece_of(&mut field, self.idle).await? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > MAX_TEXT_BYTES {
                return Err(SourceError::BadLabel { name: "text" });
            }
        }
        let text = String::from_utf8(bytes).map_err(|_| SourceError::BadLabel { name: "text" })?;
        self.labels.set(name, text.trim())
    }
}

impl Labels {
    /// Takes a label by the name of its field; an empty one takes it back. One that is not known is refused:
    /// misspelt, it would leave its files without what it says about them.
    pub(crate) fn set(&mut self, name: &str, text: &str) -> Result<(), SourceError> {
        let is_empty = text.is_empty();
        match name {
            "slip_number" if is_empty => self.slip_number = None,
            "slip_number" => {
                let bad = SourceError::BadLabel { name: "slip_number" };
                self.slip_number = Some(slip_number::normalised(text).ok_or(bad)?);
            }
            "outlet" if is_empty => self.outlet = None,
            "outlet" if !archival_code::is_outlet_code(text) => {
                return Err(SourceError::BadLabel { name: "outlet" });
            }
            "outlet" => self.outlet = Some(text.to_owned()),
            "slot" if is_empty => self.slot = None,
            "slot" => self.slot = Some(text.parse().map_err(|_| SourceError::BadLabel { name: "slot" })?),
            unknown => return Err(SourceError::UnknownLabel { name: repeatable(unknown) }),
        }
        Ok(())
    }
}

/// A name that can be said back to its sender as it is.
fn repeatable(name: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (!name.is_empty() && name.len() <= MAX_NAME_BYTES && name.bytes().all(is_plain)).then(|| name.to_owned())
}

#[async_trait]
impl FileSource for MultipartSource {
    async fn next_file(&mut self) -> Result<Option<FileHead>, SourceError> {
        self.current = None;
        while let Some(mut field) = self.next_field().await? {
            let head = PartHead::of(field.headers());
            if !head.is_file() {
                self.label(&head.name, field).await?;
                continue;
            }
            let name = head.file_name.filter(|name| !name.is_empty());
            self.first = None;
            if name.is_none() {
                self.first = piece_of(&mut field, self.idle).await?;
                // A browser sends an unused file field as a part without a name and without content.
                if self.first.is_none() {
                    continue;
                }
            }
            self.current = Some(field);
            return Ok(Some(FileHead { name, labels: self.labels.clone() }));
        }
        Ok(None)
    }

    async fn next_piece(&mut self) -> Result<Option<Bytes>, SourceError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        match &mut self.current {
            Some(field) => piece_of(field, self.idle).await,
            None => Ok(None),
        }
    }
}

async fn piece_of(field: &mut Field<'static>, idle: Duration) -> Result<Option<Bytes>, SourceError> {
    let piece = timeout(idle, field.chunk()).await;
    piece.map_err(|_| SourceError::TimedOut)?.map_err(broken)
}

fn broken(error: multer::Error) -> SourceError {
    SourceError::Broken { source: Box::new(error) }
}
