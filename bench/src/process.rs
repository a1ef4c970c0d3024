//! What this process has cost so far.

use std::fs;

use anyhow::{Context, Result};

/// Parts of a second the kernel counts CPU time in.
const TICKS: f64 = 100.0;

/// CPU seconds of all threads, and of the children that have ended.
pub fn cpu_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/self/stat")?;
    // The name of the program, in brackets, may hold spaces. Behind it come eleven fields, then these four.
    let (_, fields) = text.rsplit_once(')').context("/proc/self/stat is not as expected")?;
    let ticks: Vec<f64> =
        fields.split_whitespace().skip(11).take(4).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS)
}

/// Resident memory in MiB.
pub fn resident_mib() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024)
}
