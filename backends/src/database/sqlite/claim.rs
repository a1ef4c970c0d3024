//! Claiming work. A writer holds the whole database, so the row found is the row taken.

use super::SqliteTransaction;
use crate::{
    database::jobs::{Claim, JobRow, Stored, words_of},
    error::StorageError,
};

/// A job whose lease has run out. Few run at a time, so that few are looked at.
const LAPSED: &str =
    "UPDATE jobs SET state = 'running', attempts = attempts + 1, lease_owner = $1, lease_until = $2
    WHERE id = (
        SELECT j.id FROM jobs j INDEXED BY jobs_running
        WHERE j.state = 'running' AND j.lease_until <= $3 AND $4 LIKE '% ' || j.name || ' %'
            AND NOT EXISTS (SELECT 1 FROM jobs twin WHERE twin.subject = j.subject AND twin.state = 'running'
                AND twin.name = j.name AND twin.id <> j.id AND twin.lease_until > $3)
        ORDER BY j.lease_until LIMIT 1)
    RETURNING *";
/// A job that waits. The index `jobs_in_turn` has them in this order, so that a long backlog is not sorted; it is named,
/// since SQLite would rather look them up by state.
const DUE: &str =
    "UPDATE jobs SET state = 'running', attempts = attempts + 1, lease_owner = $1, lease_until = $2
    WHERE id = (
        SELECT j.id FROM jobs j INDEXED BY jobs_in_turn
        WHERE j.state IN ('waiting', 'retrying') AND j.due_at <= $3 AND $4 LIKE '% ' || j.name || ' %'
            AND NOT EXISTS (SELECT 1 FROM jobs twin WHERE twin.subject = j.subject AND twin.state = 'running'
                AND twin.name = j.name AND twin.id <> j.id AND twin.lease_until > $3)
        ORDER BY (j.name = 'read_scan'), j.due_at LIMIT 1)
    RETURNING *";

impl SqliteTransaction {
    /// Takes a job whose lease has run out, else the one that has been due longest.
    pub(crate) async fn claim_next(&mut self, claim: Claim<'_>) -> Result<Option<JobRow>, StorageError> {
        let names = words_of(claim.names);
        for update in [LAPSED, DUE] {
            let found: Option<Stored> = sqlx::query_as(update)
                .bind(claim.owner)
                .bind(claim.lease_until)
                .bind(claim.now)
                .bind(&names)
                .fetch_optional(self.connection())
                .await?;
            if let Some(found) = found {
                return found.typed().map(Some);
            }
        }
        Ok(None)
    }
}
