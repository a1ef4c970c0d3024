//! `guidang outlets`: outlets and branches, from a table.

use std::path::{Path, PathBuf};

use archive_api::tokens::local_caller;
use backends::{connect::Backends, database::organisation::OutletRow};
use clap::{Args, Subcommand};
use serde::Deserialize;

use crate::{
    failure::{Failure, OrFail},
    settings::Settings,
    table::Table,
};

/// Arguments of `outlets`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Adds or changes outlets from a CSV file with the columns code, name, branch_code, branch_name, channel
    /// (网点编码, 网点名称, 分公司编码, 分公司名称, 渠道)
    Import {
        /// The file, in UTF-8
        file: PathBuf,
    },
    /// Lists the outlets
    List,
}

#[derive(Debug, Deserialize)]
struct Line {
    #[serde(alias = "网点编码", alias = "受理网点编码")]
    code: String,
    #[serde(alias = "网点名称", alias = "受理网点")]
    name: String,
    #[serde(alias = "分公司编码")]
    branch_code: String,
    #[serde(alias = "分公司名称", default)]
    branch_name: String,
    #[serde(alias = "渠道")]
    channel: String,
}

/// Imports or lists.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let backends = settings.backends_without_proof().await?;
    match &arguments.action {
        Action::Import { file } => import(&backends, file).await,
        Action::List => list(&backends).await,
    }
}

async fn import(backends: &Backends, file: &Path) -> Result<(), Failure> {
    let caller = local_caller(backends).await.or_fail("the account of this machine cannot act")?;
    let lines = read(file)?;
    let mut tx = backends.database.begin().await.or_fail("the catalogue cannot be written")?;
    for line in &lines {
        let branch_name = if line.branch_name.is_empty() { &line.branch_code } else { &line.branch_name };
        let outlet = OutletRow {
            code: line.code.clone(),
            name: line.name.clone(),
            branch_code: line.branch_code.clone(),
            channel: line.channel.clone(),
        };
        let failed = || format!("outlet {} cannot be kept", line.code);
        tx.organisation().put_branch(&line.branch_code, branch_name).await.or_fail(failed())?;
        tx.organisation().put_outlet(&outlet).await.or_fail(failed())?;
    }
    let subject = ("outlets", lines.len().to_string());
    let entry = caller.log_entry(backends.clock.now(), "import_outlets", subject, "done");
    tx.operation_log().append(&entry).await.or_fail("the import cannot be put on record")?;
    tx.commit().await.or_fail("the catalogue cannot be written")?;
    println!("{} outlets.", lines.len());
    Ok(())
}

/// Reads the whole table, or none of it: a list of outlets is short, and half of one is worse than the old one.
fn read(file: &Path) -> Result<Vec<Line>, Failure> {
    let text =
        std::fs::read_to_string(file).or_fail(format!("{} cannot be read as UTF-8", file.display()))?;
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut lines = Vec::new();
    for (number, line) in reader.deserialize::<Line>().enumerate() {
        let line = line.or_fail(format!("line {} of {} cannot be used", number + 2, file.display()))?;
        if line.code.is_empty() || line.branch_code.is_empty() {
            let sentence = format!("line {} of {} has no code or no branch code", number + 2, file.display());
            return Err(Failure::new(sentence));
        }
        lines.push(line);
    }
    Ok(lines)
}

async fn list(backends: &Backends) -> Result<(), Failure> {
    let mut tx = backends.database.begin_read().await.or_fail("the catalogue cannot be read")?;
    let outlets = tx.organisation().outlets().await.or_fail("the outlets cannot be read")?;
    let mut table = Table::new(&["code", "name", "branch", "channel"]);
    for outlet in outlets {
        table.row([outlet.code, outlet.name, outlet.branch_code, outlet.channel]);
    }
    print!("{table}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<Line>, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outlets.csv");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn chinese_and_english_heads_are_understood() {
        let chinese = read_text(
            "\u{feff}网点编码,网点名称,分公司编码,分公司名称,渠道\nTJ01,友谊路,TJ,天津,自有营业厅\n",
        )
        .unwrap();
        let english = read_text("code,name,branch_code,channel\nTJ01,x,TJ,own\n").unwrap();

        assert_eq!((chinese[0].code.as_str(), chinese[0].branch_name.as_str()), ("TJ01", "天津"));
        assert_eq!(english[0].channel, "own");
    }

    #[test]
    fn a_line_without_a_code_is_named() {
        let failure = read_text("code,name,branch_code,channel\nTJ01,x,TJ,own\n,y,TJ,own\n").unwrap_err();

        assert!(failure.to_string().contains("line 3"), "{failure}");
    }
}
