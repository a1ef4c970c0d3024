//! Accounts and API tokens, as commands make them until accounts have their own screens.

use backends::{
    clock::new_id,
    connect::Backends,
    database::organisation::{AccountRow, TokenRow},
    error::StorageError,
};
use chrono::{DateTime, Utc};
use domain::{access::Role, ids::JobKind};
use rand::RngCore;

use crate::{
    caller::{Caller, UnknownRole},
    record::hex,
};

/// How every token begins, so that a leaked one is recognised.
pub const TOKEN_PREFIX: &str = "gd_";
const TOKEN_DIGITS: usize = 64;
/// The account under which commands on the machine itself act.
const LOCAL_STAFF_NUMBER: &str = "local";

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// 工号.
    pub staff_number: String,
    /// Its role.
    pub role: Role,
    /// The outlet it belongs to.
    pub outlet_code: Option<String>,
    /// The branch it belongs to; neither outlet nor branch: the whole archive.
    pub branch_code: Option<String>,
}

/// Makes an account. `Conflict`: the staff number is taken.
pub async fn create_account(
    backends: &Backends,
    by: &Caller,
    new: NewAccount,
) -> Result<AccountRow, StorageError> {
    let now = backends.clock.now();
    let account = account_row(new, now);
    let mut tx = backends.database.begin().await?;
    tx.organisation().insert_account(&account).await?;
    let subject = ("account", account.id.to_string());
    tx.operation_log().append(&by.log_entry(now, "create_account", subject, "done")).await?;
    tx.commit().await?;
    Ok(account)
}

fn account_row(new: NewAccount, now: DateTime<Utc>) -> AccountRow {
    AccountRow {
        id: new_id(now),
        staff_number: new.staff_number,
        role: new.role.as_str().to_owned(),
        outlet_code: new.outlet_code,
        branch_code: new.branch_code,
        created_at: now,
        disabled_at: None,
    }
}

/// Makes a token for an account; it is shown this once and only its hash is kept.
pub async fn create_token(
    backends: &Backends,
    by: &Caller,
    account: &AccountRow,
    expires_at: Option<DateTime<Utc>>,
) -> Result<String, StorageError> {
    new_token(backends, by, account, expires_at, "create_token").await
}

/// Signs in: a token of its own for a browser, so that signing out ends it and nothing else.
pub(crate) async fn sign_in(
    backends: &Backends,
    caller: &Caller,
    until: DateTime<Utc>,
) -> Result<String, StorageError> {
    new_token(backends, caller, &caller.account, Some(until), "sign_in").await
}

