//! `guidang show`: one case file, through the API, masked as its role sees it.

use std::fmt::Write;

use clap::Args;
use domain::ids::CaseFileId;
use serde::Deserialize;
use serde_json::Value;

use super::{search::cell, tray::problem};
use crate::{
    client::{ArchiveClient, Tongue},
    failure::{Failure, OrFail},
    service::{Archive, Duty},
    settings::Settings,
    table::Table,
};

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The case file: its id or its slip number (业务流水号)
    case_file: String,
    /// Prints the answer as JSON
    #[arg(long)]
    json: bool,
}

/// Prints one case file on a few screens.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let archive = Archive::open(settings, Tongue::English, Duty::AnswersOnly).await?;
    let answer = ask(&archive.client, &arguments.case_file).await;
    archive.close().await;
    let answer = answer?;
    if arguments.json {
        println!("{answer:#}");
    } else {
        print!("{}", page(&answer));
    }
    Ok(())
}

async fn ask(client: &ArchiveClient, named: &str) -> Result<Value, Failure> {
    let id = match named.parse::<CaseFileId>() {
        Ok(id) => id,
        Err(_) => find(client, named).await?,
    };
    client.get(&format!("/api/v1/case-files/{id}"), &[]).await.or_fail("the case file cannot be shown")
}

/// Looks in the index as it is, and before saying that there is no such case file, in the index as it will be when it
/// has followed to everything that is in the catalogue now.
async fn find(client: &ArchiveClient, slip_number: &str) -> Result<CaseFileId, Failure> {
    if let Some(found) = look_for(client, slip_number, None).await? {
        return Ok(found);
    }
    let index: IndexState =
        client.get("/api/v1/index", &[]).await.or_fail("the case file cannot be looked for")?;
    let found = look_for(client, slip_number, Some(index.last_change)).await?;
    found.ok_or_else(|| Failure::new(format!("there is no case file {slip_number}")))
}

async fn look_for(
    client: &ArchiveClient,
    slip_number: &str,
    at_least: Option<u64>,
) -> Result<Option<CaseFileId>, Failure> {
    let mut query = vec![("slip_number", slip_number.to_owned())];
    query.extend(at_least.map(|change| ("at_least", change.to_string())));
    let page: Found =
        client.get("/api/v1/case-files", &query).await.or_fail("the case file cannot be looked for")?;
    Ok(page.items.first().map(|item| item.id))
}

#[derive(Debug, Deserialize)]
struct IndexState {
    last_change: u64,
}

#[derive(Debug, Deserialize)]
struct Found {
    items: Vec<FoundItem>,
}

#[derive(Debug, Deserialize)]
struct FoundItem {
    id: CaseFileId,
}

/// Lists of a case file and the columns of each that say something to a person.
const LISTS: [(&str, &[&str]); 4] = [
    ("findings", &["code", "subject", "difference", "reason", "read", "entered", "confidence", "state"]),
    ("scans", &["id", "media_type", "size_bytes", "state", "placed_by", "problem"]),
    ("slots", &["slot", "page_id"]),
    ("history", &["changed_at", "from", "to", "reason"]),
];
/// Values that stand above everything else.
const HEAD: [&str; 10] = [
    "id",
    "slip_number",
    "archival_code",
    "state",
    "branch_code",
    "outlet_code",
    "channel",
    "accepted_on",
    "papers_received_on",
    "returned_on",
];

/// The case file on a few screens; whoever wants every value asks for JSON.
fn page(case_file: &Value) -> String {
    let mut head = Table::new(&["case file", ""]);
    for name in HEAD {
        head.row([name.replace('_', " "), cell(case_file.get(name))]);
    }
    let mut text = format!("{head}");
    let entered = case_file.get("entered").and_then(Value::as_object);
    let mut values = Table::new(&["entered", ""]);
    for (name, value) in entered.into_iter().flatten() {
        values.row([name.replace('_', " "), cell(Some(value))]);
    }
    let _ = write!(text, "\n{values}\n{}", readings(case_file));
    for (name, columns) in LISTS {
        let rows = items(case_file, name);
        if !rows.is_empty() {
            let _ = write!(text, "\n{name}\n{}", table(&rows, columns));
        }
    }
    text
}

/// Every field that was read, paper by paper.
fn readings(case_file: &Value) -> Table {
    let mut fields = Table::new(&["paper", "field", "read", "confidence", "repaired by"]);
    for reading in items(case_file, "readings") {
        for paper in items(reading, "papers") {
            for field in items(paper, "fields") {
                let read = field.get("text").filter(|text| !text.is_null());
                fields.row([
                    cell(paper.get("kind")),
                    cell(field.get("field")),
                    read.map_or_else(|| "cannot be read".to_owned(), |text| cell(Some(text))),
                    cell(field.get("confidence")),
                    cell(field.get("repaired_by")),
                ]);
            }
        }
    }
    fields
}

fn items<'a>(parent: &'a Value, name: &str) -> Vec<&'a Value> {
    parent.get(name).and_then(Value::as_array).into_iter().flatten().collect()
}

fn table(rows: &[&Value], columns: &[&str]) -> Table {
    let heads: Vec<String> = columns.iter().map(|name| name.replace('_', " ")).collect();
    let mut table = Table::new(&heads.iter().map(String::as_str).collect::<Vec<_>>());
    for row in rows {
        table.row(columns.iter().map(|name| words(name, row.get(*name))));
    }
    table
}

/// A value in words, where it is a code that says nothing by itself.
fn words(column: &str, value: Option<&Value>) -> String {
    match column {
        "problem" => problem(value),
        "reason" => cell(value).replace('_', " "),
        _ => cell(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_shows_what_was_typed_read_and_found() {
        let case_file = json!({
            "slip_number": "TJ1",
            "entered": {"customer_name": {"value": "张**", "masked": true}},
            "readings": [{"papers": [{"kind": "slip", "fields": [{"field": "name", "text": null, "confidence": 0.0}]}]}],
            "findings": [{"code": "field_mismatch", "subject": "customer_name"}],
        });

        let text = page(&case_file);

        for expected in ["TJ1", "张**", "cannot be read", "field_mismatch"] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
}
