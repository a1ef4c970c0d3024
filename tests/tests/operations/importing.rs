//! A large import takes no more memory than a small one.

use std::{
    fmt::Write as _,
    fs,
    io::{BufWriter, Write as _},
    path::Path,
};

use anyhow::{Context, Result};
use archive_tests::entries::{self, Entry};

use crate::program::{self, text};

const OUTLET: &str = "TJHX0101";
const SMALL: u64 = 10_000;
const LARGE: u64 = 100_000;
/// What a hundred thousand lines may take beyond what ten thousand take: caches that fill up, not the lines, which
/// are 25 MB as text and several times that as values.
const SLACK_KIB: u64 = 48 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_lines_take_no_more_memory_than_ten_thousand() {
    let small = peak_of_import(0..SMALL).await.unwrap();
    let large = peak_of_import(0..LARGE).await.unwrap();

    println!("peak memory of its own: {small} KiB for {SMALL} lines, {large} KiB for {LARGE}");
    assert!(large < small + SLACK_KIB, "{large} KiB against {small} KiB");
}

/// Imports into a new archive and gives the most memory the program had, in KiB.
async fn peak_of_import(numbers: std::ops::Range<u64>) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let (data, file) = (folder.path().join("data"), folder.path().join("entries.csv"));
    write_entries(&file, numbers)?;
    program::succeed(&["--data", text(&data), "init"]).await?;
    let mut importing = program::start(&["--data", text(&data), "import", "entries", text(&file)])?;
    let status = format!("/proc/{}/status", importing.id().context("it has ended already")?);
    let mut peak = 0;
    while importing.try_wait()?.is_none() {
        // Gone between the look at the process and this one: the last value stands.
        if let Ok(status) = fs::read_to_string(&status) {
            peak = peak.max(anonymous(&status));
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let said = importing.wait_with_output().await?;
    anyhow::ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    Ok(peak)
}

/// Memory of its own: pages of the catalogue that are mapped belong to the system and go when it wants them.
fn anonymous(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

fn write_entries(path: &Path, numbers: std::ops::Range<u64>) -> Result<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    for (place, number) in numbers.enumerate() {
        let mut lines = String::new();
        let text = entries::csv(&[Entry::of(number, OUTLET)]);
        let (head, line) = text.split_once("\r\n").context("no head")?;
        if place == 0 {
            write!(lines, "{head}\r\n")?;
        }
        lines.push_str(line);
        file.write_all(lines.as_bytes())?;
    }
    Ok(file.flush()?)
}
