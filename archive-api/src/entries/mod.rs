//! Import of entered data (录入资料): CSV or JSON lines, idempotent by slip number, in constant memory.
//!
//! A bad line is reported and the good ones are kept. A changed entry is a new version: the old one stays, the
//! verdict given on it falls, and the case file is checked anew.

mod columns;
mod json;
mod lines;
mod parsing;
mod post_entries;
mod quotation;
mod reasons;
mod saving;
mod text;
mod tray_again;

use std::{
    collections::BTreeSet,
    io::{self, Read},
};

use backends::{connect::Backends, error::StorageError};
use domain::{
    access::Action,
    entered_data::{EntryWarning, WarningReason},
    field::FieldName,
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

pub use columns::{Column, ColumnMapping, HeaderTwice};
pub(crate) use post_entries::{IMPORTS_AT_ONCE, post_entries};
pub use reasons::{BadLine, BadLineReason};
pub(crate) use saving::case_warnings;

use self::{
    parsing::{ParsedLine, parse_stream},
    saving::Saver,
};
use crate::{caller::Caller, state::ApiSettings};

/// Bad and doubtful lines that a report lists, of each; any more are only counted.
pub const LISTED_BAD_LINES: usize = 1000;
/// Lines saved in one transaction.
const BATCH_LINES: usize = 500;
/// Headers or keys that name no column and are listed, at most.
const LISTED_COLUMNS: usize = 50;
/// Lines parsed ahead of the saving.
const LINES_AHEAD: usize = 1000;

/// How entered data are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryFormat {
    /// Comma-separated values with a line of headers; UTF-8 or GB18030.
    Csv,
    /// One JSON object on each line; UTF-8.
    JsonLines,
}

impl EntryFormat {
    /// The name of the source in the catalogue.
    const fn source(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "json",
        }
    }
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportProgress {
    /// Bytes read.
    pub bytes_read: u64,
    /// Lines saved, or found bad.
    pub lines: u64,
}

/// A line that was imported and should be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoubtfulLine {
    /// 1 for the first line of the file.
    pub line: u64,
    /// The value that is doubted.
    pub field: FieldName,
    /// A code of `docs/errors/entries.md`.
    pub reason: WarningReason,
}

/// What an import came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Lines with entered data, good and bad.
    pub lines: u64,
    /// Case files that were opened, or got their first entry.
    pub new: u64,
    /// Entries that differ from what was there.
    pub changed: u64,
    /// Entries that were there already.
    pub unchanged: u64,
    /// Lines that were not imported.
    pub bad: u64,
    /// The first of them.
    pub bad_lines: Vec<BadLine>,
    /// Doubts about lines that were imported.
    pub warnings: u64,
    /// The first of them.
    pub doubtful_lines: Vec<DoubtfulLine>,
    /// Headers, or keys of JSON, that name no column: what stood under them was passed over.
    pub ignored_columns: BTreeSet<String>,
}

/// Why an import stopped. What was saved before stays; the same file can be sent again.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The account may not import.
    #[error("the account may not import entered data")]
    NotAllowed,
    /// The file is in an encoding that is not read.
    #[error("the file is neither UTF-8 nor GB18030")]
    Encoding,
    /// The line of headers is no line of CSV.
    #[error("the line of headers cannot be read; look for a quotation mark that is not closed")]
    Headers,
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Columns that must be there are not.
    #[error("columns are missing: {}", columns.join(", "))]
    ColumnsMissing {
        /// Their headers.
        columns: Vec<String>,
    },
    /// One header stands over two columns, so that nobody can say which is meant.
    #[error("the header {header} stands over more than one column; take one of them out")]
    ColumnTwice {
        /// It.
        header: String,
    },
    /// It cannot be read to its end.
    #[error("the file cannot be read")]
    Read(#[from] io::Error),
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What an import works with.
#[derive(Clone)]
pub struct Importer {
    /// Where entries go.
    pub backends: Backends,
    /// What the operator set.
    pub settings: ApiSettings,
}

impl Importer {
    /// Imports everything that `reader` gives; `progress` is told now and then.
    pub async fn import(
        &self,
        caller: &Caller,
        reader: Box<dyn Read + Send>,
        format: EntryFormat,
        mut progress: impl FnMut(ImportProgress) + Send,
    ) -> Result<ImportReport, ImportError> {
        if !caller.has(Action::ImportEntries) {
            return Err(ImportError::NotAllowed);
        }
        let (sender, mut lines) = mpsc::channel(LINES_AHEAD);
        let columns = self.settings.columns.clone();
        // The parser reads files that block; the channel holds it back while a batch is saved.
        let parsing = tokio::task::spawn_blocking(move || parse_stream(reader, format, &columns, &sender));
        let mut saver = Saver::new(self, caller, format);
        let mut report = ImportReport::default();
        let mut batch = Vec::with_capacity(BATCH_LINES);
        let mut bytes_read = 0;
        while let Some(parsed) = lines.recv().await {
            bytes_read = parsed.bytes_read;
            batch.push(parsed);
            if batch.len() == BATCH_LINES {
                save(&mut saver, std::mem::take(&mut batch), &mut report).await?;
                progress(ImportProgress { bytes_read, lines: report.lines });
            }
        }
        save(&mut saver, batch, &mut report).await?;
        saver.try_tray_again().await?;
        progress(ImportProgress { bytes_read, lines: report.lines });
        match parsing.await {
            Ok(parsed) => parsed.map(|ignored_columns| ImportReport { ignored_columns, ..report }),
            Err(error) => Err(StorageError::Internal { what: "import", source: Box::new(error) }.into()),
        }
    }
}

async fn save(
    saver: &mut Saver<'_>,
    batch: Vec<ParsedLine>,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    report.lines += batch.len() as u64;
    let mut good = Vec::with_capacity(batch.len());
    for parsed in batch {
        match parsed.outcome {
            Ok(entered) => good.push((parsed.line, *entered)),
            Err(bad) => report.add_bad(bad),
        }
    }
    if !good.is_empty() {
        saver.save(good, report).await?;
    }
    Ok(())
}

impl ImportReport {
    fn add_bad(&mut self, bad: BadLine) {
        self.bad += 1;
        if self.bad_lines.len() < LISTED_BAD_LINES {
            self.bad_lines.push(bad);
        }
    }

    fn add_doubt(&mut self, line: u64, warning: EntryWarning) {
        self.warnings += 1;
        if self.doubtful_lines.len() < LISTED_BAD_LINES {
            self.doubtful_lines.push(DoubtfulLine { line, field: warning.field, reason: warning.reason });
        }
    }
}

#[cfg(test)]
mod tests;
