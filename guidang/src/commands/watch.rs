//! `guidang watch`: takes whatever a scanner puts into a folder.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;
use domain::ids::ScanId;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    client::{ArchiveClient, ClientError, FileReceipt, OutgoingFile, Receipt, Tongue, UploadLabels},
    failure::{Failure, OrFail},
    service::{Archive, Duty},
    settings::Settings,
    watching::{
        folder::{self, Found, Listing, Subfolders},
        stillness::{Look, Stillness},
        unread::Unread,
    },
};

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder; done/ and failed/ are made in it
    folder: PathBuf,
    /// The outlet its scans come from
    #[arg(long, value_name = "CODE", value_parser = outlet_code)]
    outlet: String,
    /// The names of sub-folders are slip numbers (业务流水号)
    #[arg(long)]
    subfolders_are_slips: bool,
    /// Takes what is there now and has stood still, then ends, without waiting for it to be read
    #[arg(long)]
    once: bool,
}

/// A mistake here would be the mistake of every file.
fn outlet_code(text: &str) -> Result<String, &'static str> {
    if domain::archival_code::is_outlet_code(text) {
        return Ok(text.to_owned());
    }
    Err("an outlet code has 1 to 64 letters, digits, hyphens, underscores and dots, a letter or digit first")
}

/// What became of a file that was offered.
enum Taken {
    Received(Option<ScanId>),
    /// It was refused itself, or its slip number.
    Refused(String),
    /// The request was refused, whatever is wrong with the token, the server or the line: the file can wait.
    Later(ClientError),
    Changed,
}

/// Looks again and again; a server that is away or full only makes files wait.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    if !arguments.folder.is_dir() {
        return Err(Failure::usage(format!("{} is not a folder", arguments.folder.display())));
    }
    let archive = Archive::open(settings, Tongue::Chinese, Duty::Works).await?;
    let watched = watch(settings, arguments, &archive).await;
    archive.close().await;
    watched
}

async fn watch(settings: &Settings, arguments: &Arguments, archive: &Archive) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).or_fail("signals cannot be heard")?;
    let section = settings.configuration.watch;
    let mut watcher = Watcher::new(arguments, Duration::from_secs(section.quiet_seconds));
    loop {
        let client = current_client(settings, archive).await;
        let waiting = watcher.look(&client, settings.configuration.intake.max_bytes).await;
        if arguments.once && waiting == 0 {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(section.poll_seconds)) => {}
            _ = terminate.recv() => return Ok(()),
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

/// The server may have been restarted, at another address and with another token.
async fn current_client(settings: &Settings, archive: &Archive) -> ArchiveClient {
    crate::service::running(settings, Tongue::Chinese).await.unwrap_or_else(|| archive.client.clone())
}

struct Watcher<'a> {
    root: &'a Path,
    outlet: &'a str,
    subfolders: Subfolders,
    stillness: Stillness,
    /// Taken, but their folder does not let them be moved: never sent again while they look the same.
    stuck: HashMap<PathBuf, Look>,
    unread: Unread,
    /// Sub-folders of which it was said that they cannot be read.
    closed: HashSet<PathBuf>,
    /// Whether it was said what the archive doubts about the outlet.
    is_warned: bool,
    started: Instant,
}

impl<'a> Watcher<'a> {
    fn new(arguments: &'a Arguments, quiet: Duration) -> Self {
        let are_slips = arguments.subfolders_are_slips;
        Self {
            root: &arguments.folder,
            outlet: &arguments.outlet,
            subfolders: if are_slips { Subfolders::AreSlips } else { Subfolders::AreFolders },
            stillness: Stillness::new(quiet),
            stuck: HashMap::new(),
            unread: Unread::default(),
            closed: HashSet::new(),
            is_warned: false,
            started: Instant::now(),
        }
    }

    /// Takes every file that has stood still; gives how many still wait.
    async fn look(&mut self, client: &ArchiveClient, max_bytes: u64) -> usize {
        let found = match folder::list(self.root, self.subfolders) {
            Ok(listing) => {
                self.tell_closed(&listing);
                listing.files
            }
            Err(error) => {
                // A network share that is away comes back.
                tracing::warn!(error = %error, "the folder cannot be read; looking again");
                return 1;
            }
        };
        self.stillness.keep_only(|path| found.iter().any(|found| found.path == path));
        let mut waiting = 0;
        for file in found {
            if self.stuck.get(&file.path) == Some(&file.look) {
                continue;
            }
            if !self.stillness.is_still(&file.path, file.look, self.started.elapsed()) {
                waiting += 1;
                continue;
            }
            let taken = self.take(client, &file, max_bytes).await;
            let is_token_over = matches!(&taken, Taken::Later(error) if error.is_about_the_token());
            waiting += usize::from(!self.put_away(&file, taken));
            if is_token_over {
                // Nor will the files behind it be taken; the next look has the token that is valid then.
                return waiting;
            }
        }
        self.unread.follow(client, self.root).await;
        waiting
    }

