//! What keeps an upload that takes long from being taken for dead.
//!
//! Its objects have no row before its end, and a sweep removes objects without a row. So an upload that is not over soon
//! says now and then that it lives; the sweep leaves alone whatever was stored since the oldest one of them began. One
//! that could not say so for long is given up, and never answered "received".

use async_trait::async_trait;
use backends::{
    clock::new_id,
    connect::Backends,
    database::{Transaction, uploads_under_way::ALIVE_FOR},
    error::StorageError,
};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::JobKind;
use uuid::Uuid;

use super::source::{FileHead, FileSource, SourceError};

/// How often it is given; an upload that ends sooner writes nothing.
const EVERY: TimeDelta = TimeDelta::minutes(5);
/// Without one for so long an upload gives itself up, well before anybody else takes it for dead.
const LOST_AFTER: TimeDelta = TimeDelta::minutes(20);
const _: () = assert!(LOST_AFTER.num_seconds() < ALIVE_FOR.num_seconds());
/// Longest upload: while one lasts, nothing that was stored since it began can be cleared away.
pub(super) const LONGEST_HOURS: i64 = 6;

/// The sign of life of one upload.
pub(super) struct SignOfLife {
    backends: Backends,
    id: Uuid,
    began_at: DateTime<Utc>,
    given_at: DateTime<Utc>,
    is_on_record: bool,
}

impl SignOfLife {
    /// Of an upload that begins now.
    pub(super) fn new(backends: &Backends) -> Self {
        let now = backends.clock.now();
        let id = new_id::<JobKind>(now).uuid();
        Self { backends: backends.clone(), id, began_at: now, given_at: now, is_on_record: false }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.backends.clock.now()
    }

    /// Gives it where it is due; to be called at every step of the upload.
    pub(super) async fn give(&mut self) -> Result<(), SourceError> {
        let now = self.now();
        if now - self.given_at < EVERY {
            return Ok(());
        }
        if now - self.given_at > LOST_AFTER || now - self.began_at > TimeDelta::hours(LONGEST_HOURS) {
            return Err(SourceError::TookTooLong);
        }
        match self.write(now).await {
            Ok(true) => {
                self.given_at = now;
                self.is_on_record = true;
                Ok(())
            }
            Ok(false) => Err(SourceError::TookTooLong),
            Err(error) => {
                tracing::warn!(%error, "an upload could not say that it is under way; it says so at its next step");
                Ok(())
            }
        }
    }

    async fn write(&self, now: DateTime<Utc>) -> Result<bool, StorageError> {
        let mut tx = self.backends.database.begin().await?;
        let is_alive = if self.is_on_record {
            tx.uploads_under_way().renew(self.id, now).await?
        } else {
            tx.uploads_under_way().begin(self.id, self.began_at, now).await?;
            true
        };
        tx.commit().await?;
        Ok(is_alive)
    }

    /// Ends it in the transaction that makes the upload received. Fails where its objects may be gone.
    pub(super) async fn end(&self, tx: &mut dyn Transaction) -> Result<(), StorageError> {
        let is_alive = self.now() - self.given_at <= LOST_AFTER
            && (!self.is_on_record || tx.uploads_under_way().end(self.id).await?);
        if is_alive {
            return Ok(());
        }
        Err(StorageError::Unavailable {
            what: "upload",
            source: "its objects waited too long for their rows".into(),
        })
    }

    /// Ends it for an upload that failed; what stays of it is forgotten when it is not renewed.
    pub(super) async fn give_up(&self) {
        if !self.is_on_record {
            return;
        }
        let ending = async {
            let mut tx = self.backends.database.begin().await?;
            tx.uploads_under_way().end(self.id).await?;
            tx.commit().await
        };
        if let Err(error) = ending.await {
            tracing::debug!(%error, "an upload that failed is taken for alive a little longer");
        }
    }
}

/// Files that show with each piece that their upload lives.
pub(super) struct LivingSource<'a> {
    pub files: &'a mut dyn FileSource,
    pub sign: &'a mut SignOfLife,
}

#[async_trait]
impl FileSource for LivingSource<'_> {
    async fn next_file(&mut self) -> Result<Option<FileHead>, SourceError> {
        let head = self.files.next_file().await?;
        self.sign.give().await?;
        Ok(head)
    }

    async fn next_piece(&mut self) -> Result<Option<Bytes>, SourceError> {
        let piece = self.files.next_piece().await?;
        self.sign.give().await?;
        Ok(piece)
    }
}
