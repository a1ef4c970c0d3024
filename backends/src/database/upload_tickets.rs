//! Upload tickets.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    field::Slot,
    ids::{AccountId, UploadId, UploadTicketId},
    upload_ticket::UploadTicketState,
};
use uuid::Uuid;

use super::{digest, term};
use crate::error::StorageError;

/// Leave to bring one file straight to the object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadTicketRow {
    /// Its id; also names the object in quarantine.
    pub id: UploadTicketId,
    /// Whose.
    pub account_id: AccountId,
    /// Where it stands.
    pub state: UploadTicketState,
    /// The outlet the file is for.
    pub outlet_code: Option<String>,
    /// The slip number its holder named.
    pub slip_number_given: Option<String>,
    /// The slot its holder named.
    pub slot_given: Option<Slot>,
    /// Exactly so many bytes may come.
    pub size_bytes: i64,
    /// Exactly these.
    pub sha256: [u8; 32],
    /// When it was made.
    pub issued_at: DateTime<Utc>,
    /// Until when the file may be brought.
    pub upload_by: DateTime<Utc>,
    /// Until when it may be completed.
    pub expires_at: DateTime<Utc>,
    /// When it stopped being open.
    pub settled_at: Option<DateTime<Utc>>,
    /// The upload it became.
    pub upload_id: Option<UploadId>,
}

/// Tickets.
#[async_trait]
pub trait UploadTicketRepository: Send {
    /// Adds a ticket.
    async fn insert(&mut self, ticket: &UploadTicketRow) -> Result<(), StorageError>;
    /// The ticket with this id.
    async fn find(&mut self, id: UploadTicketId) -> Result<Option<UploadTicketRow>, StorageError>;
    /// Ends an open ticket. `Conflict`: it is not open.
    async fn settle(
        &mut self,
        id: UploadTicketId,
        state: UploadTicketState,
        upload: Option<UploadId>,
        at: DateTime<Utc>,
    ) -> Result<(), StorageError>;
    /// Open tickets that were over before `now`, at most `limit`.
    async fn overdue(&mut self, now: DateTime<Utc>, limit: i64) -> Result<Vec<UploadTicketId>, StorageError>;
    /// Forgets tickets that were settled before `before`, at most `limit`; gives how many.
    async fn forget_settled(&mut self, before: DateTime<Utc>, limit: i64) -> Result<u64, StorageError>;
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: Uuid,
    account_id: Uuid,
    state: String,
    outlet_code: Option<String>,
    slip_number_given: Option<String>,
    slot_given: Option<String>,
    size_bytes: i64,
    sha256: Vec<u8>,
    issued_at: DateTime<Utc>,
    upload_by: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    settled_at: Option<DateTime<Utc>>,
    upload_id: Option<Uuid>,
}

impl Stored {
    fn typed(self) -> Result<UploadTicketRow, StorageError> {
        Ok(UploadTicketRow {
            id: UploadTicketId::from_uuid(self.id),
            account_id: AccountId::from_uuid(self.account_id),
            state: term(&self.state, "upload_tickets.state")?,
            outlet_code: self.outlet_code,
            slip_number_given: self.slip_number_given,
            slot_given: self.slot_given.map(|slot| term(&slot, "upload_tickets.slot_given")).transpose()?,
            size_bytes: self.size_bytes,
            sha256: digest(&self.sha256, "upload_tickets.sha256")?,
            issued_at: self.issued_at,
            upload_by: self.upload_by,
            expires_at: self.expires_at,
            settled_at: self.settled_at,
            upload_id: self.upload_id.map(UploadId::from_uuid),
        })
    }
}

for_each_engine! {
    #[async_trait]
    impl UploadTicketRepository for EngineTransaction {
        async fn insert(&mut self, ticket: &UploadTicketRow) -> Result<(), StorageError> {
            let insert = "INSERT INTO upload_tickets (id, account_id, state, outlet_code, slip_number_given, slot_given,
                    size_bytes, sha256, issued_at, upload_by, expires_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
            sqlx::query(insert)
                .bind(ticket.id.uuid())
                .bind(ticket.account_id.uuid())
                .bind(ticket.state.as_str())
                .bind(&ticket.outlet_code)
                .bind(&ticket.slip_number_given)
                .bind(ticket.slot_given.map(Slot::as_str))
                .bind(ticket.size_bytes)
                .bind(ticket.sha256.as_slice())
                .bind(ticket.issued_at)
                .bind(ticket.upload_by)
                .bind(ticket.expires_at)
                .execute(self.connection())
                .await?;
            Ok(())
        }

        async fn find(&mut self, id: UploadTicketId) -> Result<Option<UploadTicketRow>, StorageError> {
            let select = "SELECT * FROM upload_tickets WHERE id = $1";
            let found: Option<Stored> =
                sqlx::query_as(select).bind(id.uuid()).fetch_optional(self.connection()).await?;
            found.map(Stored::typed).transpose()
        }

        async fn settle(
            &mut self,
            id: UploadTicketId,
            state: UploadTicketState,
            upload: Option<UploadId>,
            at: DateTime<Utc>,
        ) -> Result<(), StorageError> {
            let update = "UPDATE upload_tickets SET state = $1, upload_id = $2, settled_at = $3
                WHERE id = $4 AND state = 'open'";
            let done = sqlx::query(update)
                .bind(state.as_str())
                .bind(upload.map(UploadId::uuid))
                .bind(at)
                .bind(id.uuid())
                .execute(self.connection())
                .await?;
            if done.rows_affected() == 1 { Ok(()) } else { Err(StorageError::Conflict { what: "upload ticket" }) }
        }

        async fn overdue(&mut self, now: DateTime<Utc>, limit: i64) -> Result<Vec<UploadTicketId>, StorageError> {
            let select = "SELECT id FROM upload_tickets WHERE state = 'open' AND expires_at < $1
                ORDER BY expires_at LIMIT $2";
            let ids: Vec<(Uuid,)> =
                sqlx::query_as(select).bind(now).bind(limit).fetch_all(self.connection()).await?;
            Ok(ids.into_iter().map(|(id,)| UploadTicketId::from_uuid(id)).collect())
        }

        async fn forget_settled(&mut self, before: DateTime<Utc>, limit: i64) -> Result<u64, StorageError> {
            let delete = "DELETE FROM upload_tickets WHERE id IN
                (SELECT id FROM upload_tickets WHERE state <> 'open' AND settled_at < $1 LIMIT $2)";
            let done = sqlx::query(delete).bind(before).bind(limit).execute(self.connection()).await?;
            Ok(done.rows_affected())
        }
    }
}