    /// Says once of each sub-folder that it cannot be read. Its name is not logged: a clerk may have put the customer's
    /// into it.
    fn tell_closed(&mut self, listing: &Listing) {
        for (folder, error) in &listing.closed {
            if self.closed.insert(folder.clone()) {
                let depth = folder.components().count();
                tracing::warn!(%error, depth, "a sub-folder cannot be read and is left out");
            }
        }
        self.closed.retain(|folder| listing.closed.iter().any(|(closed, _)| closed == folder));
    }

    async fn take(&mut self, client: &ArchiveClient, file: &Found, max_bytes: u64) -> Taken {
        if file.look.size_bytes > max_bytes {
            let limit = max_bytes >> 20;
            return Taken::Refused(format!(
                "文件太大：最多 {limit} MiB。请降低扫描分辨率或拆分后重新扫描。\nThe file is larger than {limit} MiB; scan it with fewer dots per inch or in parts."
            ));
        }
        let key = match file.idempotency_key(self.root, self.outlet) {
            Ok(key) => key,
            Err(error) => {
                tracing::warn!(error = %error, "a file cannot be read now; looking again");
                return Taken::Changed;
            }
        };
        let name = file.relative.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let labels = UploadLabels {
            outlet: Some(self.outlet.to_owned()),
            slip_number: file.slip_number.clone(),
            slot: None,
        };
        let outgoing = OutgoingFile { name, path: file.path.clone(), size_bytes: file.look.size_bytes };
        let answer = client.upload(&[outgoing], &labels, &key).await;
        // It was read twice; what changed meanwhile was not sent as it is.
        if !file.is_unchanged() {
            return Taken::Changed;
        }
        match answer {
            Ok(receipt) => {
                let file = self.warned(&receipt).files.first();
                match file.and_then(FileReceipt::refusal_sentence) {
                    Some(sentence) => Taken::Refused(sentence),
                    None => Taken::Received(file.and_then(new_scan)),
                }
            }
            Err(ClientError::Unreadable { .. }) => Taken::Changed,
            // All that is said about the file besides the outlet, which was looked at before, is the slip number.
            Err(error) if error.is_about_what_was_said() => Taken::Refused(error.to_string()),
            Err(error) => Taken::Later(error),
        }
    }

    /// The receipt; what the archive doubts about the outlet is said once.
    fn warned<'r>(&mut self, receipt: &'r Receipt) -> &'r Receipt {
        if let Some(warning) = receipt.warnings.first().filter(|_| !self.is_warned) {
            self.is_warned = true;
            tracing::warn!(outlet = self.outlet, "{}", warning.detail);
        }
        receipt
    }

    /// Moves the file where it belongs now; `false` when it has to wait. Names of files are not logged: a clerk may
    /// have put the customer's into them.
    fn put_away(&mut self, file: &Found, taken: Taken) -> bool {
        let moved = match taken {
            Taken::Received(scan) => {
                let moved = file.move_to_done(self.root);
                if let (Some(scan), Ok(moved)) = (scan, &moved) {
                    self.unread.remember(scan, moved.clone());
                }
                moved
            }
            Taken::Refused(why) => {
                tracing::warn!("a file was refused; it is in failed/ with the reason");
                file.move_to_failed(self.root, &why)
            }
            Taken::Later(error) => {
                tracing::warn!(error = %error, "the archive does not take files now; trying again");
                return false;
            }
            Taken::Changed => return false,
        };
        match moved {
            Ok(_) => tracing::info!(size_bytes = file.look.size_bytes, "a file was put away"),
            Err(error) => {
                tracing::error!(error = %error, "a file cannot be moved out of the folder; it is left and not sent again");
                self.stuck.insert(file.path.clone(), file.look);
            }
        }
        true
    }
}

/// The scan that a file became, unless the archive had it before.
fn new_scan(file: &FileReceipt) -> Option<ScanId> {
    file.scan_id.filter(|_| file.outcome == "received")
}

#[cfg(test)]
mod tests {
    use super::outlet_code;

    #[test]
    fn an_outlet_that_no_file_could_come_from_is_refused() {
        for wrong in ["", " ", "a/b", "-TJ01"] {
            assert!(outlet_code(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(outlet_code("TJHQ0101").as_deref(), Ok("TJHQ0101"));
    }
}
