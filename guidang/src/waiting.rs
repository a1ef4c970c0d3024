//! Following what was sent until nothing more happens to it by itself.

use std::{
    collections::BTreeMap,
    fmt::Write,
    path::Path,
    time::{Duration, Instant},
};

use backends::{connect::Backends, database::Transaction, error::StorageError};
use domain::{
    ids::{CaseFileId, ScanId},
    scan::ScanState,
};
use ingest::problem_message;
use serde_json::Value;

use crate::{
    client::ArchiveClient,
    failure::{Failure, OrFail},
    progress,
    table::Table,
};

/// How often the catalogue is asked.
const EVERY: Duration = Duration::from_millis(500);
/// How often it is said how far it has come, where no bar can be drawn.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// More files than this are counted, not listed.
const LISTED: usize = 40;

/// One file that was sent.
#[derive(Debug)]
pub struct Followed {
    name: String,
    /// Why it was refused.
    pub refusal: Option<String>,
    scan: Option<ScanId>,
    is_linked: bool,
    end: Option<End>,
}

/// Where a scan came to rest.
#[derive(Debug, Clone)]
struct End {
    state: ScanState,
    problem: Option<String>,
    slip_number: Option<String>,
    case_state: Option<String>,
    open_findings: usize,
}

impl Followed {
    /// A file that was received, or was there already.
    pub fn received(path: &Path, scan: ScanId, is_linked: bool) -> Self {
        Self { name: name_of(path), refusal: None, scan: Some(scan), is_linked, end: None }
    }

    /// A file that was refused.
    pub fn refused(path: &Path, sentence: String) -> Self {
        Self { name: name_of(path), refusal: Some(sentence), scan: None, is_linked: false, end: None }
    }

