//! Branches, outlets, accounts and API tokens.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::AccountId;
use uuid::Uuid;

use crate::error::StorageError;

/// A service outlet (受理网点).
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OutletRow {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The branch it belongs to.
    pub branch_code: String,
    /// Its channel, as in `deadlines.toml`.
    pub channel: String,
}

/// An account; one natural person each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its id.
    pub id: AccountId,
    /// 工号.
    pub staff_number: String,
    /// The role, by its name in the rules.
    pub role: String,
    /// The outlet a clerk belongs to.
    pub outlet_code: Option<String>,
    /// The branch the account belongs to; `None` for the whole archive.
    pub branch_code: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was disabled.
    pub disabled_at: Option<DateTime<Utc>>,
}

/// An API token as stored: only its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub account_id: AccountId,
    /// BLAKE3 of the token; a token is 256 random bits, so no slow hash is needed.
    pub token_hash: [u8; 32],
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends; `None`: when it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Who works where.
#[async_trait]
pub trait OrganisationRepository: Send {
    /// Adds a branch or renames it.
    async fn put_branch(&mut self, code: &str, name: &str) -> Result<(), StorageError>;
    /// Adds an outlet or changes it; its branch must exist.
    async fn put_outlet(&mut self, outlet: &OutletRow) -> Result<(), StorageError>;
    /// The outlet with this code.
    async fn outlet(&mut self, code: &str) -> Result<Option<OutletRow>, StorageError>;
    /// Every outlet, by code.
    async fn outlets(&mut self) -> Result<Vec<OutletRow>, StorageError>;
    /// Adds an account. `Conflict`: the staff number is taken.
    async fn insert_account(&mut self, account: &AccountRow) -> Result<(), StorageError>;
    /// The account with this id.
    async fn account(&mut self, id: AccountId) -> Result<Option<AccountRow>, StorageError>;
    /// The account with this staff number.
    async fn account_by_staff_number(
        &mut self,
        staff_number: &str,
    ) -> Result<Option<AccountRow>, StorageError>;
    /// Every account, by staff number.
    async fn accounts(&mut self) -> Result<Vec<AccountRow>, StorageError>;
    /// Adds a token.
    async fn insert_token(&mut self, token: &TokenRow) -> Result<(), StorageError>;
    /// The enabled account of a token that is neither revoked nor over at `now`.
    async fn account_by_token(
        &mut self,
        token_hash: &[u8; 32],
        now: DateTime<Utc>,
    ) -> Result<Option<AccountRow>, StorageError>;
    /// Ends all tokens of an account.
    async fn revoke_tokens(&mut self, account: AccountId, at: DateTime<Utc>) -> Result<(), StorageError>;
    /// Ends one token. `false`: there is none, or it had ended.
    async fn revoke_token(&mut self, token_hash: &[u8; 32], at: DateTime<Utc>) -> Result<bool, StorageError>;
}

#[derive(sqlx::FromRow)]
struct StoredAccount {
    id: Uuid,
    staff_number: String,
    role: String,
    outlet_code: Option<String>,
    branch_code: Option<String>,
    created_at: DateTime<Utc>,
    disabled_at: Option<DateTime<Utc>>,
}

impl StoredAccount {
    fn typed(self) -> AccountRow {
        AccountRow {
            id: AccountId::from_uuid(self.id),
            staff_number: self.staff_number,
            role: self.role,
            outlet_code: self.outlet_code,
            branch_code: self.branch_code,
            created_at: self.created_at,
            disabled_at: self.disabled_at,
        }
    }
}

