//! `guidang index`: its state, whether it agrees with the catalogue, and making it anew.

use clap::{Args, Subcommand};
use domain::blind_index::BlindKey;
use indexer::{error::IndexError, searcher::Searcher};
use workers::{
    index_follower,
    index_snapshots::{self, SnapshotError, Taken},
};

use crate::{
    failure::{Failure, OrFail},
    progress,
    settings::Settings,
};

/// Arguments of `index`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Says how far the index follows the catalogue, and how large it is
    Status,
    /// Compares the index with the catalogue
    Verify,
    /// Makes the index anew from the catalogue; always safe
    Rebuild,
    /// Puts a copy of the index into the object store, from which a new node starts
    Snapshot,
}

/// Shows, compares, rebuilds or copies.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    match arguments.action {
        Action::Status => status(settings).await,
        Action::Verify => verify(settings).await,
        Action::Rebuild => rebuild(settings).await,
        Action::Snapshot => snapshot(settings).await,
    }
}

async fn status(settings: &Settings) -> Result<(), Failure> {
    let backends = settings.backends_without_proof().await?;
    let mut tx = backends.database.begin_read().await.or_fail("the catalogue cannot be read")?;
    let last = tx.case_files().last_change().await.or_fail("the catalogue cannot be read")?;
    drop(tx);
    let folder = settings.data.index(&settings.configuration);
    let key = BlindKey::new(backends.vault.blind_index_secret());
    let searcher = match Searcher::open(&folder, key) {
        Err(IndexError::Missing { .. }) => {
            println!("There is no index yet; the server makes it when it starts.");
            return Ok(());
        }
        opened => opened.or_fail("the index cannot be used")?,
    };
    let bytes = size_bytes(&folder).or_fail("the index folder cannot be read")?;
    let case_files = searcher.case_files();
    println!("Case files  {case_files}");
    println!("Reached     change {} of {last}", searcher.reached());
    println!(
        "On disk     {:.1} MB, {} bytes a case file",
        bytes as f64 / 1e6,
        bytes.checked_div(case_files).unwrap_or(0)
    );
    Ok(())
}

async fn verify(settings: &Settings) -> Result<(), Failure> {
    let backends = settings.backends_without_proof().await?;
    let folder = settings.data.index(&settings.configuration);
    let check =
        workers::verify::index_alone(&backends, &folder).await.or_fail("the index cannot be compared")?;
    super::verify::print(&check);
    if check.is_broken() {
        return Err(Failure::new("the index does not agree; run `guidang index rebuild`"));
    }
    if check.holds() { Ok(()) } else { Err(Failure::partly("the index was not compared")) }
}

async fn rebuild(settings: &Settings) -> Result<(), Failure> {
    let backends = settings.backends_without_proof().await?;
    let folder = settings.data.index(&settings.configuration);
    let bar = progress::bar(0, "rebuilding");
    let rebuilt = index_follower::rebuild(&backends, &folder, |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })
    .await;
    bar.finish_and_clear();
    let writer = match rebuilt {
        Err(index_follower::FollowError::Index(IndexError::Locked { .. })) => {
            return Err(Failure::new("the index is being written by a running server; stop it first"));
        }
        other => other.or_fail("the index cannot be rebuilt")?,
    };
    let status = writer.status().or_fail("the new index cannot be read")?;
    writer.close().or_fail("the new index cannot be closed")?;
    println!(
        "{} case files, {:.1} MB, up to change {}.",
        status.case_files,
        status.size_bytes as f64 / 1e6,
        status.reached
    );
    Ok(())
}

async fn snapshot(settings: &Settings) -> Result<(), Failure> {
    let backends = settings.backends().await?;
    let folder = settings.data.index(&settings.configuration);
    let taken = match index_snapshots::take(&backends, &folder).await {
        Err(SnapshotError::Index(IndexError::Missing { .. })) => {
            return Err(Failure::new("there is no index here yet; start a server or a search node first"));
        }
        taken => taken.or_fail("no snapshot was made")?,
    };
    match taken {
        Taken::Whole(row) => println!(
            "Snapshot {}: {:.1} MB, up to change {}.",
            row.id,
            row.size_bytes as f64 / 1e6,
            row.reached
        ),
        Taken::ThereAlready(row) => println!("Snapshot {} holds change {} already.", row.id, row.reached),
        Taken::Nothing => println!("The index holds nothing yet."),
        Taken::ByAnother => println!("Another process is making a snapshot."),
    }
    Ok(())
}

fn size_bytes(folder: &std::path::Path) -> std::io::Result<u64> {
    let mut size = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // A merge may remove a file while we look.
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size += size_bytes(&entry.path())?,
            Ok(metadata) => size += metadata.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(size)
}
