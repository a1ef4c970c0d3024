//! `guidang tray`: scans that belong to no case file yet.

use clap::{Args, Subcommand};
use domain::{field::Slot, ids::ScanId};
use ingest::problem_message;
use serde::Deserialize;
use serde_json::{Value, json};

use super::search::cell;
use crate::{
    client::{ArchiveClient, Tongue},
    failure::{Failure, OrFail},
    service::{Archive, Duty},
    settings::Settings,
    table::Table,
};

/// Arguments of `tray`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists what waits, oldest first
    List,
    /// Puts a scan into a case file by hand
    Place {
        /// The scan, as `tray list` names it
        scan: ScanId,
        /// The slip number (业务流水号) of the case file
        #[arg(long, value_name = "NUMBER")]
        slip: String,
        /// What it shows, when it is known
        #[arg(long)]
        slot: Option<Slot>,
    },
    /// Takes a scan out of its case file, back to the tray
    Unplace {
        /// The scan, as `show` names it
        scan: ScanId,
    },
}

#[derive(Debug, Deserialize)]
struct Page {
    items: Vec<Value>,
    #[serde(default)]
    next: Option<String>,
}

/// Lists, places or takes out.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let archive = Archive::open(settings, Tongue::English, Duty::AnswersOnly).await?;
    let done = match &arguments.action {
        Action::List => list(&archive.client).await,
        Action::Place { scan, slip, slot } => place(&archive.client, *scan, slip, *slot).await,
        Action::Unplace { scan } => unplace(&archive.client, *scan).await,
    };
    archive.close().await;
    done
}

async fn list(client: &ArchiveClient) -> Result<(), Failure> {
    const COLUMNS: [(&str, &str); 6] = [
        ("scan", "id"),
        ("received", "received_at"),
        ("outlet", "outlet_code"),
        ("state", "state"),
        ("problem", "problem"),
        ("type", "media_type"),
    ];
    let mut table = Table::new(&COLUMNS.map(|(head, _)| head));
    let mut cursor: Option<String> = None;
    loop {
        let query: Vec<(&str, String)> = cursor.map(|cursor| ("cursor", cursor)).into_iter().collect();
        let page: Page = client.get("/api/v1/tray", &query).await.or_fail("the tray cannot be listed")?;
        for item in &page.items {
            table.row(COLUMNS.map(|(_, name)| match name {
                "problem" => problem(item.get(name)),
                name => cell(item.get(name)),
            }));
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if table.is_empty() {
        println!("The tray is empty.");
    } else {
        print!("{table}");
    }
    Ok(())
}

async fn place(client: &ArchiveClient, scan: ScanId, slip: &str, slot: Option<Slot>) -> Result<(), Failure> {
    let body = json!({ "slip_number": slip, "slot": slot.map(Slot::as_str) });
    let path = format!("/api/v1/scans/{scan}/place");
    client.post::<Value>(&path, &body).await.or_fail("the scan was not placed")?;
    println!("Placed; the case file is checked again.");
    Ok(())
}

async fn unplace(client: &ArchiveClient, scan: ScanId) -> Result<(), Failure> {
    let path = format!("/api/v1/scans/{scan}/unplace");
    client.post::<Value>(&path, &json!({})).await.or_fail("the scan was not taken out")?;
    println!("Taken out; it waits in the tray, and the case file is checked again.");
    Ok(())
}

/// Why a scan cannot be read, in a sentence; nothing when it can.
pub fn problem(code: Option<&Value>) -> String {
    let code = cell(code);
    problem_message(&code).map_or(code, |message| message.en)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_a_sentence() {
        assert!(problem(Some(&json!("no_pages"))).starts_with("There is no page in the file."));
        assert_eq!(problem(Some(&Value::Null)), "");
    }
}