for_each_engine! {
    #[async_trait]
    impl OrganisationRepository for EngineTransaction {
        async fn put_branch(&mut self, code: &str, name: &str) -> Result<(), StorageError> {
            let upsert = "INSERT INTO branches (code, name) VALUES ($1, $2)
                ON CONFLICT (code) DO UPDATE SET name = excluded.name";
            sqlx::query(upsert).bind(code).bind(name).execute(self.connection()).await?;
            Ok(())
        }

        async fn put_outlet(&mut self, outlet: &OutletRow) -> Result<(), StorageError> {
            let upsert = "INSERT INTO outlets (code, name, branch_code, channel) VALUES ($1, $2, $3, $4)
                ON CONFLICT (code) DO UPDATE SET name = excluded.name, branch_code = excluded.branch_code,
                    channel = excluded.channel";
            sqlx::query(upsert)
                .bind(&outlet.code)
                .bind(&outlet.name)
                .bind(&outlet.branch_code)
                .bind(&outlet.channel)
                .execute(self.connection())
                .await?;
            Ok(())
        }

        async fn outlet(&mut self, code: &str) -> Result<Option<OutletRow>, StorageError> {
            let select = "SELECT code, name, branch_code, channel FROM outlets WHERE code = $1";
            Ok(sqlx::query_as(select).bind(code).fetch_optional(self.connection()).await?)
        }

        async fn outlets(&mut self) -> Result<Vec<OutletRow>, StorageError> {
            let select = "SELECT code, name, branch_code, channel FROM outlets ORDER BY code";
            Ok(sqlx::query_as(select).fetch_all(self.connection()).await?)
        }

        async fn insert_account(&mut self, account: &AccountRow) -> Result<(), StorageError> {
            let insert = "INSERT INTO accounts (id, staff_number, role, outlet_code, branch_code, created_at, disabled_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7)";
            sqlx::query(insert)
                .bind(account.id.uuid())
                .bind(&account.staff_number)
                .bind(&account.role)
                .bind(&account.outlet_code)
                .bind(&account.branch_code)
                .bind(account.created_at)
                .bind(account.disabled_at)
                .execute(self.connection())
                .await?;
            Ok(())
        }

        async fn account(&mut self, id: AccountId) -> Result<Option<AccountRow>, StorageError> {
            let select = "SELECT * FROM accounts WHERE id = $1";
            let found: Option<StoredAccount> =
                sqlx::query_as(select).bind(id.uuid()).fetch_optional(self.connection()).await?;
            Ok(found.map(StoredAccount::typed))
        }

        async fn account_by_staff_number(&mut self, staff_number: &str) -> Result<Option<AccountRow>, StorageError> {
            let select = "SELECT * FROM accounts WHERE staff_number = $1";
            let found: Option<StoredAccount> =
                sqlx::query_as(select).bind(staff_number).fetch_optional(self.connection()).await?;
            Ok(found.map(StoredAccount::typed))
        }

        async fn accounts(&mut self) -> Result<Vec<AccountRow>, StorageError> {
            let select = "SELECT * FROM accounts ORDER BY staff_number";
            let stored: Vec<StoredAccount> = sqlx::query_as(select).fetch_all(self.connection()).await?;
            Ok(stored.into_iter().map(StoredAccount::typed).collect())
        }

        async fn insert_token(&mut self, token: &TokenRow) -> Result<(), StorageError> {
            let insert = "INSERT INTO api_tokens (id, account_id, token_hash, created_at, expires_at)
                VALUES ($1, $2, $3, $4, $5)";
            sqlx::query(insert)
                .bind(token.id)
                .bind(token.account_id.uuid())
                .bind(token.token_hash.as_slice())
                .bind(token.created_at)
                .bind(token.expires_at)
                .execute(self.connection())
                .await?;
            Ok(())
        }

        async fn account_by_token(
            &mut self,
            token_hash: &[u8; 32],
            now: DateTime<Utc>,
        ) -> Result<Option<AccountRow>, StorageError> {
            let select = "SELECT a.* FROM api_tokens t JOIN accounts a ON a.id = t.account_id
                WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND a.disabled_at IS NULL
                    AND (t.expires_at IS NULL OR t.expires_at > $2)";
            let found: Option<StoredAccount> = sqlx::query_as(select)
                .bind(token_hash.as_slice())
                .bind(now)
                .fetch_optional(self.connection())
                .await?;
            Ok(found.map(StoredAccount::typed))
        }

        async fn revoke_tokens(&mut self, account: AccountId, at: DateTime<Utc>) -> Result<(), StorageError> {
            let update = "UPDATE api_tokens SET revoked_at = $1 WHERE account_id = $2 AND revoked_at IS NULL";
            sqlx::query(update).bind(at).bind(account.uuid()).execute(self.connection()).await?;
            Ok(())
        }

        async fn revoke_token(&mut self, token_hash: &[u8; 32], at: DateTime<Utc>) -> Result<bool, StorageError> {
            let update = "UPDATE api_tokens SET revoked_at = $1 WHERE token_hash = $2 AND revoked_at IS NULL";
            let done = sqlx::query(update).bind(at).bind(token_hash.as_slice()).execute(self.connection()).await?;
            Ok(done.rows_affected() > 0)
        }
    }
}
