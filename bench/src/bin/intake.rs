//! Measures intake: `cargo run --release -p archive-bench --bin intake -- [--folder DIR] [--rounds 7] [--mebibytes 24]
//! [--row N]`.
//!
//! Takes the same files in three ways in turn: written and synced without us (file, then folder), through the intake
//! in this process, and over HTTP. Prints medians as a Markdown table; the share is the raw time over ours, taken
//! within each round. `--folder` names the disk; `--row` measures one row of the table alone, the first being 1.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use archive_api::intake::{Intake, UploadRequest};
use archive_bench::{archive::BenchArchive, corpus::argument, memory_files::MemoryFiles};
use bytes::Bytes;
use domain::access::Role;
use ingest::Limits;
use rand::{RngCore, SeedableRng, rngs::StdRng};
use reqwest::multipart::{Form, Part};
use tempfile::TempDir;

/// One way of sending.
#[derive(Debug, Clone, Copy)]
struct Shape {
    files_an_upload: usize,
    side_pixels: u32,
    senders: usize,
}

const SHAPES: [Shape; 5] = [
    Shape { files_an_upload: 1, side_pixels: 290, senders: 1 },
    Shape { files_an_upload: 3, side_pixels: 290, senders: 1 },
    Shape { files_an_upload: 3, side_pixels: 290, senders: 4 },
    Shape { files_an_upload: 20, side_pixels: 290, senders: 4 },
    Shape { files_an_upload: 3, side_pixels: 840, senders: 4 },
];

/// The uploads of one round: for each sender, its uploads, each some files.
type Round = Vec<Vec<Vec<Bytes>>>;

/// Times of one round.
struct Times {
    raw: Duration,
    in_process: Duration,
    http: Duration,
}

