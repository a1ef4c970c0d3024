//! The timetable: of many processes one at a time does what runs by the clock. Also what only the clock notices: jobs
//! that are due and were not heard, and leases of the dead.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    ids::{JobId, KeyId},
    job::JobName,
};
use uuid::Uuid;

use super::many;
use crate::{error::StorageError, queue::Ring};

/// How far clocks that work together may be apart, with much to spare.
const CLOCKS_APART: TimeDelta = TimeDelta::minutes(1);

/// Whose turn it is, and what nobody heard.
#[async_trait]
pub trait TimetableRepository: Send {
    /// Takes or keeps the timetable until `lease_until`. `false`: another process has it. A turn that would last longer
    /// than this one was taken by a clock that ran ahead, and counts as over.
    async fn take_turn(
        &mut self,
        owner: Uuid,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<bool, StorageError>;
    /// Gives the timetable back, if it is this owner's.
    async fn end_turn(&mut self, owner: Uuid) -> Result<(), StorageError>;
    /// Rings for jobs of a kind that nobody runs although they were due at `since`, longest due first.
    async fn unheard(
        &mut self,
        name: JobName,
        since: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Ring>, StorageError>;
    /// Brings back what a clock that ran ahead left in a future nobody meant: leases end at `lease` at the latest, and
    /// what waits is due at `due` at the latest. Gives how many jobs that were.
    async fn return_from_future(
        &mut self,
        lease: DateTime<Utc>,
        due: DateTime<Utc>,
    ) -> Result<u64, StorageError>;
    /// Ends every lease on jobs and on the timetable, and gives how many jobs that were. Only for whoever knows that
    /// no other process lives.
    async fn end_all_leases(&mut self, now: DateTime<Utc>) -> Result<u64, StorageError>;
    /// When interrupted hand-overs of keys were last looked for; `None`: never.
    async fn keys_settled_at(&mut self) -> Result<Option<DateTime<Utc>>, StorageError>;
    /// Remembers that they were looked for.
    async fn keys_were_settled(&mut self, at: DateTime<Utc>) -> Result<(), StorageError>;
    /// Where the scans of these keys are: each key with that of the case file, or with none for a scan outside.
    async fn places_of_keys(&mut self, keys: &[KeyId]) -> Result<Vec<(KeyId, Option<KeyId>)>, StorageError>;
}

for_each_engine! {
    #[async_trait]
    impl TimetableRepository for EngineTransaction {
        async fn take_turn(
            &mut self,
            owner: Uuid,
            now: DateTime<Utc>,
            lease_until: DateTime<Utc>,
        ) -> Result<bool, StorageError> {
            let update = "UPDATE timetable SET owner = $1, lease_until = $2
                WHERE id = 1 AND (owner IS NULL OR owner = $1 OR lease_until <= $3 OR lease_until > $4)";
            let done = sqlx::query(update)
                .bind(owner)
                .bind(lease_until)
                .bind(now)
                .bind(lease_until + CLOCKS_APART)
                .execute(self.connection())
                .await?;
            Ok(done.rows_affected() == 1)
        }

        async fn end_turn(&mut self, owner: Uuid) -> Result<(), StorageError> {
            let update = "UPDATE timetable SET owner = NULL, lease_until = NULL WHERE id = 1 AND owner = $1";
            sqlx::query(update).bind(owner).execute(self.connection()).await?;
            Ok(())
        }

        async fn unheard(&mut self, name: JobName, since: DateTime<Utc>, limit: i64) -> Result<Vec<Ring>, StorageError> {
            let select = "SELECT id FROM jobs
                WHERE name = $1 AND ((state IN ('waiting', 'retrying') AND due_at <= $2)
                    OR (state = 'running' AND lease_until <= $2))
                ORDER BY due_at LIMIT $3";
            let ids: Vec<(Uuid,)> = sqlx::query_as(select)
                .bind(name.as_str())
                .bind(since)
                .bind(limit)
                .fetch_all(self.connection())
                .await?;
            Ok(ids.into_iter().map(|(id,)| Ring { job: JobId::from_uuid(id), name }).collect())
        }

        async fn return_from_future(
            &mut self,
            lease: DateTime<Utc>,
            due: DateTime<Utc>,
        ) -> Result<u64, StorageError> {
            let update = "UPDATE jobs SET lease_until = $1 WHERE state = 'running' AND lease_until > $1";
            let leases = sqlx::query(update).bind(lease).execute(self.connection()).await?.rows_affected();
            let update = "UPDATE jobs SET due_at = $1 WHERE state IN ('waiting', 'retrying') AND due_at > $1";
            let waits = sqlx::query(update).bind(due).execute(self.connection()).await?.rows_affected();
            Ok(leases + waits)
        }

        async fn end_all_leases(&mut self, now: DateTime<Utc>) -> Result<u64, StorageError> {
            sqlx::query("UPDATE timetable SET owner = NULL, lease_until = NULL").execute(self.connection()).await?;
            let update = "UPDATE jobs SET lease_until = $1 WHERE state = 'running' AND lease_until > $1";
            let done = sqlx::query(update).bind(now).execute(self.connection()).await?;
            Ok(done.rows_affected())
        }

        async fn keys_settled_at(&mut self) -> Result<Option<DateTime<Utc>>, StorageError> {
            let select = "SELECT keys_settled_at FROM timetable WHERE id = 1";
            let (at,): (Option<DateTime<Utc>>,) = sqlx::query_as(select).fetch_one(self.connection()).await?;
            Ok(at)
        }

        async fn keys_were_settled(&mut self, at: DateTime<Utc>) -> Result<(), StorageError> {
            let update = "UPDATE timetable SET keys_settled_at = $1 WHERE id = 1";
            sqlx::query(update).bind(at).execute(self.connection()).await?;
            Ok(())
        }

        async fn places_of_keys(&mut self, keys: &[KeyId]) -> Result<Vec<(KeyId, Option<KeyId>)>, StorageError> {
            let mut found = Vec::new();
            for part in many::parts(keys.iter().map(|key| key.uuid())) {
                let select = many::select_in(
                    "SELECT scans.key_id, case_files.key_id FROM scans
                        LEFT JOIN case_files ON case_files.id = scans.case_file_id WHERE scans.key_id IN",
                    &part,
                );
                let query = part.iter().fold(sqlx::query_as(select), |query, id| query.bind(*id));
                let rows: Vec<(Uuid, Option<Uuid>)> = query.fetch_all(self.connection()).await?;
                let typed = |(key, place): (Uuid, Option<Uuid>)| (KeyId::from_uuid(key), place.map(KeyId::from_uuid));
                found.extend(rows.into_iter().map(typed));
            }
            Ok(found)
        }
    }
}
