//! Measures indexing: `cargo run --release -p archive-bench --bin indexing -- --cases 100000`.
//!
//! Builds an index anew, then follows changes in small commits, and prints a Markdown table.

use std::time::{Duration, Instant};

use archive_bench::corpus::{argument, case_document};
use domain::blind_index::BlindKey;
use indexer::writer::{Change, IndexWriter, Rebuild};
use rustix::time::{ClockId, clock_gettime};

const BATCH: u64 = 1000;
/// Changes in one commit while following: about what a busy archive gathers in a few seconds.
const FOLLOWED: u64 = 500;
const COMMITS: u64 = 20;

fn main() -> anyhow::Result<()> {
    let cases: u64 = argument("--cases", 100_000)?;
    let folder = tempfile::tempdir()?;

    let (started, cpu) = (Instant::now(), cpu_time());
    let mut rebuild = Rebuild::start(folder.path(), BlindKey::new([7; 32]))?;
    let mut corpus = Duration::ZERO;
    for first in (0..cases).step_by(BATCH as usize) {
        let made = Instant::now();
        let batch: Vec<Change> = (first..cases.min(first + BATCH))
            .map(|number| Change::Upsert(Box::new(case_document(number, cases))))
            .collect();
        corpus += made.elapsed();
        rebuild.apply(&batch)?;
    }
    let mut writer = rebuild.finish(cases)?;
    let (wall, cpu) = (started.elapsed().saturating_sub(corpus), cpu_time().saturating_sub(cpu + corpus));
    let status = writer.status()?;

    println!("| case files | a second | CPU µs each | bytes on disk each | segments |");
    println!("|---|---|---|---|---|");
    println!(
        "| {cases} | {:.0} | {:.0} | {:.0} | {} |",
        cases as f64 / wall.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / cases as f64,
        status.size_bytes as f64 / cases as f64,
        status.segments,
    );
    follow(&mut writer, cases)
}

/// Changes of state of case files from all over the year, in small commits.
fn follow(writer: &mut IndexWriter, cases: u64) -> anyhow::Result<()> {
    let before = writer.size_bytes()?;
    let (mut commits, mut largest) = (Vec::new(), before);
    let cpu = cpu_time();
    for commit in 0..COMMITS {
        let batch: Vec<Change> = (0..FOLLOWED)
            .map(|place| (commit * FOLLOWED + place) * 7919 % cases)
            .map(|number| Change::Upsert(Box::new(case_document(number, cases))))
            .collect();
        let started = Instant::now();
        writer.apply(&batch, cases + (commit + 1) * FOLLOWED)?;
        writer.commit()?;
        commits.push(started.elapsed());
        largest = largest.max(writer.size_bytes()?);
    }
    let cpu = cpu_time().saturating_sub(cpu);
    let started = Instant::now();
    let purge = writer.purge()?;
    let purged = started.elapsed();
    commits.sort();

    println!();
    println!(
        "| changes in {COMMITS} commits | CPU µs each | commit p50 ms | commit max ms | disk at most | purge s |"
    );
    println!("|---|---|---|---|---|---|");
    println!(
        "| {} | {:.0} | {:.0} | {:.0} | {:.2} × | {:.1} ({} segments) |",
        COMMITS * FOLLOWED,
        cpu.as_secs_f64() * 1e6 / (COMMITS * FOLLOWED) as f64,
        milliseconds(commits[commits.len() / 2]),
        milliseconds(commits[commits.len() - 1]),
        largest as f64 / before as f64,
        purged.as_secs_f64(),
        purge.segments_rewritten,
    );
    Ok(())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// CPU time of the process, merging threads included.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}