/// Signs out: the token of a browser ends.
pub(crate) async fn sign_out(backends: &Backends, caller: &Caller, token: &str) -> Result<(), StorageError> {
    let Some(hash) = token_hash(token) else { return Ok(()) };
    let now = backends.clock.now();
    let mut tx = backends.database.begin().await?;
    if tx.organisation().revoke_token(&hash, now).await? {
        let subject = ("account", caller.account.id.to_string());
        tx.operation_log().append(&caller.log_entry(now, "sign_out", subject, "done")).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn new_token(
    backends: &Backends,
    by: &Caller,
    account: &AccountRow,
    expires_at: Option<DateTime<Utc>>,
    action: &str,
) -> Result<String, StorageError> {
    let now = backends.clock.now();
    let mut secret = [0_u8; TOKEN_DIGITS / 2];
    rand::rng().fill_bytes(&mut secret);
    let token = format!("{TOKEN_PREFIX}{}", hex(&secret));
    let row = TokenRow {
        id: new_id::<JobKind>(now).uuid(),
        account_id: account.id,
        token_hash: *blake3::hash(token.as_bytes()).as_bytes(),
        created_at: now,
        expires_at,
    };
    let mut tx = backends.database.begin().await?;
    tx.organisation().insert_token(&row).await?;
    let subject = ("account", account.id.to_string());
    tx.operation_log().append(&by.log_entry(now, action, subject, "done")).await?;
    tx.commit().await?;
    Ok(token)
}

/// Ends every token of an account.
pub async fn revoke_tokens(
    backends: &Backends,
    by: &Caller,
    account: &AccountRow,
) -> Result<(), StorageError> {
    let now = backends.clock.now();
    let mut tx = backends.database.begin().await?;
    tx.organisation().revoke_tokens(account.id, now).await?;
    let subject = ("account", account.id.to_string());
    tx.operation_log().append(&by.log_entry(now, "revoke_tokens", subject, "done")).await?;
    tx.commit().await
}

/// Ends one token of an account, if it has not ended yet.
pub async fn revoke_token(
    backends: &Backends,
    by: &Caller,
    account: &AccountRow,
    token: &str,
) -> Result<(), StorageError> {
    let Some(hash) = token_hash(token) else { return Ok(()) };
    let now = backends.clock.now();
    let mut tx = backends.database.begin().await?;
    if !tx.organisation().revoke_token(&hash, now).await? {
        return Ok(());
    }
    let subject = ("account", account.id.to_string());
    tx.operation_log().append(&by.log_entry(now, "revoke_token", subject, "done")).await?;
    tx.commit().await
}

/// Why the account of the machine cannot act.
#[derive(Debug, thiserror::Error)]
pub enum LocalAccountError {
    /// The catalogue failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Its role is unknown.
    #[error(transparent)]
    Role(#[from] UnknownRole),
}

/// The account under which commands act that are run on the machine itself, made on first use. Whoever can read
/// the root key can do anything; this account says in the log that it was done here.
pub async fn local_caller(backends: &Backends) -> Result<Caller, LocalAccountError> {
    if let Some(account) = local_account(backends).await? {
        return Ok(Caller::new(account, "command")?);
    }
    let new = NewAccount {
        staff_number: LOCAL_STAFF_NUMBER.to_owned(),
        role: Role::Archivist,
        outlet_code: None,
        branch_code: None,
    };
    let caller = Caller::new(account_row(new, backends.clock.now()), "command")?;
    match insert_local(backends, &caller).await {
        // Another process did the same first: its account is the one.
        Err(StorageError::Conflict { .. }) => {}
        made => return Ok(made.map(|()| caller)?),
    }
    let account = local_account(backends).await?.ok_or(StorageError::Conflict { what: "account" })?;
    Ok(Caller::new(account, "command")?)
}

async fn local_account(backends: &Backends) -> Result<Option<AccountRow>, StorageError> {
    let mut tx = backends.database.begin_read().await?;
    tx.organisation().account_by_staff_number(LOCAL_STAFF_NUMBER).await
}

async fn insert_local(backends: &Backends, caller: &Caller) -> Result<(), StorageError> {
    let mut tx = backends.database.begin().await?;
    tx.organisation().insert_account(&caller.account).await?;
    let subject = ("account", caller.account.id.to_string());
    let entry = caller.log_entry(backends.clock.now(), "create_account", subject, "done");
    tx.operation_log().append(&entry).await?;
    tx.commit().await
}

/// The hash under which a token is stored; `None` for what has not the form of a token.
pub(crate) fn token_hash(token: &str) -> Option<[u8; 32]> {
    let digits = token.strip_prefix(TOKEN_PREFIX)?;
    let is_token = digits.len() == TOKEN_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_token.then(|| *blake3::hash(token.as_bytes()).as_bytes())
}

#[cfg(test)]
mod tests {
    use crate::testing::TestArchive;

    #[tokio::test(flavor = "multi_thread")]
    async fn commands_that_start_at_once_act_under_one_account() {
        let archive = TestArchive::open().await;

        let all = futures_util::future::join_all((0..8).map(|_| archive.local())).await;

        assert!(all.iter().all(|caller| caller.account.id == all[0].account.id));
    }
}
