//! A large import takes no memory for the lines that it has done with.

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
const LINES: u64 = 60_000;
/// What the second half of an import may take beyond the first: what a cache still gains, not the lines, which are
/// 8 MB as text and several times that as values.
const SLACK_KIB: u64 = 16 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn the_second_half_of_a_large_import_takes_no_more_memory_than_the_first() {
    let taken = memory_of_import(0..LINES).await.unwrap();

    let (first, second) = taken.split_at(taken.len() / 2);
    let (first, second) = (first.iter().max().unwrap(), second.iter().max().unwrap());
    println!("memory of its own: {first} KiB in the first half of {LINES} lines, {second} KiB in the second");
    assert!(*second < first + SLACK_KIB, "{second} KiB against {first} KiB");
}

/// Imports into a new archive and gives the memory that the program had, in KiB, at equal distances.
async fn memory_of_import(numbers: std::ops::Range<u64>) -> Result<Vec<u64>> {
    let folder = tempfile::tempdir()?;
    let (data, file) = (folder.path().join("data"), folder.path().join("entries.csv"));
    write_entries(&file, numbers)?;
    program::succeed(&["--data", text(&data), "init"]).await?;
    let mut importing = program::start(&["--data", text(&data), "import", "entries", text(&file)])?;
    let status = format!("/proc/{}/status", importing.id().context("it has ended already")?);
    let mut taken = Vec::new();
    while importing.try_wait()?.is_none() {
        // Gone between the look at the process and this one: there is nothing to add.
        if let Some(memory) = fs::read_to_string(&status).ok().as_deref().and_then(anonymous) {
            taken.push(memory);
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let said = importing.wait_with_output().await?;
    anyhow::ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    anyhow::ensure!(taken.len() > 1, "the import was over before it could be looked at");
    Ok(taken)
}

/// Memory of its own: pages of the catalogue that are mapped belong to the system and go when it wants them.
fn anonymous(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
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
