//! Files that were taken and are not read yet: those that cannot be read are told of when that turns out.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
};

use domain::{ids::ScanId, scan::ScanState};
use serde::Deserialize;

use super::folder;
use crate::client::{ArchiveClient, ClientError};

/// Most scans that are asked for at a time.
const ASKED_AT_ONCE: usize = 50;
/// Most files that are remembered; where reading is further behind, the oldest are forgotten and stay in `done/`.
const REMEMBERED: usize = 10_000;

/// What was taken, oldest first.
#[derive(Default)]
pub struct Unread(VecDeque<(ScanId, PathBuf)>);

#[derive(Deserialize)]
struct Standing {
    state: ScanState,
    problem: Option<String>,
}

impl Unread {
    /// Remembers a file that was taken and lies in `done/` now.
    pub fn remember(&mut self, scan: ScanId, moved: PathBuf) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((scan, moved));
    }

    /// Asks what has become of some of them, and puts those that cannot be read into `failed/`.
    pub async fn follow(&mut self, client: &ArchiveClient, root: &Path) {
        for _ in 0..self.0.len().min(ASKED_AT_ONCE) {
            let Some((scan, moved)) = self.0.pop_front() else { return };
            match client.get::<Standing>(&format!("/api/v1/scans/{scan}"), &[]).await {
                Ok(Standing { state: ScanState::Received, .. }) => self.0.push_back((scan, moved)),
                Ok(Standing { state: ScanState::Unreadable, problem }) => {
                    put_aside(root, &moved, &problem.unwrap_or_default());
                }
                Err(error) if error.is_passing() => {
                    self.0.push_front((scan, moved));
                    return;
                }
                // It was read; or it was placed where this account may not look, and so was read.
                Ok(_) | Err(ClientError::Refused { .. }) => {}
                Err(error) => tracing::debug!(error = %error, "a scan that was taken cannot be followed"),
            }
        }
    }
}

fn put_aside(root: &Path, moved: &Path, code: &str) {
    tracing::warn!(code, "a file was taken and cannot be read; it is in failed/ with the reason");
    if let Err(error) = folder::move_from_done(root, moved, &reason(code)) {
        tracing::error!(error = %error, "a file that cannot be read stays in done/");
    }
}

/// Why, in the words of the archive, for the clerk.
fn reason(code: &str) -> String {
    let (zh, en) = ingest::problem_message(code)
        .map_or_else(|| (code.to_owned(), code.to_owned()), |message| (message.zh, message.en));
    format!("文件已收下，但无法识读：{zh}\nThe file was received and cannot be read: {en}")
}
