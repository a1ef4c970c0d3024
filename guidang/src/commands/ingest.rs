//! `guidang ingest`: takes in scans, through the running server or in this process when none runs.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use domain::field::Slot;
use uuid::Uuid;

use crate::{
    client::{ArchiveClient, ClientError, OutgoingFile, Receipt, Tongue, UploadLabels},
    failure::{Failure, OrFail},
    progress,
    service::{Archive, Duty},
    settings::Settings,
    waiting::{self, Followed},
    watching::litter::is_litter,
};

/// Arguments of `ingest`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Files and folders; folders with everything in them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The outlet they come from
    #[arg(long, value_name = "CODE")]
    outlet: Option<String>,
    /// The slip number (业务流水号) they belong to; without it the archive finds out
    #[arg(long, value_name = "NUMBER")]
    slip: Option<String>,
    /// What they show: slip, id_front, id_back, agent_id_front …
    #[arg(long)]
    slot: Option<Slot>,
    /// Waits until everything that was taken has been read and checked
    #[arg(long)]
    wait: bool,
}

/// Files sent in one request: whichever comes first.
const FILES_A_REQUEST: usize = 8;
const BYTES_A_REQUEST: u64 = 32 << 20;
/// How often a request is tried that nobody answered.
const TRIES: u32 = 5;

/// Sends everything. What was refused, or cannot be read, is named and makes the exit status 3.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let listing = Listing::of(&arguments.paths);
    for (path, error) in &listing.unreadable {
        eprintln!("left out: {} cannot be read: {error}", path.display());
    }
    let (files, left_out) = (listing.files, listing.unreadable.len());
    if files.is_empty() {
        return Err(if left_out == 0 {
            Failure::usage("there is no file in what was named")
        } else {
            Failure::new("nothing of what was named can be read; nothing was sent")
        });
    }
    // Who does not wait leaves the reading to the next server.
    let duty = if arguments.wait { Duty::Works } else { Duty::AnswersOnly };
    let archive = Archive::open(settings, Tongue::English, duty).await?;
    let done = send_and_wait(settings, arguments, &files, &archive.client).await;
    archive.close().await;
    let followed = done?;
    print!("{}", waiting::summary(&followed));
    let refused = followed.iter().filter(|file| file.refusal.is_some()).count();
    let unreadable = followed.iter().filter(|file| file.is_unreadable()).count();
    let mut troubles = Vec::new();
    if refused > 0 {
        troubles.push(format!("{refused} of {} files were refused; the others were received", files.len()));
    }
    if unreadable > 0 {
        troubles.push(format!("{unreadable} were received and cannot be read; they wait for a person"));
    }
    if left_out > 0 {
        troubles.push(format!("{left_out} files or folders cannot be opened and were left out"));
    }
    if troubles.is_empty() { Ok(()) } else { Err(Failure::partly(troubles.join("; "))) }
}

async fn send_and_wait(
    settings: &Settings,
    arguments: &Arguments,
    files: &[PathBuf],
    client: &ArchiveClient,
) -> Result<Vec<Followed>, Failure> {
    let mut followed = send(settings, arguments, files, client).await?;
    if arguments.wait {
        let backends = settings.backends_without_proof().await?;
        waiting::until_settled(&backends, &mut followed).await?;
        waiting::until_findable(&backends, client).await?;
    }
    Ok(followed)
}

async fn send(
    settings: &Settings,
    arguments: &Arguments,
    files: &[PathBuf],
    client: &ArchiveClient,
) -> Result<Vec<Followed>, Failure> {
    let labels = UploadLabels {
        outlet: arguments.outlet.clone(),
        slip_number: arguments.slip.clone(),
        slot: arguments.slot.map(|slot| slot.as_str().to_owned()),
    };
    let bar = progress::bar(files.len() as u64, "sending");
    let mut sent = Sent { followed: Vec::with_capacity(files.len()), warned: BTreeSet::new() };
    let mut batch: Vec<(PathBuf, OutgoingFile)> = Vec::new();
    for path in files {
        let metadata = fs::metadata(path).or_fail(format!("{} cannot be read", path.display()))?;
        if metadata.len() > settings.configuration.intake.max_bytes {
            let limit = settings.configuration.intake.max_bytes >> 20;
            sent.followed.push(Followed::refused(path, format!("larger than {limit} MiB")));
            bar.inc(1);
            continue;
        }
        if batch.len() == FILES_A_REQUEST || bytes_of(&batch) + metadata.len() > BYTES_A_REQUEST {
            send_batch(client, &labels, &mut batch, &mut sent).await?;
            bar.set_position(sent.followed.len() as u64);
        }
        let (name, size_bytes) = (name_with_folder(path), metadata.len());
        batch.push((path.clone(), OutgoingFile { name, path: path.clone(), size_bytes }));
    }
    send_batch(client, &labels, &mut batch, &mut sent).await?;
    bar.finish_and_clear();
    for warning in sent.warned {
        eprintln!("warning: {warning}");
    }
    Ok(sent.followed)
}

