//! `guidang token`: lets programs and people use the API in a role.

use archive_api::{
    caller::Caller,
    outlets,
    tokens::{NewAccount, create_account, create_token, local_caller, revoke_tokens},
};
use backends::{connect::Backends, database::organisation::AccountRow};
use chrono::TimeDelta;
use clap::{Args, Subcommand};
use domain::access::{Role, Scope};

use crate::{
    failure::{Failure, OrFail},
    settings::Settings,
    table::Table,
};

/// Arguments of `token`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a token and prints it; it is shown this once only
    Create {
        /// clerk, channel_manager, auditor, caller, archivist …
        #[arg(long)]
        role: Role,
        /// Staff number (工号) of the person or program it is for; one account each
        #[arg(long, value_name = "NUMBER", value_parser = staff_number)]
        staff: String,
        /// The outlet, for a clerk
        #[arg(long, value_name = "CODE")]
        outlet: Option<String>,
        /// The branch, for who works for one; without it the whole archive
        #[arg(long, value_name = "CODE")]
        branch: Option<String>,
        /// Days until it ends; without them it lasts until it is revoked
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
    },
    /// Lists accounts and their roles; tokens themselves are not kept
    List,
    /// Ends every token of an account
    Revoke {
        /// Its staff number
        #[arg(long, value_name = "NUMBER")]
        staff: String,
    },
}

/// Longest staff number, in characters.
const MAX_STAFF_NUMBER: usize = 64;

/// What lists and logs can show on one line, and somebody can type again.
fn staff_number(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_one = !text.is_empty()
        && text.chars().count() <= MAX_STAFF_NUMBER
        && !text
            .chars()
            .any(|character| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}'));
    if is_one {
        return Ok(text.to_owned());
    }
    Err(format!("a staff number has 1 to {MAX_STAFF_NUMBER} characters and stands on one line"))
}

/// Makes, lists or revokes.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let backends = settings.backends_without_proof().await?;
    let by = local_caller(&backends).await.or_fail("the account of this machine cannot act")?;
    match &arguments.action {
        Action::Create { role, staff, outlet, branch, days } => {
            let new = NewAccount {
                staff_number: staff.clone(),
                role: *role,
                outlet_code: outlet.clone(),
                branch_code: branch.clone(),
            };
            create(&backends, &by, new, *days).await
        }
        Action::List => list(&backends).await,
        Action::Revoke { staff } => {
            let account = find(&backends, staff).await?;
            let account = account.ok_or_else(|| Failure::new(format!("there is no account {staff}")))?;
            revoke_tokens(&backends, &by, &account).await.or_fail("the tokens cannot be revoked")?;
            println!("Every token of {staff} has ended.");
            Ok(())
        }
    }
}

async fn create(backends: &Backends, by: &Caller, new: NewAccount, days: Option<u32>) -> Result<(), Failure> {
    if new.role.scope() == Scope::OwnOutlets && new.outlet_code.is_none() {
        return Err(Failure::usage(format!("a {} belongs to an outlet; name it with --outlet", new.role)));
    }
    let named = new.outlet_code.iter().cloned().collect();
    let unknown = outlets::unknown(backends, &named).await.or_fail("the outlet cannot be looked up")?;
    let account = match find(backends, &new.staff_number).await? {
        Some(account) => same_account(account, &new)?,
        None => create_account(backends, by, new).await.or_fail("the account cannot be made")?,
    };
    let expires_at = days.map(|days| backends.clock.now() + TimeDelta::days(days.into()));
    let token = create_token(backends, by, &account, expires_at).await.or_fail("the token cannot be made")?;
    println!("{token}");
    for outlet in unknown {
        eprintln!("warning: {}", outlets::doubt_en(&outlet));
    }
    Ok(())
}

/// A further token for an account that exists must not change what the account may do.
fn same_account(account: AccountRow, new: &NewAccount) -> Result<AccountRow, Failure> {
    let is_same = account.role == new.role.as_str()
        && account.outlet_code == new.outlet_code
        && account.branch_code == new.branch_code;
    if is_same {
        return Ok(account);
    }
    Err(Failure::usage(format!(
        "account {} exists as {}; a person or program has one account with one role",
        account.staff_number, account.role
    )))
}

async fn find(backends: &Backends, staff_number: &str) -> Result<Option<AccountRow>, Failure> {
    let mut tx = backends.database.begin_read().await.or_fail("the catalogue cannot be read")?;
    tx.organisation().account_by_staff_number(staff_number).await.or_fail("the account cannot be read")
}

async fn list(backends: &Backends) -> Result<(), Failure> {
    let mut tx = backends.database.begin_read().await.or_fail("the catalogue cannot be read")?;
    let accounts = tx.organisation().accounts().await.or_fail("the accounts cannot be read")?;
    let mut table = Table::new(&["staff number", "role", "outlet", "branch", "since", "state"]);
    for account in accounts {
        table.row([
            account.staff_number,
            account.role,
            account.outlet_code.unwrap_or_else(|| "–".to_owned()),
            account.branch_code.unwrap_or_else(|| "–".to_owned()),
            backends::clock::office_day(account.created_at).to_string(),
            if account.disabled_at.is_some() { "disabled".to_owned() } else { "enabled".to_owned() },
        ]);
    }
    print!("{table}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::staff_number;

    #[test]
    fn a_staff_number_is_a_word_or_a_few_on_one_line() {
        for wrong in ["", " \t", "a\nb", "a\rb", "a\u{2028}b", &"9".repeat(65)] {
            assert!(staff_number(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(staff_number(" HX9497 ").as_deref(), Ok("HX9497"));
    }
}
