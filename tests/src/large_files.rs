//! Files of many megabytes on a disk, their senders, and what the memory of a process says meanwhile.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use backends::digest::{ContentDigest, ContentDigestStream};
use bytes::Bytes;
use reqwest::{
    Body, Method,
    multipart::{Form, Part},
};
use sha2::{Digest, Sha256};
use tokio::{io::AsyncReadExt, sync::mpsc, task::JoinHandle};

use crate::client::{Answer, ApiClient};

/// An A4 sheet at 300 dots an inch.
const PAGE: (u32, u32) = (2480, 3508);
/// How often the memory of a process is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Bytes a sender hands over at once.
const PIECE_BYTES: usize = 256 << 10;

/// A file on a disk.
#[derive(Debug, Clone)]
pub struct LargeFile {
    /// Where it is.
    pub path: PathBuf,
    /// How long it is.
    pub size_bytes: u64,
    /// What the archive knows it by.
    pub digest: ContentDigest,
    /// What object stores know it by.
    pub sha256: [u8; 32],
}

/// How the pages of a TIFF hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// One after the other.
    Whole,
    /// The last one leads back to the first, which no reader may follow.
    BitesItsTail,
}

/// A TIFF of grey pages of 8.7 MB each, every directory behind the pixels it speaks of.
pub fn tiff(path: &Path, pages: u32, chain: Chain) -> Result<LargeFile> {
    let page_bytes = PAGE.0 * PAGE.1;
    let directory_bytes = 2 + 8 * 12 + 4;
    let directory_of = |page: u32| 8 + page * (page_bytes + directory_bytes) + page_bytes;
    let mut file = Hashed {
        file: BufWriter::new(File::create(path)?),
        digest: ContentDigestStream::default(),
        sha256: Sha256::new(),
        size_bytes: 0,
    };
    file.write(b"II*\0")?;
    file.write(&directory_of(0).to_le_bytes())?;
    for page in 0..pages {
        let row: Vec<u8> = (0..PAGE.0).map(|x| (x ^ page.wrapping_mul(37)) as u8).collect();
        for _ in 0..PAGE.1 {
            file.write(&row)?;
        }
        let next = match chain {
            _ if page + 1 < pages => directory_of(page + 1),
            Chain::Whole => 0,
            Chain::BitesItsTail => directory_of(0),
        };
        let pixels = directory_of(page) - page_bytes;
        file.write(&directory(pixels, page_bytes, next))?;
    }
    file.finish(path)
}

fn directory(pixels: u32, page_bytes: u32, next: u32) -> Vec<u8> {
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    let entries = [
        (256, LONG, PAGE.0),
        (257, LONG, PAGE.1),
        (258, SHORT, 8),
        (259, SHORT, 1),
        (262, SHORT, 1),
        (273, LONG, pixels),
        (278, LONG, PAGE.1),
        (279, LONG, page_bytes),
    ];
    let mut bytes = (entries.len() as u16).to_le_bytes().to_vec();
    for (tag, kind, value) in entries {
        bytes.extend(u16::to_le_bytes(tag));
        bytes.extend(kind.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(next.to_le_bytes());
    bytes
}

/// A file that is hashed while it is written.
struct Hashed {
    file: BufWriter<File>,
    digest: ContentDigestStream,
    sha256: Sha256,
    size_bytes: u64,
}

impl Hashed {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.digest.update(bytes);
        self.sha256.update(bytes);
        self.size_bytes += bytes.len() as u64;
        Ok(self.file.write_all(bytes)?)
    }

    fn finish(mut self, path: &Path) -> Result<LargeFile> {
        self.file.flush()?;
        let sha256 = self.sha256.finalize().into();
        Ok(LargeFile {
            path: path.to_owned(),
            size_bytes: self.size_bytes,
            digest: self.digest.finish(),
            sha256,
        })
    }
}

/// A sender that hands over as much of a file as it is told to.
pub struct Sender {
    pieces: mpsc::Sender<io::Result<Bytes>>,
    file: tokio::fs::File,
    answer: JoinHandle<Result<Answer>>,
}

impl Sender {
    /// Begins a request with this file.
    pub async fn start(
        client: &ApiClient,
        file: &LargeFile,
        labels: &[(&'static str, &str)],
    ) -> Result<Self> {
        let (pieces, come) = mpsc::channel(1);
        let come = futures_util::stream::unfold(come, |mut come| async move {
            let piece: Option<io::Result<Bytes>> = come.recv().await;
            piece.map(|piece| (piece, come))
        });
        let mut form = Form::new();
        for (name, value) in labels {
            form = form.text(*name, (*value).to_owned());
        }
        let part = Part::stream_with_length(Body::wrap_stream(come), file.size_bytes).file_name("large.tif");
        let request = client.request(Method::POST, "/api/v1/scans").multipart(form.part("file", part));
        let client = client.clone();
        let answer = tokio::spawn(async move { client.send(request).await });
        Ok(Self { pieces, file: tokio::fs::File::open(&file.path).await?, answer })
    }

    /// Hands over so many bytes, or what is left. An archive that hears no more of it is no error.
    pub async fn send(&mut self, mut count: usize) -> Result<()> {
        while count > 0 {
            let mut piece = vec![0; count.min(PIECE_BYTES)];
            let read = self.file.read(&mut piece).await?;
            piece.truncate(read);
            if read == 0 || self.pieces.send(Ok(Bytes::from(piece))).await.is_err() {
                return Ok(());
            }
            count -= read;
        }
        Ok(())
    }

    /// Hands over what is left and waits for the answer.
    pub async fn finish(mut self) -> Result<Answer> {
        self.send(usize::MAX).await?;
        drop(self.pieces);
        self.answer.await?
    }

    /// Leaves in the middle.
    pub async fn leave(self) {
        // Whether the archive still listens does not matter to who leaves.
        let _ = self.pieces.send(Err(io::Error::other("the sender left"))).await;
        drop(self.pieces);
        let _ = self.answer.await;
    }
}

/// Sends a file as it lies on the disk.
pub async fn send(client: &ApiClient, file: &LargeFile, labels: &[(&'static str, &str)]) -> Result<Answer> {
    Sender::start(client, file, labels).await?.finish().await
}

/// Looks at the memory of a process until it is asked for the most it saw.
pub struct MemoryWatch {
    before: u64,
    looking: JoinHandle<()>,
    most: Arc<AtomicU64>,
}

impl MemoryWatch {
    /// Starts looking at what the process has for itself (`RssAnon`).
    pub fn start(pid: u32) -> Result<Self> {
        let before = own_memory_of(pid)?;
        let most = Arc::new(AtomicU64::new(before));
        let seen = Arc::clone(&most);
        let looking = tokio::spawn(async move {
            while let Ok(now) = own_memory_of(pid) {
                seen.fetch_max(now, Ordering::Relaxed);
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        Ok(Self { before, looking, most })
    }

    /// By how many bytes it had grown when it was largest.
    pub fn growth(self) -> u64 {
        self.looking.abort();
        self.most.load(Ordering::Relaxed).saturating_sub(self.before)
    }
}

/// Memory of a process that is no file's, in bytes.
fn own_memory_of(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no RssAnon")?;
    Ok(kibibytes.trim().parse::<u64>()? << 10)
}