/// What has come of everything that was sent so far.
struct Sent {
    followed: Vec<Followed>,
    /// What the archive doubts in what was said about the files, each once.
    warned: BTreeSet<String>,
}

/// The name with that of its folder, which often is the slip number.
fn name_with_folder(path: &Path) -> String {
    let mut last: Vec<_> =
        path.components().rev().take(2).map(|part| part.as_os_str().to_string_lossy()).collect();
    last.reverse();
    last.join("/")
}

fn bytes_of(batch: &[(PathBuf, OutgoingFile)]) -> u64 {
    batch.iter().map(|(_, file)| file.size_bytes).sum()
}

async fn send_batch(
    client: &ArchiveClient,
    labels: &UploadLabels,
    batch: &mut Vec<(PathBuf, OutgoingFile)>,
    sent: &mut Sent,
) -> Result<(), Failure> {
    if batch.is_empty() {
        return Ok(());
    }
    let (paths, files): (Vec<PathBuf>, Vec<OutgoingFile>) = batch.drain(..).unzip();
    let receipt = upload(client, labels, &files).await.or_fail("the files were not received")?;
    sent.warned.extend(receipt.warnings.into_iter().map(|warning| warning.detail));
    for (path, file) in paths.iter().zip(receipt.files) {
        sent.followed.push(match (file.scan_id, file.refusal_sentence()) {
            (Some(scan), None) => Followed::received(path, scan, file.outcome == "linked"),
            (_, sentence) => Followed::refused(path, sentence.unwrap_or_else(|| "refused".to_owned())),
        });
    }
    Ok(())
}

/// Sends one request under one key, so that trying again after a lost answer takes nothing twice.
async fn upload(
    client: &ArchiveClient,
    labels: &UploadLabels,
    files: &[OutgoingFile],
) -> Result<Receipt, ClientError> {
    let key = format!("ingest-{}", Uuid::from_u128(rand::random()).simple());
    let mut tries = 1;
    loop {
        match client.upload(files, labels, &key).await {
            Err(error) if error.is_passing() && tries < TRIES => {
                tracing::warn!(error = %error, "the archive does not take files now; trying again");
                tokio::time::sleep(Duration::from_secs(u64::from(tries) * 2)).await;
                tries += 1;
            }
            other => return other,
        }
    }
}

/// What is to be sent, and what was named or lies in the folders named but cannot be read.
#[derive(Debug, Default)]
struct Listing {
    files: Vec<PathBuf>,
    unreadable: Vec<(PathBuf, io::Error)>,
}

impl Listing {
    /// Every file named, and every file in the folders named, in order of name; litter left alone.
    fn of(paths: &[PathBuf]) -> Self {
        let mut listing = Self::default();
        for path in paths {
            match fs::metadata(path) {
                Ok(metadata) if metadata.is_dir() => listing.folder(path),
                Ok(_) => listing.file(path.clone()),
                Err(error) => listing.unreadable.push((path.clone(), error)),
            }
        }
        listing
    }

    /// Takes what can be read of a folder.
    fn folder(&mut self, folder: &Path) {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.unreadable.push((folder.to_owned(), error)),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            if is_litter(&entry.file_name().to_string_lossy()) {
                continue;
            }
            // Links are not followed: a folder of scans must not lead out of itself.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.folder(&entry.path()),
                Ok(kind) if kind.is_file() => self.file(entry.path()),
                Ok(_) => {}
                Err(error) => self.unreadable.push((entry.path(), error)),
            }
        }
    }

    /// Takes a file that can be opened: one that cannot would break off the request that sends it.
    fn file(&mut self, path: PathBuf) {
        match fs::File::open(&path) {
            Ok(_) => self.files.push(path),
            Err(error) => self.unreadable.push((path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_taken_whole_and_in_order() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("b")).unwrap();
        for name in ["c.jpg", "a.jpg", "b/d.jpg", "Thumbs.db"] {
            fs::write(root.path().join(name), b"x").unwrap();
        }

        let listing = Listing::of(&[root.path().to_owned()]);

        let names: Vec<_> = listing
            .files
            .iter()
            .map(|file| file.strip_prefix(root.path()).unwrap().display().to_string())
            .collect();
        assert_eq!(names, ["a.jpg", "b/d.jpg", "c.jpg"]);
    }

    #[test]
    fn what_cannot_be_read_is_named_and_the_rest_is_taken() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.jpg"), b"x").unwrap();
        let gone = root.path().join("gone.jpg");
        // Nobody, whatever they may do, opens a folder whose name is longer than a path may be.
        let name = "n".repeat(200);
        let dig = format!("for i in $(seq 25); do mkdir {name} && cd -P {name} || exit 1; done");
        let dug = std::process::Command::new("sh").args(["-c", &dig]).current_dir(root.path()).status();
        assert!(dug.unwrap().success());

        let listing = Listing::of(&[root.path().to_owned(), gone.clone()]);

        assert_eq!(listing.files, [root.path().join("a.jpg")]);
        let [(deep, _), (missing, _)] = listing.unreadable.as_slice() else { panic!("{listing:?}") };
        assert!(deep.starts_with(root.path().join(&name)));
        assert_eq!(missing, &gone);
    }
}
