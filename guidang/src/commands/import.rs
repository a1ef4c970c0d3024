//! `guidang import`: takes in what the business system exports.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
};

use archive_api::{
    entries::{Column, ColumnMapping, EntryFormat, HeaderTwice, ImportError, ImportReport, Importer},
    tokens::local_caller,
};
use clap::{Args, Subcommand, ValueEnum};

use crate::{
    failure::{Failure, OrFail},
    progress,
    service::api_settings,
    settings::Settings,
    table::Table,
};

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Entered data (录入资料): CSV in UTF-8 or GB18030, or JSON lines
    Entries(EntriesArguments),
}

#[derive(Debug, Args)]
struct EntriesArguments {
    /// The file
    file: PathBuf,
    /// How a column is called in it, where not as usual, as in slip_number=订单编号; may be repeated
    #[arg(long, value_name = "NAME=HEAD", value_parser = parse_mapping)]
    mapping: Vec<(Column, String)>,
    /// The form; without it the file's ending tells: .jsonl, .ndjson and .json are JSON lines
    #[arg(long)]
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

/// Exit status 0: every line was taken; 3: some were not, and are listed.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let What::Entries(entries) = &arguments.what;
    import_entries(settings, entries).await
}

async fn import_entries(settings: &Settings, arguments: &EntriesArguments) -> Result<(), Failure> {
    let path = &arguments.file;
    let file = File::open(path).or_fail(format!("{} cannot be read", path.display()))?;
    let length = file.metadata().or_fail(format!("{} cannot be read", path.display()))?.len();
    let backends = settings.backends_without_proof().await?;
    let caller = local_caller(&backends).await.or_fail("the account of this machine cannot act")?;
    let mut api = api_settings(settings);
    api.columns =
        with_mapping(&api.columns, &arguments.mapping).or_fail("the columns cannot be told apart")?;
    let importer = Importer { backends, settings: api };
    let bar = progress::bytes(length, "importing");
    let told = bar.clone();
    let report = importer
        .import(&caller, Box::new(file), format_of(path, arguments.format), move |reached| {
            told.set_position(reached.bytes_read.min(length));
        })
        .await;
    bar.finish_and_clear();
    let nothing_taken = matches!(
        report,
        Err(ImportError::Encoding
            | ImportError::Headers
            | ImportError::Empty
            | ImportError::ColumnsMissing { .. }
            | ImportError::ColumnTwice { .. }
            | ImportError::NotAllowed)
    );
    let sentence = if nothing_taken {
        "nothing was imported"
    } else {
        "the import stopped; what was saved stays, and the same file can be imported again"
    };
    print_report(&report.or_fail(sentence)?)
}

fn print_report(report: &ImportReport) -> Result<(), Failure> {
    println!(
        "{} lines: {} new, {} changed, {} unchanged, {} bad",
        report.lines, report.new, report.changed, report.unchanged, report.bad
    );
    if !report.ignored_columns.is_empty() {
        let ignored: Vec<&str> = report.ignored_columns.iter().map(String::as_str).collect();
        eprintln!("these name no column and were passed over: {}", ignored.join(", "));
    }
    print_doubts(report);
    if report.bad == 0 {
        return Ok(());
    }
    let mut table = Table::new(&["line", "column", "reason"]);
    for bad in &report.bad_lines {
        let column = bad.column.clone().unwrap_or_else(|| "–".to_owned());
        table.row([bad.line.to_string(), column, bad.sentence()]);
    }
    eprint!("{table}");
    let unlisted = report.bad - report.bad_lines.len() as u64;
    if unlisted > 0 {
        eprintln!("and {unlisted} more");
    }
    Err(Failure::partly(format!("{} lines were not taken; the others were", report.bad)))
}

fn print_doubts(report: &ImportReport) {
    if report.warnings == 0 {
        return;
    }
    let mut table = Table::new(&["line", "value", "taken, but look at it"]);
    for doubt in &report.doubtful_lines {
        table.row([doubt.line.to_string(), words(&doubt.field), words(&doubt.reason)]);
    }
    eprint!("{table}");
    let unlisted = report.warnings - report.doubtful_lines.len() as u64;
    if unlisted > 0 {
        eprintln!("and {unlisted} more");
    }
}

/// The reason as its code reads: `not_a_day` is "not a day".
fn words(reason: &impl serde::Serialize) -> String {
    let code = serde_json::to_value(reason).ok();
    let code = code.as_ref().and_then(|code| code.as_str()).unwrap_or("bad");
    code.replace('_', " ")
}

fn format_of(path: &Path, named: Option<Format>) -> EntryFormat {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    match named {
        Some(Format::Jsonl) => EntryFormat::JsonLines,
        None if ["jsonl", "ndjson", "json"].contains(&ending.as_str()) => EntryFormat::JsonLines,
        Some(Format::Csv) | None => EntryFormat::Csv,
    }
}

fn parse_mapping(text: &str) -> Result<(Column, String), String> {
    let (name, head) = text.split_once('=').ok_or("write it as NAME=HEAD")?;
    let column = Column::ALL.into_iter().find(|column| column.key() == name.trim());
    let names = || Column::ALL.map(Column::key).join(", ");
    let column = column.ok_or_else(|| format!("{name} is no column; there are {}", names()))?;
    Ok((column, head.trim().to_owned()))
}

fn with_mapping(
    configured: &ColumnMapping,
    named: &[(Column, String)],
) -> Result<ColumnMapping, HeaderTwice> {
    let mut heads: BTreeMap<Column, String> =
        Column::ALL.into_iter().map(|column| (column, configured.header(column).to_owned())).collect();
    heads.extend(named.iter().cloned());
    ColumnMapping::new(heads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_names_a_column_and_its_head() {
        assert_eq!(parse_mapping("slip_number=订单编号"), Ok((Column::SlipNumber, "订单编号".to_owned())));
        assert!(parse_mapping("slip=x").unwrap_err().contains("slip_number"));
        assert!(parse_mapping("slip_number").is_err());
    }

    #[test]
    fn a_named_head_outranks_the_configured_one() {
        let named = [(Column::SlipNumber, "订单编号".to_owned())];
        let mapping = with_mapping(&ColumnMapping::default(), &named).unwrap();

        assert_eq!(mapping.column("订单编号"), Some(Column::SlipNumber));
        assert_eq!(mapping.column("客户名称"), Some(Column::CustomerName));
    }
}
