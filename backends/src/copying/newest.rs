//! What must hold after a restore whatever the backup says: holds as they were last known. What was destroyed last
//! is in the key store itself.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
};

use domain::ids::HoldId;

use super::{CopyError, at};
use crate::database::{Database, holdings::KnownHold};

/// The file of holds beside the keys.
pub(super) const HOLDS: &str = "holds.jsonl";
const BATCH: i64 = 200;

/// Writes every hold there ever was.
pub(super) async fn write_holds(database: &dyn Database, folder: &Path) -> Result<(), CopyError> {
    let path = folder.join(HOLDS);
    let mut file = BufWriter::new(File::create(&path).map_err(at(&path))?);
    let mut tx = database.begin_read().await?;
    let mut after: Option<HoldId> = None;
    loop {
        let holds = tx.holdings().holds_after(after, BATCH).await?;
        let Some(last) = holds.last() else { break };
        after = Some(HoldId::from_uuid(last.id));
        for hold in &holds {
            let line = serde_json::to_string(hold).map_err(|error| CopyError::Unusable(error.to_string()))?;
            writeln!(file, "{line}").map_err(at(&path))?;
        }
    }
    let file = file.into_inner().map_err(|error| at(&path)(error.into_error()))?;
    file.sync_all().map_err(at(&path))
}

/// Applies holds to a restored catalogue: those that are missing, and releases that came later. Gives how many.
pub(super) async fn apply_holds(database: &dyn Database, folder: &Path) -> Result<u64, CopyError> {
    let path = folder.join(HOLDS);
    let file = BufReader::new(File::open(&path).map_err(at(&path))?);
    let mut applied = 0;
    for line in file.lines() {
        let line = line.map_err(at(&path))?;
        let hold: KnownHold = serde_json::from_str(&line).map_err(|error| CopyError::Differs {
            what: path.display().to_string(),
            detail: error.to_string(),
        })?;
        let mut tx = database.begin().await?;
        tx.holdings().restore_hold(&hold).await?;
        tx.commit().await?;
        applied += 1;
    }
    Ok(applied)
}