#[tokio::main]
async fn main() -> Result<()> {
    let rounds: usize = argument("--rounds", 7)?;
    let mebibytes: usize = argument("--mebibytes", 24)?;
    let folder: PathBuf = argument("--folder", std::env::temp_dir())?;
    let row: usize = argument("--row", 0)?;
    let folder = tempfile::tempdir_in(folder)?;
    let archive = BenchArchive::open(folder.path()).await?;
    let intake = Arc::new(Intake::new(archive.backends.clone(), Limits::default(), 512 << 20));
    let address = archive.serve(BenchArchive::no_searcher()).await?;
    let token = archive.token(Role::Archivist, "bench", None).await?;
    let sender = HttpSender { http: reqwest::Client::builder().no_proxy().build()?, address, token };

    println!(
        "| files an upload × KiB, senders | raw MiB/s | in process MiB/s | share | HTTP MiB/s | share | HTTP uploads/s |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut seed = 0;
    for (_, shape) in (1..).zip(SHAPES).filter(|(number, _)| row == 0 || *number == row) {
        let mut measured = Vec::with_capacity(rounds);
        let mut sizes = (0, 0);
        // The first round warms up.
        for number in 0..=rounds {
            // Each way gets files of its own: what was received once is only linked.
            let [raw, in_process, http] = [0, 1, 2].map(|_| {
                seed += 1;
                files_of(shape, mebibytes << 20, seed)
            });
            sizes = (bytes_of(&http), http.iter().map(Vec::len).sum());
            let times = Times {
                raw: write_raw(&folder, raw)?,
                in_process: take_in_process(&archive, &intake, in_process).await?,
                http: send_over_http(&sender, http).await?,
            };
            if number > 0 {
                measured.push(times);
            }
        }
        print_row(shape, sizes, &measured);
    }
    intake.close().await?;
    Ok(())
}

fn print_row(shape: Shape, (bytes, uploads): (usize, usize), measured: &[Times]) {
    let rate = |time: fn(&Times) -> Duration| {
        bytes as f64 / median(measured, |times| time(times).as_secs_f64()) / f64::from(1 << 20)
    };
    let share = |time: fn(&Times) -> Duration| {
        median(measured, |times| times.raw.as_secs_f64() / time(times).as_secs_f64()) * 100.0
    };
    let uploads_a_second = uploads as f64 / median(measured, |times| times.http.as_secs_f64());
    println!(
        "| {} × {}, {} | {:.1} | {:.1} | {:.0} % | {:.1} | {:.0} % | {uploads_a_second:.1} |",
        shape.files_an_upload,
        picture_bytes(shape.side_pixels) >> 10,
        shape.senders,
        rate(|times| times.raw),
        rate(|times| times.in_process),
        share(|times| times.in_process),
        rate(|times| times.http),
        share(|times| times.http),
    );
}

fn median(measured: &[Times], value: impl Fn(&Times) -> f64) -> f64 {
    let mut values: Vec<f64> = measured.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

const fn picture_bytes(side_pixels: u32) -> usize {
    54 + (side_pixels as usize * 3).next_multiple_of(4) * side_pixels as usize
}

fn files_of(shape: Shape, bytes: usize, seed: u64) -> Round {
    let mut random = StdRng::seed_from_u64(seed);
    let upload_bytes = shape.files_an_upload * picture_bytes(shape.side_pixels);
    let uploads = bytes.div_ceil(upload_bytes * shape.senders).max(2);
    let mut upload = || (0..shape.files_an_upload).map(|_| picture(shape.side_pixels, &mut random)).collect();
    (0..shape.senders).map(|_| (0..uploads).map(|_| upload()).collect()).collect()
}

/// A bitmap of random pixels.
fn picture(side_pixels: u32, random: &mut StdRng) -> Bytes {
    let mut bytes = vec![0; picture_bytes(side_pixels)];
    random.fill_bytes(&mut bytes[54..]);
    let size = bytes.len() as u32;
    for (at, value) in
        [(2, size), (10, 54), (14, 40), (18, side_pixels), (22, side_pixels), (26, 24 << 16 | 1)]
    {
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    bytes[..2].copy_from_slice(b"BM");
    bytes.into()
}

fn bytes_of(round: &Round) -> usize {
    round.iter().flatten().flatten().map(Bytes::len).sum()
}

/// Writes and syncs each file, and after each upload the folder.
fn write_raw(folder: &TempDir, round: Round) -> Result<Duration> {
    let folder = tempfile::tempdir_in(folder.path())?;
    let path: Arc<Path> = folder.path().into();
    let started = Instant::now();
    let mut writers = Vec::new();
    for (sender, uploads) in round.into_iter().enumerate() {
        let path = Arc::clone(&path);
        writers.push(std::thread::spawn(move || write_uploads(&path, sender, &uploads)));
    }
    for writer in writers {
        writer.join().ok().context("a writer ended without a word")??;
    }
    Ok(started.elapsed())
}

fn write_uploads(folder: &Path, sender: usize, uploads: &[Vec<Bytes>]) -> Result<()> {
    let folder = folder.join(sender.to_string());
    fs::create_dir(&folder)?;
    for (upload, files) in uploads.iter().enumerate() {
        for (number, bytes) in files.iter().enumerate() {
            let mut file = File::create(folder.join(format!("{upload}-{number}")))?;
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        File::open(&folder)?.sync_all()?;
    }
    Ok(())
}

async fn take_in_process(archive: &BenchArchive, intake: &Arc<Intake>, round: Round) -> Result<Duration> {
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for uploads in round {
        let (intake, caller) = (Arc::clone(intake), archive.caller.clone());
        tasks.spawn(async move {
            for files in uploads {
                let size_hint = Some(files.iter().map(|file| file.len() as u64).sum());
                let mut files = MemoryFiles::new(files.into_iter().map(|file| (None, file)).collect());
                let request = UploadRequest { size_hint, ..UploadRequest::default() };
                let receipt = intake.receive(&caller, request, &mut files).await?;
                ensure!(!receipt.is_refused(), "the intake refused the files");
            }
            Ok(())
        });
    }
    for done in tasks.join_all().await {
        done?;
    }
    Ok(started.elapsed())
}

/// Sends over HTTP.
#[derive(Clone)]
struct HttpSender {
    http: reqwest::Client,
    address: String,
    token: String,
}

async fn send_over_http(sender: &HttpSender, round: Round) -> Result<Duration> {
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for uploads in round {
        let sender = sender.clone();
        tasks.spawn(async move {
            for files in uploads {
                sender.send(files).await?;
            }
            Ok::<(), anyhow::Error>(())
        });
    }
    for done in tasks.join_all().await {
        done?;
    }
    Ok(started.elapsed())
}

impl HttpSender {
    async fn send(&self, files: Vec<Bytes>) -> Result<()> {
        let mut form = Form::new();
        for bytes in files {
            let length = bytes.len() as u64;
            form = form.part("file", Part::stream_with_length(bytes, length).file_name("scan.bmp"));
        }
        let request = self.http.post(format!("{}/api/v1/scans", self.address)).bearer_auth(&self.token);
        let answer = request.multipart(form).send().await?;
        let status = answer.status();
        ensure!(status.is_success(), "the server answered {status}: {}", answer.text().await?);
        Ok(())
    }
}
