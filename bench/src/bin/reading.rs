//! Measures reading: `cargo run --release -p archive-bench --bin reading -- [--cases DIR] [--models DIR] [--every 1]
//! [--rounds 1] [--beside PYTHON]`.
//!
//! Reads the JPEG and PNG pages of labelled cases on one thread and prints CPU milliseconds by kind of page and by
//! stage. `--beside` names a Python that has RapidOCR: it runs `bench/other_readers.py`, which is handed the path of
//! each page right after us and answers with the CPU seconds of each reader it knows. With more rounds the resident
//! memory after each is printed: it must not grow. At the end the same pages are read by one worker and by two.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Instant,
};

use anyhow::{Context, Result};
use archive_bench::{
    corpus::argument,
    pages::{self, Page, installed_models, pages_of, reader_options},
    process::{cpu_seconds, resident_mib},
};
use reading::{PageReader, cpu::Stage};

/// CPU milliseconds of pages of one kind.
#[derive(Default)]
struct Spent {
    pages: u32,
    decoding: f64,
    barcodes: f64,
    fingerprint: f64,
    stages: [f64; Stage::ALL.len()],
    others: BTreeMap<String, f64>,
}

fn main() -> Result<()> {
    let cases: PathBuf = argument("--cases", PathBuf::from("samples"))?;
    let models: PathBuf = argument("--models", installed_models())?;
    let every: usize = argument("--every", 1)?;
    let rounds: usize = argument("--rounds", 1)?;
    let beside: String = argument("--beside", String::new())?;
    let pages: Vec<Page> = pages_of(&cases)?.into_iter().step_by(every.max(1)).collect();
    let mut others = (!beside.is_empty()).then(|| Others::start(&beside)).transpose()?;
    let mut reader = PageReader::open(&reader_options(&models)?)?;
    let mut spent: BTreeMap<String, Spent> = BTreeMap::new();
    let mut resident = Vec::new();
    for _ in 0..rounds {
        for page in &pages {
            let of_kind = spent.entry(page.kind.clone()).or_default();
            read(&mut reader, page, of_kind)?;
            if let Some(others) = &mut others {
                others.read(&page.path, of_kind)?;
            }
        }
        resident.push(resident_mib()?);
    }
    drop((reader, others));
    print(&spent);
    println!("\nResident memory after each round of {} pages, one worker, MiB: {resident:?}", pages.len());
    print_workers(&[work_with(1, &pages, &models)?, work_with(2, &pages, &models)?]);
    Ok(())
}

/// Reads a page and adds up what it took.
fn read(reader: &mut PageReader, page: &Page, spent: &mut Spent) -> Result<()> {
    let before = pages::read(reader, page)?;
    spent.pages += 1;
    spent.decoding += before.decoding;
    spent.barcodes += before.barcodes;
    spent.fingerprint += before.fingerprint;
    for (sum, (_, ms)) in spent.stages.iter_mut().zip(reader.stages().spent_ms()) {
        *sum += ms;
    }
    Ok(())
}

/// Other readers, in a process of their own.
struct Others {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Others {
    fn start(python: &str) -> Result<Self> {
        let mut child = Command::new(python)
            .arg("bench/other_readers.py")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{python} cannot be started"))?;
        let to = child.stdin.take().context("no way to ask")?;
        let from = BufReader::new(child.stdout.take().context("no way to hear")?);
        Ok(Self { child, to, from })
    }

    /// Hands over a path; the answer is a JSON object of CPU seconds by reader.
    fn read(&mut self, path: &Path, spent: &mut Spent) -> Result<()> {
        writeln!(self.to, "{}", path.display())?;
        let mut answer = String::new();
        self.from.read_line(&mut answer)?;
        let seconds: BTreeMap<String, f64> = serde_json::from_str(&answer).context("an answer is no JSON")?;
        for (name, seconds) in seconds {
            *spent.others.entry(name).or_default() += seconds * 1000.0;
        }
        Ok(())
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn print(spent: &BTreeMap<String, Spent>) {
    println!("CPU milliseconds a page, one thread:\n");
    let names: Vec<String> = Stage::ALL.iter().map(|stage| format!("{stage:?}").to_lowercase()).collect();
    println!("| kind | pages | all of reading | {} | decoding | barcodes | fingerprint |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len() + 5));
    for (kind, spent) in spent {
        let mean = |ms: f64| format!("{:.0}", ms / f64::from(spent.pages.max(1)));
        let stages: Vec<String> = spent.stages.iter().map(|ms| mean(*ms)).collect();
        let around = [spent.decoding, spent.barcodes, spent.fingerprint].map(mean).join(" | ");
        let all = mean(spent.stages.iter().sum());
        println!("| {kind} | {} | {all} | {} | {around} |", spent.pages, stages.join(" | "));
    }
    for (kind, spent) in spent {
        let ours: f64 = spent.stages.iter().sum();
        for (name, ms) in &spent.others {
            let theirs = ms / f64::from(spent.pages.max(1));
            println!("\n{kind}: {name} takes {theirs:.0} ms a page; we take {:.2} of it", ours / ms);
        }
    }
}

/// What so many workers took for all pages.
struct Work {
    wall_seconds: f64,
    cpu_seconds: f64,
}

/// Where others use the processors too, wall time says more about them; CPU time says what the workers cost each
/// other, and so what two of them would gain alone.
fn print_workers([one, two]: &[Work; 2]) {
    for (work, workers) in [(one, 1), (two, 2)] {
        println!("Workers: {workers}, wall {:.1} s, CPU {:.1} s", work.wall_seconds, work.cpu_seconds);
    }
    let gain = one.wall_seconds / two.wall_seconds;
    let alone = 2.0 * one.cpu_seconds / two.cpu_seconds;
    println!("Two workers are {gain:.2} times as fast as one; by CPU time alone it would be {alone:.2}");
}

/// So many workers, each with a reader of its own, read all pages; opening the readers is not counted.
fn work_with(workers: usize, pages: &[Page], models: &Path) -> Result<Work> {
    let mut readers = Vec::new();
    for _ in 0..workers {
        readers.push(PageReader::open(&reader_options(models)?)?);
    }
    let (started, cpu_before) = (Instant::now(), cpu_seconds()?);
    // Whoever is free takes the next page.
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let threads: Vec<_> = readers
            .iter_mut()
            .map(|reader| {
                let next = &next;
                scope.spawn(move || -> Result<()> {
                    while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
                        pages::read(reader, page)?;
                    }
                    Ok(())
                })
            })
            .collect();
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a worker ended"))??;
        }
        anyhow::Ok(())
    })?;
    Ok(Work { wall_seconds: started.elapsed().as_secs_f64(), cpu_seconds: cpu_seconds()? - cpu_before })
}