    /// Whether it was received and turned out to be unreadable.
    pub fn is_unreadable(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.state == ScanState::Unreadable)
    }

    fn outcome(&self) -> String {
        match (&self.refusal, &self.end) {
            (Some(sentence), _) => format!("refused: {sentence}"),
            (None, None) if self.is_linked => "received before".to_owned(),
            (None, None) => "received".to_owned(),
            (None, Some(End { state, problem: Some(code), .. })) => {
                let message = problem_message(code).map_or_else(|| code.clone(), |message| message.en);
                format!("{state}: {message}")
            }
            (None, Some(end)) => end.state.to_string(),
        }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Waits until every scan is settled and its case file has been checked.
pub async fn until_settled(backends: &Backends, files: &mut [Followed]) -> Result<(), Failure> {
    let received = files.iter().filter(|file| file.scan.is_some()).count();
    let bar = progress::bar(received as u64, "reading");
    let mut told = Instant::now();
    loop {
        let mut tx = backends.database.begin_read().await.or_fail("the catalogue cannot be read")?;
        for file in files.iter_mut().filter(|file| file.end.is_none()) {
            let Some(scan) = file.scan else { continue };
            file.end = end_of(tx.as_mut(), scan).await.or_fail("the state of a scan cannot be read")?;
        }
        drop(tx);
        let settled = files.iter().filter(|file| file.end.is_some()).count();
        bar.set_position(settled as u64);
        if settled == received {
            break;
        }
        // Where no bar can be drawn a line now and then says that it goes on.
        if bar.is_hidden() && told.elapsed() >= TELL_EVERY {
            eprintln!("{settled} of {received} read and checked");
            told = Instant::now();
        }
        tokio::time::sleep(EVERY).await;
    }
    bar.finish_and_clear();
    // A case file that was checked with its first scans may have been checked again with its last.
    let mut tx = backends.database.begin_read().await.or_fail("the catalogue cannot be read")?;
    for file in files.iter_mut() {
        let Some(scan) = file.scan else { continue };
        if let Some(end) = end_of(tx.as_mut(), scan).await.or_fail("the state of a scan cannot be read")? {
            file.end = Some(end);
        }
    }
    Ok(())
}

/// `None` while something is still to be done for the scan or its case file.
/// Waits until a search finds everything as it stands now. Where that takes too long it is said, since nothing is lost.
pub async fn until_findable(backends: &Backends, client: &ArchiveClient) -> Result<(), Failure> {
    let mut tx = backends.database.begin_read().await.or_fail("the catalogue cannot be read")?;
    let last = tx.case_files().last_change().await.or_fail("the catalogue cannot be read")?;
    drop(tx);
    let followed = client.get::<Value>("/api/v1/index", &[("at_least", last.to_string())]).await;
    if let Err(error) = followed {
        eprintln!("searches do not show everything yet: {error}");
    }
    Ok(())
}

async fn end_of(tx: &mut dyn Transaction, id: ScanId) -> Result<Option<End>, StorageError> {
    let Some(scan) = tx.scans().find(id).await? else { return Ok(None) };
    if tx.jobs().is_pending(id.uuid()).await? {
        return Ok(None);
    }
    let Some(case_file) = scan.case_file_id else {
        let end = End {
            state: scan.state,
            problem: scan.problem,
            slip_number: None,
            case_state: None,
            open_findings: 0,
        };
        return Ok(Some(end));
    };
    if tx.jobs().is_pending(case_file.uuid()).await? {
        return Ok(None);
    }
    let row = tx.case_files().find(case_file).await?;
    Ok(Some(End {
        state: scan.state,
        problem: scan.problem,
        slip_number: row.as_ref().map(|row| row.slip_number.clone()),
        case_state: row.map(|row| row.state.to_string()),
        open_findings: open_findings(tx, case_file).await?,
    }))
}

async fn open_findings(tx: &mut dyn Transaction, id: CaseFileId) -> Result<usize, StorageError> {
    let findings = tx.findings().of_case_file(id).await?;
    Ok(findings.iter().filter(|finding| finding.state.is_open()).count())
}

/// A table of the files, or of their number by outcome when they are many; what was refused is always listed.
pub fn summary(files: &[Followed]) -> String {
    let mut text = String::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut table = Table::new(&["file", "outcome", "slip number", "case file", "open findings"]);
    for file in files {
        let outcome = file.outcome();
        if files.len() <= LISTED || file.refusal.is_some() {
            let end = file.end.as_ref();
            table.row([
                file.name.clone(),
                outcome.clone(),
                end.and_then(|end| end.slip_number.clone()).unwrap_or_default(),
                end.and_then(|end| end.case_state.clone()).unwrap_or_default(),
                end.filter(|end| end.slip_number.is_some())
                    .map(|end| end.open_findings.to_string())
                    .unwrap_or_default(),
            ]);
        }
        // Counted by what became of it, whatever the sentence behind says.
        let kind = outcome.split(": ").next().unwrap_or_default().to_owned();
        *counts.entry(kind).or_default() += 1;
    }
    if !table.is_empty() {
        let _ = writeln!(text, "{table}");
    }
    let counted: Vec<String> = counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    let _ = writeln!(text, "{} files: {}", files.len(), counted.join(", "));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_that_cannot_be_read_says_why_in_a_sentence() {
        let mut file = Followed::received(Path::new("a.pdf"), ScanId::from_parts(1, [0; 10]), false);
        file.end = Some(End {
            state: ScanState::Unreadable,
            problem: Some("no_pages".to_owned()),
            slip_number: None,
            case_state: None,
            open_findings: 0,
        });

        let text = summary(&[file]);

        assert!(text.contains("There is no page in the file.") && !text.contains("no_pages"), "{text}");
    }

    #[test]
    fn a_refused_file_is_listed_with_its_reason_even_among_many() {
        let mut files: Vec<Followed> = (0..50)
            .map(|number| Followed::received(Path::new("a.jpg"), ScanId::from_parts(number, [0; 10]), false))
            .collect();
        files.push(Followed::refused(Path::new("b.heic"), "HEIC is not taken".to_owned()));

        let text = summary(&files);

        assert!(text.contains("b.heic  refused: HEIC is not taken"), "{text}");
        assert!(text.contains("51 files: 50 received, 1 refused"), "{text}");
        assert!(!text.contains("a.jpg"));
    }
}
