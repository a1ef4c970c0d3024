//! `guidang show`: one case file, through the API, masked as its role sees it.

use clap::Args;
use domain::ids::CaseFileId;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::search::cell;
use crate::{
    client::{ArchiveClient, Tongue},
    failure::{Failure, OrFail},
    service::Archive,
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

/// Prints what the API tells about one case file: single values first, then its lists as tables.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let archive = Archive::open(settings, Tongue::English).await?;
    let answer = ask(&archive.client, &arguments.case_file).await;
    archive.close().await;
    let answer = answer?;
    match answer.as_object() {
        Some(members) if !arguments.json => print_members(members),
        _ => println!("{answer:#}"),
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

async fn find(client: &ArchiveClient, slip_number: &str) -> Result<CaseFileId, Failure> {
    let query = [("slip_number", slip_number.to_owned())];
    let page: Found = client.get("/api/v1/case-files", &query).await.or_fail("the case file cannot be looked for")?;
    let found = page.items.first().map(|item| item.id);
    found.ok_or_else(|| Failure::new(format!("there is no case file {slip_number}")))
}

#[derive(Debug, Deserialize)]
struct Found {
    items: Vec<FoundItem>,
}

#[derive(Debug, Deserialize)]
struct FoundItem {
    id: CaseFileId,
}

fn print_members(members: &Map<String, Value>) {
    let mut single = Table::new(&["", ""]);
    for (name, value) in members.iter().filter(|(_, value)| !is_table(value)) {
        for (name, value) in flattened(name, value) {
            single.row([name.replace('_', " "), value]);
        }
    }
    print!("{single}");
    for (name, value) in members.iter().filter(|(_, value)| is_table(value)) {
        let rows: Vec<&Map<String, Value>> = value.as_array().into_iter().flatten().filter_map(Value::as_object).collect();
        println!("\n{}", name.replace('_', " "));
        print!("{}", table(&rows));
    }
}

fn is_table(value: &Value) -> bool {
    value.as_array().is_some_and(|values| values.iter().any(Value::is_object))
}

/// An object as lines of its own, `entered.customer_name`; anything else as one line.
fn flattened(name: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Object(members) if !members.contains_key("masked") => {
            members.iter().flat_map(|(inner, value)| flattened(&format!("{name}.{inner}"), value)).collect()
        }
        other => vec![(name.to_owned(), cell(Some(other)))],
    }
}

/// Columns that every row may have but that say something only to a program are left out.
fn table(rows: &[&Map<String, Value>]) -> Table {
    let mut columns: Vec<&str> = Vec::new();
    for name in rows.iter().flat_map(|row| row.keys()) {
        let is_shown = !name.ends_with("region") && !name.ends_with("follow") && !columns.contains(&name.as_str());
        if is_shown && rows.iter().any(|row| !cell(row.get(name)).is_empty()) {
            columns.push(name);
        }
    }
    let heads: Vec<String> = columns.iter().map(|name| name.replace('_', " ")).collect();
    let mut table = Table::new(&heads.iter().map(String::as_str).collect::<Vec<_>>());
    for row in rows {
        table.row(columns.iter().map(|name| cell(row.get(*name))));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_become_lines_of_their_own() {
        let value = serde_json::json!({"customer_name": "张**", "numbers": ["1", "2"]});

        let lines = flattened("entered", &value);

        assert_eq!(lines[0], ("entered.customer_name".to_owned(), "张**".to_owned()));
        assert_eq!(lines[1].1, "1 2");
    }
}
