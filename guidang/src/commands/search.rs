//! `guidang search`: finds case files, through the API, masked as its role sees them.

use std::time::Instant;

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use domain::{case_file::CaseState, finding::FindingCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    client::Tongue,
    failure::{Failure, OrFail},
    service::{Archive, Duty},
    settings::Settings,
    table::Table,
};

/// Arguments of `search`. Conditions are joined by "and".
#[derive(Debug, Args)]
pub struct Arguments {
    /// First day of acceptance
    #[arg(long, value_name = "DAY")]
    from: Option<NaiveDate>,
    /// Last day of acceptance
    #[arg(long, value_name = "DAY")]
    to: Option<NaiveDate>,
    /// Outlet; may be repeated
    #[arg(long, value_name = "CODE")]
    outlet: Vec<String>,
    /// Sales channel
    #[arg(long)]
    channel: Option<String>,
    /// State: assembling, in_review, accepted, archived …; may be repeated
    #[arg(long)]
    state: Vec<CaseState>,
    /// Kind of finding, as in field_mismatch
    #[arg(long, value_name = "CODE")]
    finding: Option<FindingCode>,
    /// Slip number (业务流水号), whole or its beginning followed by *
    #[arg(long, value_name = "NUMBER")]
    slip: Option<String>,
    /// Archival code (档号)
    #[arg(long, value_name = "CODE")]
    archival_code: Option<String>,
    /// Phone: the whole number, *4321 for its end, 138* for its beginning, *8123* for a part of four digits or more
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// Identity number, in the same ways
    #[arg(long, value_name = "NUMBER")]
    id_number: Option<String>,
    /// Name, or one character of it and more
    #[arg(long)]
    name: Option<String>,
    /// A whole name
    #[arg(long, value_name = "NAME")]
    whole_name: Option<String>,
    /// Two characters or more of an address
    #[arg(long)]
    address: Option<String>,
    /// true: with an open finding; false: without
    #[arg(long, value_name = "BOOL")]
    open_findings: Option<bool>,
    /// The order
    #[arg(long, default_value = "date")]
    sort: Sort,
    /// How many to show
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Where the page before ended
    #[arg(long)]
    cursor: Option<String>,
    /// Waits until the index has followed to this change
    #[arg(long, value_name = "CHANGE")]
    at_least: Option<u64>,
    /// Counts all that are found
    #[arg(long)]
    count: bool,
    /// Prints the answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// Newest acceptance first
    Date,
    /// By slip number
    SlipNumber,
}

#[derive(Debug, Deserialize)]
struct Page {
    items: Vec<Value>,
    #[serde(default)]
    next: Option<String>,
    #[serde(default)]
    count: Option<u64>,
    #[serde(default)]
    count_is_capped: Option<bool>,
}

/// Searches and prints a table with the time it took.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let archive = Archive::open(settings, Tongue::English, Duty::AnswersOnly).await?;
    let started = Instant::now();
    let answer = archive.client.post::<Value>("/api/v1/case-files/search", &query(arguments)).await;
    let took = started.elapsed();
    archive.close().await;
    let answer = answer.or_fail("the search was not answered")?;
    if arguments.json {
        println!("{answer:#}");
        return Ok(());
    }
    let page: Page = serde_json::from_value(answer).or_fail("the answer of the server is not understood")?;
    print!("{}", table(&page.items));
    let count = match (page.count, page.count_is_capped) {
        (Some(count), Some(true)) => format!(" of {count} or more"),
        (Some(count), _) => format!(" of {count}"),
        (None, _) => String::new(),
    };
    println!("{} shown{count}, {:.1} ms", page.items.len(), took.as_secs_f64() * 1e3);
    if let Some(next) = page.next {
        println!("More: --cursor {next}");
    }
    Ok(())
}

fn query(arguments: &Arguments) -> Value {
    let mut query = Map::new();
    let mut add = |name: &str, value: Option<String>| {
        query.extend(value.map(|value| (name.to_owned(), Value::from(value))));
    };
    add("accepted_from", arguments.from.map(|day| day.to_string()));
    add("accepted_to", arguments.to.map(|day| day.to_string()));
    add("outlet", joined(&arguments.outlet));
    add("channel", arguments.channel.clone());
    add("state", joined(&arguments.state));
    add("finding", arguments.finding.map(|code| code.to_string()));
    add("slip_number", arguments.slip.clone());
    add("archival_code", arguments.archival_code.clone());
    add("phone", arguments.phone.clone());
    add("id_number", arguments.id_number.clone());
    add("name", arguments.name.clone());
    add("address", arguments.address.clone());
    add("whole_name", arguments.whole_name.clone());
    add("open_findings", arguments.open_findings.map(|open| open.to_string()));
    add("sort", (arguments.sort == Sort::SlipNumber).then(|| "slip_number".to_owned()));
    add("limit", Some(arguments.limit.to_string()));
    add("cursor", arguments.cursor.clone());
    add("at_least", arguments.at_least.map(|change| change.to_string()));
    add("count", arguments.count.then(|| "exact".to_owned()));
    Value::Object(query)
}

fn joined(values: &[impl ToString]) -> Option<String> {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn table(items: &[Value]) -> Table {
    const COLUMNS: [(&str, &str); 8] = [
        ("slip number", "slip_number"),
        ("accepted", "accepted_on"),
        ("outlet", "outlet_code"),
        ("customer", "customer_name"),
        ("identity number", "id_number"),
        ("number", "service_number"),
        ("state", "state"),
        ("findings", "finding_codes"),
    ];
    let mut table = Table::new(&COLUMNS.map(|(head, _)| head));
    for item in items {
        table.row(COLUMNS.map(|(_, name)| cell(item.get(name))));
    }
    table
}

/// A value as a cell: texts as they are, lists joined, nothing for what is not there.
pub fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        // A value that may be masked comes with the word whether it is.
        Some(Value::Object(shown)) if shown.contains_key("masked") => cell(shown.get("value")),
        Some(Value::Array(values)) => {
            values.iter().map(|value| cell(Some(value))).collect::<Vec<_>>().join(" ")
        }
        Some(other) => other.to_string(),
    }
}
