//! Outlets that nothing names yet. An outlet is known by being used, so they are no mistake, but they may be one.

use std::collections::BTreeSet;

use backends::{connect::Backends, database::Transaction, error::StorageError};

/// Code of what is said about an outlet that nothing names yet.
pub(crate) const OUTLET_UNKNOWN: &str = "outlet_unknown";

/// Those of `named` that neither entered data, nor the table of outlets, nor an account names.
///
/// # Errors
/// The catalogue failed.
pub async fn unknown(backends: &Backends, named: &BTreeSet<String>) -> Result<Vec<String>, StorageError> {
    let mut unknown = Vec::new();
    if named.is_empty() {
        return Ok(unknown);
    }
    let mut tx = backends.database.begin_read().await?;
    for code in named {
        if !is_known(tx.as_mut(), code).await? {
            unknown.push(code.clone());
        }
    }
    Ok(unknown)
}

async fn is_known(tx: &mut dyn Transaction, code: &str) -> Result<bool, StorageError> {
    if tx.organisation().outlet(code).await?.is_some() {
        return Ok(true);
    }
    let accounts = tx.organisation().accounts().await?;
    Ok(accounts.iter().any(|account| account.outlet_code.as_deref() == Some(code)))
}

/// What is said about such an outlet, in Chinese.
pub fn doubt_zh(code: &str) -> String {
    format!("还没有录入资料或账号使用网点编码 {code}，请核对是否写错。")
}

/// The same in English.
pub fn doubt_en(code: &str) -> String {
    format!("No entered data and no token names the outlet {code} yet. Check how it is spelt.")
}
